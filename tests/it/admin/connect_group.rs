//! What Kafka tells about real Connect workers.

use std::collections::BTreeMap;

use kafka_rest_proxy::admin::{Admin, Code};
use kafka_rest_proxy::model::{ConnectGroup, ConnectMember, GroupState};
use serde_json::{Value, json};

use crate::admin::admin;
use crate::admin::groups::member;
use crate::harness::connect::{WorkerOptions, Workers};
use crate::harness::http::{JSON, call};
use crate::harness::kafka;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};

/// Returns the URLs of the workers and who leads, once the group is stable with `count` workers.
async fn settled(admin: &Admin, group: &str, count: usize) -> ConnectGroup {
    eventually("the group is settled", PATIENCE, async || {
        let found = admin.connect_group(group).await.unwrap();
        (found.state == GroupState::Stable && found.workers.len() == count).then_some(found)
    })
    .await
}

/// Creates connectors and returns their names.
async fn connectors(url: &str, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let name = unique("source");
        let config = json!({ "connector.class": "FileStreamSource", "file": "/dev/null", "topic": &name });
        let body = json!({ "name": &name, "config": config });
        eventually("the connector is created", PATIENCE, async || {
            // A rebalance answers 409.
            let answer = call("POST", &format!("{url}/connectors")).document(JSON, &body).send().await;
            (answer.status == 201).then_some(())
        })
        .await;
        names.push(name);
    }
    names
}

/// Returns who runs the connector and its task, as a worker's status has it; `None` while either does not run.
async fn owners(url: &str, connector: &str) -> Option<(String, String)> {
    let status: Value = call("GET", &format!("{url}/connectors/{connector}/status")).send().await.json();
    let owner =
        |part: &Value| (part["state"] == "RUNNING").then(|| format!("http://{}/", part["worker_id"].as_str().unwrap()));
    Some((owner(&status["connector"])?, owner(&status["tasks"][0])?))
}

/// Waits until Kafka and `worker` tell the same of every connector.
async fn until_they_agree(admin: &Admin, group: &str, worker: &str, connectors: &[String]) {
    eventually("kafka and the worker agree", PATIENCE, async || {
        let found = admin.connect_group(group).await.unwrap();
        let url = |worker: Option<&ConnectMember>| worker.map(|worker| worker.url.clone());
        for connector in connectors {
            let told = (url(found.worker_of_connector(connector))?, url(found.worker_of_task(connector, 0))?);
            if owners(worker, connector).await? != told {
                return None;
            }
        }
        Some(())
    })
    .await;
}

#[tokio::test]
async fn workers_leader_and_who_runs_what_are_seen_while_workers_come_and_go() {
    let admin = admin();
    let mut workers = Workers::start(kafka::shared(), 2, WorkerOptions::default());
    let group = workers.group().to_owned();
    assert!(admin.connect_groups().await.unwrap().contains(&group));
    let by_url: BTreeMap<String, usize> = (0..2).map(|index| (format!("{}/", workers[index].url()), index)).collect();

    let found = settled(&admin, &group, 2).await;
    assert!(found.workers.iter().map(|worker| &worker.url).eq(by_url.keys()));
    let leader = by_url[&found.leader_url.unwrap()];
    let connectors = connectors(workers[leader].url(), 3).await;
    until_they_agree(&admin, &group, workers[leader].url(), &connectors).await;

    // Kafka does not know at once: the dead worker leads until its session has ended, and then there is a rebalance.
    workers[leader].kill();
    assert_eq!(admin.connect_group(&group).await.unwrap().workers.len(), 2);
    let other = format!("{}/", workers[1 - leader].url());
    eventually("a rebalance is seen, without a guess at the workers", PATIENCE, async || {
        let found = admin.connect_group(&group).await.unwrap();
        (found.is_rebalancing() && found.workers.is_empty()).then_some(())
    })
    .await;
    assert_eq!(settled(&admin, &group, 1).await.leader_url, Some(other.clone()));
    until_they_agree(&admin, &group, workers[1 - leader].url(), &connectors).await;

    workers[leader].restart();
    assert_eq!(settled(&admin, &group, 2).await.leader_url, Some(other));
    until_they_agree(&admin, &group, workers[1 - leader].url(), &connectors).await;
}

#[tokio::test]
async fn a_group_of_consumers_is_no_connect_cluster() {
    let admin = admin();
    let (topic, group) = (app::topic(1), unique("group"));
    let _member = member(&group, &topic, "classic");
    assert!(!admin.connect_groups().await.unwrap().contains(&group));
    for group in [group, unique("unknown")] {
        let error = admin.connect_group(&group).await.unwrap_err();
        assert_eq!(Code::of(&error), Some(Code::GROUP_ID_NOT_FOUND), "{error}");
    }
}
