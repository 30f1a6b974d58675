use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::http::path::TopicPath;
use crate::http::v2::wire;
use crate::state::State;

/// `GET /topics`: the names of all topics but Kafka's own, sorted.
pub async fn list<O: Offers>(answer: Answer<O>, state: Data<State>) -> Result<HttpResponse> {
    answer.json(&state.kafka.metadata.topics().await?)
}

/// `GET /topics/{topic}`: a topic with its effective configuration and its partitions.
pub async fn get<O: Offers>(answer: Answer<O>, path: TopicPath, state: Data<State>) -> Result<HttpResponse> {
    let topic = state.kafka.metadata.topic(&path.0).await?;
    answer.json(&wire::Topic::from(&topic))
}
