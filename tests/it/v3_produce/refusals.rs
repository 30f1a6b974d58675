//! Records and requests that are refused.

use std::time::Instant;

use crate::harness::app;
use crate::harness::http::JSON;
use crate::harness::{kafka, unique};
use crate::v3_produce::{codes, offsets, path, post, produce, receipts, text_record};

#[tokio::test]
async fn a_bad_record_is_told_in_its_place_and_the_stream_goes_on() {
    let topic = app::topic(1);
    let body = r#"{"value":{"type":"BINARY","data":"fooba"}} {"value":{"type":"BINARY","data":1}} {"value":{"type":"STRING","data":1}}
        {"foo":1} 1 "a" true null [{}] {"partition_id":-1} {"timestamp":"soon"} {"headers":[{"name":"h","value":"YQ"}]}
        {"value":{"type":"STRING","data":"good"}}"#;
    let receipts = produce(app::shared(), &topic, body).await;
    assert_eq!(codes(&receipts), [400, 400, 400, 400, 400, 400, 400, 400, 400, 40402, 400, 400, 200]);
    assert_eq!(receipts[0]["message"], "Bad Request: data=\"fooba\" is not a valid base64 string.");
    assert_eq!(receipts[2]["message"], "Bad Request: data=1 is not a string.");
    assert_eq!(receipts[9]["message"], "Partition not found.");
    assert_eq!(kafka::shared().read_topic(&topic).len(), 1);
}

#[tokio::test]
async fn what_is_no_json_ends_the_stream_after_the_records_before_it() {
    let topic = app::topic(1);
    for (offset, garbage) in
        ["DEADBEEF", "}", ",", "{\"a\" 1}", "{\"foo\":1,}", "{\"a\":\"\u{1}\"}", "nul", "/* */"].into_iter().enumerate()
    {
        let receipts = produce(app::shared(), &topic, format!("{}{garbage} {{}}", text_record("x"))).await;
        assert_eq!(codes(&receipts), [200, 400], "{garbage}");
        assert_eq!(offsets(&receipts[..1]), [offset as i64], "{garbage}");
    }
    let receipts =
        produce(app::shared(), &topic, b"{}{\"value\":{\"type\":\"STRING\",\"data\":\"\xff\"}}{}".to_vec()).await;
    assert_eq!(codes(&receipts), [200, 400]);
    let receipts = produce(app::shared(), &topic, "{}{\"value\":").await;
    assert_eq!(codes(&receipts), [200, 400]);
    assert_eq!(kafka::shared().read_topic(&topic).len(), 10);
}

#[tokio::test]
async fn an_unknown_topic_or_partition_is_told_at_once() {
    let started = Instant::now();
    let unknown = produce(app::shared(), &unique("nowhere"), "{}".repeat(500)).await;
    assert_eq!(codes(&unknown), [40401; 500]);
    let topic = app::topic(2);
    let receipts = produce(app::shared(), &topic, r#"{"partition_id":2}{"partition_id":1}{"partition_id":99}{}"#).await;
    assert_eq!(codes(&receipts), [40401, 200, 40401, 200]);
    let illegal = produce(app::shared(), "a%20b", "{}{}").await;
    assert_eq!(codes(&illegal), [40002, 40002]);
    assert!(started.elapsed().as_secs() < 20, "nothing waits for a topic to appear");
}

#[tokio::test]
async fn a_record_that_is_too_large_fails_alone() {
    let topic = unique("topic");
    kafka::shared().create_topic_with(&topic, 1, &[("max.message.bytes", "1000")]);
    let body = [text_record("a"), text_record(&"x".repeat(2000)), text_record("b")].concat();
    let receipts = produce(app::shared(), &topic, body).await;
    assert_eq!(codes(&receipts), [200, 413, 200]);
}

#[tokio::test]
async fn schemas_need_a_registry() {
    let topic = app::topic(1);
    let body = r#"{"value":{"type":"AVRO","schema":"\"string\"","data":"x"}}{"value":{"data":1}}{"value":{"type":"AVRO","data":"x"}}{}"#;
    let receipts = produce(app::shared(), &topic, body).await;
    assert_eq!(codes(&receipts), [422, 422, 400, 200]);
    let message = "Error: 42206 : Payload error. Schema Registry must be configured when using schemas.";
    assert_eq!(receipts[0]["message"], message);
}

#[tokio::test]
async fn requests_are_refused_before_the_stream_begins() {
    let topic = app::topic(1);
    let call = || app::shared().post(&path(&topic));
    let cases = [
        (call(), (422, 42206)),
        (call().body(JSON, ""), (422, 42206)),
        (call().header("content-length", "0").header("content-type", "text/plain"), (415, 415)),
        (call().body("text/plain", "{}"), (415, 415)),
        (call().body("application/x-www-form-urlencoded", "{}"), (415, 415)),
        (call().body("application/vnd.kafka.json.v2+json", "{}"), (415, 415)),
        (call().body("application/json; charset=utf-16", "{}"), (400, 400)),
        (call().body(JSON, "{}").header("content-encoding", "br"), (415, 415)),
        (call().body(JSON, "{}").accept("text/html"), (406, 406)),
        (app::shared().call("DELETE", &path(&topic)), (405, 405)),
        (app::shared().get("/v3/nothing"), (404, 404)),
        (app::shared().get("/kafka/v3/clusters/c/nothing").accept("application/vnd.kafka.v2+json"), (404, 404)),
    ];
    for (number, (call, error)) in cases.into_iter().enumerate() {
        let answer = call.send().await;
        assert_eq!((answer.error(), answer.media()), (error, Some(JSON)), "case {number}: {}", answer.text());
    }
    let answer = app::shared().call("DELETE", &path(&topic)).send().await;
    assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    assert!(kafka::shared().read_topic(&topic).is_empty());
}

#[tokio::test]
async fn white_space_alone_is_an_empty_stream() {
    let answer = post(app::shared(), &app::topic(1), " \r\n").await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test]
async fn a_body_needs_a_type() {
    let topic = app::topic(1);
    let mut wire = app::shared().wire().await;
    wire.send(format!("POST {} HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\n\r\n{{}}", path(&topic))).await;
    let answer = wire.answer().await;
    assert_eq!(answer.error(), (400, 400));
    assert!(answer.message().contains("Content-Type"));
}

#[tokio::test]
async fn receipts_are_not_packed() {
    let topic = app::topic(1);
    let answer =
        app::shared().post(&path(&topic)).body(JSON, "{}".repeat(100)).header("accept-encoding", "gzip").send().await;
    assert_eq!((answer.header("content-encoding"), receipts(&answer.body).len()), (None, 100));
}
