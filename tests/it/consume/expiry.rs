//! Instances that nobody uses.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::consume::{Instance, native, topic_of, write};
use crate::harness::app::{self, App};
use crate::harness::http::V2;
use crate::harness::kafka;
use crate::harness::{PATIENCE, eventually};

fn app_with_timeout(timeout: Duration) -> App {
    let mut config = app::config();
    config.consumer.instance_timeout = timeout;
    app::spawn_app(config)
}

#[tokio::test]
async fn an_instance_that_nobody_uses_leaves_its_group_and_is_gone() {
    let app = app_with_timeout(Duration::from_secs(1));
    let topic = topic_of(1, 0..3);
    let instance = Instance::of_topic(&app, &topic).await;
    instance.collect(3).await;

    eventually("it leaves its group", PATIENCE, async || {
        (native::members(kafka::shared(), &instance.group) == 0).then_some(())
    })
    .await;

    assert_eq!(instance.get("/subscription").send().await.error(), (404, 40403));
    assert_eq!(instance.get("/records").send().await.error(), (404, 40403));
    assert_eq!(instance.call("DELETE", "").send().await.error(), (404, 40403));
    assert_eq!(native::committed(kafka::shared(), &instance.group, &topic, 0), None, "nobody asked for a commit");
}

#[tokio::test]
async fn an_instance_that_commits_by_itself_does_so_when_it_expires() {
    let app = app_with_timeout(Duration::from_secs(1));
    let topic = topic_of(1, 0..3);
    let instance = Instance::of_partition(&app, &topic, json!({ "auto.commit.enable": true })).await;
    instance.collect(3).await;
    eventually("what was delivered is committed", PATIENCE, async || {
        (native::committed(kafka::shared(), &instance.group, &topic, 0) == Some(3)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_read_that_waits_keeps_its_instance() {
    let app = app_with_timeout(Duration::from_secs(1));
    let topic = app::topic(1);
    let instance = Instance::of_topic(&app, &topic).await;
    let start = Instant::now();
    assert_eq!(instance.read("?timeout=4000").await, Vec::<serde_json::Value>::new());
    assert!(start.elapsed() >= Duration::from_secs(3));
    write(&topic, 0, 0..1);
    instance.collect(1).await;
}

#[tokio::test]
async fn every_use_starts_the_time_anew() {
    let app = app_with_timeout(Duration::from_secs(3));
    let topic = app::topic(1);
    let partitions = json!({ "partitions": [{ "topic": topic, "partition": 0 }] });
    let calls = ["GET /subscription", "GET /assignments", "GET /offsets", "POST /offsets", "GET /records?timeout=1"];
    let instance = Instance::of_partition(&app, &topic, json!({})).await;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(7) {
        for call in calls {
            let (method, path) = call.split_once(' ').expect("it has a method");
            let mut call = instance.call(method, path);
            if path == "/offsets" && method == "GET" {
                call = call.document(V2, &partitions);
            }
            assert_eq!(call.send().await.status, 200, "{method} {path}");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
