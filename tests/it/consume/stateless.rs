//! Reads without an instance.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::consume::native::{Ending, transaction, trim};
use crate::consume::{number, offsets, records, topic_of, values, write};
use crate::harness::app::{self, App};
use crate::harness::http::{Answer, BINARY_V2, JSON, JSON_V2, V2};
use crate::harness::kafka::{self, NewRecord};
use crate::harness::unique;

/// Less than the time that a read of records which exist may take in all.
const AT_ONCE: Duration = Duration::from_secs(8);

async fn get_from(app: &App, topic: &str, query: &str) -> Answer {
    app.get(&format!("/topics/{topic}/partitions/0/records{query}")).accept(JSON_V2).send().await
}

async fn get(topic: &str, query: &str) -> Answer {
    get_from(app::shared(), topic, query).await
}

async fn read(topic: &str, query: &str) -> Vec<i64> {
    offsets(&records(&get(topic, query).await))
}

fn none() -> Vec<i64> {
    Vec::new()
}

#[tokio::test]
async fn paging_reads_everything_once() {
    let topic = topic_of(1, 0..1000);
    for query in ["", "&limit=1000", "&limit=7&max_bytes=20", "&max_bytes=50", "&limit=333"] {
        let (mut all, mut next) = (Vec::new(), 0);
        loop {
            let page = records(&get(&topic, &format!("?offset={next}{query}")).await);
            let Some(last) = page.last() else { break };
            next = number::<i64>(last, "offset") + 1;
            all.extend(values(&page));
        }
        assert_eq!(all, (0..1000).map(Value::from).collect::<Vec<_>>(), "{query}");
    }
}

#[tokio::test]
async fn where_it_begins_and_how_much_it_returns() {
    let topic = app::topic(1);
    let record = |number: i64| NewRecord {
        partition: Some(0),
        value: Some(format!("{number:>10}").into()),
        timestamp_ms: Some(1_700_000_000_000 + number * 1000),
        ..NewRecord::default()
    };
    kafka::shared().produce(&topic, &(0..150).map(record).collect::<Vec<_>>());
    let cases: [(&str, std::ops::Range<i64>); 17] = [
        ("", 0..100),
        ("?limit=1", 0..1),
        ("?limit=10000", 0..150),
        ("?offset=148", 148..150),
        ("?offset=5&limit=2", 5..7),
        ("?max_bytes=30", 0..2),
        ("?max_bytes=31", 0..3),
        ("?max_bytes=1", 0..1),
        ("?max_bytes=0&limit=3", 0..3),
        ("?timestamp=1700000148000", 148..150),
        ("?timestamp=1700000147001", 148..150),
        ("?timestamp=0&limit=2", 0..2),
        ("?timestamp=2023-11-14T22:13:21Z&limit=1", 1..2),
        ("?timestamp=2023-11-14T23:13:21%2B01:00&limit=1", 1..2),
        ("?timestamp=1700000149001", 0..0),
        ("?offset=150", 0..0),
        ("?offset=&timestamp=&limit=&max_bytes=&timeout=&include=", 0..100),
    ];
    for (query, expected) in cases {
        assert_eq!(read(&topic, query).await, expected.collect::<Vec<_>>(), "{query}");
    }
}

#[tokio::test]
async fn the_type_chooses_the_format_and_include_what_comes_with_it() {
    let topic = app::topic(1);
    let full = NewRecord {
        partition: Some(0),
        headers: vec![("h".to_owned(), Some(b"v".to_vec()))],
        timestamp_ms: Some(1_700_000_000_000),
        ..NewRecord::new("1", "[2, 3.0]")
    };
    kafka::shared().produce(&topic, &[full, NewRecord { partition: Some(0), ..NewRecord::default() }]);
    let path = format!("/topics/{topic}/partitions/0/records");
    for (accept, media, key) in [
        ("*/*", BINARY_V2, json!("MQ==")),
        (BINARY_V2, BINARY_V2, json!("MQ==")),
        (V2, V2, json!("MQ==")),
        (JSON, JSON, json!("MQ==")),
        (JSON_V2, JSON_V2, json!(1)),
    ] {
        let answer = app::shared().get(&path).accept(accept).send().await;
        assert_eq!((answer.status, answer.media()), (200, Some(media)), "{accept}");
        assert_eq!(answer.json()[0]["key"], key, "{accept}");
        assert_eq!(
            answer.json()[1],
            json!({ "topic": topic, "key": null, "value": null, "partition": 0, "offset": 1 })
        );
    }
    let answer = get(&topic, "?limit=1&include=timestamp,headers").await;
    let headers = json!([{ "key": "h", "value": "dg==" }]);
    let expected = json!([{ "topic": topic, "key": 1, "value": [2, 3.0], "partition": 0, "offset": 0, "timestamp": 1_700_000_000_000_i64, "headers": headers }]);
    assert_eq!(answer.ok(), expected);
    for accept in ["text/html", "application/vnd.kafka.v1+json"] {
        assert_eq!(app::shared().get(&path).accept(accept).send().await.error(), (406, 406), "{accept}");
    }
    let avro = app::shared().get(&path).accept("application/vnd.kafka.avro.v2+json").send().await;
    assert_eq!(avro.error(), (422, 42207));
}

#[tokio::test]
async fn parameters_that_are_wrong_are_named() {
    let topic = topic_of(1, 0..3);
    let cases = [
        ("offset=x", 400, "offset"),
        ("offset=1.5", 400, "offset"),
        ("limit=x", 400, "limit"),
        ("timeout=x", 400, "timeout"),
        ("max_bytes=x", 400, "max_bytes"),
        ("timestamp=yesterday", 400, "timestamp"),
        ("timestamp=2023-11-14T22:13:21", 400, "timestamp"),
        ("limit=0", 422, "limit"),
        ("limit=-1", 422, "limit"),
        ("limit=10001", 422, "limit"),
        ("offset=-1", 422, "offset"),
        ("timestamp=-1", 422, "timestamp"),
        ("offset=0&timestamp=0", 422, "timestamp"),
        ("include=key", 422, "include"),
    ];
    for (query, expected, named) in cases {
        let answer = get(&topic, &format!("?{query}")).await;
        assert_eq!((answer.error(), answer.media()), ((expected, u64::from(expected)), Some(JSON_V2)), "{query}");
        assert!(answer.message().contains(named), "{query}: {}", answer.message());
    }
}

#[tokio::test]
async fn topics_and_partitions_that_are_not_there_are_told_at_once() {
    let topic = topic_of(1, 0..1);
    let start = Instant::now();
    let path = |topic: &str, partition: &str| format!("/topics/{topic}/partitions/{partition}/records?timeout=30000");
    let cases = [
        (path(&unique("missing"), "0"), (404, 40401)),
        (path(&topic, "1"), (404, 40402)),
        (path(&topic, "-1"), (404, 40402)),
        (path(&topic, "x"), (404, 404)),
        (path(&topic, "99999999999"), (404, 404)),
    ];
    for (path, expected) in cases {
        assert_eq!(app::shared().get(&path).send().await.error(), expected, "{path}");
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_offset_outside_of_the_log_is_refused_with_both_ends() {
    let topic = topic_of(1, 0..10);
    trim(kafka::shared(), &topic, 0, 4).await;
    for offset in [0, 3, 11, i64::MAX] {
        let answer = get(&topic, &format!("?offset={offset}&timeout=5000")).await;
        assert_eq!(answer.error(), (422, 422), "{offset}");
        let message = answer.message();
        for named in [offset.to_string(), "begins at 4".to_owned(), "ends at 10".to_owned(), topic.clone()] {
            assert!(message.contains(&named), "{message}");
        }
    }
    assert_eq!(read(&topic, "").await, [4, 5, 6, 7, 8, 9], "without an offset it begins at the beginning there is");
    assert_eq!(read(&topic, "?offset=4&limit=1").await, [4]);
    assert_eq!(read(&topic, "?timestamp=0&limit=1").await, [4]);
    trim(kafka::shared(), &topic, 0, 10).await;
    assert_eq!(read(&topic, "").await, none());
}

#[tokio::test]
async fn without_records_it_waits_only_when_told_and_only_until_one_comes() {
    let topic = topic_of(1, 0..2);
    let start = Instant::now();
    assert_eq!(read(&topic, "?offset=2").await, none());
    assert_eq!(read(&app::topic(1), "").await, none());
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());

    let start = Instant::now();
    assert_eq!(read(&topic, "?offset=2&timeout=1200").await, none());
    assert!(start.elapsed() >= Duration::from_millis(1200), "{:?}", start.elapsed());

    let mut wire = app::shared().wire().await;
    let path = format!("/topics/{topic}/partitions/0/records?offset=2&timeout=30000");
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: proxy\r\n\r\n")).await;
    assert!(!wire.has_answer_within(Duration::from_millis(500)).await);
    write(&topic, 0, 2..3);
    let start = Instant::now();
    assert_eq!(offsets(&records(&wire.answer().await)), [2]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());

    let start = Instant::now();
    assert_eq!(read(&topic, "?limit=100&timeout=30000").await, [0, 1, 2]);
    assert!(start.elapsed() < Duration::from_secs(20), "it does not wait for more than there is");
}

#[tokio::test]
async fn a_wait_is_bounded_by_the_setting() {
    let mut config = app::config();
    config.consumer.max_poll_wait = Duration::from_millis(500);
    let app = app::spawn_app(config);
    let start = Instant::now();
    assert_eq!(get_from(&app, &app::topic(1), "?timeout=600000").await.ok(), json!([]));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_record_that_is_no_json_comes_after_those_before_it() {
    let topic = topic_of(1, 0..2);
    kafka::shared()
        .produce(&topic, &[NewRecord { partition: Some(0), value: Some(b"bad".to_vec()), ..NewRecord::default() }]);
    write(&topic, 0, 3..4);
    assert_eq!(read(&topic, "").await, [0, 1]);
    let answer = get(&topic, "?offset=2").await;
    assert_eq!(answer.error(), (408, 40801));
    for part in [format!("topic {topic}"), "partition 0".to_owned(), "offset 2".to_owned()] {
        assert!(answer.message().contains(&part), "{}", answer.message());
    }
    assert_eq!(read(&topic, "?offset=3").await, [3]);
}

#[tokio::test]
async fn a_log_that_ends_with_the_marker_of_a_transaction_is_read_at_once() {
    let record = |text: &str| NewRecord { partition: Some(0), value: Some(text.into()), ..NewRecord::default() };
    let topic = app::topic(1);
    transaction(kafka::shared(), &topic, &[record("1"), record("2")], Ending::Commit);
    let start = Instant::now();
    assert_eq!(read(&topic, "").await, [0, 1]);
    assert_eq!(read(&topic, "?offset=1").await, [1]);
    assert_eq!(read(&topic, "?offset=2").await, none(), "only the marker is left");
    assert_eq!(read(&topic, "?offset=3").await, none());
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());

    transaction(kafka::shared(), &topic, &[record("3")], Ending::Abort);
    let start = Instant::now();
    let after = read(&topic, "?offset=2").await;
    assert!(after.is_empty() || after == [3], "{after:?}");
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    write(&topic, 0, 9..10);
    assert_eq!(read(&topic, "?offset=2").await.last(), Some(&5), "what comes after it is read");
}

#[tokio::test]
async fn a_transaction_that_is_open_hides_nothing_and_keeps_nobody_waiting() {
    let record = |text: &str| NewRecord { partition: Some(0), value: Some(text.into()), ..NewRecord::default() };
    let topic = topic_of(1, 0..2);
    let _open = transaction(kafka::shared(), &topic, &[record("2"), record("3"), record("4")], Ending::Open);
    let ends = app::shared().get(&format!("/topics/{topic}/partitions/0/offsets")).send().await.ok();
    assert_eq!(ends, json!({ "beginning_offset": 0, "end_offset": 5 }), "the high watermark");
    let start = Instant::now();
    // As in the reference, readers are not limited to committed records unless the operator says so.
    for offset in [0, 1, 2, 3, 5] {
        assert_eq!(read(&topic, &format!("?offset={offset}")).await, (offset..5).collect::<Vec<_>>());
    }
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn readers_that_are_limited_to_committed_records_are_not_kept_waiting_by_others() {
    let settings = ["consumer.properties.isolation.level=read_committed"];
    let app = app::spawn_app(app::config_with(&kafka::shared().bootstrap, &settings));
    let record = |text: &str| NewRecord { partition: Some(0), value: Some(text.into()), ..NewRecord::default() };
    let topic = topic_of(1, 0..2);
    transaction(kafka::shared(), &topic, &[record("2")], Ending::Abort);
    let _open = transaction(kafka::shared(), &topic, &[record("4"), record("5")], Ending::Open);
    for offset in 0..=6 {
        let start = Instant::now();
        let answer = get_from(&app, &topic, &format!("?offset={offset}")).await;
        if answer.status == 200 {
            assert_eq!(offsets(&records(&answer)), (offset..2).collect::<Vec<_>>(), "{offset}");
        } else {
            // Past the last stable offset there is nothing that may be read, which the end may tell as well.
            assert_eq!((answer.error(), offset > 4), ((422, 422), true), "{offset}");
        }
        assert!(start.elapsed() < AT_ONCE, "{offset}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_compacted_log_is_read_across_its_holes() {
    let topic = unique("compacted");
    let configs = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("max.compaction.lag.ms", "100"),
    ];
    kafka::shared().create_topic_with(&topic, 1, &configs);
    // Holes come when the broker likes; with or without, nothing else is there and it is read at once.
    let record = |number: i64| NewRecord { partition: Some(0), ..NewRecord::new("1", number.to_string()) };
    kafka::shared().produce(&topic, &(0..50).map(record).collect::<Vec<_>>());
    kafka::shared().produce(&topic, &[record(50)]);
    let start = Instant::now();
    let read = read(&topic, "").await;
    assert_eq!(read.last(), Some(&50));
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn more_reads_than_readers_are_served_or_told_to_come_back() {
    let mut config = app::config();
    config.consumer.readers = 2;
    config.producer.queue_wait = Duration::from_millis(300);
    let app = app::spawn_app(config);
    let (topic, empty) = (topic_of(1, 0..50), app::topic(1));
    let mut tasks = JoinSet::new();
    for number in 0..60 {
        let (url, is_waiting) = match number % 4 {
            0 => (app.url(&format!("/topics/{empty}/partitions/0/records?timeout=1500")), true),
            1 => (app.url(&format!("/topics/{topic}/partitions/0/records?timestamp=1")), false),
            _ => (app.url(&format!("/topics/{topic}/partitions/0/records")), false),
        };
        tasks.spawn(async move {
            let answer = crate::harness::http::get(&url).send().await;
            match answer.status {
                200 => assert_eq!(records(&answer).len(), if is_waiting { 0 } else { 50 }),
                _ => assert_eq!((answer.error(), answer.header("retry-after")), ((429, 429), Some("1"))),
            }
            answer.status
        });
    }
    let statuses: BTreeSet<u16> = tasks.join_all().await.into_iter().collect();
    assert!(statuses.contains(&200), "{statuses:?}");
    assert_eq!(get_from(&app, &topic, "").await.status, 200, "and there is room again");
}

#[tokio::test]
async fn reads_in_parallel_all_get_the_same() {
    let topic = topic_of(1, 0..300);
    let mut tasks = JoinSet::new();
    for number in 0..40 {
        let query = format!("?offset={}&limit=50", number * 5);
        let topic = topic.clone();
        tasks.spawn(async move {
            let expected: Vec<_> = (number * 5..number * 5 + 50).collect();
            assert_eq!(read(&topic, &query).await, expected);
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_frees_its_reader() {
    let mut config = app::config();
    config.consumer.readers = 1;
    config.consumer.max_poll_wait = Duration::from_secs(600);
    // Whoever comes after waits for as long as it takes.
    config.producer.queue_wait = crate::harness::PATIENCE;
    let app = app::spawn_app(config);
    let (topic, empty) = (topic_of(1, 0..1), app::topic(1));
    for _ in 0..3 {
        let mut wire = app.wire().await;
        let path = format!("/topics/{empty}/partitions/0/records?timeout=600000");
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: proxy\r\n\r\n")).await;
        assert!(!wire.has_answer_within(Duration::from_millis(300)).await);
        drop(wire);
        assert_eq!(values(&records(&get_from(&app, &topic, "").await)), [0]);
    }
}
