//! Requests that are refused as a whole: nothing of them is on the log.

use serde_json::{Value, json};

use crate::harness::app;
use crate::harness::http::{BINARY_V2, JSON_V2, V2};
use crate::harness::kafka;
use crate::produce::produce;

#[tokio::test]
async fn bad_base64_in_the_last_record_leaves_the_log_empty() {
    let topic = app::topic(1);
    let good = || json!({ "key": "aw==", "value": "dg==" });
    let bad = [
        json!({ "value": "a" }),
        json!({ "value": "-_-_" }),
        json!({ "key": "aGVs bG8=", "value": "" }),
        json!({ "value": 5 }),
        json!({ "value": { "a": 1 } }),
        json!({ "value": "", "headers": [{ "key": "h", "value": "!" }] }),
    ];
    for last in bad {
        let answer = produce(app::shared(), &topic, BINARY_V2, json!([good(), good(), last])).await;
        assert_eq!(answer.error(), (400, 400), "{last}");
        assert_eq!(answer.media(), Some(V2));
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn a_body_that_is_not_a_produce_request_is_refused() {
    let topic = app::topic(1);
    let deep = format!(r#"{{"records":[{{"value":{}1{}}}]}}"#, "[".repeat(1001), "]".repeat(1001));
    let cases: &[(&[u8], (u16, u64))] = &[
        (b"", (422, 422)),
        (b"null", (422, 422)),
        (b"{}", (422, 422)),
        (br#"{"records":null}"#, (422, 422)),
        (br#"{"records":[]}"#, (422, 422)),
        (br#"{"records":[{"value":1}],"recrods":[]}"#, (422, 422)),
        (br#"{"records":[{"value":1},{"valeu":2}]}"#, (422, 422)),
        (br#"{"records":[{"value":1},{"value":2,"headers":[{"name":"h"}]}]}"#, (422, 422)),
        (br#"{"records":[{"value":1},{"value":2,"timestamp":-1}]}"#, (422, 422)),
        (b"[]", (400, 400)),
        (b"records", (400, 400)),
        (br#"{"records":[{"value":1}"#, (400, 400)),
        (br#"{"records":[{"value":1}]}}"#, (400, 400)),
        (br#"{"records":[{"value":1},null]}"#, (400, 400)),
        (br#"{"records":{"value":1}}"#, (400, 400)),
        (br#"{"records":[{"value":1},{"value":NaN}]}"#, (400, 400)),
        (br#"{"records":[{"value":1},{"value":01}]}"#, (400, 400)),
        (br#"{"records":[{"value":1},{"value":'x'}]}"#, (400, 400)),
        (br#"{"records":[{"value":1},]}"#, (400, 400)),
        (b"{\"records\":[{\"value\":\"\xff\"}]}", (400, 400)),
        (br#"{"records":[{"value":1,"timestamp":"now"}]}"#, (400, 400)),
        (deep.as_bytes(), (400, 400)),
    ];
    for (body, expected) in cases {
        let answer = app::shared().post(&format!("/topics/{topic}")).body(JSON_V2, *body).send().await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(100)]);
        assert_eq!(answer.error(), *expected, "{shown}");
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn an_unknown_field_is_named() {
    let topic = app::topic(1);
    let answer = produce(app::shared(), &topic, JSON_V2, json!([{ "vlaue": 1 }])).await;
    assert!(answer.message().starts_with("Unrecognized field: vlaue"), "{}", answer.message());
}

#[tokio::test]
async fn a_byte_order_mark_and_white_space_around_the_body_do_no_harm() {
    let topic = app::topic(1);
    let body = "\u{feff} \r\n {\"records\":[{\"value\":1}]}\n\n";
    assert_eq!(app::shared().post(&format!("/topics/{topic}")).body(JSON_V2, body).send().await.placed(), [(0, 0)]);
}

#[tokio::test]
async fn schema_formats_need_a_registry() {
    let topic = app::topic(1);
    for format in ["avro", "jsonschema", "protobuf"] {
        let media = format!("application/vnd.kafka.{format}.v2+json");
        let cases = [
            (json!({ "value_schema": "\"string\"", "records": [{ "value": "x" }] }), (422, 42206)),
            (json!({ "value_schema_id": 1, "records": [{ "value": "x" }] }), (422, 42206)),
            (json!({ "key_schema_id": 1, "records": [{ "key": "x" }] }), (422, 42206)),
            (json!({ "records": [{ "value": "x" }] }), (422, 42207)),
        ];
        for (body, expected) in cases {
            let answer = app::shared().post(&format!("/topics/{topic}")).document(&media, &body).send().await;
            assert_eq!(answer.error(), expected, "{format}: {body}");
        }
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn schema_fields_of_formats_without_schema_are_ignored() {
    let topic = app::topic(1);
    let body =
        json!({ "key_schema": "x", "value_schema_id": 7, "key_schema_id": null, "records": [{ "value": "YQ==" }] });
    let answer = app::shared().post(&format!("/topics/{topic}")).document(BINARY_V2, &body).send().await.ok();
    assert_eq!((&answer["key_schema_id"], &answer["value_schema_id"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_name_that_kafka_does_not_allow_is_refused() {
    let body = r#"{"records":[{"value":1}]}"#;
    for name in ["a%20b", "caf%C3%A9", ".", "..", "%2e%2e", "a%2Fb", "a%00", "a%", &"x".repeat(250)] {
        // On the wire, because a client resolves `.` and `..` itself.
        let mut wire = app::shared().wire().await;
        wire.send_head(&format!("/topics/{name}"), JSON_V2, body.len()).await;
        wire.send(body).await;
        assert_eq!(wire.answer().await.error(), (400, 40002), "{name}");
    }
}
