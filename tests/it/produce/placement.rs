//! Which partition a record goes to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::app;
use crate::harness::http::{BINARY_V2, JSON_V2};
use crate::harness::kafka;
use crate::produce::{produce, produce_to};

#[tokio::test]
async fn keys_go_where_the_java_clients_put_them() {
    let topic = app::topic(8);
    // Seen with the Java client on eight partitions.
    let binary = [("a", 4), ("key", 1), ("hello", 5), ("foobar", 6), ("user-2", 0), ("user-3", 3), ("", 1)];
    let json_keys = [(json!("a"), 7), (json!("k"), 4), (json!(1), 7)];

    let records: Vec<Value> =
        binary.iter().map(|(key, _)| json!({ "key": STANDARD.encode(key), "value": "" })).collect();
    let placed = produce(app::shared(), &topic, BINARY_V2, Value::from(records)).await.placed();
    for ((key, expected), (partition, _)) in binary.iter().zip(placed) {
        assert_eq!(partition, *expected, "{key:?}");
    }

    let records: Vec<Value> = json_keys.iter().map(|(key, _)| json!({ "key": key, "value": 0 })).collect();
    let placed = produce(app::shared(), &topic, JSON_V2, Value::from(records)).await.placed();
    for ((key, expected), (partition, _)) in json_keys.iter().zip(placed) {
        assert_eq!(partition, *expected, "{key}");
    }
}

#[tokio::test]
async fn an_explicit_partition_wins_over_the_key() {
    let topic = app::topic(8);
    let records = json!([{ "key": "YQ==", "value": "", "partition": 2 }, { "value": "", "partition": "3" }]);
    assert_eq!(produce(app::shared(), &topic, BINARY_V2, records).await.placed(), [(2, 0), (3, 0)]);
}

#[tokio::test]
async fn records_on_the_path_of_a_partition_go_there() {
    let topic = app::topic(8);
    let records =
        json!([{ "key": "YQ==", "value": "" }, { "value": "", "partition": 6 }, { "value": "", "partition": null }]);
    assert_eq!(produce_to(app::shared(), &topic, 6, BINARY_V2, records).await.placed(), [(6, 0), (6, 1), (6, 2)]);
}

#[tokio::test]
async fn a_record_that_contradicts_the_path_fails_the_request() {
    let topic = app::topic(2);
    let records = json!([{ "value": 1 }, { "value": 2, "partition": 1 }]);
    assert_eq!(produce_to(app::shared(), &topic, 0, JSON_V2, records).await.error(), (422, 422));
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn a_partition_that_does_not_exist_fails_the_request_before_anything_is_sent() {
    let topic = app::topic(2);
    for partition in [2, 99, i32::MAX, -1, i32::MIN] {
        let records = json!([{ "value": 1 }, { "value": 2, "partition": partition }]);
        let answer = produce(app::shared(), &topic, JSON_V2, records).await;
        assert_eq!(answer.error(), (404, 40402), "{partition} in a record");

        let answer = produce_to(app::shared(), &topic, partition, JSON_V2, json!([{ "value": 1 }])).await;
        assert_eq!(answer.error(), (404, 40402), "{partition} in the path");
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn what_is_no_partition_number_is_no_path_and_no_field() {
    let topic = app::topic(1);
    for text in ["abc", "1.5", "2147483648", "-", "0x1", "%20"] {
        let answer = produce_to(app::shared(), &topic, text, JSON_V2, json!([{ "value": 1 }])).await;
        assert_eq!(answer.error(), (404, 404), "{text}");
    }
    for number in [json!(2_147_483_648_i64), json!(1e30), json!(true), json!([0]), json!("x")] {
        let answer = produce(app::shared(), &topic, JSON_V2, json!([{ "value": 1, "partition": number }])).await;
        assert_eq!(answer.error(), (400, 400), "{number}");
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}
