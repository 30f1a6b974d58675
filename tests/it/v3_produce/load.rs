//! Streams that are large, slow or held back.

use std::time::Duration;

use tokio::time::timeout;

use crate::harness::app;
use crate::harness::binary::Proxy;
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, kafka};
use crate::v3_produce::{Open, codes, path, produce, text_record};

#[tokio::test]
async fn a_client_that_does_not_read_is_held_back() {
    let topic = app::topic(1);
    let broker = &kafka::shared().bootstrap;
    let proxy = Proxy::start(&["--bootstrap-servers", broker], &[]);
    let mut open = Open { wire: Wire::connect(proxy.address()).await, answered: false, received: Vec::new() };
    // Records fill what the sockets hold on the way there, receipts what they hold on the way back.
    let path = path(&topic).replace("a-cluster", &"c".repeat(4000));
    open.wire.start_chunked(&path, "application/json").await;
    open.send("{}").await;
    assert_eq!(codes(&open.receipts(1).await), [200]);
    let before = proxy.memory_bytes();
    let piece = text_record(&"x".repeat(1000)).repeat(100);
    let mut sent = 0;
    while timeout(Duration::from_secs(2), open.send(&piece)).await.is_ok() {
        sent += 100;
        assert!(sent < 100_000, "the proxy reads on whether or not its receipts are");
    }
    let grown = proxy.memory_bytes().saturating_sub(before);
    assert!(grown < 100_000_000, "{grown} bytes for one connection");
    // The last piece went out in part only, so how many receipts there are is known to the proxy alone.
    let receipts = open.receipts(sent).await;
    assert!(receipts.iter().all(|receipt| receipt["error_code"] == 200));
}

#[tokio::test]
async fn a_full_queue_holds_the_stream_back_and_loses_nothing() {
    let mut config = app::config();
    config.producer.queue_records = 10;
    config.producer.queue_wait = Duration::from_millis(1);
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let (mut one, mut two) = (Open::new(&app, &topic).await, Open::new(&app, &topic).await);
    for _ in 0..200 {
        one.send(text_record("x").repeat(20)).await;
        two.send(text_record("y").repeat(20)).await;
    }
    let (one, two) = (timeout(PATIENCE, one.finish()).await.unwrap(), timeout(PATIENCE, two.finish()).await.unwrap());
    assert_eq!((codes(&one), codes(&two)), (vec![200; 4000], vec![200; 4000]));
    assert_eq!(kafka::shared().read_topic(&topic).len(), 8000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_goes_on_after_the_broker_was_away() {
    let mut broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    let app = app::spawn_app(app::config_with(&broker.kafka().bootstrap, &["producer.delivery_timeout=2s"]));
    let mut open = Open::new(&app, &topic).await;
    open.send(text_record("before")).await;
    assert_eq!(codes(&open.receipts(1).await), [200]);
    broker.kill();
    open.send(text_record("meanwhile")).await;
    assert_eq!(codes(&open.receipts(1).await), [50003]);
    broker.restart();
    loop {
        open.send(text_record("after")).await;
        match open.receipts(1).await[0]["error_code"].as_u64() {
            Some(200) => break,
            code => assert_eq!(code, Some(50003)),
        }
    }
    assert!(open.finish().await.is_empty());
}

#[tokio::test]
async fn a_stream_ends_where_too_many_bytes_are_under_way() {
    let mut config = app::config();
    (config.limits.body_bytes, config.limits.unpacked_bytes) = (4000, 4000);
    (config.limits.stream_record_bytes, config.limits.bytes_in_flight) = (4000, 6000);
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let mut first = Open::new(&app, &topic).await;
    let record = text_record(&"x".repeat(3900));
    first.send(format!("{{}}{}", &record[..3900])).await;
    assert_eq!(codes(&first.receipts(1).await), [200], "so what is half here has been read");
    let mut second = Open::new(&app, &topic).await;
    second.send(text_record(&"y".repeat(3000))).await;
    assert_eq!(codes(&second.receipts(1).await), [503]);
    assert!(second.rest().await.is_empty());
    first.send(&record[3900..]).await;
    assert_eq!(codes(&first.receipts(1).await), [200]);
    assert!(first.finish().await.is_empty());
    assert_eq!(codes(&produce(&app, &topic, "{}").await), [200], "and there is room again");
}

#[tokio::test]
async fn a_topic_that_the_brokers_create_is_created_by_a_stream() {
    let broker = Broker::start(OwnOptions::default().set("auto.create.topics.enable", "true"));
    let app = app::spawn_app(app::config_with(&broker.kafka().bootstrap, &[]));
    let topic = crate::harness::unique("created");
    assert_eq!(codes(&produce(&app, &topic, "{}{}").await), [200, 200]);
}
