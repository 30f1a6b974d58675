//! Clients that take their time, or send far too much.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::doors::{address, certificates, spawn, start, tls_settings};
use crate::harness::PATIENCE;
use crate::harness::http;
use crate::harness::tls::TlsClient;
use crate::harness::wire::Wire;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Longer than the limits that these tests set, and shorter than the defaults.
const CUT: Duration = Duration::from_secs(4);

/// Waits until the other side closes the connection; returns what came and how long it took.
async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> (Vec<u8>, Duration) {
    let (begin, mut all) = (Instant::now(), Vec::new());
    let mut chunk = [0; 4096];
    loop {
        match timeout(PATIENCE, stream.read(&mut chunk)).await.expect("the proxy ends it") {
            Ok(0) | Err(_) => return (all, begin.elapsed()),
            Ok(read) => all.extend_from_slice(&chunk[..read]),
        }
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_and_keeps_nobody_out() {
    let certificates = certificates();
    let settings = ["server.tls.handshake_timeout=6s", "server.workers=1"];
    let (_app, address) = spawn(&certificates, &settings);
    // More than the 256 at a time that the framework would let in for each worker.
    let mut hanging = Vec::new();
    for number in 0..400 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        hanging.push(stream);
    }
    let begin = Instant::now();
    assert_eq!(TlsClient::new(&certificates).get(address, "/").await.unwrap().status, 200);
    assert!(begin.elapsed() < Duration::from_secs(6), "it did not wait for their end: {:?}", begin.elapsed());
    for mut stream in hanging {
        assert_eq!(rest(&mut stream).await.0, b"");
    }
    assert!(begin.elapsed() < Duration::from_secs(6) + CUT, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_head_that_comes_slowly_is_cut_with_tls_too() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &["server.header_timeout=1s"]);
    let mut stream = TlsClient::new(&certificates).stream(address).await.unwrap();
    let begin = Instant::now();
    // A byte now and then does not buy more time.
    let mut head = b"GET / HTTP/1.1\r\nHost: proxy\r\nX: ".iter().chain(std::iter::repeat(&b'a'));
    let mut chunk = [0; 1024];
    let answer = loop {
        let _ = stream.write_all(&[*head.next().unwrap()]).await;
        let _ = stream.flush().await;
        if let Ok(read) = timeout(Duration::from_millis(50), stream.read(&mut chunk)).await {
            break chunk[..read.unwrap_or(0)].to_vec();
        }
        assert!(begin.elapsed() < CUT, "it is not cut");
    };
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    rest(&mut stream).await;
}

#[tokio::test]
async fn http_2_that_does_not_begin_is_cut() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &["server.header_timeout=500ms"]);
    let client = TlsClient::new(&certificates).http2();
    for sent in [&PREFACE[..0], &PREFACE[..10]] {
        let mut stream = client.stream(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let (_, took) = rest(&mut stream).await;
        assert!(took < CUT, "{took:?}");
    }
}

#[tokio::test]
async fn http_2_that_does_not_answer_a_ping_is_cut() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &["server.keep_alive=500ms"]);
    let mut stream = TlsClient::new(&certificates).http2().stream(address).await.unwrap();
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).await.unwrap();
    let (_, took) = rest(&mut stream).await;
    assert!(took < CUT, "{took:?}");
}

#[tokio::test]
async fn an_idle_connection_with_tls_is_closed() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &["server.keep_alive=300ms"]);
    let mut stream = TlsClient::new(&certificates).stream(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: proxy\r\n\r\n").await.unwrap();
    let (answer, took) = rest(&mut stream).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    assert!(took < CUT, "{took:?}");
}

#[tokio::test]
async fn headers_without_end_are_refused_without_growing() {
    let certificates = certificates();
    let proxy = start("127.0.0.1:0,https://127.0.0.1:0", &tls_settings(&certificates));
    let (plain, tls) = (address(&proxy, "listening on http://"), address(&proxy, "listening on https://"));
    assert_eq!(TlsClient::new(&certificates).get(tls, "/").await.unwrap().status, 200);
    let before = proxy.memory_bytes();
    let mut sending = Vec::new();
    for number in 0..20 {
        sending.push(tokio::spawn(flood(plain, if number % 2 == 0 { "X-Long: " } else { "X-Many: 1\r\n" })));
    }
    for sent in sending {
        assert_eq!(sent.await.unwrap(), 431);
    }
    // 20 connections with 128 KiB each, and what TLS and the allocator keep.
    let grown = proxy.memory_bytes().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes");
    assert_eq!(http::get(&format!("http://{plain}/")).send().await.status, 200);
}

/// Sends a head that does not end until the proxy answers; returns the status.
async fn flood(address: SocketAddr, part: &str) -> u16 {
    let mut wire = Wire::connect(address).await;
    wire.send("GET / HTTP/1.1\r\nHost: proxy\r\n").await;
    let chunk = if part.ends_with("\r\n") { part.repeat(50) } else { part.to_owned() + &"a".repeat(1000) };
    wire.send(&chunk).await;
    let filler = if part.ends_with("\r\n") { chunk.clone() } else { "a".repeat(1000) };
    for _ in 0..4096 {
        // It stops to read once it has answered.
        if wire.has_answer_within(Duration::ZERO).await || wire.try_send(&filler).await.is_err() {
            break;
        }
    }
    wire.answer_to_head().await.status
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_end_the_connection_and_nothing_else() {
    let certificates = certificates();
    let proxy = start("https://127.0.0.1:0", &tls_settings(&certificates));
    let address = address(&proxy, "listening on https://");
    let client = TlsClient::new(&certificates).http2();
    assert_eq!(client.get(address, "/").await.unwrap().status, 200);
    let before = proxy.memory_bytes();

    let mut stream = client.stream(address).await.unwrap();
    stream.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).await.unwrap();
    let mut is_cut = false;
    for round in 0..200_u32 {
        let mut burst = Vec::new();
        for number in 0..500 {
            let id = (round * 500 + number) * 2 + 1;
            // :method GET, :scheme https, :path /, :authority x; and the reset with CANCEL.
            burst.extend(frame(1, 5, id, &[0x82, 0x87, 0x84, 0x41, 1, b'x']));
            burst.extend(frame(3, 0, id, &8_u32.to_be_bytes()));
        }
        if stream.write_all(&burst).await.is_err() || stream.flush().await.is_err() {
            is_cut = true;
            break;
        }
    }
    let (answer, _) = rest(&mut stream).await;
    let told = answer.windows(4).any(|window| window == 11_u32.to_be_bytes());
    assert!(is_cut || told, "neither cut nor told to be calm");
    let grown = proxy.memory_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    assert_eq!(client.get(address, "/").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_head_of_http_2_may_be_as_large_as_that_of_most_servers() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &[]);
    let client = TlsClient::new(&certificates).http2();
    for (length, fits) in [(20_000, true), (60_000, false)] {
        // Letters that take a byte each.
        let value = "X".repeat(length);
        let answer = client.connect(address).await.unwrap().send("GET", "/", &[("x-long", &value)], "").await;
        assert_eq!(answer.is_ok_and(|answer| answer.status == 200), fits, "{length}");
    }
}

#[tokio::test]
async fn headers_of_http_2_without_end_are_cut() {
    let certificates = certificates();
    let proxy = start("https://127.0.0.1:0", &tls_settings(&certificates));
    let address = address(&proxy, "listening on https://");
    let client = TlsClient::new(&certificates).http2();
    assert_eq!(client.get(address, "/").await.unwrap().status, 200);
    let before = proxy.memory_bytes();
    let mut stream = client.stream(address).await.unwrap();
    stream
        .write_all(&[PREFACE, &frame(4, 0, 0, &[]), &frame(1, 1, 1, &[0x82, 0x87, 0x84, 0x41, 1, b'x'])].concat())
        .await
        .unwrap();
    // Header fields that are not to be indexed: x: a..a, in CONTINUATION frames that never end the head.
    let mut field = vec![0x00, 1, b'x', 0x7f, 0x81, 0x7d];
    field.extend(vec![b'a'; 127 + 0x01 + (0x7d << 7)]);
    let mut sent = 0;
    // What is under way between the two is not read any more.
    let limit = 16 << 20;
    while sent < limit {
        let frame = frame(9, 0, 1, &field);
        if stream.write_all(&frame).await.is_err() || stream.flush().await.is_err() {
            break;
        }
        sent += frame.len();
    }
    assert!(sent < limit, "it is not cut");
    let grown = proxy.memory_bytes().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes");
    assert_eq!(client.get(address, "/").await.unwrap().status, 200);
}

#[tokio::test]
async fn more_headers_than_fit_end_the_connection_of_http_2_and_nothing_else() {
    let certificates = certificates();
    let mut settings = tls_settings(&certificates);
    settings.push("server.workers=1".to_owned());
    let mut proxy = start("https://127.0.0.1:0", &settings);
    let address = address(&proxy, "listening on https://");
    let client = TlsClient::new(&certificates).http2();
    let mut other = client.connect(address).await.unwrap();
    let mut stream = client.stream(address).await.unwrap();
    let head = [PREFACE, &frame(4, 0, 0, &[]), &frame(1, 1, 1, &[0x82, 0x87, 0x84, 0x41, 1, b'x'])].concat();
    stream.write_all(&head).await.unwrap();
    // 40,000 names, each with one letter as its value: more than the framework can hold.
    for round in 0..40_u32 {
        let field = |number: u32| {
            let name = format!("x{:06}", round * 1000 + number);
            [&[0x00, name.len() as u8], name.as_bytes(), &[1, b'a']].concat()
        };
        let fields: Vec<u8> = (0..1000).flat_map(field).collect();
        let flags = if round == 39 { 4 } else { 0 };
        if stream.write_all(&frame(9, flags, 1, &fields)).await.is_err() {
            break;
        }
    }
    let _ = stream.flush().await;
    rest(&mut stream).await;
    assert_eq!(other.get("/").await.expect("the other connection goes on").status, 200);
    proxy.signal("TERM");
    proxy.wait(PATIENCE);
    assert!(!proxy.log().contains("panicked"), "{}", proxy.log());
}

/// Returns a frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
