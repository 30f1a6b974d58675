//! Configs of topics, of brokers, and of all brokers.

use std::collections::{BTreeMap, HashSet};

use crate::admin::{Admin, ConfigDetails};
use crate::domain::admin::{brokers, settled, topics};
use crate::error::{Error, Kind, Result};
use crate::model::{ConfigChange, ConfigEntry, ConfigResource, ConfigSource, TopicName};

/// Each config comes with what else could set it.
const DETAILS: ConfigDetails = ConfigDetails { synonyms: true, documentation: false };

/// Lists the configs of a resource, sorted by name.
///
/// Those of [`ConfigResource::ClusterDefault`] are the ones that are set.
pub async fn list(admin: &Admin, resource: &ConfigResource) -> Result<Vec<ConfigEntry>> {
    if let ConfigResource::Broker(id) = resource {
        brokers::get(admin, *id).await?;
    }
    let mut configs = settled(async || admin.configs_of(resource, DETAILS).await).await?;
    if *resource == ConfigResource::ClusterDefault {
        configs.retain(|config| config.source == ConfigSource::DynamicDefaultBroker);
    }
    Ok(configs)
}

/// Returns one config of a resource; `NotFound` where it has none of this name.
pub async fn get(admin: &Admin, resource: &ConfigResource, name: &str) -> Result<ConfigEntry> {
    let found = list(admin, resource).await?.into_iter().find(|config| config.name == name);
    match found {
        Some(config) => Ok(config),
        None => Err(unknown(admin, resource, name).await),
    }
}

/// Lists the configs of every broker, in the order of their ids.
pub async fn of_brokers(admin: &Admin) -> Result<Vec<(i32, Vec<ConfigEntry>)>> {
    let mut ids: Vec<i32> = admin.describe_cluster(false).await?.brokers.iter().map(|broker| broker.id).collect();
    ids.sort_unstable();
    let resources: Vec<_> = ids.iter().map(|id| ConfigResource::Broker(*id)).collect();
    let described = admin.describe_configs(&resources, None, DETAILS).await?;
    ids.into_iter().zip(described).map(|(id, described)| Ok((id, described.configs?))).collect()
}

/// Lists the configs of every topic but Kafka's own, in the order of their names.
pub async fn of_topics(admin: &Admin) -> Result<Vec<(TopicName, Vec<ConfigEntry>)>> {
    let names: Vec<_> = topics::list(admin, false).await?.into_iter().map(|topic| topic.name).collect();
    let resources: Vec<_> = names.iter().cloned().map(ConfigResource::Topic).collect();
    let described = admin.describe_configs(&resources, None, DETAILS).await?;
    let mut all = Vec::with_capacity(names.len());
    for (name, described) in names.into_iter().zip(described) {
        match described.configs {
            Ok(configs) => all.push((name, configs)),
            // Deleted since it was listed.
            Err(error) if error.kind() == Kind::UnknownTopic => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Changes configs of a resource, all or none; a name that the resource does not have is `NotFound`.
///
/// Cluster-wide defaults may have any name: they are listed only once they are set.
pub async fn alter(
    admin: &Admin,
    resource: ConfigResource,
    changes: Vec<ConfigChange>,
    validate_only: bool,
) -> Result<()> {
    if resource != ConfigResource::ClusterDefault {
        let known = list(admin, &resource).await?;
        require(admin, &resource, &known, &changes).await?;
    }
    if changes.is_empty() {
        return Ok(());
    }
    let altered = admin.alter_configs(&[(resource, changes)], validate_only).await?;
    altered.into_iter().try_for_each(|(_, result)| result)
}

/// Changes configs of topics, each topic's all or none; returns what failed, in the order of the names.
///
/// A topic or name that does not exist fails the request before anything is changed.
pub async fn alter_topics(
    admin: &Admin,
    changes: BTreeMap<TopicName, Vec<ConfigChange>>,
    validate_only: bool,
) -> Result<Vec<(TopicName, Error)>> {
    let changes: Vec<_> = changes.into_iter().map(|(topic, changes)| (ConfigResource::Topic(topic), changes)).collect();
    let resources: Vec<_> = changes.iter().map(|(resource, _)| resource.clone()).collect();
    let described = settled(async || {
        let described = admin.describe_configs(&resources, None, ConfigDetails::default()).await?;
        described.into_iter().map(|described| described.configs).collect::<Result<Vec<_>>>()
    });
    for ((resource, changes), known) in changes.iter().zip(described.await?) {
        require(admin, resource, &known, changes).await?;
    }
    let changes: Vec<_> = changes.into_iter().filter(|(_, changes)| !changes.is_empty()).collect();
    let altered = admin.alter_configs(&changes, validate_only).await?;
    let failed = |(resource, result)| match (resource, result) {
        (ConfigResource::Topic(topic), Err(error)) => Some((topic, error)),
        // Nothing but topics was altered.
        (_, Ok(()) | Err(_)) => None,
    };
    Ok(altered.into_iter().filter_map(failed).collect())
}

/// Checks that every change is of a config that the resource has.
async fn require(
    admin: &Admin,
    resource: &ConfigResource,
    known: &[ConfigEntry],
    changes: &[ConfigChange],
) -> Result<()> {
    let known: HashSet<_> = known.iter().map(|config| config.name.as_str()).collect();
    match changes.iter().map(ConfigChange::name).find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(unknown(admin, resource, name).await),
    }
}

async fn unknown(admin: &Admin, resource: &ConfigResource, name: &str) -> Error {
    let owner = match resource {
        ConfigResource::Topic(topic) => format!("TOPIC {topic}"),
        ConfigResource::Broker(id) => format!("BROKER {id}"),
        ConfigResource::ClusterDefault => "all brokers".to_owned(),
        ConfigResource::BrokerLogger(id) => format!("BROKER_LOGGER {id}"),
        ConfigResource::Group(group) => format!("GROUP {group}"),
        ConfigResource::ClientMetrics(name) => format!("CLIENT_METRICS {name}"),
    };
    match admin.cluster_id().await {
        Ok(cluster) => {
            Kind::NotFound.because(format!("Config {name} cannot be found for {owner} in cluster {cluster}."))
        }
        Err(error) => error,
    }
}
