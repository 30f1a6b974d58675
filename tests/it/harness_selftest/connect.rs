//! Real Connect workers.

use std::fs;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::harness::connect::{self, WorkerOptions, Workers};
use crate::harness::http::JSON;
use crate::harness::kafka;
use crate::harness::{PATIENCE, app, eventually, unique};

#[tokio::test]
async fn the_shared_workers_run_a_connector_that_both_know() {
    let (workers, topic, name) = (connect::shared(), app::topic(1), unique("lines"));
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    fs::write(&file, "one\ntwo\n").expect("the folder is there");
    let config = json!({"connector.class": "FileStreamSource", "file": file, "topic": topic});
    let connector = json!({"name": name, "config": config});

    let created = workers[0].call("POST", "/connectors").document(JSON, &connector).send().await;

    assert_eq!(created.status, 201, "{}", created.text());
    let lines = async || Some(kafka::shared().read_topic(&topic)).filter(|records| records.len() == 2);
    eventually("the lines are in the topic", PATIENCE, lines).await;
    let path = format!("/connectors/{name}");
    assert_eq!(workers[1].call("DELETE", &path).send().await.status, 204);
    fs::remove_file(&file).expect("nobody else removes it");
}

#[tokio::test]
async fn a_cluster_outlives_a_killed_worker_which_comes_back_where_it_was() {
    let mut workers = Workers::start(kafka::shared(), 2, WorkerOptions::default());
    assert_ne!(workers.group(), connect::shared().group());

    workers[0].kill();
    workers.wait_until_stable(kafka::shared(), 1);
    assert!(workers[0].get("/").try_send().await.is_err());
    workers[1].get("/").send().await.ok();

    workers[0].restart();
    workers.wait_until_stable(kafka::shared(), 2);
    workers[0].get("/").send().await.ok();
}

#[tokio::test]
async fn a_paused_worker_takes_a_request_and_answers_it_when_resumed() {
    let workers = Workers::start(kafka::shared(), 1, WorkerOptions::default());

    workers[0].pause();

    let mut call = std::pin::pin!(workers[0].get("/").send());
    assert!(timeout(Duration::from_millis(300), &mut call).await.is_err());
    workers[0].resume();
    call.await.ok();
}
