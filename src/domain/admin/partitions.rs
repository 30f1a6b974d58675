//! Partitions and their offsets.

use crate::admin::{Admin, Code};
use crate::domain::admin::topics;
use crate::error::{Error, Kind, Result};
use crate::model::{Isolation, OffsetSpec, PartitionDescription, TopicName, Watermarks};

/// What could not be done to a partition, and why.
pub struct Failed(pub (TopicName, i32), pub Error);

/// Describes a partition; `None` where the topic has none of this number.
pub async fn find(admin: &Admin, topic: &TopicName, id: i32) -> Result<Option<PartitionDescription>> {
    let described = topics::describe(admin, topic, false).await?;
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

/// Deletes the records of a partition before an offset, or all where it is `None`; returns the first that is left.
pub async fn delete_records(admin: &Admin, topic: &TopicName, id: i32, before: Option<i64>) -> Result<i64> {
    find(admin, topic, id).await?.ok_or(Kind::PartitionNotFound)?;
    let deleted = admin.delete_records(&[(topic.clone(), id, before)]).await?;
    let (_, deleted) = deleted.into_iter().next().ok_or_else(unanswered)?;
    deleted.map_err(|error| match Code::of(&error) {
        Some(Code::OFFSET_OUT_OF_RANGE) => {
            Kind::KafkaBadRequest.because("The offset is beyond the end of the partition.").caused_by(error)
        }
        Some(_) | None => error,
    })
}

fn unanswered() -> Error {
    Kind::Kafka.because("Kafka told no offset of the partition.")
}
