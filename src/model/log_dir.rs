use crate::error::Result;
use crate::model::TopicName;

/// A folder in which a broker keeps partitions.
#[derive(Debug)]
pub struct LogDir {
    /// Where it is.
    pub path: String,
    /// The size of its volume; `None` where the broker does not tell.
    pub total_bytes: Option<i64>,
    /// What is free of it; `None` where the broker does not tell.
    pub usable_bytes: Option<i64>,
    /// What is in it, sorted by topic and partition, or why that is not known.
    pub replicas: Result<Vec<LogDirReplica>>,
}

/// A copy of a partition in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirReplica {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// The size of its files.
    pub size_bytes: i64,
    /// How many records it is behind.
    pub offset_lag: i64,
    /// Whether it is to take the place of the copy in another folder.
    pub is_future: bool,
}
