use serde_json::{Value, json};

use crate::consume::native::{Ending, transaction};
use crate::harness::kafka::{self, NewRecord};
use crate::harness::{app, unique};
use crate::v3_admin::{get, path_of};

fn records() -> Vec<NewRecord> {
    vec![NewRecord { partition: Some(1), ..NewRecord::new("k", "v") }; 2]
}

async fn list(path: &str) -> Vec<Value> {
    get(path).await.send().await.ok()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_open_transaction_is_found_with_its_producer() {
    let topic = app::topic(2);
    kafka::shared().produce(&topic, &records());
    let _open = transaction(kafka::shared(), &topic, &records(), Ending::Open);
    let producers_at = format!("/topics/{topic}/partitions/1/producers");
    let producers = list(&producers_at).await;
    let writing = producers.iter().find(|it| it["transaction_start_offset"] == 2).unwrap();
    assert_eq!(writing["kind"], "KafkaProducer");
    assert_eq!((&writing["topic_name"], &writing["partition_id"]), (&json!(topic), &json!(1)));
    assert_eq!(&app::shared().get(&path_of(&writing["metadata"]["self"])).send().await.ok(), writing);
    let id = writing["producer_id"].as_i64().unwrap();

    let found = list(&format!("/transactions?producer_id={id}")).await;
    assert_eq!(found.len(), 1);
    let listed = &found[0];
    assert_eq!((&listed["kind"], &listed["state"]), (&json!("KafkaTransaction"), &json!("ONGOING")));
    let one = app::shared().get(&path_of(&listed["metadata"]["self"])).send().await.ok();
    assert_eq!((&one["transactional_id"], &one["producer_id"]), (&listed["transactional_id"], &json!(id)));
    assert_eq!((&one["state"], &one["timeout_ms"]), (&json!("ONGOING"), &json!(60000)));
    assert!(one["start_timestamp_ms"].as_i64().is_some());
    assert!(path_of(&one["coordinator"]["related"]).contains("/brokers/"));
    let written = &one["partitions"][0];
    assert_eq!((&written["topic_name"], &written["partition_id"]), (&json!(topic), &json!(1)));
    assert!(list("/transactions?state=ongoing,prepare_commit").await.contains(listed));
    assert!(list(&format!("/transactions?state=EMPTY&producer_id={id}")).await.is_empty());
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let (topic, id) = (app::topic(1), unique("transaction"));
    assert!(list(&format!("/topics/{topic}/partitions/0/producers")).await.is_empty());
    for (path, error) in [
        (format!("/transactions/{id}"), (404, 404)),
        ("/transactions?state=open".to_owned(), (404, 404)),
        ("/transactions?producer_id=x".to_owned(), (400, 400)),
        (format!("/topics/{topic}/partitions/0/producers/7"), (404, 404)),
        (format!("/topics/{topic}/partitions/9/producers"), (404, 40403)),
        (format!("/topics/{}/partitions/0/producers", unique("unknown")), (404, 40403)),
        (format!("/topics/{topic}/partitions/x/producers"), (404, 404)),
        ("/topics/a%20b/partitions/0/producers".to_owned(), (400, 40002)),
    ] {
        assert_eq!(get(&path).await.send().await.error(), error, "{path}");
    }
}
