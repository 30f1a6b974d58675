use actix_web::HttpResponse;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::http::caller::Caller;
use crate::http::path::TopicPath;
use crate::http::v2::wire;

/// `GET /topics`: the names of all topics but Kafka's own, sorted.
pub async fn list<O: Offers>(answer: Answer<O>, caller: Caller) -> Result<HttpResponse> {
    answer.json(&caller.kafka.metadata.topics().await?)
}

/// `GET /topics/{topic}`: a topic with its effective configuration and its partitions.
pub async fn get<O: Offers>(answer: Answer<O>, path: TopicPath, caller: Caller) -> Result<HttpResponse> {
    let topic = caller.kafka.metadata.topic(&path.0).await?;
    answer.json(&wire::Topic::from(&topic))
}
