use std::collections::BTreeMap;

use crate::model::TopicName;

/// A topic with its effective configuration and partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Effective configuration, defaults included; a sensitive value is `None`.
    pub configs: BTreeMap<String, Option<String>>,
    /// In the order of their numbers.
    pub partitions: Vec<Partition>,
}

/// A partition and who has copies of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub id: i32,
    /// The broker that leads it; -1 where there is none.
    pub leader: i32,
    /// In the broker's order.
    pub replicas: Vec<Replica>,
}

/// One copy of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The broker that has it.
    pub broker: i32,
    /// Whether that broker leads the partition.
    pub leader: bool,
    /// Whether the copy is in sync.
    pub in_sync: bool,
}

/// The offsets between which a partition has records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// The first offset.
    pub beginning: i64,
    /// The next offset that will be written.
    pub end: i64,
}
