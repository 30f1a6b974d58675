//! Answers that are compressed for clients that ask.

use std::io::Read;

use serde_json::{Value, json};

use crate::consume::{Instance, offsets, topic_of};
use crate::harness::app;
use crate::harness::http::Answer;

fn unpacked(answer: &Answer) -> Value {
    let mut text = Vec::new();
    match answer.header("content-encoding") {
        None => text.clone_from(&answer.body),
        Some("gzip") => {
            flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut text).expect("gzip");
        }
        Some("zstd") => text = zstd::decode_all(&answer.body[..]).expect("zstd"),
        Some(other) => panic!("{other} was not asked for"),
    }
    serde_json::from_slice(&text).expect("JSON")
}

#[tokio::test]
async fn a_read_is_compressed_as_asked_and_holds_the_same() {
    let topic = topic_of(1, 0..2000);
    let stateless = format!("/topics/{topic}/partitions/0/records?limit=10000");
    let cases = [
        ("gzip", Some("gzip")),
        ("zstd", Some("zstd")),
        ("zstd;q=0.5, gzip", Some("gzip")),
        ("identity", None),
        ("gzip;q=0", None),
    ];
    for (asked, expected) in cases {
        let fields = json!({ "fetch.min.bytes": 1_000_000, "properties": { "max.poll.records": 2000 } });
        let instance = Instance::of_partition(app::shared(), &topic, fields).await;
        let call = instance.get("/records?timeout=30000").header("accept-encoding", asked);
        let other = app::shared().get(&stateless).header("accept-encoding", asked);
        for call in [call, other] {
            let answer = call.send().await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, expected), "{asked}");
            assert_eq!(offsets(unpacked(&answer).as_array().expect("a list")), (0..2000).collect::<Vec<_>>());
            if expected.is_some() {
                assert!(answer.body.len() < 60_000, "{asked}: {} bytes", answer.body.len());
            }
        }
    }
}

#[tokio::test]
async fn a_compressed_answer_counts_as_delivered() {
    let topic = topic_of(1, 0..500);
    for asked in ["gzip", "zstd"] {
        let instance = Instance::of_partition(app::shared(), &topic, json!({ "auto.commit.enable": true })).await;
        let mut count = 0;
        while count < 500 {
            let call = instance.get("/records?timeout=30000").header("accept-encoding", asked);
            let records = unpacked(&call.send().await);
            assert_eq!(records[0]["offset"], count, "{asked}: nothing is delivered twice");
            count += records.as_array().expect("a list").len();
        }
        instance.commit_delivered().await;
        assert_eq!(instance.committed(&topic, 0).await, Some(500));
    }
}
