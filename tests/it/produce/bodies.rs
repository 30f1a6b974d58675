//! Bodies that come packed or in chunks.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::harness::app;
use crate::harness::http::{Answer, JSON_V2};
use crate::harness::kafka;

const ENCODINGS: [&str; 3] = ["gzip", "deflate", "zstd"];

#[tokio::test]
async fn packed_bodies_are_unpacked() {
    for encoding in ENCODINGS {
        let topic = app::topic(1);
        let value = "compressible ".repeat(10_000);
        let body = format!(r#"{{"records":[{{"value":"{value}"}}]}}"#);
        for written in [encoding.to_owned(), encoding.to_ascii_uppercase()] {
            assert_eq!(send(&topic, &written, pack(encoding, body.as_bytes())).await.placed().len(), 1, "{written}");
        }
        let stored = kafka::shared().read_topic(&topic);
        assert_eq!(stored[1].value, Some(format!("\"{value}\"").into_bytes()), "{encoding}");
    }
}

#[tokio::test]
async fn a_broken_packed_body_is_a_bad_request() {
    let topic = app::topic(1);
    let body = br#"{"records":[{"value":1}]}"#;
    for encoding in ENCODINGS {
        let whole = pack(encoding, body);
        let mut flipped = whole.clone();
        flipped[0] ^= 0xff;
        for (what, broken) in
            [("plain", body.to_vec()), ("cut", whole[..whole.len() / 2].to_vec()), ("flipped", flipped)]
        {
            assert_eq!(send(&topic, encoding, broken).await.error(), (400, 400), "{encoding}, {what}");
        }
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn an_unknown_encoding_is_not_taken_for_the_body_itself() {
    let topic = app::topic(1);
    let body = br#"{"records":[{"value":1}]}"#;
    for encoding in ["br", "compress", "gzip, gzip", "x"] {
        assert_eq!(send(&topic, encoding, body.to_vec()).await.error(), (415, 415), "{encoding}");
    }
    assert_eq!(send(&topic, "identity", body.to_vec()).await.placed(), [(0, 0)]);
}

#[tokio::test]
async fn a_packed_body_that_unpacks_beyond_the_limit_is_refused() {
    let mut config = app::config();
    config.limits.unpacked_bytes = 1 << 20;
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    for encoding in ENCODINGS {
        let bomb = pack(encoding, &vec![0; 20_000_000]);
        assert!(bomb.len() < 1 << 20, "{encoding}: {}", bomb.len());
        let call = app.post(&format!("/topics/{topic}")).header("content-encoding", encoding).body(JSON_V2, bomb);
        let answer = call.send().await;
        assert_eq!(answer.error(), (413, 413), "{encoding}");
        assert!(answer.message().contains("1048576"), "{}", answer.message());
    }
    assert_eq!(app.get("/").send().await.text(), "{}");
}

#[tokio::test]
async fn a_chunked_body_is_read_whole() {
    let topic = app::topic(1);
    let mut wire = app::shared().wire().await;
    wire.send(format!("POST /topics/{topic} HTTP/1.1\r\nHost: proxy\r\nContent-Type: {JSON_V2}\r\n")).await;
    wire.send("Transfer-Encoding: chunked\r\n\r\n").await;
    for chunk in [r#"{"rec"#, r#"ords":[{"va"#, r#"lue":1},{"value"#, r#"":2}]}"#] {
        wire.send(format!("{:x}\r\n{chunk}\r\n", chunk.len())).await;
    }
    wire.send("0\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(kafka::shared().read_topic(&topic).len(), 2);
}

#[tokio::test]
async fn a_body_that_ends_early_stores_nothing() {
    let topic = app::topic(1);
    let mut wire = app::shared().wire().await;
    wire.send_head(&format!("/topics/{topic}"), JSON_V2, 1000).await;
    wire.send(r#"{"records":[{"value":1}]}"#).await;
    drop(wire);
    // Later requests are served, by the same workers.
    for _ in 0..4 {
        assert_eq!(app::shared().get("/").send().await.status, 200);
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

async fn send(topic: &str, encoding: &str, body: Vec<u8>) -> Answer {
    let call = app::shared().post(&format!("/topics/{topic}")).header("content-encoding", encoding);
    call.body(JSON_V2, body).send().await
}

fn pack(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body).and_then(|()| encoder.finish()).expect("a Vec takes everything")
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body).and_then(|()| encoder.finish()).expect("a Vec takes everything")
        }
        "zstd" => zstd::encode_all(body, 1).expect("a slice is read"),
        other => panic!("{other} is not packed here"),
    }
}
