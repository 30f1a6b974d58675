//! What callers may do, what is served, and how much: rules, lists of endpoints, and rates.

mod bodies;
mod connectors;
mod consumers;
mod example;
mod lists;
mod matrix;
mod rates;
mod served;

use serde_json::Value;

use crate::harness::app::{self, App, spawn_app};
use crate::harness::http::Answer;
use crate::harness::kafka;

/// Starts a proxy on the shared Kafka; `rules` are settings of `[rules.test]`, for those who did not say who they are.
fn ruled(rules: &[&str]) -> App {
    let rules: Vec<String> = rules.iter().map(|rule| format!("rules.test.{rule}")).collect();
    let mut settings = vec!["rules.test.principals=ANONYMOUS"];
    settings.extend(rules.iter().map(String::as_str));
    started(&settings)
}

/// Starts a proxy on the shared Kafka with these settings.
fn started(settings: &[&str]) -> App {
    spawn_app(app::config_with(&kafka::shared().bootstrap, settings))
}

/// Returns the path of the shared cluster.
async fn cluster() -> String {
    let clusters = app::shared().get("/v3/clusters").send().await.ok();
    format!("/v3/clusters/{}", clusters["data"][0]["cluster_id"].as_str().unwrap())
}

/// Checks that no rule allowed it, and that the answer says what is missing.
#[track_caller]
fn assert_forbidden(answer: &Answer, sentence: &str) {
    assert_eq!((answer.status, answer.json()["error_code"].as_u64()), (403, Some(40301)), "{}", answer.text());
    let expected = format!("No rule of this proxy lets ANONYMOUS {sentence}: ask those who run it for one.");
    assert_eq!(answer.message(), expected);
}

/// Returns the member `key` of each item of `data`.
#[track_caller]
fn each(list: &Value, key: &str) -> Vec<String> {
    let items = list["data"].as_array().unwrap_or_else(|| panic!("no data: {list}"));
    items.iter().map(|item| item[key].as_str().unwrap_or_else(|| panic!("no {key}: {item}")).to_owned()).collect()
}
