use kafka_protocol::messages::create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::configs::source;
use crate::admin::convert::{broker_ids, missing, operations, text, topic, wire, wire_brokers, wire_topic};
use crate::admin::failure::Repeat;
use crate::admin::operation::{Operation, Route};
use crate::error::Result;
use crate::model::{
    ConfigEntry, ConfigType, CreatedTopic, NewTopic, PartitionDescription, TopicDescription, TopicName,
};

/// A default that the broker is to choose.
const BROKER_DEFAULT: i16 = -1;

impl Admin {
    /// Lists the topics that the proxy's Kafka user may see, sorted by name; Kafka's own are among them.
    pub async fn list_topics(&self, authorized_operations: bool) -> Result<Vec<TopicDescription>> {
        let answered = self.operation()?.metadata(None, authorized_operations).await?;
        // A topic that is being deleted is listed with an error.
        let mut topics: Vec<_> = answered.into_iter().filter_map(|found| described(found).ok()).collect();
        topics.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(topics)
    }

    /// Describes topics, each by itself, in no order. Never creates one.
    pub async fn describe_topics(
        &self,
        topics: &[TopicName],
        authorized_operations: bool,
    ) -> Result<Vec<(TopicName, Result<TopicDescription>)>> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let answered = self.operation()?.metadata(Some(topics), authorized_operations).await?;
        let by_name = |found: MetadataResponseTopic| Some((topic(found.name.as_ref()?).ok()?, described(found)));
        Ok(answered.into_iter().filter_map(by_name).collect())
    }

    /// Describes one topic. Never creates it; one that does not exist is `UnknownTopic`.
    pub async fn describe_topic(&self, topic: &TopicName, authorized_operations: bool) -> Result<TopicDescription> {
        let described = self.describe_topics(std::slice::from_ref(topic), authorized_operations).await?;
        described.into_iter().next().ok_or_else(|| missing("topic"))?.1
    }

    /// Makes a topic; with `validate_only` it only checks that it could be made.
    ///
    /// The embedded Kafka does not know this: the error is `Unsupported`.
    pub async fn create_topic(&self, new: &NewTopic, validate_only: bool) -> Result<CreatedTopic> {
        let operation = self.operation()?;
        let request = |_| {
            CreateTopicsRequest::default()
                .with_topics(vec![creatable(new)])
                .with_timeout_ms(operation.broker_timeout_ms())
                .with_validate_only(validate_only)
        };
        let answer = operation.call(Route::Controller, Repeat::Never, request).await?;
        answer.topics.into_iter().next().map(created).ok_or_else(|| missing("topic"))
    }

    /// Adds partitions until there are `count`; which brokers get them may be said by `assignments`, one for each that
    /// is added.
    pub async fn create_partitions(
        &self,
        topic: &TopicName,
        count: i32,
        assignments: Option<&[Vec<i32>]>,
        validate_only: bool,
    ) -> Result<()> {
        let operation = self.operation()?;
        let assigned =
            |brokers: &Vec<i32>| CreatePartitionsAssignment::default().with_broker_ids(wire_brokers(brokers));
        let request = |_| {
            let wanted = CreatePartitionsTopic::default()
                .with_name(wire_topic(topic))
                .with_count(count)
                .with_assignments(assignments.map(|assignments| assignments.iter().map(assigned).collect()));
            CreatePartitionsRequest::default()
                .with_topics(vec![wanted])
                .with_timeout_ms(operation.broker_timeout_ms())
                .with_validate_only(validate_only)
        };
        operation.call(Route::Controller, Repeat::Never, request).await.map(drop)
    }

    /// Deletes a topic with all its records.
    pub async fn delete_topic(&self, topic: &TopicName) -> Result<()> {
        let operation = self.operation()?;
        let request = |version| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(operation.broker_timeout_ms());
            if version < 6 {
                request.with_topic_names(vec![wire_topic(topic)])
            } else {
                request.with_topics(vec![DeleteTopicState::default().with_name(Some(wire_topic(topic)))])
            }
        };
        operation.call(Route::Controller, Repeat::Never, request).await.map(drop)
    }
}

impl Operation<'_> {
    /// Asks for some topics, or for all.
    pub(super) async fn metadata(
        &self,
        topics: Option<&[TopicName]>,
        authorized_operations: bool,
    ) -> Result<Vec<MetadataResponseTopic>> {
        let wanted = |topic| MetadataRequestTopic::default().with_name(Some(wire_topic(topic)));
        let request = |version| {
            MetadataRequest::default()
                .with_topics(topics.map(|topics| topics.iter().map(wanted).collect()))
                .with_allow_auto_topic_creation(false)
                // Brokers that do not know the field do not tell.
                .with_include_topic_authorized_operations(authorized_operations && version >= 8)
        };
        Ok(self.call(Route::Any, Repeat::Harmless, request).await?.topics)
    }
}

fn described(found: MetadataResponseTopic) -> Result<TopicDescription> {
    Code(found.error_code).ok(None)?;
    let mut partitions: Vec<_> = found.partitions.iter().map(partition).collect();
    partitions.sort_unstable_by_key(|partition| partition.id);
    Ok(TopicDescription {
        name: topic(&found.name.ok_or_else(|| missing("topic name"))?)?,
        internal: found.is_internal,
        partitions,
        authorized_operations: operations(found.topic_authorized_operations),
    })
}

fn partition(found: &MetadataResponsePartition) -> PartitionDescription {
    PartitionDescription {
        id: found.partition_index,
        leader: Some(found.leader_id.0).filter(|leader| *leader >= 0),
        replicas: broker_ids(&found.replica_nodes),
        isr: broker_ids(&found.isr_nodes),
        offline: broker_ids(&found.offline_replicas),
    }
}

fn creatable(new: &NewTopic) -> CreatableTopic {
    let assigned = |(partition, brokers): (&i32, &Vec<i32>)| {
        CreatableReplicaAssignment::default().with_partition_index(*partition).with_broker_ids(wire_brokers(brokers))
    };
    let config = |(name, value): &(String, Option<String>)| {
        CreatableTopicConfig::default().with_name(wire(name)).with_value(value.as_deref().map(wire))
    };
    CreatableTopic::default()
        .with_name(wire_topic(&new.name))
        .with_num_partitions(new.partitions.unwrap_or(BROKER_DEFAULT.into()))
        .with_replication_factor(new.replication_factor.unwrap_or(BROKER_DEFAULT))
        .with_assignments(new.assignments.iter().map(assigned).collect())
        .with_configs(new.configs.iter().map(config).collect())
}

fn created(topic: CreatableTopicResult) -> CreatedTopic {
    CreatedTopic {
        // -1 where the user may not read configs.
        partitions: Some(topic.num_partitions).filter(|count| *count >= 0),
        replication_factor: Some(topic.replication_factor).filter(|factor| *factor >= 0),
        configs: topic
            .configs
            .filter(|_| topic.topic_config_error_code == 0)
            .map(|configs| configs.into_iter().map(config).collect()),
    }
}

fn config(found: CreatableTopicConfigs) -> ConfigEntry {
    ConfigEntry {
        name: found.name.to_string(),
        value: text(found.value),
        read_only: found.read_only,
        sensitive: found.is_sensitive,
        source: source(found.config_source),
        config_type: ConfigType::Unknown,
        synonyms: Vec::new(),
        documentation: None,
    }
}
