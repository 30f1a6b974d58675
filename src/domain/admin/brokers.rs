//! Brokers and what they have.

use crate::admin::Admin;
use crate::error::{Kind, Result};
use crate::model::{Broker, Replica, TopicName};

/// Returns a broker of the cluster; `NotFound` where there is none of this id now.
///
/// Asked before anything that goes to the broker itself, so that nobody waits for one that does not exist.
pub async fn get(admin: &Admin, id: i32) -> Result<Broker> {
    let brokers = admin.describe_cluster(false).await?.brokers;
    let found = brokers.into_iter().find(|broker| broker.id == id);
    found.ok_or_else(|| Kind::NotFound.because(format!("Broker {id} cannot be found.")))
}

/// Returns the replicas that a broker has, with topic and partition, in their order; Kafka's own topics are among them.
pub async fn replicas(admin: &Admin, id: i32) -> Result<Vec<(TopicName, i32, Replica)>> {
    get(admin, id).await?;
    let mut replicas = Vec::new();
    for topic in admin.list_topics(false).await? {
        for partition in &topic.partitions {
            let here = partition.copies().find(|replica| replica.broker == id);
            replicas.extend(here.map(|replica| (topic.name.clone(), partition.id, replica)));
        }
    }
    Ok(replicas)
}
