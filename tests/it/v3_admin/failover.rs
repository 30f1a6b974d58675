//! What is read of groups while the brokers that have it die.

use std::time::Instant;

use kafka_rest_proxy::config::Config;
use serde_json::{Value, json};

use crate::harness::app::{App, spawn_app};
use crate::harness::http::JSON;
use crate::harness::kafka::{Broker, NewRecord, OwnOptions};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};

const PARTITIONS: i32 = 6;

#[tokio::test]
async fn lags_are_told_while_leaders_and_coordinators_move() {
    let mut brokers = Broker::start_cluster(3, OwnOptions::default());
    let kafka = brokers[0].kafka();
    let app = spawn_app(Config::for_bootstrap(&kafka.bootstrap));
    let clusters = app.get("/v3/clusters").send().await.ok();
    let at = format!("/v3/clusters/{}", clusters["data"][0]["cluster_id"].as_str().unwrap());
    let topic = unique("topic");
    let rotated = |partition: i32| json!([partition % 3 + 1, (partition + 1) % 3 + 1, (partition + 2) % 3 + 1]);
    let assignments: serde_json::Map<_, _> = (0..PARTITIONS).map(|it| (it.to_string(), rotated(it))).collect();
    let body = json!({ "topic_name": topic, "replicas_assignments": assignments });
    let made = app.post(&format!("{at}/topics")).document(JSON, &body).send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let record = |partition| NewRecord { partition: Some(partition), ..NewRecord::new("k", "v") };
    kafka.produce(&topic, &(0..PARTITIONS).map(record).collect::<Vec<_>>());

    // Several groups, so that the broker that dies coordinates one of them, as a rule.
    let groups = [0, 1, 2, 3].map(|_| unique("group"));
    let entry = |partition| json!({ "topic_name": topic, "partition_id": partition, "offset": 0 });
    let body = json!({ "data": (0..PARTITIONS).map(entry).collect::<Vec<_>>() });
    for group in &groups {
        eventually("the offsets are committed", PATIENCE, async || {
            let path = format!("{at}/consumer-groups/{group}/offsets:alter");
            (app.post(&path).document(JSON, &body).send().await.status == 204).then_some(())
        })
        .await;
    }
    let mut broker = brokers.remove(1);
    let killed = std::thread::spawn(move || {
        broker.kill();
        broker
    });
    let start = Instant::now();
    // Until the cluster has noticed and moved everything.
    while start.elapsed().as_secs() < 6 {
        for group in &groups {
            let lags = told(&app, &format!("{at}/consumer-groups/{group}/lags")).await;
            let each: Vec<_> = lags["data"].as_array().unwrap().iter().map(|lag| &lag["lag"]).collect();
            assert_eq!(each, vec![&Value::from(1); PARTITIONS as usize]);
            let summary = told(&app, &format!("{at}/consumer-groups/{group}/lag-summary")).await;
            assert_eq!(summary["total_lag"], PARTITIONS);
        }
        app.get(&format!("{at}/consumer-groups")).send().await.ok();
        let unknown = app.get(&format!("{at}/consumer-groups/{}", unique("unknown"))).send().await;
        assert_eq!(unknown.error(), (404, 404));
    }
    let _broker = killed.join().unwrap();
}

/// Returns what is told of a group. A new coordinator knows it once the followers have confirmed its log; until then
/// Kafka says that there is no such group, and nothing else may be said.
async fn told(app: &App, path: &str) -> Value {
    eventually(path, PATIENCE, async || {
        let answer = app.get(path).send().await;
        (answer.status != 404).then(|| answer.ok())
    })
    .await
}
