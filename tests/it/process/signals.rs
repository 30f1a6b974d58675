//! SIGTERM and SIGINT: what runs is finished, and nothing else is waited for.

use std::time::{Duration, Instant};

use crate::harness::app;
use crate::harness::binary::Proxy;
use crate::harness::http::{self, JSON_V2};
use crate::harness::kafka::{self, Broker, OwnOptions};
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, free_port};

const BODY: &str = r#"{"records":[{"value":1},{"value":2}]}"#;

/// More than a second or so, as the machine is busy, and less than any timeout that the proxy could have waited for.
const SOON: Duration = Duration::from_secs(8);

#[tokio::test]
async fn a_request_under_way_is_finished_and_acknowledged() {
    for signal in ["TERM", "INT"] {
        let topic = app::topic(1);
        let mut proxy = Proxy::start(&["--bootstrap-servers", &kafka::shared().bootstrap], &[]);
        let mut wire = Wire::connect(proxy.address()).await;
        wire.start_post(&format!("/topics/{topic}"), JSON_V2, BODY.len()).await;
        let (start, end) = BODY.split_at(10);
        wire.send(start).await;

        proxy.signal(signal);
        proxy.wait_for_log("finishing what runs", PATIENCE);
        wire.send(end).await;

        assert_eq!(wire.answer().await.placed(), [(0, 0), (0, 1)], "{signal}");
        assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{signal}:\n{}", proxy.log());
        assert_eq!(kafka::shared().read_topic(&topic).len(), 2);
    }
}

#[tokio::test]
async fn records_under_way_are_flushed_and_acknowledged() {
    let broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    let mut proxy = Proxy::start(&["--bootstrap-servers", &broker.kafka().bootstrap], &[]);
    let mut wire = Wire::connect(proxy.address()).await;
    wire.start_post(&format!("/topics/{topic}"), JSON_V2, BODY.len()).await;
    wire.send(BODY).await;
    assert_eq!(wire.answer().await.placed(), [(0, 0), (0, 1)], "the topic is known from now on");

    wire.start_post(&format!("/topics/{topic}"), JSON_V2, BODY.len()).await;
    broker.pause();
    wire.send(BODY).await;
    proxy.signal("TERM");
    proxy.wait_for_log("finishing what runs", PATIENCE);
    broker.resume();

    assert_eq!(wire.answer().await.placed(), [(0, 2), (0, 3)]);
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert_eq!(broker.kafka().read_topic(&topic).len(), 4);
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let mut proxy = Proxy::start(&["--bootstrap-servers", &kafka::shared().bootstrap], &[]);
    let (mut used, mut fresh) = (Wire::connect(proxy.address()).await, Wire::connect(proxy.address()).await);
    used.send("GET /topics HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert_eq!(used.answer_to_head().await.status, 200);

    let start = Instant::now();
    proxy.signal("TERM");

    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(start.elapsed() < SOON, "{:?}:\n{}", start.elapsed(), proxy.log());
    used.rest().await;
    fresh.rest().await;
}

#[tokio::test]
async fn a_signal_right_after_the_start_is_heeded_too() {
    for _ in 0..5 {
        let mut proxy = Proxy::start(&["--bootstrap-servers", &kafka::shared().bootstrap], &[]);
        proxy.signal("TERM");
        assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    }
}

#[tokio::test]
async fn a_broker_that_cannot_be_reached_does_not_delay_the_end() {
    let bootstrap = format!("127.0.0.1:{}", free_port());
    let mut proxy = Proxy::start(&["--bootstrap-servers", &bootstrap, "--set", "kafka.request_timeout=1m"], &[]);
    assert_eq!(http::get(&proxy.url("/")).send().await.status, 200);
    let start = Instant::now();
    proxy.signal("TERM");
    assert_eq!(proxy.wait(2 * PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(start.elapsed() < SOON, "{:?}:\n{}", start.elapsed(), proxy.log());
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_after_the_timeout() {
    let settings = ["--set", "server.shutdown_timeout=1s", "--set", "server.body_timeout=1h"];
    let bootstrap = ["--bootstrap-servers", &kafka::shared().bootstrap];
    let mut proxy = Proxy::start(&[&bootstrap, &settings[..]].concat(), &[]);
    let mut wire = Wire::connect(proxy.address()).await;
    wire.start_post("/topics/any", JSON_V2, BODY.len()).await;
    let start = Instant::now();
    proxy.signal("TERM");
    assert!(proxy.wait(PATIENCE).code().is_some(), "{}", proxy.log());
    assert!(start.elapsed() < SOON, "{:?}:\n{}", start.elapsed(), proxy.log());
}

#[tokio::test]
async fn records_that_no_broker_takes_do_not_keep_the_proxy_for_longer_than_the_timeout() {
    let broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    let settings = ["--set", "server.shutdown_timeout=1s"];
    let bootstrap = ["--bootstrap-servers", &broker.kafka().bootstrap];
    let mut proxy = Proxy::start(&[&bootstrap, &settings[..]].concat(), &[]);
    let mut wire = Wire::connect(proxy.address()).await;
    for paused in [false, true] {
        wire.start_post(&format!("/topics/{topic}"), JSON_V2, BODY.len()).await;
        if paused {
            broker.pause();
        }
        wire.send(BODY).await;
        if !paused {
            wire.answer().await.placed();
        }
    }
    let start = Instant::now();
    proxy.signal("TERM");
    assert!(proxy.wait(PATIENCE).code().is_some(), "{}", proxy.log());
    assert!(start.elapsed() < SOON, "{:?}:\n{}", start.elapsed(), proxy.log());
}
