use std::collections::{BTreeMap, BTreeSet};

use crate::model::{AclOperation, ConfigEntry, Replica, TopicName};

/// A partition by its topic and number.
pub type TopicPartition = (TopicName, i32);

/// A topic as the cluster describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: TopicName,
    /// Whether Kafka keeps it for itself.
    pub internal: bool,
    /// In the order of their numbers.
    pub partitions: Vec<PartitionDescription>,
    /// What the proxy's Kafka user may do with it; `None` unless it was asked for.
    pub authorized_operations: Option<BTreeSet<AclOperation>>,
}

/// A partition and which brokers have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionDescription {
    /// Its number.
    pub id: i32,
    /// The broker that leads it; `None` where there is none at the moment.
    pub leader: Option<i32>,
    /// The brokers that have to have a copy, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those whose copy is in sync.
    pub isr: Vec<i32>,
    /// Those whose copy cannot be reached.
    pub offline: Vec<i32>,
}

impl PartitionDescription {
    /// Returns what each of the replicas is, in their order.
    pub fn copies(&self) -> impl Iterator<Item = Replica> {
        self.replicas.iter().map(|&broker| Replica {
            broker,
            leader: self.leader == Some(broker),
            in_sync: self.isr.contains(&broker),
        })
    }
}

/// A topic to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: TopicName,
    /// `None` is the broker's default; does not go with `assignments`.
    pub partitions: Option<i32>,
    /// `None` is the broker's default; does not go with `assignments`.
    pub replication_factor: Option<i16>,
    /// Which brokers get each partition; empty leaves it to Kafka.
    pub assignments: BTreeMap<i32, Vec<i32>>,
    /// What is to differ from the defaults.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was made, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreatedTopic {
    /// How many partitions it has; `None` where the broker does not tell.
    pub partitions: Option<i32>,
    /// How many copies each has; `None` where the broker does not tell.
    pub replication_factor: Option<i16>,
    /// All its configs, without synonyms; `None` where the broker does not tell.
    pub configs: Option<Vec<ConfigEntry>>,
}
