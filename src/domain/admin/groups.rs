//! Consumer groups: which there are, and what each is.

use std::collections::BTreeSet;

use crate::admin::{Admin, Code, GroupFilter};
use crate::error::{Error, Kind, Result};
use crate::model::{GroupDescription, GroupListing, GroupState, GroupType};

/// The protocol of groups of consumers; groups without a protocol only keep offsets.
const CONSUMERS: &str = "consumer";

/// Returns the groups in one of `states` and of one of `types`, sorted by id; an empty set is all.
///
/// Groups that use the classic protocol for something else than consuming, such as Connect's, are left out, and so is
/// what the proxy's Kafka user may not describe. Members of share and streams groups are not told.
pub async fn list(
    admin: &Admin,
    states: BTreeSet<GroupState>,
    types: BTreeSet<GroupType>,
) -> Result<Vec<GroupDescription>> {
    let listed = admin.list_groups(&GroupFilter { states, types }).await?;
    let (described, others): (Vec<_>, Vec<_>) =
        listed.into_iter().filter(is_of_consumers).partition(|group| is_described(group.group_type));
    let ids: Vec<String> = described.into_iter().map(|group| group.id).collect();
    let mut groups: Vec<GroupDescription> = others.into_iter().map(as_listed).collect();
    if !ids.is_empty() {
        for (_, description) in admin.describe_groups(&ids, false).await? {
            match description {
                Ok(group) if exists(&group) => groups.push(group),
                Ok(_) => {}
                Err(error) if is_unknown(&error) || error.kind() == Kind::KafkaAuthorization => {}
                Err(error) => return Err(error),
            }
        }
    }
    groups.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(groups)
}

/// Describes a group of consumers; `None` where there is none of this id.
pub async fn find(admin: &Admin, group: &str) -> Result<Option<GroupDescription>> {
    match admin.describe_groups(&[group.to_owned()], false).await?.pop() {
        Some((_, Ok(description))) => Ok(Some(description).filter(exists)),
        Some((_, Err(error))) if !is_unknown(&error) => Err(error),
        Some(_) | None => Ok(None),
    }
}

/// Returns a group of any type; of share and streams groups without their members. `None` where there is none.
pub async fn find_of_any_type(admin: &Admin, group: &str) -> Result<Option<GroupDescription>> {
    if let Some(description) = find(admin, group).await? {
        return Ok(Some(description));
    }
    let types = [GroupType::Share, GroupType::Streams].into();
    let listed = admin.list_groups(&GroupFilter { types, ..GroupFilter::default() }).await?;
    Ok(listed.into_iter().find(|listing| listing.id == group).map(as_listed))
}

/// Deletes groups that have no members, with their offsets; returns what failed.
pub async fn delete(admin: &Admin, groups: &[String]) -> Result<Vec<(String, Error)>> {
    let groups: Vec<_> = BTreeSet::from_iter(groups.iter().cloned()).into_iter().collect();
    let failure = |(group, deleted): (String, Result<()>)| {
        let error = deleted.err()?;
        let error = if is_unknown(&error) { unknown(&group) } else { explained(error, &group) };
        Some((group, error))
    };
    Ok(admin.delete_groups(&groups).await?.into_iter().filter_map(failure).collect())
}

/// Returns the error of a group that there is not.
pub fn unknown(group: &str) -> Error {
    Kind::NotFound.because(format!("Consumer Group {group} could not be found."))
}

/// Puts an error that says what to do in the place of those by which Kafka tells that a group is in use.
pub(super) fn explained(error: Error, group: &str) -> Error {
    match Code::of(&error) {
        Some(
            Code::NON_EMPTY_GROUP
            | Code::UNKNOWN_MEMBER_ID
            | Code::ILLEGAL_GENERATION
            | Code::REBALANCE_IN_PROGRESS
            | Code::STALE_MEMBER_EPOCH,
        ) => in_use(group),
        Some(Code::GROUP_SUBSCRIBED_TO_TOPIC) => Kind::GroupNotEmpty.because(format!(
            "Consumer Group {group} has members that are subscribed to the topic: stop them first, then send the \
             request again."
        )),
        Some(Code::GROUP_ID_NOT_FOUND) => unknown(group),
        Some(_) | None => error,
    }
}

/// Returns the error of a change that only groups without members allow.
pub(super) fn in_use(group: &str) -> Error {
    Kind::GroupNotEmpty.because(format!(
        "Consumer Group {group} has members: stop them first, then send the request again. Members that ended without \
         leaving the group count until their session times out."
    ))
}

fn is_unknown(error: &Error) -> bool {
    Code::of(error) == Some(Code::GROUP_ID_NOT_FOUND)
}

/// Brokers before 4.0 describe a group that does not exist as dead and without a protocol.
fn exists(group: &GroupDescription) -> bool {
    !(group.is_simple() && group.state == GroupState::Dead)
}

fn is_of_consumers(group: &GroupListing) -> bool {
    match group.group_type {
        // Old brokers do not tell the type; there was only this one.
        GroupType::Classic | GroupType::Unknown => group.protocol_type == CONSUMERS || group.protocol_type.is_empty(),
        GroupType::Consumer | GroupType::Share | GroupType::Streams => true,
    }
}

/// Tells whether the requests that describe groups know this type.
fn is_described(group_type: GroupType) -> bool {
    match group_type {
        GroupType::Classic | GroupType::Consumer | GroupType::Unknown => true,
        GroupType::Share | GroupType::Streams => false,
    }
}

fn as_listed(group: GroupListing) -> GroupDescription {
    GroupDescription {
        id: group.id,
        group_type: group.group_type,
        state: group.state,
        protocol_type: group.protocol_type,
        assignor: String::new(),
        coordinator: None,
        members: Vec::new(),
        authorized_operations: None,
    }
}
