//! A line a request, with what happened and nothing of what was sent.

use serde_json::{Value, json};

use crate::harness::binary::Proxy;
use crate::harness::http::{self, JSON_V2};
use crate::harness::kafka;
use crate::harness::{PATIENCE, app, unique};

fn start(settings: &[&str]) -> Proxy {
    let settings: Vec<String> = settings.iter().map(|setting| format!("--set={setting}")).collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    Proxy::start(&[&["--bootstrap-servers", &kafka::shared().bootstrap], &settings[..]].concat(), &[])
}

/// Ends the proxy and returns the lines of its access log.
fn lines(mut proxy: Proxy) -> Vec<Value> {
    proxy.signal("TERM");
    proxy.wait(PATIENCE);
    let log = proxy.log();
    let lines = log.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[tokio::test]
async fn a_request_is_a_line_with_what_happened() {
    let (proxy, topic) = (start(&["log.access=json"]), app::topic(1));
    let path = format!("/topics/{topic}");
    let body = json!({ "records": [{ "value": 1 }] }).to_string();
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = http::post(&proxy.url(&format!("{path}?strict=true"))).body(JSON_V2, body.clone());
    let answer = call.header("x-request-id", "one").header("traceparent", parent).send().await;
    answer.placed();
    let missing = unique("missing");
    http::get(&proxy.url(&format!("/topics/{missing}"))).header("x-request-id", "two").send().await;
    http::call("HEAD", &proxy.url("/health")).header("x-request-id", "three").send().await;

    let lines = lines(proxy);
    let find =
        |id: &str| lines.iter().find(|line| line["request_id"] == id).unwrap_or_else(|| panic!("{id}: {lines:?}"));
    let one = find("one");
    let expected = json!({
        "target": "access", "method": "POST", "route": "/topics/{topic}", "path": path, "status": 200,
        "bytes_in": body.len(), "bytes_out": answer.body.len(), "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "complete": true,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&one[name], value, "{name}");
    }
    assert!(one["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0) && one["time"].as_str().unwrap().ends_with('Z'));
    assert!(one["remote"].as_str().is_some_and(|remote| remote.starts_with("127.0.0.1:")), "{one}");
    let two = find("two");
    assert_eq!((&two["status"], &two["error"]), (&json!(404), &json!("topic_not_found")));
    assert_eq!(find("three")["bytes_out"], 0);
}

#[tokio::test]
async fn a_stream_is_a_line_when_it_ends_with_all_that_went_and_came() {
    let (proxy, topic) = (start(&["log.access=json"]), app::topic(1));
    let clusters = http::get(&proxy.url("/v3/clusters")).send().await.ok();
    let cluster = clusters["data"][0]["cluster_id"].as_str().unwrap().to_owned();
    let path = format!("/v3/clusters/{cluster}/topics/{topic}/records");
    let mut wire = crate::harness::wire::Wire::connect(proxy.address()).await;
    wire.start_chunked(&path, "application/json").await;
    let record = r#"{"value":{"type":"JSON","data":1}}"#;
    wire.send_chunk(record).await;
    assert_eq!(wire.answer_to_head().await.status, 200);
    let mut came = wire.chunk().await.len();
    wire.send_chunk(record).await;
    came += wire.chunk().await.len();
    wire.send_chunk("").await;
    assert!(wire.chunk().await.is_empty());
    let lines = lines(proxy);
    let line = lines.iter().find(|line| line["path"] == path.as_str()).expect("it is there");
    assert_eq!((&line["bytes_in"], &line["bytes_out"]), (&json!(2 * record.len()), &json!(came)));
}

#[tokio::test]
async fn a_client_that_hangs_up_is_a_line_with_499() {
    let (proxy, topic) = (start(&["log.access=json"]), app::topic(1));
    let instance = crate::consume::Instance::create_at(&proxy.url(""), &unique("group"), json!({})).await;
    instance.assign(&[(&topic, 0)]).await;
    let mut wire = crate::harness::wire::Wire::connect(proxy.address()).await;
    let path = format!("{}/records", instance.path());
    wire.send(format!("GET {path}?timeout=600000 HTTP/1.1\r\nHost: proxy\r\n\r\n")).await;
    assert!(!wire.has_answer_within(std::time::Duration::from_millis(300)).await);
    drop(wire);
    proxy.wait_for_log("\"status\":499", PATIENCE);
    instance.delete().await;
    let lines = lines(proxy);
    let line = lines.iter().find(|line| line["status"] == 499).expect("it is there");
    assert_eq!((&line["path"], &line["complete"]), (&json!(path), &json!(false)));
}

#[tokio::test]
async fn nothing_that_may_be_secret_is_in_the_access_log_or_in_metrics() {
    let topic = app::topic(1);
    for format in ["json", "text"] {
        let mut proxy = start(&[&format!("log.access={format}"), "log.level=debug", "log.format=json"]);
        let mark = "mark-secret";
        let body =
            json!({ "records": [{ "key": mark, "value": mark, "headers": [{ "key": mark, "value": "YQ==" }] }] });
        let paths = [
            format!("/topics/{topic}?token={mark}"),
            format!("/nowhere?password={mark}&x"),
            format!("/topics/{topic}?{mark}"),
        ];
        for path in &paths {
            for method in ["POST", "GET", "BREW"] {
                http::call(method, &proxy.url(path))
                    .document(JSON_V2, &body)
                    .header("authorization", &format!("Bearer {mark}"))
                    .header("cookie", &format!("session={mark}"))
                    .header("x-api-key", mark)
                    .header("user-agent", mark)
                    .header("referer", &format!("https://x/?{mark}"))
                    .header("x-forwarded-for", mark)
                    .header("traceparent", mark)
                    .header("tracestate", &format!("{mark}=1"))
                    .header("origin", &format!("https://{mark}"))
                    // This one is no secret, but no id either.
                    .header("x-request-id", &format!("{mark} {mark}"))
                    .send()
                    .await;
            }
        }
        let metrics = http::get(&proxy.url("/metrics")).send().await.text();
        assert!(!metrics.contains(mark), "{metrics}");
        proxy.signal("TERM");
        proxy.wait(PATIENCE);
        let log = proxy.log();
        assert!(log.lines().filter(|line| line.contains(&topic) && line.contains("POST")).count() >= 2, "{log}");
        let line = log.lines().find(|line| line.contains(mark));
        assert_eq!(line, None, "{format}");
    }
}

#[tokio::test]
async fn a_log_in_json_has_only_objects() {
    let mut proxy = start(&["log.format=json", "log.access=json", "log.access_to=stderr"]);
    http::get(&proxy.url("/topics")).send().await.ok();
    proxy.wait_for_log("has ", PATIENCE);
    proxy.signal("TERM");
    proxy.wait(PATIENCE);
    let log = proxy.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    assert!(lines.iter().any(|line| line["target"] == "access" && line["path"] == "/topics"), "{log}");
    assert!(lines.iter().any(|line| line["level"] == "INFO" && line["message"] == "stopped"), "{log}");
}

#[tokio::test]
async fn who_does_not_read_the_log_holds_up_no_request() {
    let proxy = Proxy::start_unread(&["--bootstrap-servers", "127.0.0.1:1", "--set=log.access=json"]);
    let client = reqwest::Client::new();
    let path = format!("/{}", "x".repeat(2000));
    // A pipe has 64 KiB, the queue 8192 lines; these are more than both.
    for _ in 0..9500 {
        let answer = http::get(&proxy.url(&path)).send_with(&client).await.expect("it is answered");
        assert_eq!(answer.status, 404);
    }
    let metrics = http::get(&proxy.url("/metrics")).send().await.text();
    let dropped = crate::sight::sum(&crate::sight::parse(&metrics), "kafka_rest_access_log_dropped_total", &[]);
    assert!(dropped > 500.0, "{dropped}");
}
