use std::collections::BTreeMap;

use kafka_protocol::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use kafka_protocol::messages::list_partition_reassignments_response::OngoingTopicReassignment;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ListPartitionReassignmentsRequest,
};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{broker_ids, missing, topic, wire_brokers, wire_topic};
use crate::admin::failure::Repeat;
use crate::admin::operation::Route;
use crate::error::Result;
use crate::model::{NewAssignment, Reassignment, TopicName, TopicPartition};

impl Admin {
    /// Returns the moves that are under way, of one topic or of all, sorted by topic and partition.
    pub async fn list_reassignments(&self, of: Option<&TopicName>) -> Result<Vec<Reassignment>> {
        let operation = self.operation()?;
        // Kafka would want the partitions of a topic too; those that move are few.
        let request = |_| {
            ListPartitionReassignmentsRequest::default()
                .with_timeout_ms(operation.broker_timeout_ms())
                .with_topics(None)
        };
        let answer = operation.call(Route::Controller, Repeat::Harmless, request).await?;
        let mut moves: Vec<Reassignment> = answer.topics.iter().flat_map(ongoing).collect();
        moves.retain(|found| of.is_none_or(|topic| found.topic == *topic));
        moves.sort_unstable_by(|one, other| (&one.topic, one.partition).cmp(&(&other.topic, other.partition)));
        Ok(moves)
    }

    /// Begins or ends moves of partitions; says what became of each, in their order. A move takes its time after that.
    pub async fn alter_reassignments(
        &self,
        assignments: &[NewAssignment],
    ) -> Result<Vec<(TopicPartition, Result<()>)>> {
        let operation = self.operation()?;
        let request = |_| {
            AlterPartitionReassignmentsRequest::default()
                .with_timeout_ms(operation.broker_timeout_ms())
                .with_topics(by_topic(assignments))
        };
        let answer = operation.call(Route::Controller, Repeat::Never, request).await?;
        let mut ended = ended(answer);
        let result = |wanted: &NewAssignment| {
            let partition = (wanted.topic.clone(), wanted.partition);
            let result = ended.remove(&partition).unwrap_or_else(|| Err(missing("result for a partition")));
            (partition, result)
        };
        Ok(assignments.iter().map(result).collect())
    }
}

fn ongoing(found: &OngoingTopicReassignment) -> impl Iterator<Item = Reassignment> {
    let topic = topic(&found.name).ok();
    found.partitions.iter().filter_map(move |partition| {
        Some(Reassignment {
            topic: topic.clone()?,
            partition: partition.partition_index,
            replicas: broker_ids(&partition.replicas),
            adding: broker_ids(&partition.adding_replicas),
            removing: broker_ids(&partition.removing_replicas),
        })
    })
}

fn by_topic(assignments: &[NewAssignment]) -> Vec<ReassignableTopic> {
    let mut topics: BTreeMap<&TopicName, Vec<ReassignablePartition>> = BTreeMap::new();
    for wanted in assignments {
        let partition = ReassignablePartition::default()
            .with_partition_index(wanted.partition)
            .with_replicas(wanted.replicas.as_deref().map(wire_brokers));
        topics.entry(&wanted.topic).or_default().push(partition);
    }
    let wanted =
        |(topic, partitions)| ReassignableTopic::default().with_name(wire_topic(topic)).with_partitions(partitions);
    topics.into_iter().map(wanted).collect()
}

fn ended(answer: AlterPartitionReassignmentsResponse) -> BTreeMap<TopicPartition, Result<()>> {
    let mut ended = BTreeMap::new();
    for answered in answer.responses {
        let Ok(topic) = topic(&answered.name) else { continue };
        for partition in answered.partitions {
            let result = Code(partition.error_code).ok(partition.error_message.as_deref());
            ended.insert((topic.clone(), partition.partition_index), result);
        }
    }
    ended
}
