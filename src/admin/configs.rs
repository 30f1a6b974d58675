use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{known, missing, text, wire};
use crate::admin::failure::{Repeat, copy};
use crate::admin::operation::{Operation, Route};
use crate::error::{Error, Result};
use crate::model::{
    ConfigChange, ConfigEntry, ConfigResource, ConfigSource, ConfigSynonym, ConfigType, DescribedConfigs,
};

/// What a description of configs holds beside values and sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfigDetails {
    /// What else could set each.
    pub synonyms: bool,
    /// What Kafka says of each.
    pub documentation: bool,
}

/// Who has to be asked: brokers know only their own configs, everybody knows the rest.
type Asked = BTreeMap<Option<i32>, Vec<ConfigResource>>;

impl Admin {
    /// Describes the configs of many resources, in their order; each broker is asked for its own.
    ///
    /// `names` leaves out all other configs. What fails for one resource is in its place; all else is an error of the
    /// whole only where there is but one resource.
    pub async fn describe_configs(
        &self,
        resources: &[ConfigResource],
        names: Option<&[String]>,
        details: ConfigDetails,
    ) -> Result<Vec<DescribedConfigs>> {
        let operation = self.operation()?;
        let asked = by_broker(resources);
        let answers = asked.into_iter().map(|(broker, resources)| {
            let operation = &operation;
            async move {
                match operation.describe_configs_at(broker, &resources, names, details).await {
                    Ok(described) => described,
                    Err(error) => failed(&resources, &error),
                }
            }
        });
        let mut by_resource: HashMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
        let described = |resource: &ConfigResource| DescribedConfigs {
            configs: by_resource.remove(resource).unwrap_or_else(|| Err(missing("configs of a resource"))),
            resource: resource.clone(),
        };
        Ok(resources.iter().map(described).collect())
    }

    /// Returns the configs of one resource, sorted by name.
    pub async fn configs_of(&self, resource: &ConfigResource, details: ConfigDetails) -> Result<Vec<ConfigEntry>> {
        let described = self.describe_configs(std::slice::from_ref(resource), None, details).await?;
        described.into_iter().next().ok_or_else(|| missing("configs"))?.configs
    }

    /// Changes configs; of one resource either all changes are made or none. Returns what became of each resource, in
    /// their order.
    ///
    /// With `validate_only` it only checks that the changes could be made.
    pub async fn alter_configs(
        &self,
        changes: &[(ConfigResource, Vec<ConfigChange>)],
        validate_only: bool,
    ) -> Result<Vec<(ConfigResource, Result<()>)>> {
        let operation = self.operation()?;
        let resources: Vec<_> = changes.iter().map(|(resource, _)| resource.clone()).collect();
        let answers = by_broker(&resources).into_iter().map(|(broker, resources)| {
            let operation = &operation;
            async move {
                match operation.alter_configs_at(broker, &resources, changes, validate_only).await {
                    Ok(altered) => altered,
                    Err(error) => failed(&resources, &error),
                }
            }
        });
        let mut by_resource: HashMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
        let altered = |resource: ConfigResource| {
            let result = by_resource.remove(&resource).unwrap_or_else(|| Err(missing("result for a resource")));
            (resource, result)
        };
        Ok(resources.into_iter().map(altered).collect())
    }
}

impl Operation<'_> {
    async fn describe_configs_at(
        &self,
        broker: Option<i32>,
        resources: &[ConfigResource],
        names: Option<&[String]>,
        details: ConfigDetails,
    ) -> Result<Vec<(ConfigResource, Result<Vec<ConfigEntry>>)>> {
        let keys = names.map(|names| names.iter().map(|name| wire(name)).collect::<Vec<_>>());
        let asked = |resource: &ConfigResource| {
            DescribeConfigsResource::default()
                .with_resource_type(type_of(resource))
                .with_resource_name(wire(&name_of(resource)))
                .with_configuration_keys(keys.clone())
        };
        let request = |version| {
            DescribeConfigsRequest::default()
                .with_resources(resources.iter().map(asked).collect())
                .with_include_synonyms(details.synonyms)
                .with_include_documentation(details.documentation && version >= 3)
        };
        let route = broker.map_or(Route::Any, Route::Broker);
        let answer = self.call(route, Repeat::Harmless, request).await?;
        let found = |result: DescribeConfigsResult| {
            let resource = same(resources, result.resource_type, &result.resource_name)?;
            Some((resource, entries(result)))
        };
        Ok(answer.results.into_iter().filter_map(found).collect())
    }

    async fn alter_configs_at(
        &self,
        broker: Option<i32>,
        resources: &[ConfigResource],
        changes: &[(ConfigResource, Vec<ConfigChange>)],
        validate_only: bool,
    ) -> Result<Vec<(ConfigResource, Result<()>)>> {
        let altered = |(resource, changes): &(ConfigResource, Vec<ConfigChange>)| {
            AlterConfigsResource::default()
                .with_resource_type(type_of(resource))
                .with_resource_name(wire(&name_of(resource)))
                .with_configs(changes.iter().map(alterable).collect())
        };
        let request = |_| {
            let wanted = changes.iter().filter(|(resource, _)| resources.contains(resource));
            IncrementalAlterConfigsRequest::default()
                .with_resources(wanted.map(altered).collect())
                .with_validate_only(validate_only)
        };
        // Loggers are the broker's own; all else is the controller's, to whom every broker passes it on.
        let route = broker.map_or(Route::Controller, Route::Broker);
        // Setting, unsetting, adding and taking away twice is doing it once.
        let answer = self.call(route, Repeat::Harmless, request).await?;
        let result = |it: AlterConfigsResourceResponse| {
            let resource = same(resources, it.resource_type, &it.resource_name)?;
            Some((resource, Code(it.error_code).ok(it.error_message.as_deref())))
        };
        Ok(answer.responses.into_iter().filter_map(result).collect())
    }
}

fn by_broker(resources: &[ConfigResource]) -> Asked {
    let mut asked = Asked::new();
    for resource in resources {
        let broker = match resource {
            ConfigResource::Broker(id) | ConfigResource::BrokerLogger(id) => Some(*id),
            ConfigResource::Topic(_)
            | ConfigResource::ClusterDefault
            | ConfigResource::Group(_)
            | ConfigResource::ClientMetrics(_) => None,
        };
        let resources = asked.entry(broker).or_default();
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    asked
}

fn failed<T>(resources: &[ConfigResource], error: &Error) -> Vec<(ConfigResource, Result<T>)> {
    resources.iter().map(|resource| (resource.clone(), Err(copy(error)))).collect()
}

/// Returns the number of a kind of resource in Kafka's protocol.
fn type_of(resource: &ConfigResource) -> i8 {
    match resource {
        ConfigResource::Topic(_) => 2,
        ConfigResource::Broker(_) | ConfigResource::ClusterDefault => 4,
        ConfigResource::BrokerLogger(_) => 8,
        ConfigResource::ClientMetrics(_) => 16,
        ConfigResource::Group(_) => 32,
    }
}

fn name_of(resource: &ConfigResource) -> String {
    match resource {
        ConfigResource::Topic(topic) => topic.to_string(),
        ConfigResource::Broker(id) | ConfigResource::BrokerLogger(id) => id.to_string(),
        ConfigResource::ClusterDefault => String::new(),
        ConfigResource::Group(name) | ConfigResource::ClientMetrics(name) => name.clone(),
    }
}

/// Returns that of `resources` which an answer names.
fn same(resources: &[ConfigResource], number: i8, name: &str) -> Option<ConfigResource> {
    resources.iter().find(|resource| type_of(resource) == number && name_of(resource) == name).cloned()
}

fn entries(result: DescribeConfigsResult) -> Result<Vec<ConfigEntry>> {
    Code(result.error_code).ok(result.error_message.as_deref())?;
    let mut entries: Vec<_> = result.configs.into_iter().map(entry).collect();
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

fn entry(found: DescribeConfigsResourceResult) -> ConfigEntry {
    ConfigEntry {
        name: found.name.to_string(),
        value: text(found.value),
        read_only: found.read_only,
        sensitive: found.is_sensitive,
        source: source(found.config_source),
        config_type: known(ConfigType::ALL, ConfigType::Unknown, found.config_type),
        synonyms: found.synonyms.into_iter().map(synonym).collect(),
        documentation: text(found.documentation),
    }
}

fn synonym(found: DescribeConfigsSynonym) -> ConfigSynonym {
    ConfigSynonym { name: found.name.to_string(), value: text(found.value), source: source(found.source) }
}

/// Returns the place that a number of Kafka's protocol means.
pub(super) fn source(number: i8) -> ConfigSource {
    known(ConfigSource::ALL, ConfigSource::Unknown, number)
}

fn alterable(change: &ConfigChange) -> AlterableConfig {
    let (name, operation, value) = match change {
        ConfigChange::Set { name, value } => (name, 0, value.as_deref()),
        ConfigChange::Delete { name } => (name, 1, None),
        ConfigChange::Append { name, value } => (name, 2, Some(value.as_str())),
        ConfigChange::Subtract { name, value } => (name, 3, Some(value.as_str())),
    };
    AlterableConfig::default().with_name(wire(name)).with_config_operation(operation).with_value(value.map(wire))
}
