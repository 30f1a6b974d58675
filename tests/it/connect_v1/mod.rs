//! What the gateway adds to Kafka Connect below `/connect/v1`, on scripted workers and on real ones.

mod declared;
mod real;
mod restarts;
mod sight;

use serde_json::{Value, json};

use crate::harness::app::{self, App, spawn_app};
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::kafka;

const DATABASE: &str = "org.example.DatabaseSourceConnector";
const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const FILE_SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";

/// A proxy with one cluster, `c`, of scripted workers.
struct Gateway {
    workers: FakeWorkers,
    app: App,
}

impl Gateway {
    fn start(count: usize, settings: &[&str]) -> Gateway {
        let workers = FakeWorkers::start(count);
        let app = gateway(&workers.urls(), settings);
        Gateway { workers, app }
    }

    async fn overview(&self) -> Value {
        self.app.get("/connect/v1/clusters/c/overview").send().await.ok()
    }

    async fn page(&self, query: &str) -> Value {
        self.app.get(&format!("/connect/v1/clusters/c/connectors?{query}")).send().await.ok()
    }
}

/// Starts a proxy whose cluster `c` has these workers.
fn gateway(urls: &str, settings: &[&str]) -> App {
    let urls = format!("connect.c.urls={urls}");
    let settings: Vec<&str> = std::iter::once(urls.as_str()).chain(settings.iter().copied()).collect();
    spawn_app(app::config_with(&kafka::shared().bootstrap, &settings))
}

fn file_source() -> Value {
    json!({ "connector.class": FILE_SOURCE, "tasks.max": "1", "file": "/nowhere", "topic": "t" })
}

/// Returns the member `key` of each element of a list.
#[track_caller]
fn each(list: &Value, key: &str) -> Vec<Value> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().map(|one| one[key].clone()).collect()
}
