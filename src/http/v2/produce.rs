use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::{self, Bytes, Query};
use serde::Deserialize;

use crate::config::PlainJson;
use crate::domain;
use crate::domain::schemas::Part;
use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Content, Offers};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::path::{PartitionPath, TopicPath};
use crate::http::served;
use crate::http::v2::wire::{Codecs, ProduceRequest, SchemaIds, Schemas, produce_response};
use crate::http::v2::{Records, V2};
use crate::model::{Delivery, Format, Formats, PartitionId, Record, TopicName};
use crate::state::State;

/// Bodies above this size are decoded off the worker thread, where they cost it more than half a millisecond.
const DECODE_ON_WORKER_BYTES: usize = 256 * 1024;

/// What a record takes beside its bytes while it is under way: here, in the queue, and in librdkafka.
pub const RECORD_BYTES: usize = 512;

/// The query of produce; other parameters are ignored.
#[derive(Deserialize)]
pub struct ProduceQuery {
    strict: Option<String>,
    key_format: Option<String>,
    value_format: Option<String>,
}

/// What a `partition` in a record may say.
#[derive(Clone, Copy)]
pub enum PartitionField {
    /// Any partition of the topic.
    Free,
    /// The one of the path, or nothing.
    As(PartitionId),
    /// Nothing at all: on this path it is an unknown field, and records go to the partition of the path.
    Unknown(PartitionId),
}

/// `POST /topics/{topic}`.
pub async fn to_topic(
    path: TopicPath,
    content: Content<Records>,
    answer: Answer<V2>,
    query: Query<ProduceQuery>,
    mut body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    served::check_format(&caller, "api.v2.produce-to-topic.", content.0)?;
    produce(&caller, answer, &query, path.0, PartitionField::Free, content.0, &mut body).await
}

/// `POST /topics/{topic}/partitions/{partition}`.
pub async fn to_partition(
    path: PartitionPath,
    content: Content<Records>,
    answer: Answer<V2>,
    query: Query<ProduceQuery>,
    mut body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    served::check_format(&caller, "api.v2.produce-to-partition.", content.0)?;
    produce(&caller, answer, &query, path.0, PartitionField::As(path.1), content.0, &mut body).await
}

async fn produce(
    state: &State,
    answer: Answer<V2>,
    query: &ProduceQuery,
    topic: TopicName,
    partition: PartitionField,
    format: Format,
    body: &mut Body,
) -> Result<HttpResponse> {
    let strict = query.strict(state.config.producer.strict)?;
    let (records, ids) = records_for(state, &topic, query.formats(format)?, &body.bytes, partition).await?;
    body.charge(records.len() * RECORD_BYTES)?;
    let deliveries = domain::produce::produce(&state.kafka, &topic, records).await?;
    Ok(respond(&answer, &deliveries, ids, strict))
}

impl ProduceQuery {
    /// Returns the formats: that of the Content-Type, unless a parameter names another for keys or for values.
    pub fn formats(&self, format: Format) -> Result<Formats> {
        formats(format, self.key_format.as_deref(), self.value_format.as_deref())
    }

    /// Returns whether a failed record shall show in the status.
    pub fn strict(&self, default: bool) -> Result<bool> {
        match self.strict.as_deref() {
            None | Some("") => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Kind::BadRequest.because("The parameter strict is either true or false.")),
        }
    }
}

/// Returns the records of a request body, all checked and decoded, and the schemas that they were written by; a large
/// body is decoded off the worker.
pub async fn records_for(
    state: &State,
    topic: &TopicName,
    formats: Formats,
    body: &Bytes,
    partition: PartitionField,
) -> Result<(Vec<Record>, SchemaIds)> {
    let most = state.config.limits.records;
    let given = match formats.need_schemas() {
        false => Schemas::default(),
        true => {
            let given = off_worker(body, move |body| Ok(ProduceRequest::parse(&body, most)?.schemas())).await?;
            // No schema is registered for a topic that is not there, nor for a request that is refused.
            state.schemas.check(&[(formats.key, &given.key), (formats.value, &given.value)]).await?;
            domain::produce::check_topic(&state.kafka, topic).await?;
            given
        }
    };
    let codecs = Codecs {
        key: state.schemas.codec(formats.key, &given.key, topic, Part::Key).await?,
        value: state.schemas.codec(formats.value, &given.value, topic, Part::Value).await?,
    };
    let (ids, limits) = (codecs.ids(), state.config.limits.clone());
    let decode = move |body: Bytes| ProduceRequest::parse(&body, most)?.records(&body, &codecs, partition, &limits);
    Ok((off_worker(body, decode).await?, ids))
}

/// Does something with a body: on this thread if it is small.
async fn off_worker<T: Send + 'static>(
    body: &Bytes,
    work: impl FnOnce(Bytes) -> Result<T> + Send + 'static,
) -> Result<T> {
    let body = body.clone();
    if body.len() <= DECODE_ON_WORKER_BYTES {
        return work(body);
    }
    web::block(move || work(body)).await.map_err(|stopped| Kind::Internal.caused_by(stopped))?
}

/// Returns the formats of keys and of values: both are `format`, unless a parameter names another.
pub fn formats(format: Format, key: Option<&str>, value: Option<&str>) -> Result<Formats> {
    Formats::named(format, key, value).ok_or_else(|| {
        Kind::BadRequest.because("key_format and value_format are binary, json, string, avro, jsonschema or protobuf.")
    })
}

/// Returns the answer: 200, or 401 or 403 when Kafka refused a record for that reason; strict tells other failures.
pub fn respond<O: Offers>(answer: &Answer<O>, deliveries: &[Delivery], ids: SchemaIds, strict: bool) -> HttpResponse {
    let status = status_of(deliveries, strict);
    let mut response = answer.text(status, produce_response(deliveries, ids));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn status_of(deliveries: &[Delivery], strict: bool) -> StatusCode {
    let failures = || deliveries.iter().filter_map(|delivery| delivery.as_ref().err());
    for failure in failures() {
        match failure.kind {
            Kind::KafkaAuthentication => return StatusCode::UNAUTHORIZED,
            Kind::KafkaAuthorization => return StatusCode::FORBIDDEN,
            // Other kinds show in the body, and in the status when asked for.
            _ => {}
        }
    }
    let failed = failures().count();
    if !strict || failed == 0 {
        StatusCode::OK
    } else if failed < deliveries.len() {
        StatusCode::MULTI_STATUS
    } else if failures().all(|failure| failure.kind == Kind::KafkaRetriable) {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// Returns what plain `application/json` means on produce: nothing, unless a setting says so.
pub fn plain_json(setting: PlainJson) -> Option<Format> {
    match setting {
        PlainJson::Refuse => None,
        PlainJson::Json => Some(Format::Json),
        PlainJson::Binary => Some(Format::Binary),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Placed, RecordError};

    fn failed(kind: Kind) -> Delivery {
        Err(RecordError { kind, message: String::new(), with_its_batch: false })
    }

    #[test]
    fn the_status_follows_the_first_refusal_and_strictness() {
        let good = || Ok(Placed { partition: 0, offset: 0, timestamp_ms: None });
        let cases: [(&[Delivery], bool, u16); 8] = [
            (&[good()], true, 200),
            (&[failed(Kind::Kafka)], false, 200),
            (&[good(), failed(Kind::Kafka)], true, 207),
            (&[failed(Kind::Kafka), failed(Kind::KafkaRetriable)], true, 500),
            (&[failed(Kind::KafkaRetriable)], true, 503),
            (&[good(), failed(Kind::KafkaAuthorization)], false, 403),
            (&[failed(Kind::KafkaAuthentication), failed(Kind::KafkaAuthorization)], false, 401),
            (&[failed(Kind::KafkaAuthorization), failed(Kind::KafkaAuthentication)], true, 403),
        ];
        for (deliveries, strict, expected) in cases {
            assert_eq!(status_of(deliveries, strict), expected, "{deliveries:?} {strict}");
        }
    }
}
