use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::connect_protocol::{Assignment, read_assignment, read_metadata};
use crate::admin::convert::missing;
use crate::admin::groups::{GroupFilter, state};
use crate::error::Result;
use crate::model::{ConnectGroup, ConnectMember};

/// What the workers of a Connect cluster call the protocol of their group.
const PROTOCOL_TYPE: &str = "connect";

impl Admin {
    /// Returns the ids of all groups of Connect workers that the proxy's Kafka user may see, sorted.
    pub async fn connect_groups(&self) -> Result<Vec<String>> {
        // Brokers before 3.8 do not tell of which type a group is, so nothing is filtered by that.
        let groups = self.list_groups(&GroupFilter::default()).await?;
        Ok(groups.into_iter().filter(|group| group.protocol_type == PROTOCOL_TYPE).map(|group| group.id).collect())
    }

    /// Describes the group of a Connect cluster: its workers, who leads, and who runs what.
    ///
    /// A group that does not exist, or is none of Connect workers, is an error with [`Code::GROUP_ID_NOT_FOUND`]. A
    /// worker that was killed is still in it until its session has ended, ten seconds unless workers are told otherwise.
    ///
    /// The proxy's Kafka user needs the right to DESCRIBE the group.
    pub async fn connect_group(&self, group_id: &str) -> Result<ConnectGroup> {
        let operation = self.operation()?;
        let ids = [group_id.to_owned()];
        let described = operation.describe_classic_groups(&ids, false, connect_group).await?;
        let (_, group) = described.into_iter().next().ok_or_else(|| missing("group"))?;
        group?.ok_or_else(|| {
            let why = format!("The group {group_id} is none of Connect workers.");
            Code::GROUP_ID_NOT_FOUND.error(Some(&why))
        })
    }
}

/// Returns the group; `None` for one of others.
fn connect_group(group: DescribedGroup) -> Option<ConnectGroup> {
    if group.protocol_type.as_str() != PROTOCOL_TYPE {
        return None;
    }
    let mut found = ConnectGroup {
        id: group.group_id.to_string(),
        state: state(&group.group_state),
        leader_url: None,
        workers: Vec::new(),
    };
    for member in group.members {
        let assignment = read_assignment(&member.member_assignment);
        if let Some(url) = assignment.as_ref().map(|assignment| &assignment.leader_url).filter(|url| !url.is_empty()) {
            found.leader_url = Some(url.clone());
        }
        found.workers.extend(worker(&member, assignment));
    }
    found.workers.sort_unstable_by(|one, other| one.url.cmp(&other.url));
    Some(found)
}

/// Returns a worker with what it runs; `None` where the broker does not tell.
fn worker(member: &DescribedGroupMember, assignment: Option<Assignment>) -> Option<ConnectMember> {
    let metadata = read_metadata(&member.member_metadata)?;
    // A worker says what it runs when it joins. The leader then only tells it what comes and what goes; with the eager
    // protocol the worker ran nothing and is told everything.
    let mut runs = metadata.runs.unwrap_or_default();
    if let Some(assignment) = assignment {
        runs.tasks.retain(|task| !assignment.revoked.tasks.contains(task));
        runs.connectors.retain(|connector| !assignment.revoked.connectors.contains(connector));
        runs.connectors.extend(assignment.given.connectors);
        runs.tasks.extend(assignment.given.tasks);
    }
    Some(ConnectMember {
        url: metadata.url,
        connectors: runs.connectors.into_iter().collect(),
        tasks: runs.tasks.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::protocol::StrBytes;

    use super::*;
    use crate::admin::connect_protocol::tests::{assignment, metadata};
    use crate::model::GroupState;

    fn group(state: &'static str, members: Vec<(Bytes, Bytes)>) -> DescribedGroup {
        let member = |(metadata, assignment)| {
            DescribedGroupMember::default().with_member_metadata(metadata).with_member_assignment(assignment)
        };
        DescribedGroup::default()
            .with_protocol_type(StrBytes::from_static_str("connect"))
            .with_group_state(StrBytes::from_static_str(state))
            .with_members(members.into_iter().map(member).collect())
    }

    #[test]
    fn a_worker_runs_what_it_ran_without_what_was_revoked_and_with_what_it_was_given() {
        for version in [1, 2] {
            let ran = assignment(version, "http://old/", &[("x", &[-1, 0, 1]), ("y", &[-1])], &[]);
            let told = assignment(version, "http://b/", &[("z", &[0])], &[("x", &[1]), ("y", &[-1])]);
            let found =
                connect_group(group("Stable", vec![(metadata(version, "http://a/", Some(&ran)), told)])).unwrap();
            assert_eq!(found.leader_url.as_deref(), Some("http://b/"));
            assert_eq!(
                found.workers,
                [ConnectMember {
                    url: "http://a/".to_owned(),
                    connectors: vec!["x".to_owned()],
                    tasks: vec![("x".to_owned(), 0), ("z".to_owned(), 0)],
                }]
            );
        }
    }

    #[test]
    fn a_worker_of_the_eager_protocol_runs_what_it_was_given() {
        let told = assignment(0, "http://a/", &[("x", &[-1, 0])], &[]);
        let found = connect_group(group("Stable", vec![(metadata(0, "http://a/", None), told)])).unwrap();
        assert_eq!(found.leader_url.as_deref(), Some("http://a/"));
        assert_eq!(found.workers[0].connectors, ["x"]);
        assert_eq!(found.workers[0].tasks, [("x".to_owned(), 0)]);
    }

    #[test]
    fn a_group_that_rebalances_tells_no_workers_and_says_so() {
        let nothing = || (Bytes::new(), Bytes::new());
        let found = connect_group(group("PreparingRebalance", vec![nothing(), nothing()])).unwrap();
        assert_eq!((found.leader_url.as_ref(), found.workers.len()), (None, 0));
        assert!(found.is_rebalancing());
        let stable = connect_group(group("Stable", vec![(metadata(2, "http://a/", None), Bytes::new())])).unwrap();
        assert!(!stable.is_rebalancing() && stable.state == GroupState::Stable);
        assert_eq!(stable.workers.len(), 1);
    }

    #[test]
    fn a_group_of_others_is_none() {
        let consumers = group("Stable", Vec::new()).with_protocol_type(StrBytes::from_static_str("consumer"));
        assert_eq!(connect_group(consumers), None);
    }
}
