//! Administration through API v3: a file a family.

mod acls;
mod clusters;
mod groups;
mod lags;
mod offsets;
mod quotas;
mod resets;
mod scram;
mod transactions;

use serde_json::Value;

use crate::harness::app;
use crate::harness::http::{Call, JSON};

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
