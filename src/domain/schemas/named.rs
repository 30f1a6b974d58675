//! The schemas that records of v3 name, each record its own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use crate::domain::schemas::{Schemas, failed};
use crate::error::{Error, Kind, Result};
use crate::format::Framed;
use crate::model::{RecordError, SchemaType, TopicName};
use crate::schema::{Failure, Part, Registry, Strategy, Versioned, subject};

/// Look-ups of one batch that are under way at once.
const LOOKUPS: usize = 8;

/// What a look-up has beyond the time of the registry, so that what is kept can take the place of its answer.
const LAST_WORD: Duration = Duration::from_millis(100);

/// The schema that a key or value names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// The subject.
    pub subject: Naming,
    /// Which of its schemas.
    pub which: Which,
}

/// How a subject is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Naming {
    /// By its name.
    Subject(String),
    /// By a strategy.
    By(Strategy),
}

/// Which schema of a subject is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// The one with this text, which is registered where that is allowed.
    Text(SchemaType, String),
    /// The one of an id.
    Id(i32),
    /// A version.
    Version(i32),
    /// The latest version.
    Latest,
}

/// A schema that was named, for the part of the record that names it.
pub type Wanted = (Part, Arc<Named>);

/// Writes by a schema that was named.
pub struct Serializer {
    /// What writes.
    pub framed: Framed,
    /// The format of the schema.
    pub kind: SchemaType,
    /// The subject it was found in.
    pub subject: Arc<str>,
    /// Its version in there.
    pub version: i32,
}

/// What became of the look-ups of a batch.
#[derive(Default)]
pub struct Known(HashMap<Wanted, Result<Arc<Serializer>, RecordError>>);

impl Known {
    /// Returns one where every look-up failed.
    pub fn failed(wanted: HashSet<Wanted>, why: &RecordError) -> Known {
        Known(wanted.into_iter().map(|wanted| (wanted, Err(why.clone()))).collect())
    }

    /// Returns what writes by a schema; an error tells why there is none.
    pub fn get(&self, part: Part, named: &Arc<Named>) -> Result<Arc<Serializer>> {
        match self.0.get(&(part, Arc::clone(named))) {
            Some(Ok(serializer)) => Ok(Arc::clone(serializer)),
            Some(Err(why)) => Err(why.kind.because(why.message.as_str())),
            None => Err(unanswered()),
        }
    }
}

impl Schemas {
    /// Looks up schemas for records of a topic, side by side, within `schema_registry.request_timeout`.
    ///
    /// A look-up that has no answer by then has failed; what it began may still reach the registry.
    pub async fn resolve(&self, wanted: HashSet<Wanted>, topic: &TopicName) -> Known {
        let registry = match self.registry() {
            Ok(registry) => registry,
            Err(error) => return Known::failed(wanted, &RecordError::from(&error)),
        };
        let deadline = Instant::now() + self.patience + LAST_WORD;
        let look_up = |wanted: Wanted| async move {
            let found = match timeout_at(deadline, find(registry, &wanted, topic)).await {
                Ok(found) => found,
                Err(_) => Err(unanswered()),
            };
            let serializer = found.map(|found| Arc::new(self.serializer(found)));
            (wanted, serializer.map_err(|error| RecordError::from(&error)))
        };
        Known(stream::iter(wanted).map(look_up).buffer_unordered(LOOKUPS).collect().await)
    }

    fn serializer(&self, found: Versioned) -> Serializer {
        let framed = self.framed(&found);
        Serializer { framed, kind: found.registered.kind, subject: found.subject, version: found.version }
    }
}

async fn find(registry: &Registry, (part, named): &Wanted, topic: &TopicName) -> Result<Versioned> {
    let subject_of = |record_name: Option<&str>| match &named.subject {
        Naming::Subject(name) => Ok(name.clone()),
        Naming::By(strategy) => subject(*strategy, topic, *part, record_name).ok_or_else(nameless),
    };
    match &named.which {
        Which::Text(kind, text) => {
            let record_name = match &named.subject {
                Naming::By(strategy) if strategy.needs_schema() => {
                    registry.record_name(*kind, text).await.map_err(lookup_failed)?
                }
                Naming::By(_) | Naming::Subject(_) => None,
            };
            registry.of_text(&subject_of(record_name.as_deref())?, *kind, text).await.map_err(lookup_failed)
        }
        Which::Id(id) => {
            let registered = registry.by_id(*id).await.map_err(|failure| unknown_id(*id, failure))?;
            let subject = subject_of(registered.schema.record_name())?;
            registry.in_subject(&subject, *id).await.map_err(|failure| match failure {
                Failure::Missing(_) => Kind::SchemaLookup
                    .because(format!("Error serializing message. Schema {id} is not in the subject {subject}.")),
                other => lookup_failed(other),
            })
        }
        Which::Version(version) => {
            let subject = subject_of(None)?;
            // To the registry some of the numbers below mean the latest.
            let found = match *version {
                ..1 => Err(Failure::Missing(String::new())),
                version => registry.version(&subject, version).await,
            };
            found.map_err(|failure| match failure {
                Failure::Missing(_) => Kind::BadRequest
                    .because(format!("Schema does not exist for subject: {subject}, version: {version}")),
                other => lookup_failed(other),
            })
        }
        Which::Latest => registry.latest(&subject_of(None)?).await.map_err(lookup_failed),
    }
}

fn nameless() -> Error {
    Kind::BadRequest.because("The schema has no name, which the strategy needs: give a subject.")
}

fn unknown_id(id: i32, failure: Failure) -> Error {
    let text = format!("Error serializing message. Error when fetching schema by id. schemaId = {id}");
    match failure {
        Failure::Missing(_) => Kind::SchemaLookup.because(text),
        Failure::Unavailable(why) => Kind::SchemaLookup.because(format!("{text}: {why}")),
        other @ (Failure::Unreadable(_) | Failure::Refused(_) | Failure::Forbidden(_)) => failed(other),
    }
}

/// Returns what a failure of the registry is for a record; that it is away is no matter of the whole request here.
fn lookup_failed(failure: Failure) -> Error {
    match failure {
        Failure::Unavailable(why) => Kind::SchemaLookup.because(format!("Error serializing message. {why}")),
        other => failed(other),
    }
}

fn unanswered() -> Error {
    Kind::SchemaLookup.because("Error serializing message. The schema registry did not answer in time.")
}
