//! The harness itself: what other tests rely on when they call something lost, kept or gone.

mod connect;
mod fake;

use std::process::{Command, Stdio};

use crate::harness::binary::Proxy;
use crate::harness::kafka::{self, Broker, LogRecord, NewRecord, OwnOptions};
use crate::harness::{PATIENCE, eventually, eventually_blocking, free_port, process, unique};

#[test]
fn records_are_read_back_as_they_were_written() {
    let topic = unique("roundtrip");
    kafka::shared().create_topic(&topic, 2);
    let full = NewRecord {
        partition: Some(1),
        key: Some(b"k".to_vec()),
        value: Some(vec![0, 159]),
        headers: vec![("h".to_owned(), Some(b"1".to_vec())), ("h".to_owned(), None)],
        timestamp_ms: Some(1_700_000_000_000),
    };
    let tombstone = NewRecord { partition: Some(0), value: None, ..full.clone() };

    let written = kafka::shared().produce(&topic, &[full.clone(), tombstone.clone(), full.clone()]);

    assert_eq!(written, [(1, 0), (0, 0), (1, 1)]);
    let expected = [logged(&tombstone, 0), logged(&full, 0), logged(&full, 1)];
    assert_eq!(kafka::shared().read_topic(&topic), expected);
    assert_eq!(kafka::shared().read_partition(&topic, 1), expected[1..]);
}

fn logged(record: &NewRecord, offset: i64) -> LogRecord {
    let NewRecord { partition, key, value, headers, timestamp_ms } = record.clone();
    LogRecord { partition: partition.expect("the test names it"), offset, key, value, headers, timestamp_ms }
}

#[test]
fn a_partition_without_records_reads_as_empty() {
    let topic = unique("empty");
    kafka::shared().create_topic(&topic, 1);
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[test]
fn a_topic_grows_and_is_deleted() {
    let topic = unique("grows");
    kafka::shared().create_topic_with(&topic, 1, &[("cleanup.policy", "compact")]);
    kafka::shared().grow(&topic, 3);
    assert_eq!(kafka::shared().partition_count(&topic), 3);

    kafka::shared().delete_topic(&topic);
    // A name that is free again shows that it is gone.
    kafka::shared().create_topic(&topic, 2);
    assert_eq!(kafka::shared().partition_count(&topic), 2);
}

#[tokio::test]
async fn an_async_test_may_call_the_blocking_helpers() {
    let topic = unique("async");
    kafka::shared().create_topic(&topic, 1);
    kafka::shared().produce(&topic, &[NewRecord::new("k", "v")]);
    let read = async || Some(kafka::shared().read_topic(&topic)).filter(|records| records.len() == 1);
    let records = eventually("the record is there", PATIENCE, read).await;
    assert_eq!(records[0].value.as_deref(), Some(b"v".as_slice()));
}

#[test]
fn a_broker_keeps_its_data_when_killed_and_when_stopped() {
    let mut broker = Broker::start(OwnOptions::default());
    broker.kafka().create_topic("kept", 1);
    broker.kafka().produce("kept", &[NewRecord::new("k", "before the crash")]);

    broker.kill();
    broker.restart();
    broker.kafka().produce("kept", &[NewRecord::new("k", "before the stop")]);
    broker.stop();
    broker.restart();

    let values: Vec<_> = broker.kafka().read_topic("kept").into_iter().map(|record| record.value).collect();
    assert_eq!(values, [Some(b"before the crash".to_vec()), Some(b"before the stop".to_vec())]);
}

#[test]
fn three_brokers_are_one_cluster_that_outlives_one_of_them() {
    let mut brokers = Broker::start_cluster(3, OwnOptions::default());
    let kafka = brokers[0].kafka();
    kafka.create_topic_with("replicated", 3, &[("min.insync.replicas", "2")]);
    let everywhere = [0, 1, 2].map(|partition| NewRecord { partition: Some(partition), ..NewRecord::new("k", "v") });
    kafka.produce("replicated", &everywhere);

    brokers[2].kill();

    let kafka = brokers[0].kafka();
    kafka.produce("replicated", &everywhere);
    assert_eq!(kafka.read_topic("replicated").len(), 6);
}

#[test]
fn a_broker_and_its_data_are_gone_with_whoever_started_it() {
    let dir = std::env::temp_dir().join(unique("kafka"));
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka/broker"))
        .args(["--dir", dir.to_str().expect("a temporary folder is UTF-8"), "--remove-dir"])
        .args(["--port", &free_port().to_string(), "--controller-port", &free_port().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the script runs");
    let output = process::Output::of(&mut script);
    let java = output.wait_for(PATIENCE, |line| line.rsplit_once(" pid ")?.1.parse().ok()).expect("it becomes ready");
    assert!(process::is_alive(java));

    drop(script.stdin.take());

    process::wait(&mut script, PATIENCE);
    eventually_blocking("java is gone", PATIENCE, || (!process::is_alive(java)).then_some(()));
    assert!(!dir.exists());
}

#[test]
fn the_binary_runs_and_its_output_is_collected() {
    let mut proxy = Proxy::spawn(["--help"], &[]);
    assert!(proxy.wait(PATIENCE).success());
    assert!(proxy.log().contains("--listen"));
}
