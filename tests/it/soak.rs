//! An hour in small: everything at once and for a while, with errors in it; afterwards nothing is lost and nothing has
//! grown. `SOAK_SECONDS=3600 cargo test --test it -- soak` takes the hour.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::harness::binary::Proxy;
use crate::harness::http::{self, JSON_V2, V2};
use crate::harness::{PATIENCE, app, eventually, kafka, unique};

/// What a process may have more of at the end than after a third of the time.
const MEMORY: u64 = 48 << 20;
const FILES: usize = 24;
const THREADS: u64 = 8;

/// What the callers share.
struct Soak {
    proxy: String,
    topic: String,
    stop: AtomicBool,
    reads: AtomicUsize,
}

/// What the process has at a moment of quiet.
#[derive(Debug)]
struct Size {
    memory: u64,
    files: usize,
    threads: u64,
}

fn seconds() -> u64 {
    std::env::var("SOAK_SECONDS").ok().map_or(24, |text| text.parse().expect("SOAK_SECONDS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_everything_at_once_nothing_is_lost_and_nothing_has_grown() {
    let topic = app::topic(3);
    let settings = ["consumer.instance_timeout=2s", "server.keep_alive=1s", "server.body_timeout=2s"];
    let sets = settings.into_iter().flat_map(|setting| ["--set", setting]);
    let bootstrap = ["--bootstrap-servers", kafka::shared().bootstrap.as_str()];
    let proxy = Proxy::start(&bootstrap.into_iter().chain(sets).collect::<Vec<_>>(), &[]);

    let third = Duration::from_secs(seconds() / 3);
    let mut acknowledged = load(&proxy, &topic, third).await;
    let before = quiet(&proxy).await;
    acknowledged.extend(load(&proxy, &topic, third * 2).await);
    let after = quiet(&proxy).await;

    println!("{} records; {before:?}, then {after:?}", acknowledged.len());
    assert!(after.memory < before.memory + MEMORY, "{before:?}, then {after:?}");
    assert!(after.files < before.files + FILES, "{before:?}, then {after:?}");
    assert!(after.threads < before.threads + THREADS, "{before:?}, then {after:?}");
    let log = kafka::shared().read_topic(&topic);
    let log: HashSet<String> = log.iter().filter_map(|record| value(record.value.as_deref()?)).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|value| !log.contains(*value)).take(5).collect();
    assert!(lost.is_empty() && !acknowledged.is_empty(), "{lost:?} and perhaps more");
    assert!(!proxy.log().contains("panicked"), "{}", proxy.log());
}

fn value(json: &[u8]) -> Option<String> {
    serde_json::from_slice::<Value>(json).ok()?.as_str().map(str::to_owned)
}

/// Runs every kind of caller for a while; returns the values whose records were acknowledged.
async fn load(proxy: &Proxy, topic: &str, time: Duration) -> Vec<String> {
    let soak = Arc::new(Soak {
        proxy: proxy.url(""),
        topic: topic.to_owned(),
        stop: AtomicBool::new(false),
        reads: AtomicUsize::new(0),
    });
    let mut producers = JoinSet::new();
    (0..3).for_each(|_| drop(producers.spawn(produce(Arc::clone(&soak)))));
    let mut others = JoinSet::new();
    (0..2).for_each(|_| drop(others.spawn(consume(Arc::clone(&soak)))));
    (0..2).for_each(|_| drop(others.spawn(err(Arc::clone(&soak)))));
    (0..2).for_each(|_| drop(others.spawn(hang_up(Arc::clone(&soak)))));

    let end = Instant::now() + time;
    while Instant::now() < end {
        sleep(Duration::from_millis(100)).await;
    }
    eventually("something was read", PATIENCE, async || (soak.reads.load(Ordering::Relaxed) > 0).then_some(())).await;
    soak.stop.store(true, Ordering::Relaxed);
    others.join_all().await;
    producers.join_all().await.into_iter().flatten().collect()
}

/// Waits until what was left behind has expired, and looks.
async fn quiet(proxy: &Proxy) -> Size {
    let mut last = proxy.threads();
    eventually("consumers and connections end", PATIENCE, async || {
        sleep(Duration::from_secs(3)).await;
        let now = proxy.threads();
        let is_quiet = now == last;
        last = now;
        is_quiet.then_some(())
    })
    .await;
    Size { memory: proxy.memory_bytes(), files: proxy.open_files(), threads: proxy.threads() }
}

impl Soak {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.proxy)
    }
}

async fn produce(soak: Arc<Soak>) -> Vec<String> {
    let (name, mut count, mut acknowledged) = (unique("soak"), 0, Vec::new());
    let client = reqwest::Client::new();
    while soak.goes_on() {
        let values: Vec<String> = (count..count + 20).map(|number| format!("{name}-{number}")).collect();
        count += 20;
        let records: Vec<Value> = values.iter().map(|value| json!({ "value": value })).collect();
        let call = http::post(&soak.url(&format!("/topics/{}", soak.topic)));
        let answer =
            call.document(JSON_V2, &json!({ "records": records })).send_with(&client).await.expect("an answer");
        assert_eq!(answer.placed().len(), 20);
        acknowledged.extend(values);
        sleep(Duration::from_millis(5)).await;
    }
    acknowledged
}

/// Creates instances, reads and commits, and leaves some of them behind.
async fn consume(soak: Arc<Soak>) {
    let mut round = 0;
    while soak.goes_on() {
        round += 1;
        let settings = json!({ "format": "json", "auto.offset.reset": "earliest" });
        let group = unique("soak-group");
        let created = http::post(&soak.url(&format!("/consumers/{group}"))).document(V2, &settings).send().await.ok();
        let base = created["base_uri"].as_str().expect("a text").to_owned();
        let topics = json!({ "topics": [soak.topic] });
        http::post(&format!("{base}/subscription")).document(V2, &topics).send().await;
        for _ in 0..3 {
            let answer =
                http::get(&format!("{base}/records?timeout=3000&max_bytes=20000")).accept(JSON_V2).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            soak.reads.fetch_add(answer.json().as_array().map_or(0, Vec::len), Ordering::Relaxed);
            http::post(&format!("{base}/offsets")).send().await;
        }
        if round % 4 != 0 {
            assert_eq!(http::call("DELETE", &base).send().await.status, 204);
        }
    }
}

/// Asks for what is wrong or not there.
async fn err(soak: Arc<Soak>) {
    let client = reqwest::Client::new();
    while soak.goes_on() {
        let calls = [
            (
                http::post(&soak.url("/topics/there-is-no-such-topic")).body(JSON_V2, r#"{"records":[{"value":1}]}"#),
                404,
            ),
            (http::post(&soak.url(&format!("/topics/{}", soak.topic))).body(JSON_V2, r#"{"records":[{"#), 400),
            (http::post(&soak.url(&format!("/topics/{}", soak.topic))).body("text/plain", "x"), 415),
            (http::get(&soak.url("/consumers/none/instances/none/records")).accept(JSON_V2), 404),
            (http::get(&soak.url(&format!("/{}", unique("path")))), 404),
        ];
        for (call, status) in calls {
            let answer = call.send_with(&client).await.expect("an answer");
            assert_eq!(answer.status, status, "{}", answer.text());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Sends half of a request, or does not wait for the answer.
async fn hang_up(soak: Arc<Soak>) {
    let address = soak.proxy.trim_start_matches("http://").to_owned();
    let whole = format!(
        "POST /topics/{} HTTP/1.1\r\nHost: p\r\nContent-Type: {JSON_V2}\r\nContent-Length: 25\r\n\r\n{{\"records\":[{{\"value\":1}}]}}",
        soak.topic
    );
    let mut cut = 0;
    while soak.goes_on() {
        cut = (cut + 7) % whole.len();
        let mut stream = TcpStream::connect(&address).await.expect("the proxy listens");
        let _ = stream.write_all(&whole.as_bytes()[..cut]).await;
        let _ = timeout(Duration::from_millis(10), stream.read(&mut [0; 16])).await;
        drop(stream);
        sleep(Duration::from_millis(10)).await;
    }
}
