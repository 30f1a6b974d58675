//! The folders in which brokers keep partitions.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::admin::Admin;
use crate::domain::admin::{brokers, topics};
use crate::error::{Kind, Result};
use crate::model::{LogDir, LogDirReplica, TopicName};

/// A copy of a partition, and where it is.
pub struct PlacedReplica {
    /// The broker.
    pub broker: i32,
    /// The folder.
    pub path: String,
    /// The copy.
    pub replica: LogDirReplica,
}

/// Describes the folders of a broker; `NotFound` where there is no such broker.
pub async fn of_broker(admin: &Admin, broker: i32) -> Result<Vec<LogDir>> {
    brokers::get(admin, broker).await?;
    admin.describe_log_dirs(broker).await
}

/// Returns the copies of a topic's partitions, by partition and broker.
///
/// Those on brokers that are not there, and in folders that cannot be read, are left out.
pub async fn of_topic(admin: &Admin, topic: &TopicName) -> Result<Vec<PlacedReplica>> {
    let described = topics::describe(admin, topic, false).await?;
    let brokers: BTreeSet<i32> =
        described.partitions.iter().flat_map(|partition| &partition.replicas).copied().collect();
    let asked = brokers.into_iter().map(|broker| async move { (broker, admin.describe_log_dirs(broker).await) });
    let mut placed = Vec::new();
    for (broker, folders) in join_all(asked).await {
        match folders {
            Ok(folders) => placed.extend(folders.into_iter().flat_map(|folder| copies(topic, broker, folder))),
            Err(error) if error.kind() == Kind::BrokerNotAvailable => {}
            Err(error) => return Err(error),
        }
    }
    placed.sort_by_key(|placed| (placed.replica.partition, placed.broker));
    Ok(placed)
}

fn copies(topic: &TopicName, broker: i32, folder: LogDir) -> Vec<PlacedReplica> {
    let of_topic = folder.replicas.unwrap_or_default().into_iter().filter(|replica| replica.topic == *topic);
    of_topic.map(|replica| PlacedReplica { broker, path: folder.path.clone(), replica }).collect()
}
