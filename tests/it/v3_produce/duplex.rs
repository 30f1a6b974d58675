//! Receipts that come while the request is open.

use std::time::Duration;

use crate::harness::app;
use crate::harness::http::JSON;
use crate::harness::kafka;
use crate::v3_produce::{Open, codes, offsets, path, text_record};

#[tokio::test]
async fn a_record_gets_its_receipt_before_the_next_is_sent() {
    let topic = app::topic(1);
    let mut open = Open::new(app::shared(), &topic).await;
    for number in 0..5 {
        open.send(text_record(&number.to_string())).await;
        assert_eq!(offsets(&open.receipts(1).await), [number]);
    }
    open.send("{}").await;
    assert_eq!(offsets(&open.receipts(1).await), [5], "the shortest record needs nothing behind it");
    open.send("{\"foo\":1}{}").await;
    assert_eq!(codes(&open.receipts(2).await), [400, 200]);
    assert!(open.finish().await.is_empty());
}

#[tokio::test]
async fn a_record_may_come_in_pieces_and_a_piece_may_hold_many() {
    let topic = app::topic(1);
    let mut open = Open::new(app::shared(), &topic).await;
    let record = text_record("größe \"\\ }");
    for byte in record.as_bytes() {
        open.send([*byte]).await;
    }
    assert_eq!(offsets(&open.receipts(1).await), [0]);
    open.send(format!("{record}{record}\n{}", &record[..7])).await;
    assert_eq!(offsets(&open.receipts(2).await), [1, 2]);
    open.send(format!("{}1", &record[7..])).await;
    assert_eq!(offsets(&open.receipts(1).await), [3]);
    assert_eq!(codes(&open.finish().await), [400], "a number ends where the body does");
    let log = kafka::shared().read_topic(&topic);
    assert!(log.iter().all(|record| record.value.as_deref() == Some("größe \"\\ }".as_bytes())), "{log:?}");
}

#[tokio::test]
async fn the_head_comes_without_any_record() {
    let topic = app::topic(1);
    let mut open = Open::new(app::shared(), &topic).await;
    assert!(open.wire.has_answer_within(Duration::from_secs(20)).await, "a client may wait for the head");
    open.send("{}").await;
    assert_eq!(codes(&open.receipts(1).await), [200]);
    assert!(open.finish().await.is_empty());
}

#[tokio::test]
async fn receipts_come_in_the_order_of_the_records() {
    let topic = app::topic(4);
    let mut open = Open::new(app::shared(), &topic).await;
    for piece in 0..50 {
        let record = |number: i32| {
            let partition = number % 6;
            format!("{{\"partition_id\":{partition},\"value\":{{\"type\":\"JSON\",\"data\":{number}}}}}")
        };
        open.send((piece * 20..piece * 20 + 20).map(record).collect::<String>()).await;
    }
    let receipts = open.finish().await;
    assert_eq!(receipts.len(), 1000);
    let mut next = [0; 4];
    for (number, receipt) in receipts.iter().enumerate() {
        match number % 6 {
            partition @ 0..4 => {
                let place = (receipt["partition_id"].as_u64(), receipt["offset"].as_i64());
                assert_eq!(place, (Some(partition as u64), Some(next[partition])), "record {number}");
                next[partition] += 1;
            }
            _ => assert_eq!(receipt["error_code"], 40401, "record {number}"),
        }
    }
    for partition in 0..4 {
        let log = kafka::shared().read_partition(&topic, partition);
        let numbers: Vec<i32> = log
            .iter()
            .map(|record| String::from_utf8_lossy(record.value.as_deref().unwrap()).parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "partition {partition}: {numbers:?}");
    }
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let topic = app::topic(1);
    let mut wire = app::shared().wire().await;
    for offset in 0..3 {
        wire.start_chunked(&path(&topic), JSON).await;
        wire.send("2\r\n{}\r\n0\r\n\r\n").await;
        let head = wire.answer_to_head().await;
        assert_eq!((head.status, head.header("connection")), (200, None));
        assert_eq!(offsets(&super::receipts(&wire.chunk().await)), [offset]);
        assert!(wire.chunk().await.is_empty());
    }
}

#[tokio::test]
async fn a_packed_body_is_unpacked_as_it_comes() {
    use std::io::Write;
    let topic = app::topic(1);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all("{}{} {}".as_bytes()).unwrap();
    let call =
        app::shared().post(&path(&topic)).body(JSON, packer.finish().unwrap()).header("content-encoding", "gzip");
    assert_eq!(offsets(&super::receipts(&call.send().await.body)), [0, 1, 2]);
}
