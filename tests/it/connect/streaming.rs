//! Large answers, which go through in pieces.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::connect::requests::config;
use crate::connect::{Gateway, NO_KAFKA};
use crate::harness::PATIENCE;
use crate::harness::binary::Proxy;
use crate::harness::connect::fake::{Action, FakeWorkers};
use crate::harness::http;

const CONNECTORS: usize = 2000;
const MOST_GROWTH: u64 = 20 << 20;
const EXPANDED: &str = "/connectors?expand=info&expand=status";

/// Puts so many connectors there, with a configuration of 4 kB each.
fn fill(fakes: &FakeWorkers, count: usize) {
    let mut large = config();
    large["padding"] = json!("x".repeat(4000));
    for index in 0..count {
        fakes.put(&format!("connector-{index}"), large.clone());
    }
}

fn binary(fakes: &FakeWorkers) -> Proxy {
    Proxy::start(&["--bootstrap-servers", NO_KAFKA, "--connect-url", &fakes.urls()], &[])
}

#[tokio::test]
async fn thousands_of_connectors_go_through_without_being_held() {
    let fakes = FakeWorkers::start(2);
    let proxy = binary(&fakes);
    http::get(&proxy.url(EXPANDED)).send().await.ok();
    let before = proxy.memory_bytes();
    fill(&fakes, CONNECTORS);
    for accepted in ["identity", "gzip"] {
        let mut sent = tokio::spawn(http::get(&proxy.url(EXPANDED)).header("accept-encoding", accepted).send());
        let mut most = 0;
        let answer = loop {
            most = most.max(proxy.memory_bytes());
            if let Ok(answer) = timeout(Duration::from_millis(5), &mut sent).await {
                break answer.expect("it does not panic");
            }
        };
        assert_eq!((answer.status, answer.header("content-length")), (200, None));
        let growth = most.max(proxy.memory_bytes()).saturating_sub(before);
        assert!(growth < MOST_GROWTH, "{accepted}: {} KiB more", growth >> 10);
        if accepted == "identity" {
            assert_eq!(answer.json().as_object().map(|all| all.len()), Some(CONNECTORS));
            assert!(answer.body.len() > 8_000_000);
        } else {
            assert_eq!(answer.header("content-encoding"), Some("gzip"));
        }
    }
}

#[tokio::test]
async fn clients_that_read_slowly_hold_little() {
    let fakes = FakeWorkers::start(1);
    let proxy = binary(&fakes);
    http::get(&proxy.url(EXPANDED)).send().await.ok();
    let before = proxy.memory_bytes();
    fill(&fakes, CONNECTORS);
    let mut stalled = Vec::new();
    for _ in 0..8 {
        stalled.push(stalled_read(&proxy).await);
        let growth = proxy.memory_bytes().saturating_sub(before);
        assert!(growth < MOST_GROWTH, "{} KiB more for {}", growth >> 10, stalled.len());
    }
    // The others are served, and what was slow comes whole.
    http::get(&proxy.url("/connectors")).send().await.ok();
    for mut stream in stalled {
        let mut rest = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("in time").expect("it is not reset");
        assert!(rest.len() > 8_000_000 && rest.ends_with(b"\r\n0\r\n\r\n"), "{}", rest.len());
    }
}

/// Asks for everything and takes the beginning only.
async fn stalled_read(proxy: &Proxy) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("it can be small");
    let mut stream = socket.connect(proxy.address()).await.expect("the proxy listens");
    let request = format!("GET {EXPANDED} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut start = [0; 4096];
    timeout(PATIENCE, stream.read_exact(&mut start)).await.expect("in time").expect("the answer begins");
    assert!(start.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&start));
    stream
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_looks_complete() {
    let gateway = Gateway::start(1, &[]);
    fill(&gateway.fakes, 1000);
    for accepted in ["identity", "gzip", "zstd"] {
        gateway.fakes.on("GET", "/connectors", [Action::half()]);
        let mut wire = gateway.app.wire().await;
        wire.send(format!("GET {EXPANDED} HTTP/1.1\r\nHost: proxy\r\nAccept-Encoding: {accepted}\r\n\r\n")).await;
        let head = wire.answer_to_head().await;
        assert_eq!((head.status, head.header("transfer-encoding")), (200, Some("chunked")));
        let rest = wire.rest().await;
        assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "{accepted}: {} bytes", rest.len());
    }
    assert_eq!(gateway.fakes.requests_to("GET", "/connectors").len(), 3);
}

#[tokio::test]
async fn an_answer_that_breaks_off_before_it_is_passed_on_is_asked_for_again() {
    let gateway = Gateway::start(1, &[]);
    fill(&gateway.fakes, 100);
    gateway.fakes.on("GET", "/connectors", [Action::half()]);
    let answer = gateway.get(EXPANDED).send().await.ok();
    assert_eq!(answer.as_object().map(|all| all.len()), Some(100));
}

#[tokio::test]
async fn what_has_to_be_read_whole_has_a_limit() {
    let gateway = Gateway::start(1, &["max_answer_bytes=64KiB"]);
    let mut large = config();
    large["padding"] = json!("x".repeat(70_000));
    gateway.fakes.put("c", large.clone());
    let refused = gateway.get("/connectors/c").send().await;
    assert_eq!(refused.error(), (502, 502));
    assert!(refused.message().contains("max_answer_bytes"), "{}", refused.text());
    // What is passed on in pieces has none.
    let list: Value = gateway.get("/connectors?expand=info").send().await.ok();
    assert_eq!(list["c"]["info"]["config"]["padding"], large["padding"]);
}
