//! What is in the log and what must not be.

use serde_json::json;

use crate::harness::binary::Proxy;
use crate::harness::http::{self, BINARY_V2, JSON_V1, JSON_V2};
use crate::harness::kafka;
use crate::harness::{PATIENCE, app, unique};

#[tokio::test]
async fn a_normal_session_leaves_a_clean_log() {
    let topic = app::topic(1);
    let mut proxy = Proxy::start(&["--bootstrap-servers", &kafka::shared().bootstrap], &[]);
    let url = proxy.url(&format!("/topics/{topic}"));
    proxy.wait_for_log("has ", PATIENCE);
    for media in [JSON_V2, JSON_V1] {
        http::post(&url).document(media, &json!({ "records": [{ "value": 1 }] })).send().await.placed();
    }
    for path in ["/topics", "/brokers", &format!("/topics/{topic}"), &format!("/topics/{topic}/partitions/0/offsets")] {
        http::get(&proxy.url(path)).send().await.ok();
    }
    // What a client does wrong is nothing for the operator.
    assert_eq!(http::get(&proxy.url("/topics/nobody-made-this")).send().await.status, 404);
    assert_eq!(http::post(&url).document(BINARY_V2, &json!({ "records": [{ "value": 1 }] })).send().await.status, 400);
    assert_eq!(http::post(&url).body(JSON_V2, "{").send().await.status, 400);
    assert_eq!(http::get(&url).accept("text/html").send().await.status, 406);

    proxy.signal("TERM");

    assert_eq!(proxy.wait(PATIENCE).code(), Some(0));
    let log = proxy.log();
    for line in log.lines() {
        assert!(line.contains("INFO"), "not clean: {line}\n{log}");
    }
    assert!(log.lines().count() < 20, "a request is no line at this level:\n{log}");
}

#[tokio::test]
async fn nothing_of_a_request_and_no_password_is_in_the_log() {
    let topic = app::topic(1);
    let marks = ["mark-key", "mark-value", "mark-header", "mark-field", "mark-credential", "mark-password"];
    let settings = [
        "--set=log.level=debug",
        // Of no use on this listener, but a password.
        "--set=kafka.properties.sasl.password=mark-password",
        "--set=kafka.properties.ssl.key.password=mark-password",
        "--set=kafka.properties.debug=all",
    ];
    let bootstrap = ["--bootstrap-servers", &kafka::shared().bootstrap];
    let mut proxy = Proxy::start(&[&bootstrap, &settings[..]].concat(), &[]);
    let url = proxy.url(&format!("/topics/{topic}"));
    let bodies = [
        r#"{"records":[{"key":"mark-key","value":"mark-value","headers":[{"key":"mark-header","value":"YQ=="}]}]}"#,
        r#"{"records":[{"key":"mark-key","value":"mark-value","headers":[{"key":"h","value":"mark-header"}]}]}"#,
        r#"{"records":[{"mark-field":"mark-value"}]}"#,
        r#"{"records":[{"key":"mark-key","value":mark-value}]}"#,
        r#"{"records":[{"key":"mark-key","partition":"mark-value"}]}"#,
        r#"{"records":"mark-value"}"#,
    ];
    for body in bodies {
        for media in [JSON_V2, BINARY_V2, JSON_V1] {
            let call = http::post(&url).header("authorization", "Basic mark-credential").body(media, body);
            call.send().await;
        }
    }
    let large = json!({ "records": [{ "key": "mark-key", "value": "mark-value".repeat(200_000) }] });
    assert_eq!(http::post(&url).document(JSON_V2, &large).send().await.record_codes(), [50002]);

    proxy.signal("TERM");
    proxy.wait(PATIENCE);

    let log = proxy.log();
    assert!(log.contains("DEBUG") && log.contains(&topic), "requests are in the log at this level");
    for mark in marks {
        let line = log.lines().find(|line| line.contains(mark));
        assert_eq!(line, None, "{mark}");
    }
}

#[tokio::test]
async fn an_error_of_ours_is_logged_once_with_its_cause() {
    let bootstrap = ["--bootstrap-servers", "127.0.0.1:1", "--set", "kafka.request_timeout=300ms"];
    let proxy = Proxy::start(&bootstrap, &[]);
    let path = format!("/topics/{}", unique("any"));
    assert_eq!(http::get(&proxy.url(&path)).send().await.error(), (500, 50003));
    proxy.wait_for_log(&path, PATIENCE);
    let log = proxy.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&path)).collect();
    assert!(lines.len() == 1 && lines[0].contains("ERROR") && lines[0].contains("kafka_retriable: "), "{lines:?}");
}
