use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, ListOffsetsResponse};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{topic, wire_topic};
use crate::admin::failure::Repeat;
use crate::admin::rounds::Part;
use crate::error::Result;
use crate::model::{FoundOffset, Isolation, OffsetSpec, TopicName, TopicPartition};

/// What a client is to a broker that asks which replica it is.
const NO_REPLICA: BrokerId = BrokerId(-1);

impl Admin {
    /// Finds an offset of each partition, in their order; each partition may be named once.
    ///
    /// One request goes to each leader. What fails for a partition is in its place.
    pub async fn list_offsets(
        &self,
        wanted: &[(TopicName, i32, OffsetSpec)],
        isolation: Isolation,
    ) -> Result<Vec<(TopicPartition, Result<FoundOffset>)>> {
        let operation = self.operation()?;
        let partitions: Vec<_> = wanted.iter().map(|(topic, partition, _)| (topic.clone(), *partition)).collect();
        let specs: HashMap<_, _> =
            wanted.iter().map(|(topic, partition, spec)| ((topic.clone(), *partition), *spec)).collect();
        let build = |led: &[TopicPartition], version| {
            let asked = led.iter().map(|partition| (partition, specs.get(partition).map_or(-1, number)));
            ListOffsetsRequest::default()
                .with_replica_id(NO_REPLICA)
                .with_isolation_level(level(isolation))
                .with_topics(by_topic(asked))
                .with_timeout_ms(if version < 10 { 0 } else { operation.broker_timeout_ms() })
        };
        operation.at_leaders(&partitions, Repeat::Harmless, build, found).await
    }
}

fn by_topic<'a>(asked: impl Iterator<Item = (&'a TopicPartition, i64)>) -> Vec<ListOffsetsTopic> {
    let mut topics: BTreeMap<&TopicName, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for ((topic, partition), timestamp) in asked {
        let wanted = ListOffsetsPartition::default().with_partition_index(*partition).with_timestamp(timestamp);
        topics.entry(topic).or_default().push(wanted);
    }
    let wanted =
        |(topic, partitions)| ListOffsetsTopic::default().with_name(wire_topic(topic)).with_partitions(partitions);
    topics.into_iter().map(wanted).collect()
}

fn found(answer: ListOffsetsResponse) -> Vec<Part<TopicPartition, FoundOffset>> {
    let mut parts = Vec::new();
    for answered in answer.topics {
        let Ok(topic) = topic(&answered.name) else { continue };
        parts.extend(answered.partitions.iter().map(|partition| part(topic.clone(), partition)));
    }
    parts
}

fn part(topic: TopicName, found: &ListOffsetsPartitionResponse) -> Part<TopicPartition, FoundOffset> {
    let known = |number: i64| Some(number).filter(|number| *number >= 0);
    Part {
        key: (topic, found.partition_index),
        code: Code(found.error_code),
        message: None,
        value: FoundOffset { offset: known(found.offset), timestamp_ms: known(found.timestamp) },
    }
}

/// Returns what stands for it where a timestamp is expected.
fn number(spec: &OffsetSpec) -> i64 {
    match spec {
        OffsetSpec::Latest => -1,
        OffsetSpec::Earliest => -2,
        OffsetSpec::MaxTimestamp => -3,
        OffsetSpec::At(timestamp_ms) => (*timestamp_ms).max(0),
    }
}

fn level(isolation: Isolation) -> i8 {
    match isolation {
        Isolation::ReadUncommitted => 0,
        Isolation::ReadCommitted => 1,
    }
}
