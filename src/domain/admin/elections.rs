//! Elections of the leaders of partitions.

use std::collections::BTreeSet;

use crate::admin::{Admin, Code};
use crate::domain::admin::partitions::Failed;
use crate::error::Result;
use crate::model::{Election, TopicName};

/// Elects leaders of `partitions`, or of all; returns where it failed, by topic and partition.
///
/// A partition that has the right leader is no failure.
pub async fn elect(
    admin: &Admin,
    election: Election,
    partitions: Option<BTreeSet<(TopicName, i32)>>,
) -> Result<Vec<Failed>> {
    let partitions: Option<Vec<_>> = partitions.map(|partitions| partitions.into_iter().collect());
    if partitions.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut failed = Vec::new();
    for (partition, elected) in admin.elect_leaders(election, partitions.as_deref()).await? {
        match elected {
            Err(error) if Code::of(&error) != Some(Code::ELECTION_NOT_NEEDED) => failed.push(Failed(partition, error)),
            Ok(()) | Err(_) => {}
        }
    }
    failed.sort_unstable_by(|Failed(one, _), Failed(other, _)| one.cmp(other));
    Ok(failed)
}
