use std::sync::Arc;

use actix_web::HttpResponse;
use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};

use crate::domain::consume::TopicPattern;
use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Content};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::fields::Fields;
use crate::http::v2::consumers::{ConsumerBody, Consumers, InstancePath, no_content};
use crate::model::{Right, Subject, TopicName};

/// What a compiled pattern may weigh; a hostile one is refused.
const PATTERN_BYTES: usize = 1 << 20;

/// `GET .../subscription`: the topics; for a pattern those that matched last.
pub async fn list(path: InstancePath, answer: Answer<Consumers>, caller: Caller) -> Result<HttpResponse> {
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    let topics = instance.subscription();
    answer.json(&json!({ "topics": topics.iter().map(TopicName::as_str).collect::<Vec<_>>() }))
}

/// `POST .../subscription`: topics win over a pattern; neither changes nothing.
pub async fn subscribe(
    path: InstancePath,
    _content: Content<ConsumerBody>,
    _answer: Answer<Consumers>,
    body: Body,
    caller: Caller,
) -> Result<HttpResponse> {
    let mut fields = Fields::required(&body.bytes)?;
    let topics = fields.list("topics")?.map(topic_names).transpose()?;
    let pattern = fields.text("topic_pattern")?;
    fields.finish()?;
    let pattern = if topics.is_some() { None } else { pattern.as_deref().map(whole_name).transpose()? };
    caller.may_all(Right::Read, topics.iter().flatten())?;
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    match (topics, pattern) {
        (Some(topics), _) => instance.subscribe(&caller.kafka, topics).await?,
        (None, Some(pattern)) => instance.subscribe_pattern(&caller.kafka, readable(pattern, &caller)).await?,
        (None, None) => {}
    }
    Ok(no_content())
}

/// `DELETE .../subscription`: clears an assignment too.
pub async fn unsubscribe(path: InstancePath, _answer: Answer<Consumers>, caller: Caller) -> Result<HttpResponse> {
    let instance = path.find(&caller)?;
    let _use = instance.in_use();
    instance.unsubscribe(&caller.kafka).await?;
    Ok(no_content())
}

/// Returns a pattern for the topics that match and that the caller may read, as the rules are whenever it is looked.
fn readable(pattern: Regex, caller: &Caller) -> TopicPattern {
    let (rules, asker) = (Arc::clone(&caller.rules), caller.asker());
    TopicPattern::new(pattern, move |topic| rules.allow(&asker, Right::Read, Subject::Topic(topic)))
}

fn topic_names(items: Vec<Value>) -> Result<Vec<TopicName>> {
    let name = |item: Value| match item {
        Value::String(name) => TopicName::try_from(name.as_str()).map_err(|error| error.as_kind(Kind::Unprocessable)),
        _ => Err(Kind::BadRequest.because("topics is not a list of texts.")),
    };
    items.into_iter().map(name).collect()
}

fn whole_name(pattern: &str) -> Result<Regex> {
    if pattern.is_empty() {
        return Err(Kind::Unprocessable.because("topic_pattern must not be empty."));
    }
    let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(PATTERN_BYTES).build();
    whole.map_err(|_| {
        Kind::Unprocessable.because(
            "topic_pattern is no regular expression that is supported (look-around and back references are not).",
        )
    })
}
