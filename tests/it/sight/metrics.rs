//! What is counted, exactly, and under labels that no client can add to.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Client;
use serde_json::json;

use crate::connect::requests::config;
use crate::consume::{Instance, write_to};
use crate::harness::app::{self, config_with, spawn_app};
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::http::{BINARY_V2, JSON_V2};
use crate::harness::kafka;
use crate::harness::registry::{Mode, Registry};
use crate::harness::unique;
use crate::sight::{reaches, scrape, sum};

const NO_KAFKA: &str = "127.0.0.1:1";
const AVRO: &str = "application/vnd.kafka.avro.v2+json";
const TOPIC_ROUTE: &str = "/topics/{topic}";

fn own_app(settings: &[&str]) -> app::App {
    spawn_app(config_with(&kafka::shared().bootstrap, settings))
}

#[tokio::test]
async fn produced_records_are_counted_by_format_and_outcome() {
    let (app, topic) = (own_app(&[]), app::topic(1));
    let path = format!("/topics/{topic}");
    let two = json!({ "records": [{ "key": "a", "value": "bc" }, { "value": { "n": 1 } }] });
    app.post(&path).document(JSON_V2, &two).send().await.placed();
    app.post(&path).document(BINARY_V2, &json!({ "records": [{ "value": "AAAA" }] })).send().await.placed();
    let missing = format!("/topics/{}", unique("missing"));
    assert_eq!(app.post(&missing).document(JSON_V2, &two).send().await.error(), (404, 40401));
    let large = json!({ "records": [{ "value": "x".repeat(2_000_000) }, { "value": 1 }] });
    assert_eq!(app.post(&path).document(JSON_V2, &large).send().await.record_codes(), [50002, 0]);

    let seen = scrape(&app).await;
    let records =
        |format, outcome| sum(&seen, "kafka_rest_produced_records_total", &[("format", format), ("outcome", outcome)]);
    let bytes =
        |format, outcome| sum(&seen, "kafka_rest_produced_bytes_total", &[("format", format), ("outcome", outcome)]);
    // "a" and "bc" are written with their quotes.
    assert_eq!((records("json", "ok"), bytes("json", "ok")), (3.0, 3.0 + 4.0 + 7.0 + 1.0));
    assert_eq!((records("binary", "ok"), bytes("binary", "ok")), (1.0, 3.0));
    assert_eq!((records("json", "topic_not_found"), bytes("json", "topic_not_found")), (2.0, 14.0));
    assert_eq!((records("json", "record_too_large"), bytes("json", "record_too_large")), (1.0, 2_000_002.0));
    let all = sum(&seen, "kafka_rest_produced_records_total", &[]);
    assert_eq!(all, 7.0);
    let answered = |status| {
        let labels = [("route", TOPIC_ROUTE), ("method", "POST"), ("status", status)];
        sum(&seen, "kafka_rest_requests_total", &labels)
    };
    assert_eq!((answered("200"), answered("404")), (3.0, 1.0));
    assert_eq!(sum(&seen, "kafka_rest_request_duration_seconds_count", &[("route", TOPIC_ROUTE)]), 4.0);
    assert_eq!(sum(&seen, "kafka_rest_errors_total", &[("error", "topic_not_found")]), 1.0);
    // What is waited for is over.
    assert_eq!(sum(&seen, "kafka_rest_producer_queue_records", &[]), 0.0);
    assert_eq!(sum(&seen, "kafka_rest_producer_queue_bytes", &[]), 0.0);
}

#[tokio::test]
async fn records_of_a_stream_are_counted_by_what_they_are() {
    let (app, topic) = (own_app(&[]), app::topic(1));
    let cluster = app.get("/v3/clusters").send().await.ok()["data"][0]["cluster_id"].as_str().unwrap().to_owned();
    let path = format!("/v3/clusters/{cluster}/topics/{topic}/records");
    let lines = [
        r#"{"value":{"type":"JSON","data":1}}"#,
        r#"{"value":{"type":"BINARY","data":"AAAA"}}"#,
        r#"{"value":{"type":"STRING","data":"abc"}}"#,
        r#"{"value":{"type":"JSON","data":1},"partition_id":7}"#,
        r#"{"value":{"type":"BINARY","data":"?"}}"#,
    ];
    let answer = app.post(&path).body("application/json", lines.join("\n")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = scrape(&app).await;
    let records =
        |format, outcome| sum(&seen, "kafka_rest_produced_records_total", &[("format", format), ("outcome", outcome)]);
    assert_eq!((records("json", "ok"), records("binary", "ok"), records("string", "ok")), (1.0, 1.0, 1.0));
    assert_eq!(records("json", "topic_not_found"), 1.0);
    assert_eq!(sum(&seen, "kafka_rest_produced_records_total", &[("format", "none")]), 1.0);
    let labels = [("route", "/v3/clusters/{cluster}/topics/{topic}/records"), ("status", "200")];
    assert_eq!(sum(&seen, "kafka_rest_requests_total", &labels), 1.0);
}

#[tokio::test]
async fn consumed_records_and_instances_are_counted() {
    let (app, topic) = (own_app(&[]), app::topic(1));
    write_to(kafka::shared(), &topic, 0, 0..5);
    let instance = Instance::of_partition(&app, &topic, json!({})).await;
    assert_eq!(sum(&scrape(&app).await, "kafka_rest_consumer_instances", &[]), 1.0);
    assert_eq!(instance.collect(5).await.len(), 5);
    reaches(&app, "kafka_rest_consumed_records_total", &[], 5.0).await;
    let path = format!("/topics/{topic}/partitions/0/records?limit=2");
    assert_eq!(app.get(&path).send().await.ok().as_array().map(Vec::len), Some(2));
    let seen = scrape(&app).await;
    assert_eq!(sum(&seen, "kafka_rest_consumed_records_total", &[]), 7.0);
    assert!(sum(&seen, "kafka_rest_consumed_bytes_total", &[]) > 0.0);
    instance.delete().await;
    assert_eq!(sum(&scrape(&app).await, "kafka_rest_consumer_instances", &[]), 0.0);
}

#[tokio::test]
async fn librdkafka_tells_of_its_brokers() {
    let (app, topic) = (own_app(&[]), app::topic(1));
    app.post(&format!("/topics/{topic}"))
        .document(JSON_V2, &json!({ "records": [{ "value": 1 }] }))
        .send()
        .await
        .placed();
    crate::harness::eventually("there are statistics", Duration::from_secs(30), async || {
        let seen = scrape(&app).await;
        let connects = sum(&seen, "kafka_rest_broker_connects_total", &[]);
        let rtt = sum(&seen, "kafka_rest_broker_rtt_p99_seconds", &[]);
        (connects >= 1.0 && rtt > 0.0 && rtt < 60.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn calls_of_connect_are_counted_by_cluster_and_outcome() {
    let fakes = FakeWorkers::start(1);
    let urls = format!("connect.default.urls={}", fakes.urls());
    let app = spawn_app(config_with(NO_KAFKA, &[&urls, "connect.lake.urls=http://127.0.0.1:1"]));
    fakes.put("c", config());
    app.get("/connectors/c").send().await.ok();
    assert_eq!(app.get("/connectors/none").send().await.status, 404);
    let seen = scrape(&app).await;
    let calls = |labels: &[(&str, &str)]| sum(&seen, "kafka_rest_connect_calls_total", labels);
    assert_eq!(calls(&[("cluster", "default"), ("outcome", "answered"), ("status", "2xx")]), 1.0);
    assert_eq!(calls(&[("cluster", "default"), ("status", "4xx")]), 1.0);
    assert_eq!(calls(&[("cluster", "lake")]), 0.0);
    assert_eq!(sum(&seen, "kafka_rest_connect_call_duration_seconds_count", &[("cluster", "default")]), 2.0);
    let queues = seen.iter().filter(|sample| sample.name == "kafka_rest_connect_queued_writes").count();
    assert_eq!(queues, 2);
}

#[tokio::test]
async fn calls_of_the_registry_and_what_needed_none_are_counted() {
    let registry = Registry::start();
    let app = own_app(&[&format!("schema_registry.urls={}", registry.url())]);
    let topic = app::topic(1);
    let body = json!({ "value_schema": "\"int\"", "records": [{ "value": 1 }] });
    for _ in 0..3 {
        app.post(&format!("/topics/{topic}")).document(AVRO, &body).send().await.ok();
    }
    let seen = scrape(&app).await;
    let lookups = |result| sum(&seen, "kafka_rest_schema_cache_lookups_total", &[("result", result)]);
    assert!(lookups("hit") >= 2.0 && lookups("miss") >= 1.0, "{} {}", lookups("hit"), lookups("miss"));
    let calls = |outcome| sum(&seen, "kafka_rest_registry_calls_total", &[("outcome", outcome)]);
    assert_eq!(calls("ok") + calls("missing"), registry.requests().len() as f64);
    assert_eq!(sum(&seen, "kafka_rest_produced_records_total", &[("format", "avro"), ("outcome", "ok")]), 3.0);

    registry.set_mode(Mode::Status(500));
    let other = json!({ "value_schema": "\"long\"", "records": [{ "value": 1 }] });
    app.post(&format!("/topics/{topic}")).document(AVRO, &other).send().await.error();
    assert_eq!(sum(&scrape(&app).await, "kafka_rest_registry_calls_total", &[("outcome", "unavailable")]), 1.0);
}

#[tokio::test]
async fn what_clients_send_adds_no_labels() {
    let app = spawn_app(config_with(NO_KAFKA, &["kafka.request_timeout=100ms", "limits.body_bytes=1KiB"]));
    let client = Client::new();
    let send = async |number: usize| {
        // A sequence that is the same in every run.
        let chance = number.wrapping_mul(2_654_435_761) >> 7;
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"];
        let paths = [
            format!("/{chance}/{number}"),
            format!("/topics/bad%20name-{chance}"),
            format!("/consumers/g{chance}/instances/i{number}/records"),
            format!("/connect/c{chance}/connectors"),
            format!("/v3/unknown-{chance}"),
            format!("/subjects/{chance}?x={number}"),
            format!("/docs/{chance}//{number}"),
        ];
        let own = format!("M{}", chance % 1000);
        let method = if number % 9 == 8 { own.as_str() } else { methods[chance % methods.len()] };
        let call = app.call(method, &paths[number % paths.len()]).header("accept", "*/*");
        let call =
            call.header("x-request-id", &format!("id-{number}")).header("user-agent", &format!("agent-{number}"));
        call.send_with(&client).await.expect("it is answered").status
    };
    for number in 0..500 {
        send(number).await;
    }
    let before: BTreeSet<_> = series(&scrape(&app).await);
    // What 500 did not find, all of the others may add in statuses and methods, but not by their number.
    for number in 500..10_000 {
        send(number).await;
    }
    let seen = scrape(&app).await;
    let after = series(&seen);
    assert!(after.len() < before.len() + 50, "{} became {}", before.len(), after.len());
    let requests = sum(&seen, "kafka_rest_requests_total", &[]);
    assert_eq!(requests, 10_001.0, "the first look at the metrics is one of them");
    assert!(sum(&seen, "kafka_rest_requests_total", &[("route", "unmatched")]) > 2000.0);
    assert!(sum(&seen, "kafka_rest_requests_total", &[("method", "other")]) > 1000.0);
    for (name, labels) in &after {
        assert!(
            !labels.iter().any(|(_, value)| value.contains("id-") || value.contains("agent-")),
            "{name} {labels:?}"
        );
    }
}

type Series = (String, Vec<(String, String)>);

fn series(samples: &[crate::sight::Sample]) -> BTreeSet<Series> {
    let labels = |sample: &crate::sight::Sample| sample.labels.clone().into_iter().collect();
    samples.iter().map(|sample| (sample.name.clone(), labels(sample))).collect()
}

#[tokio::test]
async fn a_client_that_hangs_up_is_counted() {
    let (app, topic) = (own_app(&[]), app::topic(1));
    let instance = Instance::of_partition(&app, &topic, json!({})).await;
    let read = instance.start_read(&app, "?timeout=600000").await;
    reaches(&app, "kafka_rest_requests_in_flight", &[], 2.0).await;
    assert_eq!(sum(&scrape(&app).await, "kafka_rest_connections", &[]), 2.0, "this look and the read");
    drop(read);
    let labels = [("route", "/consumers/{group}/instances/{instance}/records"), ("method", "GET"), ("status", "499")];
    reaches(&app, "kafka_rest_requests_total", &labels, 1.0).await;
    reaches(&app, "kafka_rest_requests_in_flight", &[], 1.0).await;
}

#[tokio::test]
async fn a_stream_that_is_left_is_an_answer_that_was_cut() {
    let (app, topic) = (own_app(&[]), app::topic(1));
    let cluster = app.get("/v3/clusters").send().await.ok()["data"][0]["cluster_id"].as_str().unwrap().to_owned();
    let mut wire = app.wire().await;
    wire.start_chunked(&format!("/v3/clusters/{cluster}/topics/{topic}/records"), "application/json").await;
    wire.send_chunk(r#"{"value":{"type":"JSON","data":1}}"#).await;
    assert_eq!(wire.answer_to_head().await.status, 200);
    reaches(&app, "kafka_rest_requests_in_flight", &[], 2.0).await;
    drop(wire);
    reaches(&app, "kafka_rest_answers_cut_total", &[], 1.0).await;
}

#[tokio::test]
async fn bytes_under_way_are_those_of_bodies_that_have_come() {
    let app = spawn_app(config_with(NO_KAFKA, &[]));
    let mut wire = app.wire().await;
    wire.start_post("/topics/any", JSON_V2, 2000).await;
    wire.send(vec![b' '; 1500]).await;
    reaches(&app, "kafka_rest_request_body_bytes_in_flight", &[], 1500.0).await;
    drop(wire);
    crate::harness::eventually("they are given back", Duration::from_secs(30), async || {
        (sum(&scrape(&app).await, "kafka_rest_request_body_bytes_in_flight", &[]) == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn metrics_come_in_the_text_that_is_asked_for_where_they_are_to_be() {
    let app = spawn_app(config_with(NO_KAFKA, &["metrics.path=/internal/metrics"]));
    assert_eq!(app.get("/metrics").send().await.status, 404);
    let asked = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let open = app.get("/internal/metrics").accept(asked).send().await;
    assert_eq!(open.media(), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(open.text().ends_with("# EOF\n"));
    assert_eq!(app.post("/internal/metrics").send().await.error(), (405, 405));
    let off = spawn_app(config_with(NO_KAFKA, &["metrics.enabled=false"]));
    assert_eq!(off.get("/metrics").send().await.error(), (404, 404));
}

#[tokio::test]
async fn the_process_tells_of_itself() {
    let app = spawn_app(config_with(NO_KAFKA, &[]));
    let seen = scrape(&app).await;
    let value = |name| sum(&seen, name, &[]);
    assert!(value("process_resident_memory_bytes") > 1e6 && value("process_threads") > 1.0);
    assert!(value("process_open_fds") > 3.0 && value("process_cpu_seconds_total") > 0.0);
    assert!(value("process_start_time_seconds") > 1.6e9);
    assert_eq!(sum(&seen, "kafka_rest_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
}
