use actix_web::HttpResponse;
use serde_json::json;

use crate::error::Result;
use crate::http::answer::{Answer, Content};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::Fields;
use crate::http::v2::consumers::{ConsumerBody, Consumers, InstancePath, no_content, partitions_of};
use crate::model::Right;

/// `GET .../assignments`: the partitions that the instance reads now.
pub async fn list(path: InstancePath, answer: Answer<Consumers>, caller: Caller) -> Result<HttpResponse> {
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    let assigned = instance.assignment().await?;
    let partition = |(topic, id): &(crate::model::TopicName, crate::model::PartitionId)| json!({ "topic": topic.as_str(), "partition": id.get() });
    answer.json(&json!({ "partitions": assigned.iter().map(partition).collect::<Vec<_>>() }))
}

/// `POST .../assignments`: in the place of those before; none is nothing.
pub async fn assign(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    _answer: Answer<Consumers>,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    let fields = Fields::required(&body.bytes)?;
    let partitions = partitions_of(fields)?;
    caller.may_all(Right::Read, partitions.iter().map(|(topic, _)| topic))?;
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    instance.assign(&caller.kafka, partitions).await?;
    Ok(no_content())
}
