//! Partitions that move to other brokers.

use std::collections::BTreeMap;

use crate::admin::{Admin, Code};
use crate::domain::admin::partitions::Failed;
use crate::error::{Error, Kind, Result};
use crate::model::{NewAssignment, Reassignment, TopicName};

/// Returns the move of a partition that is under way; `None` where it does not move, or does not exist.
pub async fn find(admin: &Admin, topic: &TopicName, partition: i32) -> Result<Option<Reassignment>> {
    let moves = admin.list_reassignments(Some(topic)).await?;
    Ok(moves.into_iter().find(|found| found.partition == partition))
}

/// Begins or ends moves, all that can be; returns what was refused. Of two for one partition the last one counts.
pub async fn alter(admin: &Admin, wanted: Vec<NewAssignment>) -> Result<Vec<Failed>> {
    let last: BTreeMap<_, _> = wanted.into_iter().map(|it| ((it.topic.clone(), it.partition), it)).collect();
    let wanted: Vec<_> = last.into_values().collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let altered = admin.alter_reassignments(&wanted).await?;
    let failed = |(partition, result): (_, Result<()>)| result.err().map(|error| Failed(partition, refusal(error)));
    Ok(altered.into_iter().filter_map(failed).collect())
}

/// Begins or ends one move.
pub async fn alter_one(admin: &Admin, wanted: NewAssignment) -> Result<()> {
    let failed = alter(admin, vec![wanted]).await?;
    failed.into_iter().next().map_or(Ok(()), |Failed(_, error)| Err(error))
}

/// A request that cannot be is the caller's mistake, although Kafka's codes for it count as its own failures.
fn refusal(error: Error) -> Error {
    match Code::of(&error) {
        Some(Code::INVALID_REPLICA_ASSIGNMENT) => error.as_kind(Kind::KafkaBadRequest),
        Some(Code::NO_REASSIGNMENT_IN_PROGRESS) => error.as_kind(Kind::NotFound),
        Some(_) | None => error,
    }
}
