//! HTTP/2, with a client that speaks it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::doors::{address, certificates, spawn, start, tls_settings};
use crate::harness::http::{JSON, JSON_V2, V2};
use crate::harness::tls::TlsClient;
use crate::harness::{PATIENCE, app, kafka, unique};

/// Less than `server.shutdown_timeout`, which an idle connection would take.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_api_is_served_and_names_https_addresses() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &[]);
    let topic = app::topic(1);
    for client in [TlsClient::new(&certificates), TlsClient::new(&certificates).http2()] {
        let mut session = client.connect(address).await.unwrap();
        let path = format!("/topics/{topic}");
        session.post(&path, JSON_V2, r#"{"records":[{"value":1}]}"#).await.unwrap().placed();
        assert_eq!(session.get(&format!("{path}/")).await.unwrap().ok()["name"], json!(topic), "a slash at the end");

        let created = session.post(&format!("/consumers/{}", unique("group")), V2, "{}").await.unwrap().ok();
        let base = created["base_uri"].as_str().unwrap();
        let own = base.strip_prefix(&format!("https://{address}")).expect(base);
        assert_eq!(session.send("DELETE", own, &[], "").await.unwrap().status, 204);

        let clusters = session.get("/v3/clusters").await.unwrap().ok();
        let link = clusters["metadata"]["self"].as_str().unwrap();
        assert!(link.starts_with(&format!("https://{address}/v3")), "{link}");
        let cluster = clusters["data"][0]["cluster_id"].as_str().unwrap();
        let path = format!("/v3/clusters/{cluster}/topics/{topic}/records");
        let receipt = session.post(&path, JSON, r#"{"value":{"type":"JSON","data":1}}"#).await.unwrap();
        assert_eq!((receipt.status, receipt.json()["error_code"].as_i64()), (200, Some(200)), "{}", receipt.text());

        assert_eq!(session.get("/no/such/path").await.unwrap().error(), (404, 404));
        assert_eq!(session.send("HEAD", "/live", &[], "").await.unwrap().status, 200);
    }
    certificates.remove();
}

#[tokio::test]
async fn a_stream_of_records_gets_each_receipt_before_the_next_is_sent() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &[]);
    let topic = app::topic(1);
    let mut session = TlsClient::new(&certificates).http2().connect(address).await.unwrap();
    let clusters = session.get("/v3/clusters").await.unwrap().ok();
    let cluster = clusters["data"][0]["cluster_id"].as_str().unwrap();
    let path = format!("/v3/clusters/{cluster}/topics/{topic}/records");
    let record = r#"{"value":{"type":"JSON","data":1}}"#;
    let mut duplex = session.duplex(&path, JSON, record).await;
    for offset in 0..3 {
        let receipt: serde_json::Value = serde_json::from_str(&duplex.next().await.unwrap()).unwrap();
        assert_eq!((&receipt["error_code"], &receipt["offset"]), (&json!(200), &json!(offset)), "{receipt}");
        // The connection has room for others meanwhile.
        assert_eq!(session.get("/live").await.unwrap().status, 200);
        if offset < 2 {
            duplex.sending.send(record.into()).await.unwrap();
        }
    }
    let (closed, _) = tokio::sync::mpsc::channel(1);
    duplex.sending = closed;
    assert_eq!(duplex.next().await, None);
    certificates.remove();
}

#[tokio::test]
async fn one_connection_has_many_requests_at_a_time() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &[]);
    let topic = app::topic(4);
    let session = TlsClient::new(&certificates).http2().connect(address).await.unwrap();
    let mut requests = Vec::new();
    for number in 0..200 {
        let (mut session, topic) = (session.beside(), topic.clone());
        requests.push(tokio::spawn(async move {
            let body = json!({ "records": [{ "value": number }] }).to_string();
            session.post(&format!("/topics/{topic}"), JSON_V2, &body).await.unwrap().placed()
        }));
    }
    for request in requests {
        assert_eq!(request.await.unwrap().len(), 1);
    }
    assert_eq!(kafka::shared().read_topic(&topic).len(), 200);
    certificates.remove();
}

#[tokio::test]
async fn requests_on_one_connection_are_limited_like_all_others() {
    let certificates = certificates();
    let limit = ["limits.concurrent_requests=3", "consumer.max_poll_wait=1m"];
    let (_app, address) = spawn(&certificates, &limit);
    let mut session = TlsClient::new(&certificates).http2().connect(address).await.unwrap();
    let topic = app::topic(1);
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let group = unique("group");
        let created = session.post(&format!("/consumers/{group}"), V2, r#"{"format":"json"}"#).await.unwrap().ok();
        let base = created["base_uri"].as_str().unwrap().split_once(&address.to_string()).unwrap().1.to_owned();
        let subscription = json!({ "topics": [topic] }).to_string();
        session.post(&format!("{base}/subscription"), V2, &subscription).await.unwrap();
        waiting.push(format!("{base}/records?timeout=60000"));
    }
    for path in waiting {
        let mut beside = session.beside();
        // The requests that look whether it is full take a place for a moment too.
        tokio::spawn(async move { while beside.get(&path).await.is_ok_and(|answer| answer.status == 503) {} });
    }
    let refused = crate::harness::eventually("requests are refused", PATIENCE, async || {
        let answer = session.get("/topics").await.unwrap();
        (answer.status == 503).then_some(answer)
    });
    assert_eq!(refused.await.error(), (503, 503));
    assert_eq!(session.get("/live").await.unwrap().status, 200, "whoever asks would end the process");
    certificates.remove();
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_the_end() {
    let certificates = certificates();
    let mut proxy = start("https://127.0.0.1:0", &tls_settings(&certificates));
    let address = address(&proxy, "listening on https://");
    let mut session = TlsClient::new(&certificates).http2().connect(address).await.unwrap();
    assert_eq!(session.get("/").await.unwrap().status, 200);

    let begin = Instant::now();
    proxy.signal("TERM");

    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(begin.elapsed() < SOON, "{:?}:\n{}", begin.elapsed(), proxy.log());
    certificates.remove();
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_end() {
    let certificates = certificates();
    let mut proxy = start("https://127.0.0.1:0", &tls_settings(&certificates));
    let address = address(&proxy, "listening on https://");
    let mut session = TlsClient::new(&certificates).http2().connect(address).await.unwrap();
    let topic = app::topic(1);
    let group = unique("group");
    let created = session.post(&format!("/consumers/{group}"), V2, r#"{"format":"json"}"#).await.unwrap().ok();
    let base = created["base_uri"].as_str().unwrap().split_once(&address.to_string()).unwrap().1.to_owned();
    session.post(&format!("{base}/subscription"), V2, &json!({ "topics": [topic] }).to_string()).await.unwrap();
    let mut beside = session.beside();
    let path = format!("{base}/records?timeout=25000");
    let reading = tokio::spawn(async move { beside.get(&path).await });
    tokio::time::sleep(Duration::from_millis(300)).await;

    let begin = Instant::now();
    proxy.signal("TERM");

    let answer = reading.await.unwrap().expect("it is answered");
    assert!(matches!(answer.status, 200 | 404 | 503), "{}: {}", answer.status, answer.text());
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(begin.elapsed() < SOON, "{:?}:\n{}", begin.elapsed(), proxy.log());
    certificates.remove();
}

#[tokio::test]
async fn an_answer_that_needs_no_body_does_not_break_off_the_request() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &[]);
    // Some clients take a stream that is reset for a failure, though the answer was complete.
    for attempt in 0..40 {
        let mut curl = tokio::process::Command::new("curl");
        curl.args(["--silent", "--insecure", "--http2", "--max-time", "30", "--write-out", "%{http_code}"]);
        curl.args(["--output", "/dev/null", "--data", r#"{"records":[{"value":1}]}"#]);
        let output = curl.arg(format!("https://{address}/no/such/path")).output().await.expect("there is curl");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "404", "{attempt}: {}", output.status);
    }
    // More than is waited for is not waited for.
    let mut session = TlsClient::new(&certificates).http2().connect(address).await.unwrap();
    let large = "x".repeat(1 << 20);
    assert_eq!(session.post("/no/such/path", JSON, &large).await.unwrap().error(), (404, 404));
    assert_eq!(session.get("/live").await.unwrap().status, 200);
    certificates.remove();
}
