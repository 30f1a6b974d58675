use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::http::path::{PartitionPath, TopicPath};
use crate::http::v2::{V2, wire};
use crate::state::State;

/// `GET /topics/{topic}/partitions`: the partitions in the order of their numbers.
pub async fn list<O: Offers>(answer: Answer<O>, path: TopicPath, state: Data<State>) -> Result<HttpResponse> {
    let partitions = state.kafka.metadata.partitions(&path.0).await?;
    answer.json(&partitions.iter().map(wire::Partition::from).collect::<Vec<_>>())
}

/// `GET /topics/{topic}/partitions/{partition}`: one of them.
pub async fn get<O: Offers>(answer: Answer<O>, path: PartitionPath, state: Data<State>) -> Result<HttpResponse> {
    let partition = state.kafka.metadata.partition(&path.0, path.1).await?;
    answer.json(&wire::Partition::from(&partition))
}

/// `GET /topics/{topic}/partitions/{partition}/offsets`: the first offset and the next one, as they are now.
pub async fn offsets(answer: Answer<V2>, path: PartitionPath, state: Data<State>) -> Result<HttpResponse> {
    let offsets = state.kafka.metadata.watermarks(&path.0, path.1).await?;
    answer.json(&json!({ "beginning_offset": offsets.beginning, "end_offset": offsets.end }))
}
