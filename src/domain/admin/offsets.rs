//! Committed offsets of a group, changed without being a member of it.

use std::collections::HashSet;
use std::hash::Hash;

use crate::admin::Admin;
use crate::domain::admin::groups;
use crate::domain::admin::partitions::Failed;
use crate::error::{Error, Kind, Result};
use crate::model::{GroupDescription, PartitionId, PartitionOffset, TopicName};

/// Which of a group's partitions are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All for which the group has committed an offset.
    Committed,
    /// Those of these topics.
    Topics(Vec<TopicName>),
    /// These.
    Partitions(Vec<(TopicName, PartitionId)>),
}

/// Returns what a group has committed, sorted by topic and partition; 404 where there is no such group.
pub async fn committed(admin: &Admin, group: &str) -> Result<Vec<PartitionOffset>> {
    Ok(group_and_committed(admin, group).await?.1)
}

/// Commits offsets for a group without members, which is made if there is none; returns what failed.
///
/// It is an error as a whole where every partition fails.
pub async fn alter(admin: &Admin, group: &str, offsets: &[PartitionOffset]) -> Result<Vec<Failed>> {
    named_once(offsets.iter().map(|offset| (&offset.topic, offset.partition)))?;
    if offsets.is_empty() {
        return Ok(Vec::new());
    }
    let altered = admin.alter_offsets(group, offsets).await;
    concluded(altered.map_err(|error| groups::explained(error, group))?, group)
}

/// Deletes committed offsets of partitions that no member is subscribed to; returns what failed.
///
/// It is an error as a whole where every partition fails.
pub async fn delete(admin: &Admin, group: &str, scope: &Scope) -> Result<Vec<Failed>> {
    let (_, committed) = group_and_committed(admin, group).await?;
    let known = committed.into_iter().map(|offset| (offset.topic, offset.partition.get()));
    let partitions: Vec<(TopicName, i32)> = match scope {
        Scope::Committed => known.collect(),
        Scope::Topics(topics) => known.filter(|(topic, _)| topics.contains(topic)).collect(),
        Scope::Partitions(partitions) => {
            named_once(partitions.iter())?;
            partitions.iter().map(|(topic, partition)| (topic.clone(), partition.get())).collect()
        }
    };
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let deleted = admin.delete_offsets(group, &partitions).await;
    concluded(deleted.map_err(|error| groups::explained(error, group))?, group)
}

/// Returns a group with what it has committed; 404 where there is none.
pub(super) async fn group_and_committed(
    admin: &Admin,
    group: &str,
) -> Result<(GroupDescription, Vec<PartitionOffset>)> {
    let (found, committed) = tokio::join!(groups::find(admin, group), admin.committed_offsets(group));
    match found? {
        Some(found) => Ok((found, committed?)),
        None => Err(groups::unknown(group)),
    }
}

/// Refuses partitions that are named twice: one of the two would be lost.
pub(super) fn named_once<T: Eq + Hash>(partitions: impl Iterator<Item = T>) -> Result<()> {
    let mut seen = HashSet::new();
    for partition in partitions {
        if !seen.insert(partition) {
            return Err(Kind::BadRequest.because("A partition is named twice: name each once."));
        }
    }
    Ok(())
}

/// Returns what failed; the first of the errors where everything did.
pub(super) fn concluded(results: Vec<((TopicName, i32), Result<()>)>, group: &str) -> Result<Vec<Failed>> {
    let asked = results.len();
    let failed = |(partition, result): (_, Result<()>)| {
        result.err().map(|error| Failed(partition, groups::explained(error, group)))
    };
    let failed: Vec<Failed> = results.into_iter().filter_map(failed).collect();
    if failed.len() < asked {
        return Ok(failed);
    }
    match failed.into_iter().next() {
        Some(Failed((topic, partition), error)) => Err(about(error, &topic, partition)),
        None => Ok(Vec::new()),
    }
}

/// Says which partition an error is about, unless it is about the group.
pub(super) fn about(error: Error, topic: &TopicName, partition: i32) -> Error {
    match error.kind() {
        Kind::GroupNotEmpty | Kind::NotFound => error,
        _ => {
            let detail = format!("Partition {partition} of topic {topic}: {}", error.message());
            error.with_detail(detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(partition: i32, result: Result<()>) -> ((TopicName, i32), Result<()>) {
        ((TopicName::try_from("t").unwrap(), partition), result)
    }

    #[test]
    fn what_fails_as_a_whole_is_an_error_and_else_a_list() {
        let refused = || Err(Kind::KafkaAuthorization.because("no"));
        let all = concluded(vec![result(0, refused()), result(1, refused())], "g");
        let Err(error) = all else { panic!("it is no error") };
        assert_eq!(error.message(), "Partition 0 of topic t: no");
        let Ok(some) = concluded(vec![result(0, Ok(())), result(1, refused())], "g") else { panic!("it is an error") };
        assert_eq!((some.len(), some[0].0.1), (1, 1));
        assert!(concluded(Vec::new(), "g").is_ok_and(|failed| failed.is_empty()));
    }

    #[test]
    fn a_partition_may_be_named_once() {
        assert!(named_once([("a", 0), ("a", 1)].iter()).is_ok());
        assert_eq!(named_once([1, 2, 1].iter()).unwrap_err().kind(), Kind::BadRequest);
    }
}
