//! How much a read returns, and when.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::consume::native::produce_large;
use crate::consume::{Instance, offsets, topic_of, write};
use crate::harness::app;
use crate::harness::http::BINARY_V2;
use crate::harness::kafka::{self, NewRecord};
use crate::harness::unique;

/// Returns a topic with records whose keys and values together have these sizes.
fn topic_of_sizes(sizes: &[(usize, usize)]) -> String {
    let topic = app::topic(1);
    let record = |(key, value): &(usize, usize)| NewRecord {
        partition: Some(0),
        key: Some(vec![b'k'; *key]),
        value: Some(vec![b'v'; *value]),
        ..NewRecord::default()
    };
    kafka::shared().produce(&topic, &sizes.iter().map(record).collect::<Vec<_>>());
    topic
}

/// Returns an instance that waits until an answer is full, so that its size depends on the limits alone.
async fn patient(topic: &str) -> Instance {
    let fields = json!({ "format": "binary", "fetch.min.bytes": 10_000_000, "consumer.request.timeout.ms": 20_000 });
    Instance::of_partition(app::shared(), topic, fields).await
}

#[tokio::test]
async fn keys_and_values_stay_below_max_bytes() {
    let cases: [(usize, &[i64]); 5] = [(29, &[0, 1]), (30, &[0, 1]), (31, &[0, 1, 2]), (20, &[0]), (10, &[0])];
    let topic = topic_of_sizes(&[(4, 6), (0, 10), (10, 0), (5, 5)]);
    for (max_bytes, expected) in cases {
        let instance = patient(&topic).await;
        let start = Instant::now();
        assert_eq!(offsets(&instance.read(&format!("?max_bytes={max_bytes}")).await), expected, "{max_bytes}");
        assert!(start.elapsed() < Duration::from_secs(15), "a full answer is not held back");
    }
}

#[tokio::test]
async fn at_least_one_record_is_returned_however_large() {
    let topic = topic_of_sizes(&[(0, 5), (100, 900_000), (0, 5)]);
    let instance = Instance::of_partition(app::shared(), &topic, json!({ "format": "binary" })).await;
    for offset in 0..3 {
        assert_eq!(offsets(&instance.read("?max_bytes=1&timeout=30000").await), [offset]);
    }
}

#[tokio::test]
async fn records_larger_than_everything_is_by_default_are_read() {
    let topic = unique("large");
    kafka::shared().create_topic_with(&topic, 1, &[("max.message.bytes", "40000000")]);
    let sizes = [3_000_000, 20_000_000, 10];
    let record = |size| NewRecord { partition: Some(0), value: Some(vec![b'x'; size]), ..NewRecord::default() };
    produce_large(kafka::shared(), &topic, &sizes.map(record));
    let instance = Instance::of_partition(app::shared(), &topic, json!({ "format": "binary" })).await;
    for (offset, size) in sizes.into_iter().enumerate() {
        let read = instance.read("?max_bytes=1000&timeout=30000").await;
        assert_eq!(offsets(&read), [i64::try_from(offset).expect("a small number")]);
        let text = read[0]["value"].as_str().expect("base64");
        assert_eq!(text.len(), size.div_ceil(3) * 4);
    }
}

#[tokio::test]
async fn the_limit_of_the_proxy_holds_where_a_read_asks_for_more() {
    let mut config = app::config();
    config.consumer.request_max_bytes = 25;
    let app = app::spawn_app(config);
    let topic = topic_of_sizes(&[(0, 10); 5]);
    for query in ["?max_bytes=1000000", "?max_bytes=0", "?max_bytes=-1", "?max_bytes=", ""] {
        let fields = json!({ "format": "binary", "fetch.min.bytes": 1000, "consumer.request.timeout.ms": 20_000 });
        let instance = Instance::of_partition(&app, &topic, fields).await;
        assert_eq!(offsets(&instance.read(query).await), [0, 1], "{query}");
    }
}

#[tokio::test]
async fn everything_is_read_once_in_the_order_of_its_partition() {
    let topic = app::topic(3);
    for partition in 0..3 {
        write(&topic, partition, 0..700);
    }
    let instance = Instance::of_topic(app::shared(), &topic).await;
    let read = instance.collect_with(2100, "?timeout=5000&max_bytes=500").await;
    assert_eq!(read.len(), 2100);
    for partition in 0..3 {
        let of_it: Vec<_> = read.iter().filter(|record| record["partition"] == partition).cloned().collect();
        assert_eq!(offsets(&of_it), (0..700).collect::<Vec<_>>());
    }
    assert_eq!(instance.read("?timeout=100").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_read_returns_once_it_has_the_least_bytes() {
    let topic = topic_of_sizes(&[(0, 10)]);
    let fields = json!({ "format": "binary", "fetch.min.bytes": 30, "consumer.request.timeout.ms": 25_000 });
    let instance = Instance::of_partition(app::shared(), &topic, fields).await;
    let mut wire = instance.start_read(app::shared(), "").await;
    write(&topic, 0, 0..1);
    assert!(!wire.has_answer_within(Duration::from_millis(300)).await, "11 bytes are not 30");
    kafka::shared()
        .produce(&topic, &[NewRecord { partition: Some(0), value: Some(vec![0; 19]), ..NewRecord::default() }]);
    let start = Instant::now();
    assert_eq!(offsets(&crate::consume::records(&wire.answer().await)), [0, 1, 2]);
    assert!(start.elapsed() < Duration::from_secs(20), "30 bytes are enough");
}

#[tokio::test]
async fn at_its_timeout_a_read_returns_what_there_is() {
    let topic = topic_of_sizes(&[(0, 10)]);
    let instance =
        Instance::of_partition(app::shared(), &topic, json!({ "format": "binary", "fetch.min.bytes": 30 })).await;
    let start = Instant::now();
    assert_eq!(offsets(&instance.read("?timeout=1500").await), [0]);
    assert!(start.elapsed() >= Duration::from_millis(1500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn minus_one_waits_for_the_whole_time_unless_the_answer_is_full() {
    let topic = topic_of_sizes(&[(0, 10); 3]);
    let fields = json!({ "format": "binary", "fetch.min.bytes": -1, "consumer.request.timeout.ms": 1500 });
    let instance = Instance::of_partition(app::shared(), &topic, fields).await;
    let start = Instant::now();
    assert_eq!(offsets(&instance.read("?max_bytes=15&timeout=25000").await), [0]);
    assert!(start.elapsed() < Duration::from_secs(20), "a full answer is not held back");
    let start = Instant::now();
    assert_eq!(offsets(&instance.read("").await), [1, 2]);
    assert!(start.elapsed() >= Duration::from_millis(1500));
}

#[tokio::test]
async fn no_least_bytes_is_like_one() {
    let topic = topic_of_sizes(&[(0, 0), (0, 0)]);
    for least in [0, 1] {
        let fields = json!({ "format": "binary", "fetch.min.bytes": least, "consumer.request.timeout.ms": 25_000 });
        let instance = Instance::of_partition(app::shared(), &topic, fields).await;
        let start = Instant::now();
        assert!(!instance.read("").await.is_empty());
        assert!(start.elapsed() < Duration::from_secs(20), "empty records are records");
    }
}

#[tokio::test]
async fn a_timeout_is_honored_and_bounded() {
    let mut config = app::config();
    config.consumer.request_timeout = Duration::from_millis(400);
    config.consumer.max_poll_wait = Duration::from_millis(1200);
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let cases = [
        (json!({}), "", 400),
        (json!({}), "?timeout=", 400),
        (json!({}), "?timeout=0", 400),
        (json!({}), "?timeout=-1", 400),
        (json!({}), "?timeout=800", 800),
        (json!({}), "?timeout=100000", 1200),
        (json!({ "consumer.request.timeout.ms": 100 }), "", 100),
        (json!({ "consumer.request.timeout.ms": 100 }), "?timeout=800", 800),
        (json!({ "consumer.request.timeout.ms": 100_000 }), "", 1200),
        (json!({ "requestWaitMs": 200 }), "", 200),
        (json!({ "consumer.request.timeout.ms": 0 }), "", 400),
    ];
    for (fields, query, expected_ms) in cases {
        let instance = Instance::of_partition(&app, &topic, fields.clone()).await;
        let start = Instant::now();
        assert_eq!(instance.read(query).await, Vec::<Value>::new());
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(expected_ms), "{fields} {query}: {took:?}");
        // Less than any wait it could be mistaken for that has a bound of its own.
        assert!(took < Duration::from_millis(expected_ms) + Duration::from_secs(15), "{fields} {query}: {took:?}");
    }
}

#[tokio::test]
async fn a_record_that_comes_ends_the_wait() {
    let topic = app::topic(1);
    let instance = Instance::of_partition(app::shared(), &topic, json!({})).await;
    for offset in 0..3 {
        let mut wire = instance.start_read(app::shared(), "?timeout=30000").await;
        write(&topic, 0, offset..offset + 1);
        let start = Instant::now();
        assert_eq!(offsets(&crate::consume::records(&wire.answer().await)), [offset]);
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn parameters_that_are_wrong_are_named_and_read_nothing() {
    let topic = topic_of(1, 0..1);
    let instance = Instance::of_partition(app::shared(), &topic, json!({})).await;
    let cases = [
        ("timeout=x", 400, "timeout"),
        ("timeout=1.5", 400, "timeout"),
        ("timeout=99999999999999999999", 400, "timeout"),
        ("max_bytes=x", 400, "max_bytes"),
        ("max_bytes=1&max_bytes=2", 400, "once"),
        ("include=keys", 422, "include"),
    ];
    for (query, expected, named) in cases {
        let answer = instance.get(&format!("/records?{query}")).accept("*/*").send().await;
        assert_eq!(answer.error(), (expected, u64::from(expected)), "{query}");
        assert!(answer.message().contains(named), "{query}: {}", answer.message());
    }
    let unknown = instance.get("/records?timeout=30000&nope=1&nope=2").body(BINARY_V2, "{").send().await;
    assert_eq!(unknown.ok().as_array().map(Vec::len), Some(1), "what is not known is ignored, so is a body");
}

#[tokio::test]
async fn asking_only_for_the_head_loses_nothing() {
    let topic = topic_of(1, 0..3);
    let instance = Instance::of_partition(app::shared(), &topic, json!({})).await;
    let head = instance.call("HEAD", "/records?timeout=20000").send().await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(offsets(&instance.collect(3).await), [0, 1, 2]);
}
