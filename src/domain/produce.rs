//! Producing: check everything, then send, then tell what became of each record.

use crate::error::{Kind, Result};
use crate::kafka::Kafka;
use crate::model::{Delivery, PartitionId, Record, TopicName};

/// Writes `records` to `topic` and returns their deliveries in the same order.
///
/// An unknown topic or partition fails the request before anything is sent, without waiting for it to appear;
/// a topic is created only where the brokers do so by themselves.
pub async fn produce(kafka: &Kafka, topic: &TopicName, records: Vec<Record>) -> Result<Vec<Delivery>> {
    let highest = records.iter().filter_map(|record| record.partition).max();
    check(kafka, topic, highest).await?;
    kafka.producers.send(topic, records).await
}

/// Checks that a topic is there, or is made by writing to it.
pub async fn check_topic(kafka: &Kafka, topic: &TopicName) -> Result<()> {
    check(kafka, topic, None).await
}

/// Checks that records can be sent to `topic` and to its partitions up to `highest`.
pub(super) async fn check(kafka: &Kafka, topic: &TopicName, highest: Option<PartitionId>) -> Result<()> {
    match kafka.metadata.check(&kafka.producers, topic, highest).await {
        // Who may not look may still write; if not, each record tells.
        Err(error) if error.kind() == Kind::KafkaAuthorization => Ok(()),
        checked => checked,
    }
}
