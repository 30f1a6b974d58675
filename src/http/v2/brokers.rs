use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::state::State;

/// `GET /brokers`: the ids of the brokers, sorted.
pub async fn list<O: Offers>(answer: Answer<O>, state: Data<State>) -> Result<HttpResponse> {
    answer.json(&json!({ "brokers": state.kafka.metadata.brokers().await? }))
}
