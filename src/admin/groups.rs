use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use kafka_protocol::messages::consumer_group_describe_response::DescribedGroup as ConsumerGroup;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::DescribedGroup as ClassicGroup;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DeleteGroupsRequest, DescribeGroupsRequest,
    DescribeGroupsResponse, GroupId, ListGroupsRequest,
};
use kafka_protocol::protocol::StrBytes;

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{operations, text, wire};
use crate::admin::coordinators::CoordinatorKind;
use crate::admin::failure::Repeat;
use crate::admin::group_members::{classic_member, consumer_member};
use crate::admin::operation::{Operation, Route};
use crate::admin::rounds::Part;
use crate::error::{Error, Kind, Result};
use crate::model::{GroupDescription, GroupListing, GroupState, GroupType};

/// Which groups are listed; an empty set is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// Those in one of these states.
    pub states: BTreeSet<GroupState>,
    /// Those of one of these types.
    pub types: BTreeSet<GroupType>,
}

impl GroupFilter {
    fn passes(&self, group: &GroupListing) -> bool {
        (self.states.is_empty() || self.states.contains(&group.state))
            && (self.types.is_empty() || self.types.contains(&group.group_type))
    }
}

impl Admin {
    /// Lists the groups of all brokers that the proxy's Kafka user may see, sorted by id.
    pub async fn list_groups(&self, filter: &GroupFilter) -> Result<Vec<GroupListing>> {
        let operation = self.operation()?;
        let brokers = operation.broker_ids().await?;
        let answers = join_all(brokers.into_iter().map(|broker| operation.list_groups_at(broker, filter))).await;
        let mut groups = BTreeMap::new();
        for answer in answers {
            match answer {
                Ok(listed) => groups.extend(listed.into_iter().map(|group| (group.id.clone(), group))),
                // It has left the cluster meanwhile, and others have its groups.
                Err(error) if error.kind() == Kind::BrokerNotAvailable => {}
                Err(error) => return Err(error),
            }
        }
        Ok(groups.into_values().filter(|group| filter.passes(group)).collect())
    }

    /// Describes groups of consumers of both protocols, in their order.
    ///
    /// One that does not exist, or is no group of consumers, has an error with [`Code::GROUP_ID_NOT_FOUND`] in its
    /// place.
    pub async fn describe_groups(
        &self,
        groups: &[String],
        authorized_operations: bool,
    ) -> Result<Vec<(String, Result<GroupDescription>)>> {
        let operation = self.operation()?;
        let mut described = operation.describe_consumer_groups(groups, authorized_operations).await?;
        let classic: Vec<String> =
            described.iter().filter(|(_, found)| is_another_type(found)).map(|(group, _)| group.clone()).collect();
        if !classic.is_empty() {
            let found = operation.describe_classic_groups(&classic, authorized_operations, classic_group).await?;
            let mut found: BTreeMap<_, _> = found.into_iter().collect();
            for (group, description) in &mut described {
                if let Some(found) = found.remove(group) {
                    *description = found;
                }
            }
        }
        for (group, description) in &mut described {
            if let Ok(description) = description {
                description.coordinator = self.coordinators.known(CoordinatorKind::Group, group);
            }
        }
        Ok(described)
    }

    /// Deletes groups that have no members, with their offsets; says what became of each, in their order.
    pub async fn delete_groups(&self, groups: &[String]) -> Result<Vec<(String, Result<()>)>> {
        let build = |groups: &[String], _| DeleteGroupsRequest::default().with_groups_names(wire_groups(groups));
        let part = |deleted: DeletableGroupResult| Part {
            key: deleted.group_id.to_string(),
            code: Code(deleted.error_code),
            message: None,
            value: (),
        };
        let operation = self.operation()?;
        operation
            .at_coordinators(CoordinatorKind::Group, groups, Repeat::Never, build, |answer| {
                answer.results.into_iter().map(part).collect()
            })
            .await
    }
}

impl Operation<'_> {
    async fn list_groups_at(&self, broker: i32, filter: &GroupFilter) -> Result<Vec<GroupListing>> {
        let request = |version| {
            let states = if version < 4 { Vec::new() } else { filter.states.iter().map(wire_state).collect() };
            let types = if version < 5 { Vec::new() } else { filter.types.iter().map(wire_type).collect() };
            ListGroupsRequest::default().with_states_filter(states).with_types_filter(types)
        };
        let answer = self.call(Route::Broker(broker), Repeat::Harmless, request).await?;
        Ok(answer.groups.into_iter().map(listing).collect())
    }

    async fn describe_consumer_groups(
        &self,
        groups: &[String],
        authorized_operations: bool,
    ) -> Result<Vec<(String, Result<GroupDescription>)>> {
        let build = |groups: &[String], _| {
            ConsumerGroupDescribeRequest::default()
                .with_group_ids(wire_groups(groups))
                .with_include_authorized_operations(authorized_operations)
        };
        let part = |mut group: ConsumerGroup| Part {
            key: group.group_id.to_string(),
            code: Code(group.error_code),
            message: text(group.error_message.take()),
            value: consumer_group(group),
        };
        let read = |answer: ConsumerGroupDescribeResponse| answer.groups.into_iter().map(part).collect();
        self.at_coordinators(CoordinatorKind::Group, groups, Repeat::Harmless, build, read).await
    }

    /// Describes groups of the classic protocol in their order, as `described` makes of what the broker tells.
    pub(super) async fn describe_classic_groups<T>(
        &self,
        groups: &[String],
        authorized_operations: bool,
        described: impl Fn(ClassicGroup) -> T,
    ) -> Result<Vec<(String, Result<T>)>> {
        let build = |groups: &[String], version| {
            DescribeGroupsRequest::default()
                .with_groups(wire_groups(groups))
                .with_include_authorized_operations(authorized_operations && version >= 3)
        };
        let part = |mut group: ClassicGroup| Part {
            key: group.group_id.to_string(),
            code: code_of(&group),
            message: text(group.error_message.take()),
            value: described(group),
        };
        let read = |answer: DescribeGroupsResponse| answer.groups.into_iter().map(part).collect();
        self.at_coordinators(CoordinatorKind::Group, groups, Repeat::Harmless, build, read).await
    }
}

/// Tells whether the group may be one of the classic protocol: the coordinator does not know it, or not the question.
fn is_another_type(described: &Result<GroupDescription>) -> bool {
    described.as_ref().is_err_and(|error: &Error| {
        error.kind() == Kind::Unsupported
            || matches!(Code::of(error), Some(Code::GROUP_ID_NOT_FOUND | Code::UNSUPPORTED_VERSION))
    })
}

/// Returns the code for a group; brokers before 4.0 describe one that does not exist as dead.
fn code_of(group: &ClassicGroup) -> Code {
    match Code(group.error_code) {
        Code::NONE if group.group_state.as_str() == "Dead" && group.members.is_empty() => Code::GROUP_ID_NOT_FOUND,
        code => code,
    }
}

fn wire_groups(groups: &[String]) -> Vec<GroupId> {
    groups.iter().map(|group| GroupId(wire(group))).collect()
}

fn listing(group: ListedGroup) -> GroupListing {
    GroupListing {
        id: group.group_id.to_string(),
        group_type: group_type(&group.group_type),
        state: state(&group.group_state),
        protocol_type: group.protocol_type.to_string(),
    }
}

fn consumer_group(group: ConsumerGroup) -> GroupDescription {
    GroupDescription {
        id: group.group_id.to_string(),
        group_type: GroupType::Consumer,
        state: state(&group.group_state),
        protocol_type: "consumer".to_owned(),
        assignor: group.assignor_name.to_string(),
        coordinator: None,
        members: group.members.into_iter().map(consumer_member).collect(),
        authorized_operations: operations(group.authorized_operations),
    }
}

fn classic_group(group: ClassicGroup) -> GroupDescription {
    let member = |member| classic_member(member, &group.protocol_type);
    GroupDescription {
        id: group.group_id.to_string(),
        group_type: GroupType::Classic,
        state: state(&group.group_state),
        protocol_type: group.protocol_type.to_string(),
        assignor: group.protocol_data.to_string(),
        coordinator: None,
        members: group.members.into_iter().map(member).collect(),
        authorized_operations: operations(group.authorized_operations),
    }
}

/// Returns the state of a name: Kafka writes it in words that begin with a capital.
pub(super) fn state(name: &StrBytes) -> GroupState {
    GroupState::ALL.iter().copied().find(|state| is_meant(state.name(), name)).unwrap_or(GroupState::Unknown)
}

fn wire_state(state: &GroupState) -> StrBytes {
    StrBytes::from_string(in_words(state.name()))
}

fn group_type(name: &StrBytes) -> GroupType {
    GroupType::ALL.iter().copied().find(|kind| is_meant(kind.name(), name)).unwrap_or(GroupType::Unknown)
}

fn wire_type(group_type: &GroupType) -> StrBytes {
    StrBytes::from_string(in_words(group_type.name()))
}

/// Tells whether a broker means this constant; not all write their names in the same case.
fn is_meant(constant: &str, name: &StrBytes) -> bool {
    in_words(constant).eq_ignore_ascii_case(name)
}

/// Makes `PreparingRebalance` of `PREPARING_REBALANCE`.
fn in_words(constant: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_owned() + &rest.to_ascii_lowercase()
    };
    constant.split('_').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_types_have_kafkas_names() {
        let name = StrBytes::from_static_str;
        assert_eq!(state(&name("PreparingRebalance")), GroupState::PreparingRebalance);
        assert_eq!(state(&name("")), GroupState::Unknown);
        assert_eq!(wire_state(&GroupState::NotReady).as_str(), "NotReady");
        assert_eq!(group_type(&name("Consumer")), GroupType::Consumer);
        assert_eq!(group_type(&name("classic")), GroupType::Classic);
        assert_eq!(group_type(&name("Future")), GroupType::Unknown);
    }
}
