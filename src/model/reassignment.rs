use crate::model::TopicName;

/// A partition that moves to other brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// The brokers that have a copy or get one.
    pub replicas: Vec<i32>,
    /// Those of them that get one.
    pub adding: Vec<i32>,
    /// Those that lose theirs in the end.
    pub removing: Vec<i32>,
}

/// Where a partition is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAssignment {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// The brokers that are to have a copy, the preferred leader first; `None` ends the move that is under way.
    pub replicas: Option<Vec<i32>>,
}

/// Who may be elected as the leader of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The first of its replicas, if it is in sync.
    Preferred,
    /// Any replica if none is in sync: records may be lost.
    Unclean,
}
