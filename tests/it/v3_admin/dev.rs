//! The embedded Kafka of `--dev`: topics can be made and looked at; the rest says that it is not there.

use kafka_rest_proxy::config::{self, Args};
use serde_json::json;

use crate::harness::app::{App, spawn_app};
use crate::harness::http::{JSON, JSON_V2};

fn dev() -> App {
    let args = Args { dev: true, listen: Some("127.0.0.1:0".to_owned()), ..Args::default() };
    spawn_app(config::load(&args, std::iter::empty()).unwrap())
}

async fn cluster(app: &App) -> String {
    let clusters = app.get("/v3/clusters").send().await.ok();
    format!("/v3/clusters/{}", clusters["data"][0]["cluster_id"].as_str().unwrap())
}

#[tokio::test]
async fn topics_are_made_and_looked_at() {
    let app = dev();
    let at = cluster(&app).await;
    let create = async |body| app.post(&format!("{at}/topics")).document(JSON, &body).send().await;
    let made = create(json!({ "topic_name": "a", "partitions_count": 3 })).await;
    assert_eq!((made.status, &made.json()["partitions_count"]), (201, &3.into()), "{}", made.text());
    let twice = create(json!({ "topic_name": "a", "validate_only": true })).await;
    assert_eq!((twice.error(), twice.message()), ((400, 40002), "Topic 'a' already exists.".to_owned()));
    assert_eq!(create(json!({ "topic_name": "b", "replication_factor": 3 })).await.error(), (400, 40002));
    assert_eq!(create(json!({ "topic_name": "b", "validate_only": true })).await.status, 200);
    let configs = json!([{ "name": "retention.ms", "value": "1" }]);
    assert_eq!(create(json!({ "topic_name": "b", "configs": configs })).await.error(), (501, 501));

    let body = json!({ "records": [{ "value": 1, "partition": 2 }] });
    assert_eq!(app.post("/topics/a").document(JSON_V2, &body).send().await.placed(), [(2, 0)]);
    let list = app.get(&format!("{at}/topics")).send().await.ok();
    assert_eq!((list["data"].as_array().unwrap().len(), &list["data"][0]["topic_name"]), (1, &"a".into()));
    for path in [
        "",
        "/brokers",
        "/brokers/1",
        "/brokers/1/partition-replicas",
        "/topics/a",
        "/topics/a/partitions",
        "/topics/a/partitions/2",
        "/topics/a/partitions/2/replicas/1",
    ] {
        app.get(&format!("{at}{path}")).send().await.ok();
    }
    let offsets = app.get(&format!("{at}/topics/a/partitions/2/offset")).send().await.ok();
    assert_eq!((&offsets["earliest_offset"], &offsets["latest_offset"]), (&0.into(), &1.into()));
    assert_eq!(app.get(&format!("{at}/topics/nope")).send().await.error(), (404, 40403));
}

#[tokio::test]
async fn what_it_does_not_know_is_told_at_once() {
    let app = dev();
    let at = cluster(&app).await;
    let made = app.post(&format!("{at}/topics")).document(JSON, &json!({ "topic_name": "a" })).send().await;
    assert_eq!(made.status, 201);
    for (method, path) in [
        ("GET", "/topics/a/configs"),
        ("GET", "/brokers/1/configs"),
        ("GET", "/brokers/1/log-dirs"),
        ("GET", "/broker-configs"),
        ("GET", "/topics/a/partitions/-/reassignment"),
        ("DELETE", "/topics/a"),
    ] {
        let refused = app.call(method, &format!("{at}{path}")).send().await;
        assert_eq!(refused.error(), (501, 501), "{path}");
        assert!(refused.message().contains("--dev"), "{}", refused.message());
    }
    let grow = app.call("PATCH", &format!("{at}/topics/a")).document(JSON, &json!({ "partitions_count": 9 }));
    assert_eq!(grow.send().await.error(), (501, 501));
}
