use kafka_protocol::messages::describe_groups_response::DescribedGroup;

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::connect_protocol::{leader_url, worker};
use crate::admin::convert::missing;
use crate::admin::groups::{GroupFilter, state};
use crate::error::Result;
use crate::model::{ConnectGroup, GroupListing, GroupState};

/// What the workers of a Connect cluster call the protocol of their group.
const PROTOCOL_TYPE: &str = "connect";

impl Admin {
    /// Returns the ids of the groups with Connect workers in them that the proxy's Kafka user may see, sorted.
    pub async fn connect_groups(&self) -> Result<Vec<String>> {
        // Brokers before 3.8 do not tell of which type a group is, so nothing is filtered by that.
        let groups = self.list_groups(&GroupFilter::default()).await?;
        let is_meant = |group: &GroupListing| {
            group.protocol_type == PROTOCOL_TYPE && !matches!(group.state, GroupState::Empty | GroupState::Dead)
        };
        Ok(groups.into_iter().filter(is_meant).map(|group| group.id).collect())
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
        found.leader_url = leader_url(&member.member_assignment).or(found.leader_url);
        found.workers.extend(worker(&member.member_metadata, &member.member_assignment));
    }
    found.workers.sort_unstable_by(|one, other| one.url.cmp(&other.url));
    Some(found)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::describe_groups_response::DescribedGroupMember;
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    fn group(state: &'static str, members: &[(&'static [u8], &'static [u8])]) -> DescribedGroup {
        let member = |(metadata, assignment): &(&'static [u8], &'static [u8])| {
            DescribedGroupMember::default()
                .with_member_metadata(Bytes::from_static(metadata))
                .with_member_assignment(Bytes::from_static(assignment))
        };
        DescribedGroup::default()
            .with_protocol_type(StrBytes::from_static_str("connect"))
            .with_group_state(StrBytes::from_static_str(state))
            .with_members(members.iter().map(member).collect())
    }

    const ASSIGNMENT: &[u8] = b"\0\x02\0\0\0\x01m\0\x09http://b/\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0";
    const FIRST: &[u8] = b"\0\x02\0\x09http://a/\0\0\0\0\0\0\0\x05\xff\xff\xff\xff";
    const SECOND: &[u8] = b"\0\x02\0\x09http://b/\0\0\0\0\0\0\0\x05\xff\xff\xff\xff";

    #[test]
    fn a_stable_group_tells_its_workers_and_who_leads() {
        let found = connect_group(group("Stable", &[(SECOND, ASSIGNMENT), (FIRST, ASSIGNMENT)])).unwrap();
        let urls: Vec<_> = found.workers.iter().map(|worker| worker.url.as_str()).collect();
        assert_eq!(
            (urls.as_slice(), found.leader_url.as_deref()),
            (&["http://a/", "http://b/"][..], Some("http://b/"))
        );
        assert!(!found.is_rebalancing() && found.state == GroupState::Stable);
    }

    #[test]
    fn a_group_that_rebalances_tells_no_workers_and_says_so() {
        let found = connect_group(group("PreparingRebalance", &[(b"", b""), (b"", ASSIGNMENT)])).unwrap();
        assert_eq!((found.leader_url.as_deref(), found.workers.len()), (Some("http://b/"), 0));
        assert!(found.is_rebalancing());
    }

    #[test]
    fn a_member_that_cannot_be_read_hides_no_other() {
        let found = connect_group(group("Stable", &[(b"\0\x03more", b"\0\x03more"), (FIRST, ASSIGNMENT)])).unwrap();
        assert_eq!((found.workers.len(), found.leader_url.as_deref()), (1, Some("http://b/")));
    }

    #[test]
    fn a_group_of_others_is_none() {
        let consumers = group("Stable", &[]).with_protocol_type(StrBytes::from_static_str("consumer"));
        assert_eq!(connect_group(consumers), None);
    }
}
