use actix_web::HttpResponse;
use serde_json::json;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::http::caller::Caller;
use crate::http::path::{PartitionPath, TopicPath};
use crate::http::v2::{V2, wire};

/// `GET /topics/{topic}/partitions`: the partitions in the order of their numbers.
pub async fn list<O: Offers>(answer: Answer<O>, path: TopicPath, caller: Caller) -> Result<HttpResponse> {
    let partitions = caller.kafka.metadata.partitions(&path.0).await?;
    answer.json(&partitions.iter().map(wire::Partition::from).collect::<Vec<_>>())
}

/// `GET /topics/{topic}/partitions/{partition}`: one of them.
pub async fn get<O: Offers>(answer: Answer<O>, path: PartitionPath, caller: Caller) -> Result<HttpResponse> {
    let partition = caller.kafka.metadata.partition(&path.0, path.1).await?;
    answer.json(&wire::Partition::from(&partition))
}

/// `GET /topics/{topic}/partitions/{partition}/offsets`: the first offset and the next one, as they are now.
pub async fn offsets(answer: Answer<V2>, path: PartitionPath, caller: Caller) -> Result<HttpResponse> {
    let offsets = caller.kafka.metadata.watermarks(&path.0, path.1).await?;
    answer.json(&json!({ "beginning_offset": offsets.beginning, "end_offset": offsets.end }))
}
