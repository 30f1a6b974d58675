use actix_web::HttpResponse;
use serde_json::json;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::http::caller::Caller;

/// `GET /brokers`: the ids of the brokers, sorted.
pub async fn list<O: Offers>(answer: Answer<O>, caller: Caller) -> Result<HttpResponse> {
    answer.json(&json!({ "brokers": caller.kafka.metadata.brokers().await? }))
}
