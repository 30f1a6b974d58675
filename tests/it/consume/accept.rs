//! The Accept header of a read: it names the instance's format, or none.

use serde_json::json;

use crate::consume::{Instance, offsets, topic_of};
use crate::harness::app;
use crate::harness::http::{BINARY_V2, JSON, JSON_V2, V1, V2};

const AVRO_V2: &str = "application/vnd.kafka.avro.v2+json";

/// What an Accept header gets: a label, or status and code.
type Expected = Result<&'static str, (u16, u64)>;

const MISMATCH: Expected = Err((406, 40601));
const REFUSED: Expected = Err((406, 406));

#[tokio::test]
async fn a_read_answers_in_the_format_of_the_instance_or_not_at_all() {
    let topic = topic_of(1, 12..13);
    // Accept, for a binary instance, for a json instance.
    let cases: [(&str, Expected, Expected); 17] = [
        ("", Ok(BINARY_V2), Ok(JSON_V2)),
        ("*/*", Ok(BINARY_V2), Ok(JSON_V2)),
        ("application/*", Ok(BINARY_V2), Ok(JSON_V2)),
        ("text/html, */*;q=0.1", Ok(BINARY_V2), Ok(JSON_V2)),
        (V2, Ok(V2), Ok(V2)),
        (JSON, Ok(JSON), Ok(JSON)),
        ("application/json;q=0.5, application/vnd.kafka.v2+json", Ok(V2), Ok(V2)),
        (BINARY_V2, Ok(BINARY_V2), MISMATCH),
        (JSON_V2, MISMATCH, Ok(JSON_V2)),
        ("APPLICATION/VND.KAFKA.JSON.V2+JSON", MISMATCH, Ok(JSON_V2)),
        ("application/vnd.kafka.json.v2+json, */*;q=0.5", MISMATCH, Ok(JSON_V2)),
        ("application/vnd.kafka.json.v2+json, application/vnd.kafka.v2+json", Ok(V2), Ok(V2)),
        (AVRO_V2, MISMATCH, MISMATCH),
        ("text/html", REFUSED, REFUSED),
        (V1, REFUSED, REFUSED),
        ("application/json;q=0", REFUSED, REFUSED),
        ("garbage", REFUSED, REFUSED),
    ];
    for format in ["binary", "json"] {
        let instance = Instance::of_partition(app::shared(), &topic, json!({ "format": format })).await;
        for (accept, binary, json) in cases {
            let expected = if format == "binary" { binary } else { json };
            let answer = instance.get("/records?timeout=20000").accept(accept).send().await;
            let what = format!("{format} instance, {accept:?}: {}", answer.text());
            match expected {
                Ok(media) => {
                    assert_eq!((answer.status, answer.media()), (200, Some(media)), "{what}");
                    let value = if format == "binary" { json!("MTI=") } else { json!(12) };
                    assert_eq!(answer.json()[0]["value"], value, "{what}");
                    instance.seek(&topic, 0, 0).await;
                }
                Err(error) => assert_eq!(answer.error(), error, "{what}"),
            }
        }
    }
}

#[tokio::test]
async fn a_refused_read_reads_nothing_and_is_labelled_as_asked() {
    let topic = topic_of(1, 0..2);
    let instance = Instance::of_partition(app::shared(), &topic, json!({ "format": "binary" })).await;
    let answer = instance.get("/records?timeout=20000").accept(JSON_V2).send().await;
    assert_eq!((answer.error(), answer.media()), ((406, 40601), Some(JSON_V2)));
    let text = "The requested embedded data format does not match the deserializer for this consumer instance";
    assert_eq!(answer.message(), text);
    assert_eq!(offsets(&instance.collect(2).await), [0, 1]);
}

#[tokio::test]
async fn a_content_type_does_not_matter_where_there_is_no_body() {
    let topic = topic_of(1, 0..1);
    let instance = Instance::create(app::shared(), &crate::harness::unique("group"), json!({})).await;
    instance.subscribe(&[&topic]).await;
    for (method, path, status) in [
        ("GET", "/subscription", 200),
        ("GET", "/assignments", 200),
        ("GET", "/records?timeout=20000", 200),
        ("DELETE", "/subscription", 204),
        ("DELETE", "", 204),
    ] {
        let call = instance.call(method, path).body("application/x-www-form-urlencoded", "{}");
        assert_eq!(call.send().await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_not_acceptable_is_not_done() {
    let topic = topic_of(1, 0..1);
    let instance = Instance::create(app::shared(), &crate::harness::unique("group"), json!({})).await;
    let body = json!({ "topics": [topic] });
    let refused = instance.call("POST", "/subscription").accept("text/html").document(V2, &body).send().await;
    assert_eq!(refused.error(), (406, 406));
    let refused = instance.call("POST", "/subscription").document("text/plain", &body).send().await;
    assert_eq!(refused.error(), (415, 415));
    let refused = instance.call("DELETE", "").accept("text/html").send().await;
    assert_eq!(refused.error(), (406, 406));
    assert_eq!(instance.get("/subscription").send().await.ok(), json!({ "topics": [] }));
}

#[tokio::test]
async fn a_trailing_slash_is_tolerated_and_wrong_verbs_are_told_the_right_ones() {
    let instance = Instance::create(app::shared(), &crate::harness::unique("group"), json!({})).await;
    for path in ["/subscription/", "/assignments/"] {
        assert_eq!(instance.get(path).send().await.status, 200, "{path}");
    }
    let cases = [
        ("GET", "", "DELETE, OPTIONS"),
        ("PUT", "/subscription", "GET, POST, DELETE, HEAD, OPTIONS"),
        ("DELETE", "/assignments", "GET, POST, HEAD, OPTIONS"),
        ("GET", "/positions", "POST, OPTIONS"),
        ("GET", "/positions/end", "POST, OPTIONS"),
        ("POST", "/records", "GET, HEAD, OPTIONS"),
        ("DELETE", "/offsets", "GET, POST, HEAD, OPTIONS"),
    ];
    for (method, path, allow) in cases {
        let answer = instance.call(method, path).send().await;
        assert_eq!((answer.error(), answer.header("allow")), ((405, 405), Some(allow)), "{method} {path}");
    }
}
