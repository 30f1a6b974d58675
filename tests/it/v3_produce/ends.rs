//! How streams end, other than by the end of the body.

use std::time::{Duration, Instant};

use crate::harness::app;
use crate::harness::binary::Proxy;
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, eventually, kafka};
use crate::v3_produce::{Open, codes, path, produce, text_record};

#[tokio::test]
async fn a_record_above_the_limit_ends_the_stream() {
    let mut config = app::config();
    config.limits.stream_record_bytes = 1000;
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let body = [text_record(&"x".repeat(900)), text_record(&"x".repeat(1000)), text_record("never")].concat();
    let receipts = produce(&app, &topic, body).await;
    assert_eq!(codes(&receipts), [200, 400]);
    assert!(receipts[1]["message"].as_str().unwrap().contains("larger than allowed"));
    let mut open = Open::new(&app, &topic).await;
    open.send(format!("{{\"value\":\"{}", "x".repeat(2000))).await;
    assert_eq!(codes(&open.rest().await), [400], "it need not come to its end");
    assert_eq!(kafka::shared().read_topic(&topic).len(), 1);
}

#[tokio::test]
async fn after_garbage_the_answer_ends_though_the_request_does_not() {
    let topic = app::topic(1);
    let mut open = Open::new(app::shared(), &topic).await;
    open.send("{}").await;
    assert_eq!(codes(&open.receipts(1).await), [200]);
    open.send("}").await;
    assert_eq!(codes(&open.receipts(1).await), [400]);
    // What the client still sends is thrown away.
    let _ = open.wire.try_send("100\r\n").await;
    let _ = open.wire.try_send([b'x'; 0x100]).await;
    assert!(open.wire.chunk().await.is_empty());
    open.wire.rest().await;
    assert_eq!(kafka::shared().read_topic(&topic).len(), 1);
}

#[tokio::test]
async fn an_idle_stream_is_ended() {
    let mut config = app::config();
    config.server.stream_idle_timeout = Duration::from_millis(300);
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let mut open = Open::new(&app, &topic).await;
    open.send("{}").await;
    assert_eq!(codes(&open.receipts(1).await), [200]);
    assert!(open.rest().await.is_empty());
    let mut open = Open::new(&app, &topic).await;
    open.send("{}{\"value\"").await;
    assert_eq!(codes(&open.rest().await), [200, 408], "a record that has begun is told that it is not written");
    assert!(Open::new(&app, &topic).await.rest().await.is_empty(), "nothing came at all");
}

#[tokio::test]
async fn a_stream_that_is_in_use_is_not_idle() {
    let mut config = app::config();
    config.server.stream_idle_timeout = Duration::from_millis(500);
    let app = app::spawn_app(config);
    let mut open = Open::new(&app, &app::topic(1)).await;
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        open.send("{}").await;
        assert_eq!(codes(&open.receipts(1).await), [200]);
    }
    assert!(open.finish().await.is_empty());
}

#[tokio::test]
async fn an_old_stream_refuses_records_and_is_closed_after_its_grace() {
    let mut config = app::config();
    config.server.stream_max_age = Duration::from_millis(500);
    config.server.stream_grace = Duration::from_millis(700);
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let mut open = Open::new(&app, &topic).await;
    open.send("{}").await;
    assert_eq!(codes(&open.receipts(1).await), [200]);
    tokio::time::sleep(Duration::from_millis(600)).await;
    for _ in 0..2 {
        open.send("{}").await;
        let receipts = open.receipts(1).await;
        assert_eq!(codes(&receipts), [408]);
        assert!(receipts[0]["message"].as_str().unwrap().starts_with("Streaming connection open for longer"));
    }
    assert!(open.rest().await.is_empty());
    assert_eq!(kafka::shared().read_topic(&topic).len(), 1);
}

#[tokio::test]
async fn what_was_handed_over_is_written_though_the_client_is_gone() {
    let topic = app::topic(1);
    let mut open = Open::new(app::shared(), &topic).await;
    open.send("{}").await;
    assert_eq!(codes(&open.receipts(1).await), [200]);
    open.send("{}".repeat(500)).await;
    drop(open);
    eventually("the records are on the log", PATIENCE, async || {
        (kafka::shared().read_topic(&topic).len() == 501).then_some(())
    })
    .await;
    assert_eq!(codes(&produce(app::shared(), &topic, "{}").await), [200], "and the proxy goes on");
}

#[tokio::test]
async fn open_streams_do_not_delay_the_end_of_the_process() {
    let topic = app::topic(1);
    let mut proxy = Proxy::start(&["--bootstrap-servers", &kafka::shared().bootstrap], &[]);
    let open = async || {
        let mut wire = Wire::connect(proxy.address()).await;
        wire.start_chunked(&path(&topic), "application/json").await;
        let mut open = Open { wire, answered: false, received: Vec::new() };
        open.send("{}").await;
        assert_eq!(codes(&open.receipts(1).await), [200]);
        open
    };
    let (idle, mut busy) = (open().await, open().await);
    let started = Instant::now();
    proxy.signal("TERM");
    proxy.wait_for_log("finishing what runs", PATIENCE);
    busy.send("{}{}").await;
    assert_eq!(codes(&busy.rest().await), [200, 200], "what was sent is answered");
    assert!(idle.rest().await.is_empty());
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
