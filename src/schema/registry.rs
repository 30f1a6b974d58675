use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::cache::Cache;
use crate::config::SchemaRegistry;
use crate::format::schema::{Reference, Schema};
use crate::metrics::Metrics;
use crate::model::SchemaType;
use crate::schema::api::{self, Api, Stored};
use crate::schema::failure::Failure;
use crate::schema::references::{Resolved, resolve, too_large};

/// An id and the text of a schema never part.
const FOREVER: Duration = Duration::from_secs(3600);

/// A schema of the registry.
pub struct Registered {
    /// Its id.
    pub id: i32,
    /// Its format.
    pub kind: SchemaType,
    /// What it says.
    pub schema: Schema,
    text: String,
    references: Vec<api::Reference>,
}

/// A schema as a version of a subject.
#[derive(Clone)]
pub struct Versioned {
    /// The schema.
    pub registered: Arc<Registered>,
    /// The subject.
    pub subject: Arc<str>,
    /// The version in it.
    pub version: i32,
}

/// What stands for a text among those that are kept: clients may send large ones that nobody registers.
type Fingerprint = [u8; 32];

/// What there is, or that there is nothing and what the registry says about it.
type Found<T> = Result<T, Failure>;

/// Looks up schemas and registers them; what it found is kept.
///
/// Every look-up ends within `schema_registry.request_timeout`. What is kept goes on working while the registry is away.
pub struct Registry {
    api: Api,
    settings: SchemaRegistry,
    by_id: Cache<i32, Found<Arc<Registered>>, Failure>,
    by_text: Cache<(String, SchemaType, Fingerprint), Found<Versioned>, Failure>,
    by_version: Cache<(String, String), Found<Versioned>, Failure>,
    in_subjects: Cache<(String, i32), Found<Versioned>, Failure>,
    record_names: Cache<(SchemaType, Fingerprint), Found<Option<Arc<str>>>, Failure>,
    metrics: Arc<Metrics>,
}

impl Registry {
    /// Takes the settings and reads the certificates; connects to nobody. `None` is without a registry.
    pub fn new(settings: &SchemaRegistry, metrics: &Arc<Metrics>) -> Result<Option<Registry>, String> {
        if settings.remote.urls.is_empty() {
            return Ok(None);
        }
        Ok(Some(Registry {
            api: Api::new(settings, metrics).map_err(|why| format!("schema_registry: {why}"))?,
            by_id: Cache::new(settings.cached_schemas),
            by_text: Cache::new(settings.cached_schemas),
            by_version: Cache::new(settings.cached_schemas),
            in_subjects: Cache::new(settings.cached_schemas),
            record_names: Cache::new(settings.cached_schemas),
            settings: settings.clone(),
            metrics: Arc::clone(metrics),
        }))
    }

    /// Returns the schema of an id.
    pub async fn by_id(&self, id: i32) -> Result<Arc<Registered>, Failure> {
        let look = self.look();
        let fetch = async || kept(self.in_time(look.asking(self.fetch(id))).await);
        self.by_id.get(&id, |found| self.age(found, FOREVER), fetch).await?
    }

    /// Returns what is known of an id, of any age as it is for good, without asking for it; `None` is nothing.
    pub fn known(&self, id: i32) -> Option<Result<Arc<Registered>, Failure>> {
        let known = self.by_id.peek(&id, |found| self.age(found, Duration::MAX));
        if known.is_some() {
            self.metrics.registry.hits.add(1);
        }
        known
    }

    /// Returns the schema that `text` is in a subject, which gets it where that is allowed.
    pub async fn of_text(&self, subject: &str, kind: SchemaType, text: &str) -> Result<Versioned, Failure> {
        self.check_size(text)?;
        let key = (subject.to_owned(), kind, fingerprint(text));
        let look = self.look();
        let fetch = async || kept(self.in_time(look.asking(self.find_or_register(subject, kind, text))).await);
        self.by_text.get(&key, |found| self.age(found, FOREVER), fetch).await?
    }

    /// Returns the latest version of a subject.
    pub async fn latest(&self, subject: &str) -> Result<Versioned, Failure> {
        self.versioned(subject, "latest", self.settings.latest_max_age).await
    }

    /// Returns a version of a subject.
    pub async fn version(&self, subject: &str, version: i32) -> Result<Versioned, Failure> {
        self.versioned(subject, &version.to_string(), FOREVER).await
    }

    /// Returns the version that the schema of an id is in a subject; missing where it is none.
    pub async fn in_subject(&self, subject: &str, id: i32) -> Result<Versioned, Failure> {
        let registered = self.by_id(id).await?;
        let key = (subject.to_owned(), id);
        let look = self.look();
        let fetch = async || kept(self.in_time(look.asking(self.find_registered(subject, &registered))).await);
        self.in_subjects.get(&key, |found| self.age(found, FOREVER), fetch).await?
    }

    /// Returns the full name of the record or message that a text says, which is parsed once.
    pub async fn record_name(&self, kind: SchemaType, text: &str) -> Result<Option<Arc<str>>, Failure> {
        self.check_size(text)?;
        let read = async || {
            let parsed = parse(kind, text.to_owned(), Vec::new()).await;
            kept(parsed.map(|schema| schema.record_name().map(Arc::from)))
        };
        self.record_names.get(&(kind, fingerprint(text)), |found| self.age(found, FOREVER), read).await?
    }

    /// Begins to look for something that may be kept.
    fn look(&self) -> Look<'_> {
        Look { metrics: &self.metrics, asked: AtomicBool::new(false) }
    }

    fn check_size(&self, text: &str) -> Result<(), Failure> {
        let max_bytes = self.settings.max_schema_bytes;
        if text.len() as u64 > max_bytes { Err(too_large(max_bytes)) } else { Ok(()) }
    }

    /// Ends a look-up that needs several requests: a schema may refer to many others.
    async fn in_time<T>(&self, look_up: impl Future<Output = Found<T>>) -> Found<T> {
        timeout(self.settings.request_timeout, look_up).await.unwrap_or_else(|_| Err(too_slow()))
    }

    fn age<T>(&self, found: &Found<T>, age: Duration) -> Duration {
        if found.is_ok() { age } else { self.settings.missing_max_age }
    }

    async fn fetch(&self, id: i32) -> Found<Arc<Registered>> {
        let stored = self.api.by_id(id).await?;
        self.read(stored).await
    }

    async fn read(&self, stored: Stored) -> Found<Arc<Registered>> {
        let kind = stored.schema_type()?;
        self.check_size(&stored.schema)?;
        let resolved = resolve(&self.api, &stored, self.settings.max_schema_bytes).await?;
        let schema = parse(kind, stored.schema.clone(), resolved).await?;
        let references = stored.references.unwrap_or_default();
        Ok(Arc::new(Registered { id: stored.id, kind, schema, text: stored.schema, references }))
    }

    async fn versioned(&self, subject: &str, version: &str, age: Duration) -> Result<Versioned, Failure> {
        let key = (subject.to_owned(), version.to_owned());
        let look = self.look();
        let fetch = async || kept(self.in_time(look.asking(self.fetch_version(subject, version))).await);
        self.by_version.get(&key, |found| self.age(found, age), fetch).await?
    }

    async fn fetch_version(&self, subject: &str, version: &str) -> Found<Versioned> {
        let stored = self.api.version(subject, version).await?;
        let version = stored.version;
        Ok(Versioned { registered: self.read(stored).await?, subject: subject.into(), version })
    }

    async fn find(&self, subject: &str, kind: SchemaType, text: &str) -> Found<Versioned> {
        let found = self.api.find(subject, kind, text, &[]).await?;
        let registered = self.by_id(found.id).await?;
        Ok(Versioned { registered, subject: subject.into(), version: found.version })
    }

    async fn find_registered(&self, subject: &str, registered: &Arc<Registered>) -> Found<Versioned> {
        let Registered { kind, text, references, .. } = registered.as_ref();
        let found = self.api.find(subject, *kind, text, references).await?;
        Ok(Versioned { registered: Arc::clone(registered), subject: subject.into(), version: found.version })
    }

    async fn find_or_register(&self, subject: &str, kind: SchemaType, text: &str) -> Found<Versioned> {
        // What cannot be read is not the registry's affair; a request has no way to say what its schema refers to.
        self.record_name(kind, text).await?;
        match self.find(subject, kind, text).await {
            Err(Failure::Missing(_)) if self.settings.auto_register => {
                let id = self.api.register(subject, kind, text).await?;
                // It was missing until now.
                self.by_id.forget(&id);
                self.find(subject, kind, text).await
            }
            found => found,
        }
    }
}

/// A look for something that may be kept; it counts as found there when it is dropped and nobody was asked.
struct Look<'a> {
    metrics: &'a Metrics,
    asked: AtomicBool,
}

impl Look<'_> {
    async fn asking<T>(&self, fetch: impl Future<Output = T>) -> T {
        self.asked.store(true, Ordering::Relaxed);
        fetch.await
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let registry = &self.metrics.registry;
        if self.asked.load(Ordering::Relaxed) { &registry.misses } else { &registry.hits }.add(1);
    }
}

/// Parses a schema, on another thread: a large one takes a while.
async fn parse(kind: SchemaType, text: String, references: Vec<Resolved>) -> Result<Schema, Failure> {
    let parsing = tokio::task::spawn_blocking(move || {
        let references: Vec<_> = references.iter().map(|one| Reference { name: &one.name, text: &one.text }).collect();
        Schema::parse(kind, &text, &references).map_err(|why| Failure::Unreadable(why.to_string()))
    });
    parsing.await.unwrap_or_else(|_| Err(Failure::Unreadable("The schema cannot be read.".to_owned())))
}

fn fingerprint(text: &str) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    fingerprint
}

/// Tells what is kept: also that there is nothing, but not that the registry could not be asked.
fn kept<T>(found: Found<T>) -> Result<Found<T>, Failure> {
    match found {
        Err(Failure::Unavailable(why)) => Err(Failure::Unavailable(why)),
        found => Ok(found),
    }
}

fn too_slow() -> Failure {
    log::warn!("the schema registry takes too long");
    Failure::Unavailable("The schema registry takes too long; send the request again later.".to_owned())
}
