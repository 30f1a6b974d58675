//! What the harness does not ask of Kafka: groups, transactions, large records and trimmed logs.

use std::time::Duration;

use rdkafka::admin::AdminOptions;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::harness::kafka::{Kafka, NewRecord};
use crate::harness::{PATIENCE, eventually_blocking, unique};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns how many members a group has.
#[track_caller]
pub fn members(kafka: &Kafka, group: &str) -> usize {
    eventually_blocking("the coordinator answers", PATIENCE, || {
        let listed = kafka.admin().inner().fetch_group_list(Some(group), REQUEST_TIMEOUT).ok()?;
        Some(listed.groups().iter().map(|group| group.members().len()).sum())
    })
}

/// Waits until a group has so many members and each has its share.
pub fn wait_for_members(kafka: &Kafka, group: &str, count: usize) {
    eventually_blocking(&format!("the group is stable with {count} members"), PATIENCE, || {
        let listed = kafka.admin().inner().fetch_group_list(Some(group), REQUEST_TIMEOUT).ok()?;
        let group = listed.groups().first()?;
        (group.state() == "Stable" && group.members().len() == count).then_some(())
    });
}

/// Returns the offset that a group has committed.
#[track_caller]
pub fn committed(kafka: &Kafka, group: &str, topic: &str, partition: i32) -> Option<i64> {
    let consumer: BaseConsumer = kafka.client().set("group.id", group).create().expect("it needs no connection");
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let found = eventually_blocking("the coordinator answers", PATIENCE, || {
        consumer.committed_offsets(list.clone(), REQUEST_TIMEOUT).ok()
    });
    match found.elements().first().map(|item| item.offset()) {
        Some(Offset::Offset(offset)) => Some(offset),
        _ => None,
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Commit,
    Abort,
    /// Not while what is returned lives.
    Open,
}

/// Writes records in one transaction.
#[track_caller]
pub fn transaction(kafka: &Kafka, topic: &str, records: &[NewRecord], ending: Ending) -> BaseProducer {
    let mut config = kafka.client();
    config.set("transactional.id", unique("transaction"));
    let producer = send(&config, topic, records, |producer| {
        producer.init_transactions(PATIENCE)?;
        producer.begin_transaction()
    });
    match ending {
        Ending::Commit => producer.commit_transaction(PATIENCE),
        Ending::Abort => producer.abort_transaction(PATIENCE),
        Ending::Open => Ok(()),
    }
    .expect("the coordinator does it");
    producer
}

/// Writes records that may be larger than a producer allows by default.
#[track_caller]
pub fn produce_large(kafka: &Kafka, topic: &str, records: &[NewRecord]) {
    send(kafka.client().set("message.max.bytes", "100000000"), topic, records, |_| Ok(()));
}

#[track_caller]
fn send(
    config: &ClientConfig,
    topic: &str,
    records: &[NewRecord],
    begin: impl FnOnce(&BaseProducer) -> KafkaResult<()>,
) -> BaseProducer {
    let producer: BaseProducer = config.create().expect("a producer needs no connection");
    begin(&producer).expect("the coordinator does it");
    for record in records {
        // The queue of a producer has room for a few large records at a time.
        eventually_blocking("the queue takes the record", PATIENCE, || {
            let mut sent = BaseRecord::<[u8], [u8]>::to(topic);
            (sent.partition, sent.key, sent.payload) =
                (record.partition, record.key.as_deref(), record.value.as_deref());
            match producer.send(sent) {
                Ok(()) => Some(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    producer.poll(Duration::from_millis(10));
                    None
                }
                Err((error, _)) => panic!("{error}"),
            }
        });
    }
    producer.flush(PATIENCE).expect("Kafka takes the records");
    producer
}

/// Deletes the records of a partition before an offset, as retention does.
pub async fn trim(kafka: &Kafka, topic: &str, partition: i32, before: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(before)).expect("the offset is valid");
    let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    let done = kafka.admin().delete_records(&list, &options).await.expect("Kafka answers");
    for item in done.elements() {
        item.error().expect("the records are deleted");
    }
}
