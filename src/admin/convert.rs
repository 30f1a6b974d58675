//! Between what the wire has and our own types.

use std::collections::BTreeSet;

use kafka_protocol::messages::{BrokerId, TopicName as WireTopic};
use kafka_protocol::protocol::StrBytes;

use crate::error::{Kind, Result};
use crate::model::{AclOperation, TopicName, TopicPartition};

/// What a broker answers instead of the operations that are allowed where nobody asked.
const NOT_ASKED: i32 = i32::MIN;

/// Returns a text of ours as the wire has it.
pub(super) fn wire(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Returns a text of the wire as one of ours.
pub(super) fn text(text: Option<StrBytes>) -> Option<String> {
    text.map(|text| text.to_string())
}

pub(super) fn wire_topic(topic: &TopicName) -> WireTopic {
    WireTopic(wire(topic.as_str()))
}

/// Returns a topic name of the wire; a name that Kafka would not allow is no name of a topic.
pub(super) fn topic(name: &WireTopic) -> Result<TopicName> {
    TopicName::try_from(name.0.as_str())
}

pub(super) fn broker_ids(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|broker| broker.0).collect()
}

pub(super) fn wire_brokers(brokers: &[i32]) -> Vec<BrokerId> {
    brokers.iter().map(|broker| BrokerId(*broker)).collect()
}

/// Returns the partitions of topics, sorted.
pub(super) fn sorted_partitions<'a>(assigned: impl Iterator<Item = (&'a WireTopic, &'a [i32])>) -> Vec<TopicPartition> {
    let mut partitions: Vec<TopicPartition> = assigned
        .filter_map(|(name, partitions)| Some((topic(name).ok()?, partitions)))
        .flat_map(|(topic, partitions)| partitions.iter().map(move |partition| (topic.clone(), *partition)))
        .collect();
    partitions.sort_unstable();
    partitions
}

/// Returns the value of this number; `all` is in the order of the numbers.
pub(super) fn known<T: Copy>(all: &[T], unknown: T, number: i8) -> T {
    usize::try_from(number).ok().and_then(|number| all.get(number)).copied().unwrap_or(unknown)
}

/// Reads a set of operations: a bit for each, by its number.
pub(super) fn operations(bits: i32) -> Option<BTreeSet<AclOperation>> {
    let is_set = |operation: &&AclOperation| bits >> (**operation as i8) & 1 == 1;
    (bits != NOT_ASKED).then(|| AclOperation::ALL.iter().filter(is_set).copied().collect())
}

/// Returns what an answer has to have and this one has not.
pub(super) fn missing(what: &str) -> crate::error::Error {
    Kind::Kafka.because(format!("Kafka's answer has no {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_the_bits_of_their_numbers() {
        assert_eq!(operations(0b1000), Some(BTreeSet::from([AclOperation::Read])));
        assert_eq!(operations(NOT_ASKED), None);
        assert_eq!(operations(0), Some(BTreeSet::new()));
    }

    #[test]
    fn a_number_that_is_not_known_is_the_unknown_one() {
        assert_eq!(known(AclOperation::ALL, AclOperation::Unknown, 15), AclOperation::TwoPhaseCommit);
        assert_eq!(known(AclOperation::ALL, AclOperation::Unknown, 16), AclOperation::Unknown);
        assert_eq!(known(AclOperation::ALL, AclOperation::Unknown, -1), AclOperation::Unknown);
    }
}
