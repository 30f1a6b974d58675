//! Clients that hang up: what they did not get is delivered again, and nothing is skipped.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::consume::{Instance, native, offsets, topic_of, values, write};
use crate::harness::app::{self, App};
use crate::harness::kafka::{self, NewRecord};
use crate::harness::{PATIENCE, eventually, unique};

/// Bytes of a record of [`large_topic`].
const LARGE: usize = 520_000;
const RECORDS: i64 = 42;
/// A limit that half of them fit in.
const HALF: &str = "?timeout=30000&max_bytes=11000000";

/// Returns a topic whose records fill two answers, each larger than what sockets buffer.
fn large_topic() -> String {
    let topic = app::topic(1);
    let record = NewRecord { partition: Some(0), value: Some(vec![b'x'; LARGE]), ..NewRecord::default() };
    kafka::shared().produce(&topic, &vec![record; RECORDS as usize]);
    topic
}

async fn large_reader(topic: &str, auto_commit: bool) -> Instance {
    let fields = json!({ "format": "binary", "fetch.min.bytes": 10_000_000, "auto.commit.enable": auto_commit });
    Instance::of_partition(app::shared(), topic, fields).await
}

/// Sends a read and takes only the first bytes of its answer, so that the proxy cannot write the rest.
async fn stalled_read(app: &App, instance: &Instance, query: &str) -> TcpStream {
    let address = app.url("").trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("it can be small");
    let mut stream = socket.connect(address).await.expect("the proxy listens");
    let request = format!("GET {}/records{query} HTTP/1.1\r\nHost: proxy\r\n\r\n", instance.path);
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut start = vec![0; 4096];
    timeout(PATIENCE, stream.read_exact(&mut start)).await.expect("in time").expect("the answer begins");
    assert!(start.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&start));
    stream
}

/// Reads until each of these offsets was there.
async fn collect_all(instance: &Instance, query: &str, expected: impl IntoIterator<Item = i64>) {
    let mut missing: BTreeSet<i64> = expected.into_iter().collect();
    let mut read = Vec::new();
    let deadline = std::time::Instant::now() + PATIENCE;
    while !missing.is_empty() {
        assert!(std::time::Instant::now() < deadline, "{missing:?} are skipped; read were {read:?}");
        let now = offsets(&instance.read(query).await);
        missing.retain(|offset| !now.contains(offset));
        read.extend(now);
    }
}

#[tokio::test]
async fn a_read_that_was_given_up_takes_nothing_with_it() {
    for subscribed in [true, false] {
        let topic = app::topic(1);
        let instance = if subscribed {
            Instance::of_topic(app::shared(), &topic).await
        } else {
            Instance::of_partition(app::shared(), &topic, json!({})).await
        };
        for number in 0..4 {
            drop(instance.start_read(app::shared(), "?timeout=600000").await);
            write(&topic, 0, number..number + 1);
            assert_eq!(values(&instance.collect(1).await), [number]);
        }
    }
}

#[tokio::test]
async fn a_read_that_was_given_up_does_not_keep_its_instance_alive() {
    let mut config = app::config();
    config.consumer.instance_timeout = Duration::from_secs(1);
    config.consumer.max_poll_wait = Duration::from_secs(600);
    let app = app::spawn_app(config);
    let instance = Instance::of_topic(&app, &app::topic(1)).await;
    let waiting = instance.start_read(&app, "?timeout=600000").await;
    assert_eq!(instance.get("/subscription").send().await.status, 200);

    drop(waiting);

    eventually("it expires", PATIENCE, async || {
        // Asking for it would be a use of it.
        tokio::time::sleep(Duration::from_secs(2)).await;
        (instance.get("/subscription").send().await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_read_had_gathered_when_it_was_given_up_is_read_again() {
    let topic = topic_of(1, 0..3);
    let instance = Instance::of_partition(app::shared(), &topic, json!({ "fetch.min.bytes": 1000 })).await;
    for _ in 0..3 {
        drop(instance.start_read(app::shared(), "?timeout=600000").await);
    }
    collect_all(&instance, "?timeout=1000", 0..3).await;
}

#[tokio::test]
async fn an_answer_that_was_not_taken_is_delivered_again() {
    let topic = large_topic();
    let instance = large_reader(&topic, false).await;
    let stalled = stalled_read(app::shared(), &instance, HALF).await;
    drop(stalled);
    collect_all(&instance, "?timeout=1000", 0..RECORDS).await;
}

#[tokio::test]
async fn a_compressed_answer_that_was_not_taken_is_delivered_again() {
    let topic = app::topic(1);
    // Noise, which does not get smaller.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let mut record =
        || NewRecord { partition: Some(0), value: Some((0..LARGE).map(|_| noise()).collect()), ..NewRecord::default() };
    kafka::shared().produce(&topic, &(0..RECORDS / 2).map(|_| record()).collect::<Vec<_>>());
    let instance = large_reader(&topic, false).await;
    let address: std::net::SocketAddr =
        app::shared().url("").trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("it can be small");
    let mut stream = socket.connect(address).await.expect("the proxy listens");
    let path = &instance.path;
    let request = format!("GET {path}/records{HALF} HTTP/1.1\r\nHost: proxy\r\nAccept-Encoding: zstd\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut start = vec![0; 64 * 1024];
    timeout(PATIENCE, stream.read_exact(&mut start)).await.expect("in time").expect("the answer begins");
    assert!(String::from_utf8_lossy(&start[..500]).contains("content-encoding: zstd"));
    drop(stream);
    collect_all(&instance, "?timeout=1000", 0..RECORDS / 2).await;
}

#[tokio::test]
async fn a_commit_covers_no_answer_that_is_still_on_its_way() {
    let topic = large_topic();
    let instance = large_reader(&topic, false).await;
    let stalled = stalled_read(app::shared(), &instance, HALF).await;
    instance.commit_delivered().await;
    let committed = instance.committed(&topic, 0).await;
    assert!(matches!(committed, None | Some(0)), "nothing was delivered and {committed:?} is committed");

    drop(stalled);
    instance.commit_delivered().await;
    let committed = instance.committed(&topic, 0).await;
    assert!(matches!(committed, None | Some(0)), "nothing was delivered and {committed:?} is committed");
    collect_all(&instance, "?timeout=1000", 0..RECORDS).await;
    instance.commit_delivered().await;
    assert_eq!(instance.committed(&topic, 0).await, Some(RECORDS));
}

#[tokio::test]
async fn an_answer_that_was_not_taken_is_not_committed_by_itself() {
    let topic = large_topic();
    let instance = large_reader(&topic, true).await;
    assert_eq!(offsets(&instance.read("?timeout=30000&max_bytes=1").await), [0]);
    let stalled = stalled_read(app::shared(), &instance, HALF).await;
    drop(stalled);
    instance.delete().await;
    assert_eq!(native::committed(kafka::shared(), &instance.group, &topic, 0), Some(1));
}

#[tokio::test]
async fn a_position_that_was_set_wins_over_an_answer_that_was_not_taken() {
    let topic = large_topic();
    for sought in [0, 35] {
        let instance = large_reader(&topic, false).await;
        assert_eq!(offsets(&instance.read("?timeout=30000&max_bytes=600000").await), [0]);
        let stalled = stalled_read(app::shared(), &instance, HALF).await;
        instance.seek(&topic, 0, sought).await;
        drop(stalled);
        let mut read = Vec::new();
        while read.last() != Some(&(RECORDS - 1)) {
            read.extend(offsets(&instance.read("?timeout=30000&max_bytes=1").await));
        }
        assert_eq!(read, (sought..RECORDS).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn answers_that_are_lost_one_after_the_other_skip_nothing() {
    let topic = large_topic();
    let instance = large_reader(&topic, false).await;
    let first = stalled_read(app::shared(), &instance, HALF).await;
    let second = stalled_read(app::shared(), &instance, HALF).await;

    drop(first);
    eventually("what the first had is read again", PATIENCE, async || {
        let read = offsets(&instance.read("?timeout=1000&max_bytes=1").await);
        read.contains(&0).then_some(())
    })
    .await;
    drop(second);

    collect_all(&instance, "?timeout=1000&max_bytes=1", 1..RECORDS).await;
}

#[tokio::test]
async fn a_client_that_gives_up_again_and_again_gets_everything_in_the_end() {
    let topic = topic_of(1, 0..300);
    let instance = Instance::create(app::shared(), &unique("group"), json!({})).await;
    instance.subscribe(&[&topic]).await;
    let mut read = BTreeSet::new();
    for round in 0..60 {
        let mut wire = app::shared().wire().await;
        wire.send(format!("GET {}/records?timeout=5000&max_bytes=30 HTTP/1.1\r\nHost: proxy\r\n\r\n", instance.path))
            .await;
        // Gone before, while or after the answer is written.
        if round % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(round % 7)).await;
        } else if round % 3 == 1 {
            let answer = wire.answer().await;
            read.extend(offsets(&crate::consume::records(&answer)));
        }
        drop(wire);
    }
    // What was written into a socket counts as delivered, so only what no answer held has to come.
    instance.post("/positions/beginning", json!({ "partitions": [] })).await;
    collect_all(&instance, "?timeout=2000", 0..300).await;
}
