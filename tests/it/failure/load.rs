//! A broker that goes away in the middle of a load.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::app;
use crate::harness::binary::Proxy;
use crate::harness::http::{self, JSON_V2};
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::{PATIENCE, eventually};

/// What the clients of a load have seen.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    acknowledged: AtomicUsize,
    failed: AtomicUsize,
}

/// A value and where the answer said that it is.
type Acknowledged = Vec<(String, (i32, i64))>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_record_is_where_the_answer_said_though_the_broker_was_killed() {
    let mut broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 3);
    let proxy = start(&broker, &[]);
    let url = proxy.url(&format!("/topics/{topic}"));
    let seen = Arc::new(Seen::default());
    let mut clients = JoinSet::new();
    for (number, batch) in [1, 1, 1, 1, 7, 50, 300, 3000].into_iter().enumerate() {
        clients.spawn(produce_until_stopped(url.clone(), format!("client-{number}"), batch, Arc::clone(&seen)));
    }

    for _ in 0..2 {
        more(&seen.acknowledged, 5000, "records are acknowledged").await;
        broker.kill();
        more(&seen.failed, 20, "records fail").await;
        broker.restart();
    }
    more(&seen.acknowledged, 5000, "the proxy works again by itself").await;
    seen.stop.store(true, Ordering::Relaxed);
    let acknowledged: Acknowledged = clients.join_all().await.into_iter().flatten().collect();

    let log = broker.kafka().read_topic(&topic);
    let mut times: HashMap<&[u8], usize> = HashMap::new();
    for record in &log {
        *times.entry(record.value.as_deref().expect("no tombstone was sent")).or_default() += 1;
    }
    let log: HashMap<(i32, i64), &[u8]> = log
        .iter()
        .map(|record| ((record.partition, record.offset), record.value.as_deref().unwrap_or_default()))
        .collect();
    let mut places = HashSet::new();
    for (value, place) in &acknowledged {
        assert_eq!(log.get(place), Some(&value.as_bytes()), "{value} was acknowledged at {place:?}");
        assert!(places.insert(place), "two records were acknowledged at {place:?}");
        assert_eq!(times[value.as_bytes()], 1, "{value} is on the log more than once");
    }
    proxy.wait_for_log("is unreachable", PATIENCE);
    proxy.wait_for_log("is reachable again", PATIENCE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_says_nothing_does_not_fill_the_memory() {
    let broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    let settings =
        ["--set=producer.queue_bytes=4MiB", "--set=producer.queue_wait=100ms", "--set=producer.delivery_timeout=1s"];
    let proxy = start(&broker, &settings);
    let url = proxy.url(&format!("/topics/{topic}"));
    let body = json!({ "records": [{ "value": "x".repeat(500_000) }] }).to_string();
    assert_eq!(http::post(&url).body(JSON_V2, body.clone()).send().await.placed(), [(0, 0)]);
    let before = proxy.memory_bytes();

    broker.pause();
    let client = Client::new();
    let mut clients = JoinSet::new();
    for _ in 0..32 {
        let (client, call) = (client.clone(), http::post(&url).body(JSON_V2, body.clone()));
        clients.spawn(async move {
            let mut codes = Vec::new();
            for _ in 0..12 {
                let answer = call.clone().send_with(&client).await.expect("it is answered");
                codes.push(if answer.status == 200 { answer.record_codes()[0] } else { answer.error().1 });
            }
            codes
        });
    }
    let codes: HashSet<u64> = clients.join_all().await.into_iter().flatten().collect();

    // 192 MB were sent; 4 MiB may wait, next to 32 bodies at a time and what librdkafka adds to them.
    let grown = proxy.memory_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB more", grown >> 20);
    assert_eq!(codes, HashSet::from([429, 50003]));

    broker.resume();
    eventually("the proxy works again by itself", PATIENCE, async || {
        let answer = http::post(&url).body(JSON_V2, body.clone()).send().await;
        (answer.status == 200 && answer.record_codes() == [0]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_broker_records_fail_within_the_delivery_timeout() {
    let mut broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    let proxy = start(&broker, &[]);
    let url = proxy.url(&format!("/topics/{topic}"));
    let body = json!({ "records": [{ "value": 1 }, { "value": 2 }] });
    assert_eq!(http::post(&url).document(JSON_V2, &body).send().await.placed().len(), 2);
    broker.kill();

    let start = Instant::now();
    let answer = http::post(&url).document(JSON_V2, &body).send().await;

    assert_eq!((answer.status, answer.record_codes()), (200, vec![50003, 50003]));
    assert!(answer.json()["offsets"][0]["error"].is_string());
    // The timeout is two seconds; the machine may be busy.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let strict = http::post(&format!("{url}?strict=true")).document(JSON_V2, &body).send().await;
    assert_eq!((strict.status, strict.header("retry-after")), (503, Some("1")));
}

/// Starts a proxy that gives up on a record after two seconds, and keeps what it knows of topics.
fn start(broker: &Broker, more: &[&str]) -> Proxy {
    let settings =
        ["--set=producer.delivery_timeout=2s", "--set=kafka.metadata_max_age=1h", "--set=kafka.request_timeout=2s"];
    let bootstrap = ["--bootstrap-servers", &broker.kafka().bootstrap];
    Proxy::start(&[&bootstrap, &settings[..], more].concat(), &[])
}

/// Waits until a counter is this much higher than now.
async fn more(counter: &AtomicUsize, more: usize, what: &str) {
    let enough = counter.load(Ordering::Relaxed) + more;
    eventually(what, PATIENCE, async || (counter.load(Ordering::Relaxed) >= enough).then_some(())).await;
}

/// Sends requests of `batch` records, each with a value of its own, and returns what was acknowledged.
async fn produce_until_stopped(url: String, name: String, batch: usize, seen: Arc<Seen>) -> Acknowledged {
    let client = Client::new();
    let (mut number, mut acknowledged) = (0, Vec::new());
    while !seen.stop.load(Ordering::Relaxed) {
        let values: Vec<String> = (number..number + batch).map(|number| format!("\"{name}-{number}\"")).collect();
        number += batch;
        let records: Vec<String> = values.iter().map(|value| format!(r#"{{"value":{value}}}"#)).collect();
        let call = http::post(&url).body(JSON_V2, format!(r#"{{"records":[{}]}}"#, records.join(",")));
        let answer = call.send_with(&client).await.expect("the proxy answers");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let document = answer.json();
        let offsets = document["offsets"].as_array().expect("a list");
        assert_eq!(offsets.len(), values.len());
        for (value, offset) in values.into_iter().zip(offsets) {
            match offset["error_code"].as_u64() {
                None => {
                    acknowledged.push((value, place(offset)));
                    seen.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Some(code) => {
                    assert_eq!(code, 50003, "{offset}");
                    seen.failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
    acknowledged
}

fn place(offset: &Value) -> (i32, i64) {
    let partition = offset["partition"].as_i64().and_then(|partition| i32::try_from(partition).ok());
    (partition.expect("a partition"), offset["offset"].as_i64().expect("an offset"))
}
