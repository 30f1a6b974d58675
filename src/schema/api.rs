use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::config::SchemaRegistry;
use crate::metrics::{Lookup, Metrics};
use crate::model::SchemaType;
use crate::schema::failure::Failure;
use crate::upstream::{Client, Request};

/// What the registry may say beside the largest schema.
const ANSWER_BYTES: u64 = 64 << 10;

/// The registry's HTTP interface: several instances of one registry.
pub(super) struct Api {
    client: Client,
    urls: Vec<String>,
    /// The one that answered last, which is asked first.
    preferred: AtomicUsize,
    timeout: Duration,
    max_answer_bytes: u64,
    metrics: Arc<Metrics>,
}

/// A schema as the registry has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Stored {
    #[serde(default)]
    pub(super) id: i32,
    #[serde(default)]
    pub(super) version: i32,
    pub(super) schema: String,
    #[serde(default, rename = "schemaType")]
    schema_type: Option<String>,
    #[serde(default)]
    pub(super) references: Option<Vec<Reference>>,
}

/// What a schema refers to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) version: i32,
}

/// A schema that is looked for or registered.
#[derive(Serialize)]
struct Given<'a> {
    schema: &'a str,
    #[serde(rename = "schemaType")]
    schema_type: &'static str,
    #[serde(skip_serializing_if = "<[Reference]>::is_empty")]
    references: &'a [Reference],
}

#[derive(Deserialize)]
struct RegistryError {
    #[serde(default)]
    error_code: i64,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Id {
    id: i32,
}

impl Stored {
    /// Returns its type; Avro is not named.
    pub(super) fn schema_type(&self) -> Result<SchemaType, Failure> {
        let name = self.schema_type.as_deref().unwrap_or(SchemaType::Avro.name());
        SchemaType::named(name).ok_or_else(|| {
            Failure::Unreadable(format!("The schema is of the type {name}, which is none of AVRO, JSON and PROTOBUF."))
        })
    }
}

impl Api {
    pub(super) fn new(settings: &SchemaRegistry, metrics: &Arc<Metrics>) -> Result<Api, String> {
        Ok(Api {
            client: Client::new(&settings.remote, settings.connect_timeout, None)?,
            urls: settings.remote.urls.clone(),
            preferred: AtomicUsize::new(0),
            timeout: settings.request_timeout,
            max_answer_bytes: settings.max_schema_bytes.saturating_mul(2) + ANSWER_BYTES,
            metrics: Arc::clone(metrics),
        })
    }

    /// Returns the schema of an id.
    pub(super) async fn by_id(&self, id: i32) -> Result<Stored, Failure> {
        let stored: Stored = self.ask(&Request::get(format!("/schemas/ids/{id}"))).await?;
        Ok(Stored { id, ..stored })
    }

    /// Returns a version of a subject; `latest` is one.
    pub(super) async fn version(&self, subject: &str, version: &str) -> Result<Stored, Failure> {
        let subject = crate::model::encode_segment(subject);
        self.ask(&Request::get(format!("/subjects/{subject}/versions/{version}"))).await
    }

    /// Returns the schema of a subject that is this one, with what it refers to.
    pub(super) async fn find(
        &self,
        subject: &str,
        kind: SchemaType,
        text: &str,
        references: &[Reference],
    ) -> Result<Stored, Failure> {
        self.ask(&given(subject, "", kind, text, references)?).await
    }

    /// Registers a schema, and returns its id; done twice it is the same.
    pub(super) async fn register(&self, subject: &str, kind: SchemaType, text: &str) -> Result<i32, Failure> {
        let id: Id = self.ask(&given(subject, "/versions", kind, text, &[])?).await?;
        Ok(id.id)
    }

    /// Asks the registry, and counts that.
    async fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let began = Instant::now();
        let answer = self.ask_each(request).await;
        let lookup = match &answer {
            Ok(_) => Lookup::Found,
            Err(Failure::Missing(_)) => Lookup::Missing,
            Err(Failure::Refused(_) | Failure::Forbidden(_) | Failure::Unreadable(_)) => Lookup::Refused,
            Err(Failure::Unavailable(_)) => Lookup::Unavailable,
        };
        self.metrics.registry.count(lookup, began.elapsed());
        answer
    }

    /// Asks one instance after another until one answers; every request may be sent twice.
    async fn ask_each<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let deadline = Instant::now() + self.timeout;
        let first = self.preferred.load(Ordering::Relaxed);
        let mut last = "no instance is configured".to_owned();
        for at in 0..self.urls.len() {
            let place = (first + at) % self.urls.len();
            let left = deadline.saturating_duration_since(Instant::now());
            // What is left is shared out, so that one which hangs leaves the others their time.
            let limit = left / u32::try_from(self.urls.len() - at).unwrap_or(1);
            match self.answer(&self.urls[place], request, limit).await {
                Ok((status, body)) if (200..300).contains(&status) => {
                    self.preferred.store(place, Ordering::Relaxed);
                    return serde_json::from_slice(&body)
                        .map_err(|_| Failure::Unavailable("What answers for the schema registry is none.".to_owned()));
                }
                Ok((status, body)) if status < 500 && status != 429 => return Err(refusal(status, &body)),
                Ok((status, _)) => last = format!("it answered {status}"),
                Err(why) => last = why,
            }
        }
        log::warn!("the schema registry cannot be asked: {last}");
        Err(Failure::Unavailable("The schema registry cannot be asked; send the request again later.".to_owned()))
    }

    async fn answer(&self, url: &str, request: &Request, limit: Duration) -> Result<(u16, Bytes), String> {
        let answer = self.client.send(url, request, limit).await.map_err(|why| why.to_string())?;
        let status = answer.status();
        let body = tokio::time::timeout(limit, answer.whole(self.max_answer_bytes)).await;
        let body = body.map_err(|_| "its answer did not come to an end".to_owned())?;
        Ok((status, body.map_err(|why| why.to_string())?))
    }
}

fn given(
    subject: &str,
    below: &str,
    kind: SchemaType,
    text: &str,
    references: &[Reference],
) -> Result<Request, Failure> {
    let subject = crate::model::encode_segment(subject);
    let given = Given { schema: text, schema_type: kind.name(), references };
    let body = serde_json::to_vec(&given).map_err(|why| Failure::Unreadable(why.to_string()))?;
    Ok(Request {
        method: "POST",
        path: format!("/subjects/{subject}{below}"),
        content_type: Some("application/vnd.schemaregistry.v1+json".to_owned()),
        body: body.into(),
    })
}

fn refusal(status: u16, body: &[u8]) -> Failure {
    let error: RegistryError =
        serde_json::from_slice(body).unwrap_or(RegistryError { error_code: i64::from(status), message: String::new() });
    let message = match error.message.lines().next().unwrap_or_default() {
        "" => format!("The schema registry answers {status}."),
        text => text.chars().take(500).collect(),
    };
    match (status, error.error_code) {
        (404, _) => Failure::Missing(message),
        (401, _) => {
            log::error!("the schema registry refuses the credentials of this proxy");
            Failure::Unavailable("The schema registry refuses the credentials of this proxy.".to_owned())
        }
        (403, _) | (_, 40301) => Failure::Forbidden(message),
        _ => Failure::Refused(message),
    }
}
