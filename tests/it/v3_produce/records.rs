//! What becomes of a record.

use serde_json::json;

use crate::harness::app;
use crate::harness::kafka;
use crate::v3_produce::{codes, offsets, path, produce, receipts, text_record};

#[tokio::test]
async fn bytes_texts_and_json_lie_on_the_log_as_the_receipt_says() {
    let topic = app::topic(1);
    let body = r#"{"key":{"type":"BINARY","data":"Zm9v"},"value":{"type":"BINARY","data":"AP8"}}
        {"key":{"type":"STRING","data":"k\n"},"value":{"type":"STRING","data":""}}
        {"value":{"type":"JSON","data":{ "a" : [ 1.10 , 12345678901234567890123 , null ] }}}"#;
    let receipts = produce(app::shared(), &topic, body).await;
    assert_eq!(receipts[0]["cluster_id"], "a-cluster");
    assert_eq!(receipts[0]["topic_name"], topic.as_str());
    assert_eq!(receipts[0]["key"], json!({"type": "BINARY", "size": 3}));
    assert_eq!(receipts[0]["value"], json!({"type": "BINARY", "size": 2}));
    assert_eq!(receipts[1]["value"], json!({"type": "STRING", "size": 0}));
    assert_eq!(receipts[2].get("key"), None);
    let log = kafka::shared().read_topic(&topic);
    let on_log: Vec<_> = log.iter().map(|record| (record.key.as_deref(), record.value.as_deref())).collect();
    let expected = [
        (Some(&b"foo"[..]), Some(&b"\x00\xff"[..])),
        (Some(b"k\n"), Some(b"")),
        (None, Some(br#"{"a":[1.10,12345678901234567890123,null]}"#)),
    ];
    assert_eq!(on_log, expected);
}

#[tokio::test]
async fn null_data_is_a_tombstone_and_nothing_is_nothing() {
    let topic = app::topic(1);
    let body = r#"{"key":{"type":"STRING","data":"k"},"value":{"type":"JSON","data":null}}{"value":null}{}"#;
    let receipts = produce(app::shared(), &topic, body).await;
    assert_eq!(receipts[0]["value"], json!({"type": "JSON", "size": -1}));
    assert_eq!(receipts[1].get("value"), None);
    assert_eq!(offsets(&receipts), [0, 1, 2]);
    assert!(kafka::shared().read_topic(&topic).iter().all(|record| record.value.is_none()));
}

#[tokio::test]
async fn times_are_kept_and_told() {
    let topic = app::topic(1);
    let body = r#"{"timestamp":"2024-02-29T13:00:00.5+01:00"}{"timestamp":1709208000}{"timestamp":1709208000.007}{}"#;
    let receipts = produce(app::shared(), &topic, body).await;
    let told: Vec<_> = receipts.iter().map(|receipt| receipt["timestamp"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told[..3], ["2024-02-29T12:00:00.500Z", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.007Z"]);
    let log = kafka::shared().read_topic(&topic);
    let stored: Vec<_> = log.iter().map(|record| record.timestamp_ms.unwrap()).collect();
    assert_eq!(stored[..3], [1_709_208_000_500, 1_709_208_000_000, 1_709_208_000_007]);
    assert!(stored[3] > 1_709_208_000_007, "a record without a time has the time of the proxy");
}

#[tokio::test]
async fn the_time_of_the_broker_is_told_where_it_counts() {
    let topic = crate::harness::unique("topic");
    kafka::shared().create_topic_with(&topic, 1, &[("message.timestamp.type", "LogAppendTime")]);
    let receipts = produce(app::shared(), &topic, r#"{"timestamp":"2024-02-29T12:00:00Z"}"#).await;
    let stored = kafka::shared().read_topic(&topic)[0].timestamp_ms.unwrap();
    assert!(stored > 1_709_208_000_000);
    assert_ne!(receipts[0]["timestamp"], "2024-02-29T12:00:00Z");
}

#[tokio::test]
async fn headers_keep_their_order() {
    let topic = app::topic(1);
    let body = json!({"headers": [{"name": "b", "value": "MQ=="}, {"name": "a", "value": "Mg=="}, {"name": "b"}, {"name": "", "value": ""}]});
    assert_eq!(codes(&produce(app::shared(), &topic, body.to_string()).await), [200]);
    let header = |name: &str, value: Option<&[u8]>| (name.to_owned(), value.map(<[u8]>::to_vec));
    let expected = [header("b", Some(b"1")), header("a", Some(b"2")), header("b", None), header("", Some(b""))];
    assert_eq!(kafka::shared().read_topic(&topic)[0].headers, expected);
}

#[tokio::test]
async fn records_go_to_the_partition_they_name_or_where_their_key_belongs() {
    let topic = app::topic(6);
    let keyed = |key: &str| format!("{{\"key\":{{\"type\":\"STRING\",\"data\":\"{key}\"}}}}");
    let body = format!("{{\"partition_id\":5}}{{\"partition_id\":\"2\"}}{}{}{}", keyed("a"), keyed("b"), keyed("a"));
    let receipts = produce(app::shared(), &topic, body).await;
    assert_eq!((&receipts[0]["partition_id"], &receipts[1]["partition_id"]), (&json!(5), &json!(2)));
    assert_eq!(receipts[2]["partition_id"], receipts[4]["partition_id"]);
}

#[tokio::test]
async fn many_records_of_one_body_all_land_in_order() {
    let topic = app::topic(1);
    let body: String = (0..20_000).map(|number| text_record(&number.to_string())).collect();
    let receipts = produce(app::shared(), &topic, body).await;
    assert!(offsets(&receipts).into_iter().eq(0..20_000));
    let log = kafka::shared().read_topic(&topic);
    assert!(
        log.iter().enumerate().all(|(number, record)| record.value.as_deref() == Some(number.to_string().as_bytes()))
    );
}

#[tokio::test]
async fn both_places_and_escaped_names_lead_to_the_same() {
    let topic = app::topic(1);
    let escaped: String = topic.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for (offset, path) in
        [format!("/kafka{}", path(&topic)), path(&escaped), path(&topic) + "/"].into_iter().enumerate()
    {
        let answer = app::shared().post(&path).body("application/json; charset=utf-8", "{}").send().await;
        assert_eq!(offsets(&receipts(&answer.body)), [offset as i64], "{path}");
    }
    let path = path(&topic).replace("a-cluster", "%C3%BC%22%2F");
    let answer = app::shared().post(&path).body("application/json", "{}").send().await;
    assert_eq!(receipts(&answer.body)[0]["cluster_id"], "ü\"/");
}
