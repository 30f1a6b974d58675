use actix_web::HttpResponse;
use actix_web::web::Query;

use crate::domain;
use crate::error::{Error, Kind, Result};
use crate::http::answer::{Answer, Content};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::path::{PartitionPath, TopicPath};
use crate::http::served;
use crate::http::v1::{Records, V1};
use crate::http::v2::{PartitionField, ProduceQuery, RECORD_BYTES, records_for, respond};
use crate::model::{Format, TopicName};
use crate::state::State;

/// `POST /topics/{topic}`.
pub async fn to_topic(
    path: TopicPath,
    content: Content<Records>,
    answer: Answer<V1>,
    query: Query<ProduceQuery>,
    mut body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    served::check_format(&caller, "api.v1.produce-to-topic.", content.0)?;
    produce(&caller, answer, &query, path.0, PartitionField::Free, content.0, &mut body).await
}

/// `POST /topics/{topic}/partitions/{partition}`.
pub async fn to_partition(
    path: PartitionPath,
    content: Content<Records>,
    answer: Answer<V1>,
    query: Query<ProduceQuery>,
    mut body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    served::check_format(&caller, "api.v1.produce-to-partition.", content.0)?;
    produce(&caller, answer, &query, path.0, PartitionField::Unknown(path.1), content.0, &mut body).await
}

async fn produce(
    state: &State,
    answer: Answer<V1>,
    query: &ProduceQuery,
    topic: TopicName,
    partition: PartitionField,
    format: Format,
    body: &mut Body,
) -> Result<HttpResponse> {
    let strict = query.strict(state.config.producer.strict)?;
    let formats = query.formats(format)?;
    let (records, ids) = records_for(state, &topic, formats, &body.bytes, partition).await.map_err(as_v1)?;
    body.charge(records.len() * RECORD_BYTES)?;
    let deliveries = domain::produce::produce(&state.kafka, &topic, records).await.map_err(as_v1)?;
    Ok(respond(&answer, &deliveries, ids, strict))
}

/// Gives an error of the whole request the code that it has in v1.
fn as_v1(error: Error) -> Error {
    match error.kind() {
        Kind::InvalidBase64 => error.as_kind(Kind::V1InvalidBase64),
        // KIP-80 has one code for whatever Kafka could not do.
        Kind::Kafka | Kind::KafkaRetriable => error.as_kind(Kind::V1Kafka),
        // Every other kind is the same in both versions.
        _ => error,
    }
}
