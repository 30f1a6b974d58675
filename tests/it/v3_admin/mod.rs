//! Administration through API v3: a file a family.

mod acls;
mod broker_configs;
mod brokers;
mod cluster_configs;
mod clusters;
mod dev;
mod elections;
mod failover;
mod groups;
mod lags;
mod log_dirs;
mod offsets;
mod partitions;
mod quotas;
mod reassignments;
mod replicas;
mod resets;
mod scram;
mod three_brokers;
mod topic_configs;
mod topics;
mod transactions;

use serde_json::Value;

use crate::harness::app;
use crate::harness::http::{Call, JSON};
use crate::harness::waiting::{PATIENCE, eventually};

/// Returns the path of the shared cluster, `/v3/clusters/ID`.
async fn cluster() -> String {
    let clusters = app::shared().get("/v3/clusters").send().await.ok();
    format!("/v3/clusters/{}", clusters["data"][0]["cluster_id"].as_str().unwrap())
}

/// Returns a request to what is at `path` below the shared cluster.
async fn call(method: &str, path: &str) -> Call {
    app::shared().call(method, &format!("{}{path}", cluster().await))
}

async fn get(path: &str) -> Call {
    call("GET", path).await
}

/// Returns a request with a document.
async fn send(method: &str, path: &str, body: Value) -> Call {
    call(method, path).await.document(JSON, &body)
}

/// Returns the path of a URL of the shared proxy.
fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix(&app::shared().url("")).unwrap_or_else(|| panic!("{url} is not of this proxy")).to_owned()
}

/// Reads `path` until the document is as wanted: brokers hear of changes a moment later.
async fn get_until(path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(path, PATIENCE, async || {
        let answer = get(path).await.send().await;
        (answer.status == 200).then(|| answer.json()).filter(&wanted)
    })
    .await
}

/// Returns the id of the one broker.
async fn broker() -> i64 {
    get("/brokers").await.send().await.ok()["data"][0]["broker_id"].as_i64().unwrap()
}

/// Returns the one of a list of documents whose `field` is `value`.
fn found<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let found = list["data"].as_array().unwrap().iter().find(|item| item[field] == value);
    found.unwrap_or_else(|| panic!("no {field} is {value}"))
}
