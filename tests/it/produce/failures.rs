//! Records that Kafka refuses one by one, and how that shows.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, JSON_V2};
use crate::harness::kafka;
use crate::harness::unique;
use crate::produce::produce;

fn large(bytes: usize) -> Value {
    json!({ "key": "large", "value": "x".repeat(bytes) })
}

#[tokio::test]
async fn a_record_larger_than_the_producer_allows_fails_alone() {
    let topic = app::topic(1);
    let records = json!([{ "value": 1 }, large(1_100_000), { "value": 3 }]);

    let answer = produce(app::shared(), &topic, JSON_V2, records).await;

    assert_eq!((answer.status, answer.record_codes()), (200, vec![0, 50002, 0]));
    let failed = &answer.json()["offsets"][1];
    assert_eq!((&failed["partition"], &failed["offset"]), (&Value::Null, &Value::Null));
    assert!(failed["error"].as_str().is_some_and(|text| text.contains("large")), "{failed}");
    assert_eq!(values(&topic), ["1", "3"]);
}

#[tokio::test]
async fn a_record_larger_than_the_topic_allows_fails_alone() {
    let topic = unique("small-messages");
    kafka::shared().create_topic_with(&topic, 1, &[("max.message.bytes", "10000")]);
    let records = json!([{ "value": 1 }, large(20_000), { "value": 3 }]);

    let answer = produce(app::shared(), &topic, JSON_V2, records).await;

    assert_eq!((answer.status, answer.record_codes()), (200, vec![0, 50002, 0]));
    assert_eq!(values(&topic), ["1", "3"]);
}

#[tokio::test]
async fn a_record_that_is_too_large_does_no_harm_to_later_requests() {
    let topic = unique("small-messages");
    kafka::shared().create_topic_with(&topic, 1, &[("max.message.bytes", "10000")]);
    for _ in 0..3 {
        let refused = produce(app::shared(), &topic, JSON_V2, json!([large(20_000)])).await;
        assert_eq!((refused.status, refused.record_codes()), (200, vec![50002]));
        let other = app::topic(1);
        assert_eq!(produce(app::shared(), &other, JSON_V2, json!([{ "value": 1 }])).await.placed(), [(0, 0)]);
    }
    assert_eq!(produce(app::shared(), &topic, JSON_V2, json!([{ "value": 1 }])).await.placed(), [(0, 0)]);
}

#[tokio::test]
async fn a_compacted_topic_refuses_a_record_without_a_key() {
    let topic = compacted();
    let answer = produce(app::shared(), &topic, JSON_V2, json!([{ "value": 1 }])).await;
    assert_eq!((answer.status, answer.record_codes()), (200, vec![50002]));
    assert_eq!(produce(app::shared(), &topic, JSON_V2, json!([{ "key": 1, "value": 1 }])).await.placed(), [(0, 0)]);
}

#[tokio::test]
async fn a_record_without_a_key_does_no_harm_to_those_beside_it() {
    let topic = compacted();
    let records = json!([{ "key": 1, "value": 1 }, { "value": 2 }, { "key": 3, "value": 3 }]);
    let answer = produce(app::shared(), &topic, JSON_V2, records).await;
    assert_eq!((answer.status, answer.record_codes()), (200, vec![0, 50002, 0]), "{}", answer.text());
    assert_eq!(values(&topic), ["1", "3"]);
}

#[tokio::test]
async fn what_one_client_does_wrong_fails_nothing_of_others_at_the_same_time() {
    let small_messages = unique("small-messages");
    kafka::shared().create_topic_with(&small_messages, 1, &[("max.message.bytes", "10000")]);
    let cases = [(small_messages, large(20_000)), (compacted(), json!({ "value": 1 }))];
    for (topic, bad) in cases {
        let wrong = (0..4).map(|_| many(&topic, bad.clone()));
        let right = (0..4).map(|_| many(&topic, json!({ "key": "k", "value": 1 })));
        let (wrong, right) = join(join_all(wrong), join_all(right)).await;
        assert!(wrong.into_iter().flatten().all(|code| code == 50002), "{topic}");
        let harmed = right.into_iter().flatten().filter(|code| *code != 0).count();
        assert_eq!(harmed, 0, "{topic}");
    }
}

/// Sends a record again and again and returns the code of each answer.
async fn many(topic: &str, record: Value) -> Vec<u64> {
    let mut codes = Vec::new();
    for _ in 0..50 {
        codes.extend(produce(app::shared(), topic, JSON_V2, json!([record])).await.record_codes());
    }
    codes
}

#[tokio::test]
async fn strict_shows_failed_records_in_the_status() {
    let topic = app::topic(1);
    let (good, bad) = (json!({ "value": 1 }), large(1_100_000));
    let cases = [
        (json!([good]), "?strict=true", 200),
        (json!([good, bad]), "?strict=true", 207),
        (json!([bad]), "?strict=true", 500),
        (json!([bad]), "?strict=false", 200),
        (json!([bad]), "?strict=", 200),
        (json!([bad]), "", 200),
    ];
    for (records, query, status) in cases {
        let answer = strictly(app::shared(), &topic, query, &records).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.record_codes().len(), records.as_array().map_or(0, Vec::len), "the body stays the same");
    }
    assert_eq!(strictly(app::shared(), &topic, "?strict=yes", &json!([good])).await.error(), (400, 400));
}

#[tokio::test]
async fn the_setting_makes_every_request_strict_that_does_not_say_otherwise() {
    let mut config = app::config();
    config.producer.strict = true;
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let records = json!([large(1_100_000)]);
    assert_eq!(strictly(&app, &topic, "", &records).await.status, 500);
    assert_eq!(strictly(&app, &topic, "?strict=false", &records).await.status, 200);
}

async fn strictly(app: &App, topic: &str, query: &str, records: &Value) -> Answer {
    app.post(&format!("/topics/{topic}{query}")).document(JSON_V2, &json!({ "records": records })).send().await
}

fn compacted() -> String {
    let topic = unique("compacted");
    kafka::shared().create_topic_with(&topic, 1, &[("cleanup.policy", "compact")]);
    topic
}

fn values(topic: &str) -> Vec<String> {
    let log = kafka::shared().read_topic(topic);
    log.into_iter().map(|record| String::from_utf8(record.value.unwrap_or_default()).expect("JSON is text")).collect()
}
