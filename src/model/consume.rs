use crate::model::{PartitionId, TopicName};

/// A partition with an offset; what the offset means is up to the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionOffset {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: PartitionId,
    /// An offset.
    pub offset: i64,
    /// The text that goes with a committed offset; empty elsewhere.
    pub metadata: String,
}

impl PartitionOffset {
    /// What stands for no offset: what is committed, or the reset policy, decides. `RD_KAFKA_OFFSET_INVALID`.
    pub const UNSET: i64 = -1001;

    /// Returns a partition with an offset and nothing else.
    pub fn new(topic: TopicName, partition: PartitionId, offset: i64) -> PartitionOffset {
        PartitionOffset { topic, partition, offset, metadata: String::new() }
    }
}

/// Where a group begins that has no committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// At the first record.
    Earliest,
    /// After the last record.
    Latest,
    /// Nowhere: reading fails.
    None,
}

/// What a member of a group is created with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// The group's id.
    pub group: String,
    /// Where it begins.
    pub reset: Reset,
    /// Whether delivered offsets are committed by themselves, every five seconds and at the end.
    pub auto_commit: bool,
    /// Consumer properties of this member alone, by Kafka's names; checked by the caller.
    pub properties: Vec<(&'static str, String)>,
}
