//! Topics: made, grown, deleted, listed.

use crate::admin::{Admin, Code};
use crate::domain::admin::{Change, settled};
use crate::error::{Error, Kind, Result};
use crate::kafka::{Kafka, MockKafka};
use crate::model::{CreatedTopic, NewTopic, TopicDescription, TopicName};

/// How many partitions the embedded Kafka gives a topic of which nobody says it, as it does on first use.
const EMBEDDED_PARTITIONS: i32 = 4;

/// Lists all topics but Kafka's own, sorted by name.
pub async fn list(admin: &Admin, authorized_operations: bool) -> Result<Vec<TopicDescription>> {
    let mut topics = admin.list_topics(authorized_operations).await?;
    topics.retain(|topic| !topic.internal);
    Ok(topics)
}

/// Describes a topic; `UnknownTopic` where there is none. Never creates it.
pub async fn describe(admin: &Admin, topic: &TopicName, authorized_operations: bool) -> Result<TopicDescription> {
    settled(async || admin.describe_topic(topic, authorized_operations).await).await
}

/// Makes a topic; with `validate_only` it only checks that it could be made.
pub async fn create(kafka: &Kafka, admin: &Admin, new: &NewTopic, validate_only: bool) -> Result<CreatedTopic> {
    let created = match &kafka.embedded {
        Some(embedded) => create_embedded(embedded, admin, new, validate_only).await?,
        None => create_at_controller(admin, new, validate_only).await?,
    };
    if let (false, Some(partitions)) = (validate_only, created.partitions) {
        kafka.metadata.learn(&new.name, partitions);
    }
    Ok(created)
}

/// Adds partitions to a topic until there are `count`, and describes it.
pub async fn grow(kafka: &Kafka, admin: &Admin, topic: &TopicName, count: i32) -> Result<TopicDescription> {
    let before = admin.describe_topic(topic, false).await;
    let wanted = usize::try_from(count).unwrap_or(0);
    let change = Change::begin(before.map(|before| before.partitions.len() < wanted))?;
    let grown = admin.create_partitions(topic, count, None, false).await;
    grown.map_err(|error| change.refused(error, Code::INVALID_PARTITIONS))?;
    kafka.metadata.learn(topic, count);
    describe(admin, topic, false).await.map_err(|error| {
        let why = format!("The partitions were added, but the topic cannot be described: {}", error.message());
        error.with_detail(why)
    })
}

/// Deletes a topic with all its records.
pub async fn delete(kafka: &Kafka, admin: &Admin, topic: &TopicName) -> Result<()> {
    let change = Change::begin(admin.describe_topic(topic, false).await.map(|_| true))?;
    let deleted = admin.delete_topic(topic).await;
    // Also where the answer was lost: it may have been deleted.
    kafka.metadata.forget(topic);
    deleted.map_err(|error| change.refused(error, Code::UNKNOWN_TOPIC_OR_PARTITION))
}

async fn create_at_controller(admin: &Admin, new: &NewTopic, validate_only: bool) -> Result<CreatedTopic> {
    let missing = match admin.describe_topic(&new.name, false).await {
        Err(error) if error.kind() == Kind::UnknownTopic => Ok(!validate_only),
        described => described.map(|_| false),
    };
    let change = Change::begin(missing)?;
    let created = admin.create_topic(new, validate_only).await;
    created.map_err(|error| change.refused(name_refused(error), Code::TOPIC_ALREADY_EXISTS))
}

/// The broker has rules beyond those of [`TopicName`]: names that differ in `.` and `_` alone collide.
fn name_refused(error: Error) -> Error {
    if Code::of(&error) != Some(Code::INVALID_TOPIC_EXCEPTION) {
        return error;
    }
    Kind::InvalidPayload.because(format!("Payload error. Invalid topic name. {}", error.message())).caused_by(error)
}

/// The embedded Kafka does not know the request, but whoever owns it can make topics, without configs.
async fn create_embedded(
    embedded: &MockKafka,
    admin: &Admin,
    new: &NewTopic,
    validate_only: bool,
) -> Result<CreatedTopic> {
    if !new.assignments.is_empty() || !new.configs.is_empty() {
        return Err(Kind::Unsupported.because("The embedded Kafka of --dev knows neither configs nor assignments."));
    }
    let (partitions, copies) = (new.partitions.unwrap_or(EMBEDDED_PARTITIONS), new.replication_factor.unwrap_or(1));
    if partitions < 1 || copies != 1 {
        let why = "The embedded Kafka of --dev has one broker: a topic has 1 partition or more, and 1 replica.";
        return Err(Kind::KafkaBadRequest.because(why));
    }
    if admin.list_topics(false).await?.iter().any(|topic| topic.name == new.name) {
        return Err(Kind::KafkaBadRequest.because(format!("Topic '{}' already exists.", new.name)));
    }
    if !validate_only {
        embedded.create_topic(&new.name, partitions).await?;
    }
    Ok(CreatedTopic { partitions: Some(partitions), replication_factor: Some(copies), configs: None })
}
