//! A cluster of three: followers, moves and elections, and brokers that die under requests.

use std::time::{Duration, Instant};

use kafka_rest_proxy::config::Config;
use serde_json::{Value, json};

use crate::harness::app::{App, spawn_app};
use crate::harness::http::{Answer, JSON};
use crate::harness::kafka::{Broker, NewRecord, OwnOptions};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};

/// How long one request to Kafka may take here.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

struct Cluster {
    brokers: Vec<Broker>,
    app: App,
    at: String,
}

impl Cluster {
    async fn start() -> Cluster {
        let brokers = Broker::start_cluster(3, OwnOptions::default());
        let mut config = Config::for_bootstrap(&brokers[0].kafka().bootstrap);
        config.kafka.request_timeout = REQUEST_TIMEOUT;
        let app = spawn_app(config);
        let clusters = app.get("/v3/clusters").send().await.ok();
        let at = format!("/v3/clusters/{}", clusters["data"][0]["cluster_id"].as_str().unwrap());
        Cluster { brokers, app, at }
    }

    async fn call(&self, method: &str, path: &str) -> Answer {
        self.app.call(method, &format!("{}{path}", self.at)).send().await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.app.call(method, &format!("{}{path}", self.at)).document(JSON, &body).send().await
    }

    async fn get_until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(path, PATIENCE, async || {
            let answer = self.call("GET", path).await;
            (answer.status == 200).then(|| answer.json()).filter(&wanted)
        })
        .await
    }

    async fn create(&self, body: Value) {
        let created = self.send("POST", "/topics", body).await;
        assert_eq!(created.status, 201, "{}", created.text());
    }

    /// Returns where the controller is among the brokers.
    async fn controller(&self) -> usize {
        let cluster = self.call("GET", "").await.ok();
        let id = cluster["controller"]["related"].as_str().unwrap().rsplit('/').next().unwrap().parse::<usize>();
        id.unwrap() - 1
    }
}

#[tokio::test]
async fn followers_moves_and_elections_are_seen_and_made() {
    let mut cluster = Cluster::start().await;
    let ids: Vec<_> = cluster.call("GET", "/brokers").await.ok()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["broker_id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids.len(), 3);
    replicas(&cluster).await;
    moves(&cluster).await;
    elections(&mut cluster).await;
}

async fn replicas(cluster: &Cluster) {
    let topic = unique("topic");
    cluster.create(json!({ "topic_name": topic, "replicas_assignments": { "0": [2, 1], "1": [3, 2] } })).await;
    let path = format!("/topics/{topic}/partitions/0/replicas");
    let list = cluster
        .get_until(&path, |list| list["data"].as_array().unwrap().iter().all(|it| it["is_in_sync"] == true))
        .await;
    let leaders: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["broker_id"].as_i64().unwrap(), it["is_leader"].as_bool().unwrap()))
        .collect();
    assert_eq!(leaders, [(2, true), (1, false)]);
    let on_two = cluster
        .get_until("/brokers/2/partition-replicas", |list| {
            list["data"].as_array().unwrap().iter().filter(|it| it["topic_name"] == topic.as_str()).count() == 2
        })
        .await;
    assert!(on_two["data"].as_array().unwrap().iter().all(|it| it["broker_id"] == 2));
    // A follower makes its folder a moment after it was told to follow.
    cluster
        .get_until(&format!("/topics/{topic}/partitions/-/log-dirs"), |list| {
            let placed = list["data"].as_array().unwrap().iter();
            let places: Vec<_> =
                placed.map(|it| (it["partition_id"].as_i64().unwrap(), it["broker_id"].as_i64().unwrap())).collect();
            places == [(0, 1), (0, 2), (1, 2), (1, 3)]
        })
        .await;
    let configs = cluster.call("GET", "/brokers/-/configs").await.ok();
    let brokers: Vec<_> =
        configs["data"].as_array().unwrap().iter().map(|it| it["broker_id"].as_i64().unwrap()).collect();
    assert!(brokers.is_sorted() && brokers.contains(&1) && brokers.contains(&3));
}

/// Begins a move that takes long, sees it everywhere, ends it; then one that ends by itself.
async fn moves(cluster: &Cluster) {
    let topic = unique("topic");
    let throttled = ["leader", "follower"]
        .map(|side| json!({ "name": format!("{side}.replication.throttled.replicas"), "value": "*" }));
    cluster.create(json!({ "topic_name": topic, "replicas_assignments": { "0": [1] }, "configs": throttled })).await;
    let big = NewRecord { partition: Some(0), ..NewRecord::new("key", vec![7; 500_000]) };
    cluster.brokers[0].kafka().produce(&topic, &vec![big; 12]);
    // The broker does not list the rates before they are set, so they go in as defaults of all.
    let rates = ["leader", "follower"].map(|side| format!("{side}.replication.throttled.rate"));
    let set: Vec<_> = rates.iter().map(|name| json!({ "name": name, "value": "1" })).collect();
    assert_eq!(cluster.send("POST", "/broker-configs:alter", json!({ "data": set })).await.status, 204);
    for broker in [1, 3] {
        for rate in &rates {
            cluster.get_until(&format!("/brokers/{broker}/configs/{rate}"), |config| config["value"] == "1").await;
        }
    }

    let path = format!("/topics/{topic}/partitions/0/reassignment");
    let begun = cluster.send("PUT", &path, json!({ "replicas": [3] })).await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let one = cluster.call("GET", &path).await.ok();
    assert_eq!(begun.json(), one);
    assert_eq!((&one["adding_replicas"], &one["removing_replicas"]), (&json!([3]), &json!([1])));
    assert!(one["metadata"]["self"].as_str().unwrap().ends_with(&path), "{one}");
    for list in [format!("/topics/{topic}/partitions/-/reassignment"), "/topics/-/partitions/-/reassignment".to_owned()]
    {
        assert_eq!(cluster.call("GET", &list).await.ok()["data"], json!([one]), "{list}");
    }
    assert_eq!(cluster.call("DELETE", &path).await.status, 204);
    assert_eq!(cluster.call("DELETE", &path).await.error(), (404, 404));
    assert_eq!(cluster.call("GET", &path).await.error(), (404, 404));

    let reset: Vec<_> = rates.iter().map(|name| json!({ "name": name, "operation": "DELETE" })).collect();
    assert_eq!(cluster.send("POST", "/broker-configs:alter", json!({ "data": reset })).await.status, 204);
    let wanted = json!({ "data": [{ "topic_name": topic, "partition_id": 0, "replicas": [3] }] });
    assert_eq!(cluster.send("POST", "/topics/-/partitions/-/reassignment:alter", wanted).await.status, 202);
    let moved =
        |list: &Value| list["data"].as_array().unwrap().iter().map(|it| it["broker_id"].as_i64().unwrap()).eq([3]);
    cluster.get_until(&format!("/topics/{topic}/partitions/0/replicas"), moved).await;
}

async fn elections(cluster: &mut Cluster) {
    let topic = unique("topic");
    cluster.create(json!({ "topic_name": topic, "replicas_assignments": { "0": [2, 3] } })).await;
    let (partition, replicas) =
        (format!("/topics/{topic}/partitions/0"), format!("/topics/{topic}/partitions/0/replicas"));
    let led_by = |id: i64| {
        move |list: &Value| {
            list["data"].as_array().unwrap().iter().any(|it| it["broker_id"] == id && it["is_leader"] == true)
        }
    };
    let in_sync = |list: &Value| list["data"].as_array().unwrap().iter().all(|it| it["is_in_sync"] == true);
    cluster.get_until(&replicas, in_sync).await;
    cluster.brokers[1].kill();
    cluster.get_until(&replicas, led_by(3)).await;
    let elect = json!({ "election_type": "PREFERRED" });
    let early = cluster.send("POST", &format!("{partition}/leader:elect"), elect.clone()).await;
    assert_eq!(early.error(), (500, 50003), "{}", early.text());
    cluster.brokers[1].restart();
    cluster.get_until(&replicas, in_sync).await;
    let elected = cluster.send("POST", &format!("{partition}/leader:elect"), elect).await;
    assert_eq!(elected.status, 204, "{}", elected.text());
    cluster.get_until(&replicas, led_by(2)).await;
}

#[tokio::test]
async fn changes_are_answered_in_time_and_truthfully_while_the_controller_dies() {
    let mut cluster = Cluster::start().await;
    let altered = unique("topic");
    cluster.create(json!({ "topic_name": altered, "replication_factor": 3 })).await;
    let dying = cluster.controller().await;
    let mut broker = cluster.brokers.remove(dying);

    let killed = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        broker.kill();
        broker
    });
    let start = Instant::now();
    let (mut made, mut set) = (Vec::new(), 0);
    // Long enough for the death to fall between them, and for another controller to be elected.
    for number in 1.. {
        let topic = unique("topic");
        let created =
            in_time(cluster.send("POST", "/topics", json!({ "topic_name": topic, "replication_factor": 2 }))).await;
        match created.status {
            201 => made.push(topic),
            _ => assert_eq!(created.error(), (500, 50003), "{}", created.text()),
        }
        let value = json!({ "value": (3_600_000 + number).to_string() });
        let path = format!("/topics/{altered}/configs/retention.ms");
        match in_time(cluster.send("PUT", &path, value)).await {
            answer if answer.status == 204 => set = number,
            answer => assert_eq!(answer.error(), (500, 50003), "{}", answer.text()),
        }
        if start.elapsed() > Duration::from_secs(8) && set == number {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "no controller takes over");
    }
    let _broker = killed.join().unwrap();
    for topic in &made {
        cluster.get_until(&format!("/topics/{topic}"), |found| found["replication_factor"] == 2).await;
    }
    let value = (3_600_000 + set).to_string();
    cluster.get_until(&format!("/topics/{altered}/configs/retention.ms"), |config| config["value"] == value).await;
}

/// Waits for an answer that has to come within the deadline of Kafka's requests, of which a change has up to three.
async fn in_time(answer: impl Future<Output = Answer>) -> Answer {
    let start = Instant::now();
    let answer = answer.await;
    assert!(start.elapsed() < REQUEST_TIMEOUT * 3, "after {:?}: {}", start.elapsed(), answer.text());
    answer
}
