//! Sizes of bodies, records and requests.

use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{BINARY_V2, JSON, JSON_V2};
use crate::harness::kafka;
use kafka_rest_proxy::config::{Limits, PlainJson};

fn app_with(adjust: impl FnOnce(&mut Limits)) -> App {
    let mut config = app::config();
    adjust(&mut config.limits);
    app::spawn_app(config)
}

/// Returns a produce request of exactly `length` bytes.
fn body_of(length: usize) -> String {
    let (head, tail) = (r#"{"records":[{"value":""#, r#""}]}"#);
    format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len()))
}

#[tokio::test]
async fn a_body_may_have_just_as_many_bytes_as_allowed() {
    let app = app_with(|limits| limits.body_bytes = 2000);
    let topic = app::topic(1);
    let send = async |length| app.post(&format!("/topics/{topic}")).body(JSON_V2, body_of(length)).send().await;
    assert_eq!(send(2000).await.placed(), [(0, 0)]);
    for length in [2001, 100_000, 5_000_000] {
        let refused = send(length).await;
        assert_eq!(refused.error(), (413, 413), "{length}");
        assert!(refused.message().contains("2000"), "{}", refused.message());
    }
    assert_eq!(kafka::shared().read_topic(&topic).len(), 1);
}

#[tokio::test]
async fn a_declared_length_beyond_the_limit_is_refused_before_the_body_comes() {
    let app = app_with(|limits| limits.body_bytes = 2000);
    let mut wire = app.wire().await;
    wire.send_head("/topics/any", JSON_V2, 2001).await;
    assert_eq!(wire.answer().await.error(), (413, 413));
}

#[tokio::test]
async fn a_chunked_body_beyond_the_limit_is_refused_before_it_ends() {
    let app = app_with(|limits| limits.body_bytes = 2000);
    let mut wire = app.wire().await;
    wire.send(format!("POST /topics/any HTTP/1.1\r\nHost: proxy\r\nContent-Type: {JSON_V2}\r\n")).await;
    wire.send("Transfer-Encoding: chunked\r\n\r\n").await;
    for _ in 0..3 {
        wire.send(format!("{:x}\r\n{}\r\n", 1000, "x".repeat(1000))).await;
    }
    assert_eq!(wire.answer().await.error(), (413, 413));
}

#[tokio::test]
async fn a_request_may_have_just_as_many_records_as_allowed() {
    let app = app_with(|limits| limits.records = 3);
    let topic = app::topic(1);
    let send = async |count: usize| {
        let records: Vec<Value> = (0..count).map(|number| json!({ "value": number })).collect();
        app.post(&format!("/topics/{topic}")).document(JSON_V2, &json!({ "records": records })).send().await
    };
    assert_eq!(send(3).await.placed().len(), 3);
    let refused = send(4).await;
    assert_eq!(refused.error(), (413, 413));
    assert!(refused.message().contains('3'), "{}", refused.message());
    assert_eq!(kafka::shared().read_topic(&topic).len(), 3);
}

#[tokio::test]
async fn a_record_may_have_just_as_many_bytes_as_allowed() {
    let app = app_with(|limits| limits.record_bytes = 12);
    let topic = app::topic(1);
    // The quotes count: they are on the log.
    let send = async |key: &str, value: &str| {
        let body = json!({ "records": [{ "value": 1 }, { "key": key, "value": value }] });
        app.post(&format!("/topics/{topic}")).document(JSON_V2, &body).send().await
    };
    assert_eq!(send("1234", "1234").await.placed().len(), 2);
    let refused = send("1234", "12345").await;
    assert_eq!(refused.error(), (413, 413));
    assert!(refused.message().contains("records[1]"), "{}", refused.message());
    assert_eq!(kafka::shared().read_topic(&topic).len(), 2);
}

#[tokio::test]
async fn plain_json_is_taken_as_the_setting_says() {
    for (setting, stored) in [(PlainJson::Json, r#""dg==""#), (PlainJson::Binary, "v")] {
        let mut config = app::config();
        config.producer.plain_json = setting;
        let app = app::spawn_app(config);
        let topic = app::topic(1);
        let post = |media: &str| app.post(&format!("/topics/{topic}")).body(media, r#"{"records":[{"value":"dg=="}]}"#);
        assert_eq!(post(JSON).send().await.placed(), [(0, 0)]);
        assert_eq!(post("application/json; charset=utf-8").send().await.placed(), [(0, 1)]);
        assert_eq!(post(BINARY_V2).send().await.placed(), [(0, 2)], "types with a format stay what they are");
        let log = kafka::shared().read_topic(&topic);
        assert_eq!(log[1].value.as_deref(), Some(stored.as_bytes()), "{setting:?}");
        assert_eq!(log[2].value.as_deref(), Some(&b"v"[..]), "{setting:?}");
        let form = post("application/x-www-form-urlencoded").send().await;
        assert_eq!(form.error(), (415, 415), "curl's default is never guessed at");
    }
}
