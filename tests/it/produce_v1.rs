//! Producing with v1, the API of KIP-80.

use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, BINARY_V1, BINARY_V2, JSON, JSON_V1, JSON_V2, V1, V2};
use crate::harness::kafka;
use crate::harness::{free_port, unique};
use kafka_rest_proxy::config::Config;
use std::time::Duration;

async fn produce(app: &App, topic: &str, media: &str, records: Value) -> Answer {
    app.post(&format!("/topics/{topic}")).document(media, &json!({ "records": records })).send().await
}

async fn produce_to(topic: &str, partition: i32, media: &str, records: Value) -> Answer {
    let call = app::shared().post(&format!("/topics/{topic}/partitions/{partition}"));
    call.document(media, &json!({ "records": records })).send().await
}

#[tokio::test]
async fn both_formats_land_on_the_log_and_are_answered_in_v1() {
    let topic = app::topic(1);
    for (media, records) in
        [(BINARY_V1, json!([{ "key": "aw==", "value": "dg==" }])), (JSON_V1, json!([{ "value": { "a": 1 } }]))]
    {
        let answer = produce(app::shared(), &topic, media, records).await;
        assert_eq!((answer.placed().len(), answer.media()), (1, Some(V1)), "{media}");
    }
    let log: Vec<_> = kafka::shared().read_topic(&topic).into_iter().map(|record| (record.key, record.value)).collect();
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(log, [(bytes("k"), bytes("v")), (None, bytes(r#"{"a":1}"#))]);
}

#[tokio::test]
async fn the_types_that_only_v1_had_are_binary() {
    let topic = app::topic(1);
    for media in
        [V1, "application/vnd.kafka+json", "application/octet-stream", "Application/Octet-Stream; charset=utf-8"]
    {
        let answer = produce(app::shared(), &topic, media, json!([{ "value": "dg==" }])).await;
        assert_eq!((answer.placed().len(), answer.media()), (1, Some(V1)), "{media}");
    }
    assert!(kafka::shared().read_topic(&topic).iter().all(|record| record.value.as_deref() == Some(b"v")));
}

#[tokio::test]
async fn without_a_content_type_the_accept_header_chooses_v1_and_the_format_is_binary() {
    let topic = app::topic(1);
    let body = r#"{"records":[{"value":"dg=="}]}"#;
    let cases = [
        (V1, V1),
        ("application/vnd.kafka+json", "application/vnd.kafka+json"),
        ("application/vnd.kafka.v1+json, application/vnd.kafka+json; q=0.9, application/json; q=0.8", V1),
        ("application/vnd.kafka.v1+json; q=0.1, application/json", JSON),
    ];
    for (accept, media) in cases {
        let mut wire = app::shared().wire().await;
        let length = body.len();
        wire.send(format!(
            "POST /topics/{topic} HTTP/1.1\r\nHost: proxy\r\nAccept: {accept}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.media()), (200, Some(media)), "{accept}: {}", answer.text());
    }
    assert_eq!(kafka::shared().read_topic(&topic).len(), cases.len());
}

#[tokio::test]
async fn types_that_v1_does_not_know_are_refused() {
    let topic = app::topic(1);
    for media in
        ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/vnd.kafka.protobuf.v1+json"]
    {
        let call =
            app::shared().post(&format!("/topics/{topic}")).accept(V1).body(media, r#"{"records":[{"value":""}]}"#);
        let answer = call.send().await;
        assert_eq!((answer.error(), answer.media()), ((415, 415), Some(V1)), "{media}");
        assert!(answer.message().contains(BINARY_V1), "it names the types to use: {}", answer.message());
    }
    for accept in ["text/plain", "application/octet-stream", V2, BINARY_V1] {
        let call = app::shared()
            .post(&format!("/topics/{topic}"))
            .accept(accept)
            .body(BINARY_V1, r#"{"records":[{"value":""}]}"#);
        assert_eq!(call.send().await.error(), (406, 406), "{accept}");
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn the_content_type_decides_between_versions_where_accept_says_otherwise() {
    let topic = app::topic(1);
    for (media, accept, expected) in
        [(JSON_V2, "*/*", V2), (JSON_V1, "*/*", V1), (JSON_V2, JSON, JSON), (JSON_V1, JSON, JSON)]
    {
        let call =
            app::shared().post(&format!("/topics/{topic}")).accept(accept).body(media, r#"{"records":[{"value":1}]}"#);
        let answer = call.send().await;
        assert_eq!((answer.placed().len(), answer.media()), (1, Some(expected)), "{media}");
    }
}

#[tokio::test]
async fn bad_base64_anywhere_is_422_and_stores_nothing() {
    let topic = app::topic(1);
    for bad in [json!({ "value": "a" }), json!({ "key": "?", "value": "" }), json!({ "value": 5 })] {
        let answer = produce(app::shared(), &topic, BINARY_V1, json!([{ "value": "dg==" }, bad])).await;
        assert_eq!((answer.error(), answer.media()), ((422, 422), Some(V1)), "{bad}");
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn unknown_topics_and_partitions_are_not_found() {
    let topic = app::topic(2);
    let records = || json!([{ "value": 1 }]);
    assert_eq!(produce(app::shared(), &unique("unknown"), JSON_V1, records()).await.error(), (404, 40401));
    assert_eq!(produce_to(&unique("unknown"), 0, JSON_V1, records()).await.error(), (404, 40401));
    assert_eq!(produce_to(&topic, 2, JSON_V1, records()).await.error(), (404, 40402));
    let answer = produce(app::shared(), &topic, JSON_V1, json!([{ "value": 1, "partition": 2 }])).await;
    assert_eq!(answer.error(), (404, 40402));
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn a_record_names_its_partition_only_on_the_path_of_the_topic() {
    let topic = app::topic(2);
    let records = || json!([{ "value": 1, "partition": 1 }]);
    assert_eq!(produce(app::shared(), &topic, JSON_V1, records()).await.placed(), [(1, 0)]);
    let answer = produce_to(&topic, 1, JSON_V1, records()).await;
    assert_eq!(answer.error(), (422, 422));
    assert!(answer.message().starts_with("Unrecognized field: partition"), "{}", answer.message());
    assert_eq!(produce_to(&topic, 1, JSON_V1, json!([{ "value": 1 }])).await.placed(), [(1, 1)]);
}

#[tokio::test]
async fn a_record_that_kafka_refuses_has_its_own_code() {
    let topic = app::topic(1);
    let records = json!([{ "value": 1 }, { "value": "x".repeat(1_100_000) }]);
    let answer = produce(app::shared(), &topic, JSON_V1, records).await;
    assert_eq!((answer.status, answer.record_codes()), (200, vec![0, 50002]));
}

#[tokio::test]
async fn avro_needs_a_registry() {
    let topic = app::topic(1);
    let media = "application/vnd.kafka.avro.v1+json";
    let body = json!({ "value_schema": "\"int\"", "records": [{ "value": 1 }] });
    let answer = app::shared().post(&format!("/topics/{topic}")).document(media, &body).send().await;
    assert_eq!(answer.error(), (422, 42206));
    assert_eq!(produce(app::shared(), &topic, media, json!([{ "value": 1 }])).await.error(), (422, 42207));
}

#[tokio::test]
async fn a_failure_of_the_whole_request_is_50001_in_v1_and_50003_in_v2() {
    let mut config = Config::for_bootstrap(&format!("127.0.0.1:{}", free_port()));
    config.kafka.request_timeout = Duration::from_millis(200);
    let app = app::spawn_app(config);
    let records = || json!([{ "value": 1 }]);
    let v1 = produce(&app, "any", JSON_V1, records()).await;
    assert_eq!((v1.error(), v1.media()), ((500, 50001), Some(V1)));
    let v2 = produce(&app, "any", JSON_V2, records()).await;
    assert_eq!((v2.error(), v2.media()), ((500, 50003), Some(V2)));
    assert_eq!(app.get("/topics").accept(V1).send().await.status, 500);
    assert_eq!(
        produce(&app, "any", BINARY_V2, json!([{ "value": "!" }])).await.error(),
        (400, 400),
        "no broker is needed to see it"
    );
}
