//! Trace context: what a client says of its trace goes on to Kafka, to Connect and to the registry.

use serde_json::json;

use crate::connect::requests::config;
use crate::harness::app::{self, App, config_with, spawn_app};
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::http::JSON_V2;
use crate::harness::kafka;
use crate::harness::registry::Registry;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

/// Checks a `traceparent` that this proxy wrote: the same trace and flags, and a span of its own.
#[track_caller]
fn assert_followed(traceparent: &str, flags: &str) {
    let parts: Vec<_> = traceparent.split('-').collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("00", TRACE, flags), "{traceparent}");
    assert!(parts[2].len() == 16 && parts[2] != SPAN, "{traceparent}");
}

fn headers_of(topic: &str) -> Vec<Vec<(String, String)>> {
    let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap_or_default()).expect("text");
    let records = kafka::shared().read_partition(topic, 0).into_iter();
    records.map(|record| record.headers.into_iter().map(|(name, value)| (name, text(value))).collect()).collect()
}

fn recording() -> App {
    spawn_app(config_with(&kafka::shared().bootstrap, &["tracing.record_headers=true"]))
}

#[tokio::test]
async fn records_carry_the_trace_where_that_is_wished() {
    let topic = app::topic(1);
    let path = format!("/topics/{topic}");
    let records =
        json!({ "records": [{ "value": 1 }, { "value": 2, "headers": [{ "key": "traceparent", "value": "YQ==" }] }] });
    let app = recording();
    let call = app.post(&path).document(JSON_V2, &records);
    call.header("traceparent", &parent("01"))
        .header("tracestate", "a=1")
        .header("tracestate", "b=2")
        .send()
        .await
        .placed();
    let seen = headers_of(&topic);
    assert_eq!((seen[0].len(), seen[0][1].clone()), (2, ("tracestate".to_owned(), "a=1,b=2".to_owned())));
    assert_followed(&seen[0][0].1, "01");
    assert_eq!(seen[1], [("traceparent".to_owned(), "a".to_owned())], "what a record has stays");

    // By default records are written as they came.
    let plain = app::topic(1);
    let call =
        app::shared().post(&format!("/topics/{plain}")).document(JSON_V2, &json!({ "records": [{ "value": 1 }] }));
    call.header("traceparent", &parent("01")).send().await.placed();
    assert!(headers_of(&plain)[0].is_empty());
}

#[tokio::test]
async fn a_trace_that_is_none_is_begun_anew() {
    let app = recording();
    let topic = app::topic(1);
    let upper = TRACE.to_uppercase();
    let bad = [
        None,
        Some(format!("00-{upper}-{SPAN}-01")),
        Some(format!("ff-{TRACE}-{SPAN}-01")),
        Some(format!("00-{}-{SPAN}-01", "0".repeat(32))),
        Some(format!("00-{TRACE}-{SPAN}-01-x")),
    ];
    for given in &bad {
        let mut call = app.post(&format!("/topics/{topic}")).document(JSON_V2, &json!({ "records": [{ "value": 1 }] }));
        if let Some(given) = given {
            call = call.header("traceparent", given).header("tracestate", "a=1");
        }
        call.send().await.placed();
    }
    let seen = headers_of(&topic);
    assert_eq!(seen.len(), bad.len());
    let mut traces: Vec<_> = seen.iter().map(|headers| headers[0].1.split('-').nth(1).unwrap().to_owned()).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), bad.len(), "each is a trace of its own");
    assert!(seen.iter().all(|headers| headers.len() == 1), "and a state without its trace is none: {seen:?}");
    assert!(!traces.contains(&TRACE.to_owned()));
}

#[tokio::test]
async fn records_of_a_stream_and_of_a_batch_carry_it_too() {
    let (app, topic) = (recording(), app::topic(1));
    let clusters = app.get("/v3/clusters").send().await.ok();
    let path = format!("/v3/clusters/{}/topics/{topic}/records", clusters["data"][0]["cluster_id"].as_str().unwrap());
    let mut wire = app.wire().await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: proxy\r\nContent-Type: application/json\r\ntraceparent: {}\r\n",
        parent("00")
    );
    wire.send(head + "Transfer-Encoding: chunked\r\n\r\n").await;
    let record = r#"{"value":{"type":"JSON","data":1}}"#;
    wire.send_chunk(record).await;
    assert_eq!(wire.answer_to_head().await.status, 200);
    wire.chunk().await;
    // The handler has long returned.
    wire.send_chunk(record).await;
    wire.chunk().await;
    let batch = json!({ "entries": [{ "id": "1", "value": { "type": "JSON", "data": 1 } }] });
    let call = app.post(&format!("{path}:batch")).document("application/json", &batch);
    assert_eq!(call.header("traceparent", &parent("00")).send().await.status, 207);
    let seen = headers_of(&topic);
    assert_eq!(seen.len(), 3);
    for headers in seen {
        assert_eq!(headers.len(), 1);
        assert_followed(&headers[0].1, "00");
    }
}

#[tokio::test]
async fn connect_and_the_registry_are_told_the_trace_and_only_that_of_the_client() {
    let (fakes, registry) = (FakeWorkers::start(1), Registry::start());
    let settings =
        [format!("connect.default.urls={}", fakes.urls()), format!("schema_registry.urls={}", registry.url())];
    let app = spawn_app(config_with(&kafka::shared().bootstrap, &[&settings[0], &settings[1]]));
    fakes.put("c", config());
    fakes.forget_requests();
    app.get("/connectors/c").send().await.ok();
    assert_eq!(fakes.requests_to("GET", "/connectors/c")[0].header("traceparent"), None);
    fakes.forget_requests();
    let call = app.get("/connectors/c").header("traceparent", &parent("01")).header("tracestate", "k=v");
    call.send().await.ok();
    let request = &fakes.requests_to("GET", "/connectors/c")[0];
    assert_followed(request.header("traceparent").expect("it is told"), "01");
    assert_eq!(request.header("tracestate"), Some("k=v"));

    let topic = app::topic(1);
    let body = json!({ "value_schema": "\"int\"", "records": [{ "value": 1 }] });
    let call = app.post(&format!("/topics/{topic}")).document("application/vnd.kafka.avro.v2+json", &body);
    call.header("traceparent", &parent("01")).send().await.ok();
    for request in registry.requests() {
        assert_followed(request.header("traceparent").expect("it is told"), "01");
    }
    assert!(!registry.requests().is_empty());
}
