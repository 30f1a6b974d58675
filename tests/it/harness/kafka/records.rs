//! Records written and read back natively, to compare with what went through the proxy.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use crate::harness::kafka::Kafka;
use crate::harness::waiting::PATIENCE;

/// A record as it is in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub timestamp_ms: Option<i64>,
}

/// A record to write; without a partition librdkafka chooses one.
#[derive(Clone, Debug, Default)]
pub struct NewRecord {
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub timestamp_ms: Option<i64>,
}

impl Kafka {
    /// Writes records and returns the partition and offset of each, in their order.
    #[track_caller]
    pub fn produce(&self, topic: &str, records: &[NewRecord]) -> Vec<(i32, i64)> {
        let deliveries = Deliveries(Mutex::new(vec![None; records.len()]));
        let producer: BaseProducer<Deliveries> =
            self.client().create_with_context(deliveries).expect("a producer needs no connection");
        for (index, record) in records.iter().enumerate() {
            let sent = producer.send(record.to_base_record(topic, index));
            sent.unwrap_or_else(|(e, _)| panic!("record {index} to {topic}: {e}"));
        }
        producer.flush(PATIENCE).expect("Kafka takes the records");
        let delivered = producer.context().0.lock().expect("the callback does not panic");
        let all = delivered.iter().enumerate();
        all.map(|(index, at)| at.unwrap_or_else(|| panic!("record {index} to {topic} was refused"))).collect()
    }

    /// Returns all records of a partition, from the first that is left to the high watermark.
    #[track_caller]
    pub fn read_partition(&self, topic: &str, partition: i32) -> Vec<LogRecord> {
        self.read(topic, [partition].into())
    }

    /// Returns all records of a topic, ordered by partition and offset.
    #[track_caller]
    pub fn read_topic(&self, topic: &str) -> Vec<LogRecord> {
        self.read(topic, (0..self.partition_count(topic)).collect())
    }

    #[track_caller]
    fn read(&self, topic: &str, mut unfinished: HashSet<i32>) -> Vec<LogRecord> {
        let consumer = self.consumer_at_beginning(topic, &unfinished);
        let end = Instant::now() + PATIENCE;
        let mut records = Vec::new();
        while !unfinished.is_empty() {
            assert!(Instant::now() < end, "partitions {unfinished:?} of {topic} not read within {PATIENCE:?}");
            match consumer.poll(Duration::from_secs(1)) {
                Some(Ok(message)) => records.push(LogRecord::from(&message)),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    unfinished.remove(&partition);
                }
                // What remains is a broker that cannot be reached; librdkafka tries again, until our deadline.
                Some(Err(_)) | None => {}
            }
        }
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    fn consumer_at_beginning(&self, topic: &str, partitions: &HashSet<i32>) -> BaseConsumer {
        let consumer: BaseConsumer = self
            .client()
            // librdkafka does not consume without the name of a group; none is joined.
            .set("group.id", "harness")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            // The broker tells the end of a partition with an empty answer, which it holds back so long.
            .set("fetch.wait.max.ms", "10")
            .create()
            .expect("a consumer needs no connection");
        let mut assignment = TopicPartitionList::new();
        for partition in partitions {
            assignment.add_partition_offset(topic, *partition, Offset::Beginning).expect("the offset is valid");
        }
        consumer.assign(&assignment).expect("the assignment is valid");
        consumer
    }
}

impl From<&BorrowedMessage<'_>> for LogRecord {
    fn from(message: &BorrowedMessage<'_>) -> LogRecord {
        let headers = message.headers().map(|headers| {
            headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
        });
        LogRecord {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
            timestamp_ms: message.timestamp().to_millis(),
        }
    }
}

impl NewRecord {
    /// Returns a record with a key and a value, and all else left to Kafka.
    pub fn new(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> NewRecord {
        NewRecord { key: Some(key.into()), value: Some(value.into()), ..NewRecord::default() }
    }

    fn to_base_record<'a>(&'a self, topic: &'a str, index: usize) -> BaseRecord<'a, [u8], [u8], usize> {
        let mut record = BaseRecord::with_opaque_to(topic, index);
        record.partition = self.partition;
        record.key = self.key.as_deref();
        record.payload = self.value.as_deref();
        record.timestamp = self.timestamp_ms;
        if !self.headers.is_empty() {
            record.headers = Some(self.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: value.as_ref() })
            }));
        }
        record
    }
}

/// Where each record went, by its index; `None` until then and if it was refused.
struct Deliveries(Mutex<Vec<Option<(i32, i64)>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        if let Ok(message) = result {
            let mut delivered = self.0.lock().expect("the callback does not panic");
            delivered[index] = Some((message.partition(), message.offset()));
        }
    }
}
