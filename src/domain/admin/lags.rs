//! How far a group is behind.

use std::collections::HashMap;

use crate::admin::Admin;
use crate::domain::admin::offsets::group_and_committed;
use crate::error::{Kind, Result};
use crate::model::{GroupMember, Isolation, OffsetSpec, PartitionId, PartitionOffset, TopicName};

/// How far a group is behind in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: PartitionId,
    /// The member that has the partition, if one does.
    pub member: Option<Owner>,
    /// What the group has committed.
    pub committed: i64,
    /// Where the partition ends, for readers of committed transactions.
    pub end: i64,
}

/// The member that has a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub id: String,
    /// The name that it keeps over restarts.
    pub instance_id: Option<String>,
    /// The client's name for itself.
    pub client_id: String,
}

/// The lags of a group in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary<'a> {
    /// The largest; of several the first by topic and partition.
    pub largest: &'a Lag,
    /// The sum of all.
    pub total: i64,
}

impl Lag {
    /// Returns how many offsets are left to read; never below 0.
    pub fn lag(&self) -> i64 {
        self.end.saturating_sub(self.committed).max(0)
    }
}

/// Returns the lag in every partition for which the group has committed an offset, sorted by topic and partition.
///
/// Kafka is asked once for the group, once for its offsets, and then each leader once for all its partitions.
/// Partitions that were deleted are left out. 404 where there is no such group, or nothing to tell of it.
pub async fn of_group(admin: &Admin, group: &str) -> Result<Vec<Lag>> {
    let (found, committed) = group_and_committed(admin, group).await?;
    if committed.is_empty() {
        return Err(Kind::NotFound.because("Consumer group offsets could not be found."));
    }
    let lags = with_ends(admin, committed, &owners(found.members)).await?;
    if lags.is_empty() { Err(Kind::NotFound.because("Consumer lags not found.")) } else { Ok(lags) }
}

/// Returns the lags in short; `None` for none.
pub fn summary(lags: &[Lag]) -> Option<Summary<'_>> {
    let larger = |largest: &'_ Lag, lag: &'_ Lag| lag.lag() > largest.lag();
    let largest = lags.iter().reduce(|largest, lag| if larger(largest, lag) { lag } else { largest })?;
    let total = lags.iter().fold(0_i64, |total, lag| total.saturating_add(lag.lag()));
    Some(Summary { largest, total })
}

type Owners = HashMap<(TopicName, i32), Owner>;

fn owners(members: Vec<GroupMember>) -> Owners {
    let mut owners = Owners::new();
    for GroupMember { id, instance_id, client_id, assignment, .. } in members {
        let owner = Owner { id, instance_id, client_id };
        owners.extend(assignment.into_iter().map(|partition| (partition, owner.clone())));
    }
    owners
}

async fn with_ends(admin: &Admin, committed: Vec<PartitionOffset>, owners: &Owners) -> Result<Vec<Lag>> {
    let wanted: Vec<_> =
        committed.iter().map(|offset| (offset.topic.clone(), offset.partition.get(), OffsetSpec::Latest)).collect();
    let ends = admin.list_offsets(&wanted, Isolation::ReadCommitted).await?;
    let mut lags = Vec::with_capacity(committed.len());
    for (offset, (partition, end)) in committed.into_iter().zip(ends) {
        let end = match end {
            Ok(found) => found.offset.unwrap_or(0),
            // Its offset outlives a topic for a while.
            Err(error) if error.kind() == Kind::UnknownTopic => continue,
            Err(error) => return Err(error),
        };
        let member = owners.get(&partition).cloned();
        let PartitionOffset { topic, partition, offset: committed, .. } = offset;
        lags.push(Lag { topic, partition, member, committed, end });
    }
    Ok(lags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(partition: i32, committed: i64, end: i64) -> Lag {
        let topic = TopicName::try_from("t").unwrap();
        Lag { topic, partition: PartitionId::try_from(partition).unwrap(), member: None, committed, end }
    }

    #[test]
    fn a_lag_is_never_below_zero() {
        assert_eq!(lag(0, 3, 5).lag(), 2);
        assert_eq!(lag(0, 7, 5).lag(), 0);
    }

    #[test]
    fn the_first_of_the_largest_is_in_the_summary() {
        let lags = [lag(0, 0, 1), lag(1, 0, 4), lag(2, 1, 5), lag(3, 9, 0)];
        assert_eq!(summary(&lags), Some(Summary { largest: &lags[1], total: 9 }));
        assert_eq!(summary(&[]), None);
    }

    #[test]
    fn a_partition_belongs_to_the_member_that_has_it() {
        let topic = TopicName::try_from("t").unwrap();
        let member = |id: &str, partition| GroupMember {
            id: id.to_owned(),
            instance_id: None,
            client_id: "c".to_owned(),
            client_host: String::new(),
            speaks: crate::model::MemberProtocol::Classic,
            assignment: vec![(topic.clone(), partition)],
        };
        let owners = owners(vec![member("a", 0), member("b", 1)]);
        assert_eq!(owners.get(&(topic.clone(), 1)).map(|owner| owner.id.as_str()), Some("b"));
        assert_eq!(owners.get(&(topic, 2)), None);
    }
}
