//! Partitions and their offsets.

use crate::admin::Admin;
use crate::error::{Error, Kind, Result};
use crate::model::{Isolation, OffsetSpec, PartitionDescription, TopicName, Watermarks};

/// Describes a partition; `None` where the topic has none of this number.
pub async fn find(admin: &Admin, topic: &TopicName, id: i32) -> Result<Option<PartitionDescription>> {
    let described = admin.describe_topic(topic, false).await?;
    Ok(described.partitions.into_iter().find(|partition| partition.id == id))
}

/// Returns the first offset of a partition and its high watermark.
pub async fn watermarks(admin: &Admin, topic: &TopicName, id: i32) -> Result<Watermarks> {
    find(admin, topic, id).await?.ok_or(Kind::PartitionNotFound)?;
    let offset = async |spec| {
        let found = admin.list_offsets(&[(topic.clone(), id, spec)], Isolation::ReadUncommitted).await?;
        let (_, found) = found.into_iter().next().ok_or_else(unanswered)?;
        found?.offset.ok_or_else(unanswered)
    };
    let (beginning, end) = tokio::try_join!(offset(OffsetSpec::Earliest), offset(OffsetSpec::Latest))?;
    Ok(Watermarks { beginning, end })
}

fn unanswered() -> Error {
    Kind::Kafka.because("Kafka told no offset of the partition.")
}
