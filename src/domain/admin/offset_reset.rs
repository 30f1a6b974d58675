//! Moving a group to another place.

use std::collections::HashMap;

use crate::admin::Admin;
use crate::domain::admin::offsets::{Scope, about, concluded, group_and_committed, named_once};
use crate::domain::admin::partitions::Failed;
use crate::domain::admin::{groups, settled};
use crate::error::{Kind, Result};
use crate::model::{Isolation, OffsetSpec, PartitionId, PartitionOffset, TopicName};

/// Where a group is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// At the first record.
    Earliest,
    /// After the last record.
    Latest,
    /// At the first record at or after this time, in milliseconds since 1970; after the last where there is none.
    Timestamp(i64),
    /// At this offset, or at the end that is nearest to it.
    Offset(i64),
    /// So many records further, back if below 0, but not beyond the ends.
    ShiftBy(i64),
}

/// What becomes of the offset of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: PartitionId,
    /// What was committed; `None` for nothing.
    pub old: Option<i64>,
    /// What is committed now, or would be.
    pub new: i64,
}

/// What a reset did, or would do.
pub struct Reset {
    /// Sorted by topic and partition; what failed is among them.
    pub moves: Vec<Move>,
    /// What was not moved, though others were.
    pub failed: Vec<Failed>,
}

/// Moves the partitions of a group, which must have no members; with `dry_run` it only tells what would be done.
///
/// Nothing is changed unless the new offset of every partition is known. 404 where there is no such group; the error
/// of the first partition where all fail.
pub async fn reset(admin: &Admin, group: &str, target: Target, scope: &Scope, dry_run: bool) -> Result<Reset> {
    let (found, committed) = group_and_committed(admin, group).await?;
    if !dry_run && !found.members.is_empty() {
        return Err(groups::in_use(group));
    }
    let old: Old = committed.into_iter().map(|it| ((it.topic, it.partition.get()), it.offset)).collect();
    let partitions = partitions(admin, scope, &old).await?;
    let moves = moves(admin, target, partitions, &old).await?;
    if dry_run {
        return Ok(Reset { moves, failed: Vec::new() });
    }
    let offsets: Vec<_> = moves.iter().map(|it| PartitionOffset::new(it.topic.clone(), it.partition, it.new)).collect();
    let altered = admin.alter_offsets(group, &offsets).await;
    let failed = concluded(altered.map_err(|error| groups::explained(error, group))?, group)?;
    Ok(Reset { moves, failed })
}

type Partition = (TopicName, i32);
type Old = HashMap<Partition, i64>;

/// Returns the partitions that are meant, sorted.
async fn partitions(admin: &Admin, scope: &Scope, old: &Old) -> Result<Vec<Partition>> {
    let mut partitions: Vec<Partition> = match scope {
        Scope::Committed if old.is_empty() => {
            return Err(Kind::NotFound.because(
                "Consumer group offsets could not be found. Name the topics or partitions that are to be set.",
            ));
        }
        Scope::Committed => old.keys().cloned().collect(),
        Scope::Topics(topics) => settled(async || partitions_of(admin, topics).await).await?,
        Scope::Partitions(partitions) => {
            named_once(partitions.iter())?;
            partitions.iter().map(|(topic, partition)| (topic.clone(), partition.get())).collect()
        }
    };
    partitions.sort_unstable();
    Ok(partitions)
}

async fn partitions_of(admin: &Admin, topics: &[TopicName]) -> Result<Vec<Partition>> {
    named_once(topics.iter())?;
    let mut partitions = Vec::new();
    for (name, described) in admin.describe_topics(topics, false).await? {
        let described = described.map_err(|error| {
            let detail = format!("Topic {name}: {}", error.message());
            error.with_detail(detail)
        })?;
        partitions.extend(described.partitions.iter().map(|partition| (name.clone(), partition.id)));
    }
    Ok(partitions)
}

async fn moves(admin: &Admin, target: Target, partitions: Vec<Partition>, old: &Old) -> Result<Vec<Move>> {
    let new = match target {
        Target::Earliest => find(admin, &partitions, OffsetSpec::Earliest).await?,
        Target::Latest => find(admin, &partitions, OffsetSpec::Latest).await?,
        Target::Timestamp(timestamp_ms) => at_time(admin, &partitions, timestamp_ms).await?,
        Target::Offset(offset) => {
            let wanted = partitions.iter().map(|_| offset).collect();
            within_ends(admin, &partitions, wanted).await?
        }
        Target::ShiftBy(distance) => {
            let wanted = shifted(&partitions, old, distance)?;
            within_ends(admin, &partitions, wanted).await?
        }
    };
    let to_move = |((topic, partition), new): (Partition, Option<i64>)| {
        let old = old.get(&(topic.clone(), partition)).copied();
        Ok(Move { topic, partition: PartitionId::try_from(partition)?, old, new: new.unwrap_or(0) })
    };
    partitions.into_iter().zip(new).map(to_move).collect()
}

/// Returns the offset after each record that was committed last, moved by `distance`.
fn shifted(partitions: &[Partition], old: &Old, distance: i64) -> Result<Vec<i64>> {
    let shift = |partition: &Partition| {
        let committed = old.get(partition).ok_or_else(|| {
            let (topic, number) = partition;
            Kind::BadRequest.because(format!(
                "Partition {number} of topic {topic} has no committed offset that could be shifted: choose another \
                 target for it."
            ))
        })?;
        Ok(committed.saturating_add(distance))
    };
    partitions.iter().map(shift).collect()
}

async fn at_time(admin: &Admin, partitions: &[Partition], timestamp_ms: i64) -> Result<Vec<Option<i64>>> {
    let mut found = find(admin, partitions, OffsetSpec::At(timestamp_ms)).await?;
    let open: Vec<usize> = (0..found.len()).filter(|index| found[*index].is_none()).collect();
    if !open.is_empty() {
        let later: Vec<_> = open.iter().map(|index| partitions[*index].clone()).collect();
        for (index, end) in open.into_iter().zip(find(admin, &later, OffsetSpec::Latest).await?) {
            found[index] = end;
        }
    }
    Ok(found)
}

async fn within_ends(admin: &Admin, partitions: &[Partition], wanted: Vec<i64>) -> Result<Vec<Option<i64>>> {
    let (first, last) =
        tokio::join!(find(admin, partitions, OffsetSpec::Earliest), find(admin, partitions, OffsetSpec::Latest));
    let ends = first?.into_iter().zip(last?);
    Ok(wanted.into_iter().zip(ends).map(|(wanted, (first, last))| Some(between(wanted, first, last))).collect())
}

fn between(wanted: i64, first: Option<i64>, last: Option<i64>) -> i64 {
    let first = first.unwrap_or(0);
    // Between the two requests the first may have overtaken the last.
    wanted.clamp(first, last.unwrap_or(first).max(first))
}

async fn find(admin: &Admin, partitions: &[Partition], spec: OffsetSpec) -> Result<Vec<Option<i64>>> {
    let wanted: Vec<_> = partitions.iter().map(|(topic, partition)| (topic.clone(), *partition, spec)).collect();
    let listed = admin.list_offsets(&wanted, Isolation::ReadUncommitted).await?;
    let offset = |((topic, partition), found): (Partition, Result<crate::model::FoundOffset>)| {
        found.map(|found| found.offset).map_err(|error| about(error, &topic, partition))
    };
    listed.into_iter().map(offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_stays_between_the_ends() {
        for (wanted, first, last, new) in [(5, 2, 9, 5), (0, 2, 9, 2), (10, 2, 9, 9), (3, 9, 2, 9)] {
            assert_eq!(between(wanted, Some(first), Some(last)), new, "{wanted} in {first}..{last}");
        }
        assert_eq!(between(7, None, None), 0);
    }

    #[test]
    fn only_what_is_committed_can_be_shifted() {
        let partition = |number| (TopicName::try_from("t").unwrap(), number);
        let old = Old::from([(partition(0), 5), (partition(1), i64::MAX)]);
        assert_eq!(shifted(&[partition(0), partition(1)], &old, 3).unwrap(), [8, i64::MAX]);
        let error = shifted(&[partition(2)], &old, 3).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRequest);
    }
}
