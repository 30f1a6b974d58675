use actix_web::HttpResponse;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::http::caller::Caller;
use crate::http::path::TopicPath;
use crate::http::v2::wire;
use crate::model::{Right, Subject};

/// `GET /topics`: the names of all topics but Kafka's own, sorted.
pub async fn list<O: Offers>(answer: Answer<O>, caller: Caller) -> Result<HttpResponse> {
    let (topics, view) = (caller.kafka.metadata.topics().await?, caller.view(Right::Describe));
    answer.json(&topics.iter().filter(|name| view.shows(Subject::Topic(name))).collect::<Vec<_>>())
}

/// `GET /topics/{topic}`: a topic with its effective configuration and its partitions.
pub async fn get<O: Offers>(answer: Answer<O>, path: TopicPath, caller: Caller) -> Result<HttpResponse> {
    let topic = caller.kafka.metadata.topic(&path.0).await?;
    answer.json(&wire::Topic::from(&topic))
}
