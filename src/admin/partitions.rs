use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse, ElectLeadersRequest};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{topic, wire_topic};
use crate::admin::failure::Repeat;
use crate::admin::operation::Route;
use crate::admin::rounds::Part;
use crate::error::Result;
use crate::model::{Election, TopicName, TopicPartition};

/// Where the log ends, for a request to delete records.
const HIGH_WATERMARK: i64 = -1;

impl Admin {
    /// Elects leaders of `partitions`, or of all; says what became of each that the controller looked at, in no order.
    ///
    /// A partition that has the right leader has an error with [`Code::ELECTION_NOT_NEEDED`].
    pub async fn elect_leaders(
        &self,
        election: Election,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<Vec<(TopicPartition, Result<()>)>> {
        let operation = self.operation()?;
        let request = |version| {
            let request = ElectLeadersRequest::default()
                .with_topic_partitions(partitions.map(by_topic))
                .with_timeout_ms(operation.broker_timeout_ms());
            // The first version knows only the preferred leader.
            if version == 0 && election == Election::Preferred {
                request
            } else {
                request.with_election_type(number(election))
            }
        };
        let answer = operation.call(Route::Controller, Repeat::Never, request).await?;
        let mut ended = Vec::new();
        for answered in answer.replica_election_results {
            let Ok(topic) = topic(&answered.topic) else { continue };
            ended.extend(answered.partition_result.iter().map(|result| {
                let outcome = Code(result.error_code).ok(result.error_message.as_deref());
                ((topic.clone(), result.partition_id), outcome)
            }));
        }
        Ok(ended)
    }

    /// Deletes the records of partitions before an offset, or all where it is `None`. Returns the first offset that is
    /// left in each, in their order.
    pub async fn delete_records(
        &self,
        before: &[(TopicName, i32, Option<i64>)],
    ) -> Result<Vec<(TopicPartition, Result<i64>)>> {
        let operation = self.operation()?;
        let partitions: Vec<_> = before.iter().map(|(topic, partition, _)| (topic.clone(), *partition)).collect();
        let offsets: HashMap<_, _> = before
            .iter()
            .map(|(topic, partition, offset)| ((topic.clone(), *partition), offset.unwrap_or(HIGH_WATERMARK)))
            .collect();
        let build = |led: &[TopicPartition], _| {
            let wanted = led.iter().filter_map(|partition| Some((partition, *offsets.get(partition)?)));
            DeleteRecordsRequest::default()
                .with_topics(deleted_by_topic(wanted))
                .with_timeout_ms(operation.broker_timeout_ms())
        };
        operation.at_leaders(&partitions, Repeat::Never, build, watermarks).await
    }
}

fn number(election: Election) -> i8 {
    match election {
        Election::Preferred => 0,
        Election::Unclean => 1,
    }
}

fn by_topic(partitions: &[TopicPartition]) -> Vec<TopicPartitions> {
    let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    let wanted =
        |(topic, partitions)| TopicPartitions::default().with_topic(wire_topic(topic)).with_partitions(partitions);
    topics.into_iter().map(wanted).collect()
}

fn deleted_by_topic<'a>(wanted: impl Iterator<Item = (&'a TopicPartition, i64)>) -> Vec<DeleteRecordsTopic> {
    let mut topics: BTreeMap<&TopicName, Vec<DeleteRecordsPartition>> = BTreeMap::new();
    for ((topic, partition), offset) in wanted {
        let deleted = DeleteRecordsPartition::default().with_partition_index(*partition).with_offset(offset);
        topics.entry(topic).or_default().push(deleted);
    }
    let wanted =
        |(topic, partitions)| DeleteRecordsTopic::default().with_name(wire_topic(topic)).with_partitions(partitions);
    topics.into_iter().map(wanted).collect()
}

fn watermarks(answer: DeleteRecordsResponse) -> Vec<Part<TopicPartition, i64>> {
    let mut parts = Vec::new();
    for answered in answer.topics {
        let Ok(topic) = topic(&answered.name) else { continue };
        parts.extend(answered.partitions.iter().map(|partition| Part {
            key: (topic.clone(), partition.partition_index),
            code: Code(partition.error_code),
            message: None,
            value: partition.low_watermark,
        }));
    }
    parts
}
