//! Spans reach a collector by OTLP over HTTP, and nothing waits for one that is not there.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::harness::app::{config_with, spawn_app};
use crate::harness::binary::Proxy;
use crate::harness::{PATIENCE, eventually, http};
use crate::sight::reaches;

const NO_KAFKA: &str = "127.0.0.1:1";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A collector; keeps what it gets, head and document.
struct Collector {
    url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Collector {
    fn start(status: u16) -> Collector {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let requests: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let kept = Arc::clone(&requests);
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || while serve(&stream, status, &kept).is_some() {});
            }
        });
        Collector { url, requests }
    }

    /// Returns the spans that came.
    fn spans(&self) -> Vec<Value> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let spans = |document: &Value| {
            document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans").clone()
        };
        requests.iter().flat_map(|(_, document)| spans(document)).collect()
    }

    async fn wait_for(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} spans have come"), PATIENCE, async || {
            let spans = self.spans();
            (spans.len() >= count).then_some(spans)
        })
        .await
    }
}

fn serve(mut stream: &TcpStream, status: u16, kept: &Mutex<Vec<(String, Value)>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    kept.lock().unwrap_or_else(PoisonError::into_inner).push((head, serde_json::from_slice(&body).ok()?));
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}");
    stream.write_all(answer.as_bytes()).ok()
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    let attributes = span["attributes"].as_array().expect("attributes");
    let found = attributes.iter().find(|attribute| attribute["key"] == key)?;
    found["value"].as_object().expect("a value").values().next()
}

#[tokio::test]
async fn a_request_is_a_span_of_the_trace_that_it_names() {
    let collector = Collector::start(200);
    let url = format!("tracing.otlp_url={}", collector.url);
    let app = spawn_app(config_with(NO_KAFKA, &[&url, "tracing.otlp_bearer_token=t0ken"]));
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    app.get("/health?secret=1").header("traceparent", &parent).header("tracestate", "a=1").send().await.ok();
    let unsampled = format!("00-{TRACE}-b7ad6b7169203331-00");
    app.get("/health").header("traceparent", &unsampled).send().await.ok();
    assert_eq!(app.get("/nowhere").send().await.status, 404);
    assert_eq!(app.post("/topics/a").body("text/plain", "x").send().await.status, 415);

    let spans = collector.wait_for(3).await;
    assert_eq!(spans.len(), 3, "what is not sampled is not sent: {spans:?}");
    let first = &spans[0];
    assert_eq!((&first["traceId"], &first["parentSpanId"]), (&json!(TRACE), &json!("b7ad6b7169203331")));
    assert_eq!((&first["name"], &first["traceState"]), (&json!("GET /health"), &json!("a=1")));
    assert_eq!(attribute(first, "http.response.status_code"), Some(&json!("200")));
    let (began, ended) = (first["startTimeUnixNano"].as_str().unwrap(), first["endTimeUnixNano"].as_str().unwrap());
    assert!(began.parse::<u128>().unwrap() < ended.parse::<u128>().unwrap());
    assert_eq!(spans[1]["name"], "GET unmatched");
    assert!(spans[1].get("parentSpanId").is_none());
    assert_eq!(attribute(&spans[2], "error.type"), Some(&json!("unsupported_media_type")));
    assert!(!format!("{spans:?}").contains("secret"));
    reaches(&app, "kafka_rest_spans_sent_total", &[], 3.0).await;

    let requests = collector.requests.lock().unwrap();
    let head = &requests[0].0;
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json") && head.contains("authorization: bearer t0ken"), "{head}");
}

#[tokio::test]
async fn the_ratio_is_for_traces_that_begin_here() {
    let collector = Collector::start(200);
    let url = format!("tracing.otlp_url={}", collector.url);
    let app = spawn_app(config_with(NO_KAFKA, &[&url, "tracing.sample_ratio=0"]));
    for _ in 0..20 {
        app.get("/health").send().await.ok();
    }
    app.get("/health").header("traceparent", &format!("00-{TRACE}-b7ad6b7169203331-01")).send().await.ok();
    let spans = collector.wait_for(1).await;
    assert_eq!((spans.len(), &spans[0]["traceId"]), (1, &json!(TRACE)));
}

#[tokio::test]
async fn a_collector_that_refuses_or_is_gone_only_costs_spans() {
    let refusing = Collector::start(500);
    for url in [refusing.url.as_str(), "http://127.0.0.1:1"] {
        let url = format!("tracing.otlp_url={url}");
        let app = spawn_app(config_with(NO_KAFKA, &[&url, "tracing.queue_spans=2"]));
        app.get("/health").send().await.ok();
        eventually("they are dropped", PATIENCE, async || {
            let seen = crate::sight::scrape(&app).await;
            (crate::sight::sum(&seen, "kafka_rest_spans_dropped_total", &[]) >= 1.0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn the_last_spans_are_sent_before_the_end() {
    let collector = Collector::start(200);
    let url = format!("tracing.otlp_url={}", collector.url);
    let mut proxy = Proxy::start(&["--bootstrap-servers", NO_KAFKA, "--set", &url], &[]);
    http::get(&proxy.url("/health")).send().await.ok();
    proxy.signal("TERM");
    proxy.wait(PATIENCE);
    assert_eq!(collector.spans().len(), 1);
}
