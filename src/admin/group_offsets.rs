use std::collections::BTreeMap;

use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    GroupId, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest, OffsetFetchResponse, TopicName as WireTopic,
};
use kafka_protocol::protocol::StrBytes;

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{topic, wire, wire_topic};
use crate::admin::failure::Repeat;
use crate::admin::operation::Route;
use crate::error::Result;
use crate::model::{PartitionId, PartitionOffset, TopicName, TopicPartition};

/// What is committed by nobody of the group.
const NO_GENERATION: i32 = -1;
const NO_EPOCH: i32 = -1;

impl Admin {
    /// Returns the committed offsets of a group, sorted by topic and partition; none for a group that does not exist.
    pub async fn committed_offsets(&self, group: &str) -> Result<Vec<PartitionOffset>> {
        let request = |version| {
            if version < 8 {
                OffsetFetchRequest::default().with_group_id(GroupId(wire(group))).with_topics(None)
            } else {
                let asked = OffsetFetchRequestGroup::default().with_group_id(GroupId(wire(group))).with_topics(None);
                OffsetFetchRequest::default().with_groups(vec![asked])
            }
        };
        let answer = self.operation()?.call(Route::Group(group), Repeat::Harmless, request).await?;
        let mut offsets = committed(answer)?;
        offsets.sort_unstable_by(|one, other| (&one.topic, one.partition).cmp(&(&other.topic, other.partition)));
        Ok(offsets)
    }

    /// Commits offsets for a group that has no members; says what became of each, in their order.
    ///
    /// The group is made if there is none.
    pub async fn alter_offsets(
        &self,
        group: &str,
        offsets: &[PartitionOffset],
    ) -> Result<Vec<(TopicPartition, Result<()>)>> {
        let request = |_| {
            OffsetCommitRequest::default()
                .with_group_id(GroupId(wire(group)))
                .with_generation_id_or_member_epoch(NO_GENERATION)
                .with_topics(committed_topics(offsets))
        };
        let answer = self.operation()?.call(Route::Group(group), Repeat::Never, request).await?;
        let mut codes = BTreeMap::new();
        for altered in answer.topics {
            for partition in altered.partitions {
                codes.insert((altered.name.0.to_string(), partition.partition_index), Code(partition.error_code));
            }
        }
        let wanted = offsets.iter().map(|offset| (offset.topic.clone(), offset.partition.get()));
        Ok(ended(wanted, &codes))
    }

    /// Deletes committed offsets of partitions that no member of the group is subscribed to; says what became of each,
    /// in their order.
    pub async fn delete_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, Result<()>)>> {
        let request = |_| {
            OffsetDeleteRequest::default().with_group_id(GroupId(wire(group))).with_topics(deleted_topics(partitions))
        };
        let answer = self.operation()?.call(Route::Group(group), Repeat::Never, request).await?;
        let mut codes = BTreeMap::new();
        for deleted in answer.topics {
            for partition in deleted.partitions {
                codes.insert((deleted.name.0.to_string(), partition.partition_index), Code(partition.error_code));
            }
        }
        Ok(ended(partitions.iter().cloned(), &codes))
    }
}

fn ended(
    wanted: impl Iterator<Item = TopicPartition>,
    codes: &BTreeMap<(String, i32), Code>,
) -> Vec<(TopicPartition, Result<()>)> {
    let result = |(topic, partition): TopicPartition| {
        let code = codes.get(&(topic.to_string(), partition)).copied().unwrap_or(Code::UNKNOWN_SERVER_ERROR);
        ((topic, partition), code.ok(None))
    };
    wanted.map(result).collect()
}

fn committed(answer: OffsetFetchResponse) -> Result<Vec<PartitionOffset>> {
    let mut offsets = Vec::new();
    for topic in answer.topics {
        for found in topic.partitions {
            let code = Code(found.error_code);
            offsets.extend(offset(&topic.name, found.partition_index, code, found.committed_offset, found.metadata)?);
        }
    }
    for topic in answer.groups.into_iter().flat_map(|group| group.topics) {
        for found in topic.partitions {
            let code = Code(found.error_code);
            offsets.extend(offset(&topic.name, found.partition_index, code, found.committed_offset, found.metadata)?);
        }
    }
    Ok(offsets)
}

fn offset(
    name: &WireTopic,
    partition: i32,
    code: Code,
    offset: i64,
    metadata: Option<StrBytes>,
) -> Result<Option<PartitionOffset>> {
    code.ok(None)?;
    if offset < 0 {
        return Ok(None);
    }
    let metadata = metadata.map(|metadata| metadata.to_string()).unwrap_or_default();
    let (topic, partition) = (topic(name)?, PartitionId::try_from(partition)?);
    Ok(Some(PartitionOffset { topic, partition, offset, metadata }))
}

fn committed_topics(offsets: &[PartitionOffset]) -> Vec<OffsetCommitRequestTopic> {
    let mut topics: BTreeMap<&TopicName, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for offset in offsets {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(offset.partition.get())
            .with_committed_offset(offset.offset)
            .with_committed_leader_epoch(NO_EPOCH)
            .with_committed_metadata(Some(wire(&offset.metadata)));
        topics.entry(&offset.topic).or_default().push(partition);
    }
    let wanted = |(topic, partitions)| {
        OffsetCommitRequestTopic::default().with_name(wire_topic(topic)).with_partitions(partitions)
    };
    topics.into_iter().map(wanted).collect()
}

fn deleted_topics(partitions: &[TopicPartition]) -> Vec<OffsetDeleteRequestTopic> {
    let mut topics: BTreeMap<&TopicName, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
    for (topic, partition) in partitions {
        let wanted = OffsetDeleteRequestPartition::default().with_partition_index(*partition);
        topics.entry(topic).or_default().push(wanted);
    }
    let wanted = |(topic, partitions)| {
        OffsetDeleteRequestTopic::default().with_name(wire_topic(topic)).with_partitions(partitions)
    };
    topics.into_iter().map(wanted).collect()
}
