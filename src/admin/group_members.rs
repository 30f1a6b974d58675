use bytes::{Buf, Bytes};
use kafka_protocol::messages::consumer_group_describe_response::Member as ConsumerMember;
use kafka_protocol::messages::describe_groups_response::DescribedGroupMember;

use crate::admin::convert::{sorted_partitions, text};
use crate::model::{GroupMember, MemberProtocol, TopicName, TopicPartition};

/// Returns a member of a group of the new protocol.
pub(super) fn consumer_member(member: ConsumerMember) -> GroupMember {
    let assigned = member.assignment.topic_partitions.iter();
    GroupMember {
        id: member.member_id.to_string(),
        instance_id: text(member.instance_id),
        client_id: member.client_id.to_string(),
        client_host: member.client_host.to_string(),
        speaks: match member.member_type {
            0 => MemberProtocol::Classic,
            1 => MemberProtocol::Consumer,
            _ => MemberProtocol::Unknown,
        },
        assignment: sorted_partitions(assigned.map(|topic| (&topic.topic_name, topic.partitions.as_slice()))),
    }
}

/// Returns a member of a group of the classic protocol.
pub(super) fn classic_member(member: DescribedGroupMember, protocol_type: &str) -> GroupMember {
    let is_consumer = protocol_type == "consumer";
    GroupMember {
        id: member.member_id.to_string(),
        instance_id: text(member.group_instance_id),
        client_id: member.client_id.to_string(),
        client_host: member.client_host.to_string(),
        speaks: MemberProtocol::Classic,
        assignment: if is_consumer { decoded(member.member_assignment) } else { Vec::new() },
    }
}

/// Returns the partitions that the leader of a classic group gave a member.
///
/// The bytes are the members' own affair and may be anything; what is no assignment of partitions is none. The codec
/// does not read them, as it takes room for as many partitions as the first bytes say.
fn decoded(mut assignment: Bytes) -> Vec<TopicPartition> {
    let mut partitions = read_assignment(&mut assignment).unwrap_or_default();
    partitions.sort_unstable();
    partitions
}

/// Reads a version, which only matters for what comes after the partitions, and the partitions of each topic.
fn read_assignment(bytes: &mut Bytes) -> Option<Vec<TopicPartition>> {
    let _version = bytes.try_get_i16().ok()?;
    let mut partitions = Vec::new();
    for _ in 0..bytes.try_get_i32().ok()? {
        let length = usize::try_from(bytes.try_get_i16().ok()?).ok().filter(|length| *length <= bytes.len())?;
        let name = bytes.split_to(length);
        let topic = TopicName::try_from(std::str::from_utf8(&name).ok()?).ok()?;
        for _ in 0..bytes.try_get_i32().ok()? {
            partitions.push((topic.clone(), bytes.try_get_i32().ok()?));
        }
    }
    Some(partitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_that_is_no_consumers_is_empty() {
        let endless = b"\0\x01\x7f\xff\xff\xff\0\x01t\x7f\xff\xff\xff";
        let cut_off = b"\0\x01\0\0\0\x01\0\x09t";
        for bytes in [&b""[..], b"\0", b"\0\x01", b"\0\x01\xff\xff\xff\xff", b"connect-says-this", endless, cut_off] {
            assert_eq!(decoded(Bytes::copy_from_slice(bytes)), [], "{bytes:?}");
        }
    }

    #[test]
    fn what_follows_the_partitions_does_not_matter() {
        let bytes = b"\0\x09\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\x01\0\0\0\0\xff\xff\xff\xffmore";
        let topic = TopicName::try_from("t").unwrap();
        assert_eq!(decoded(Bytes::from_static(bytes)), [(topic.clone(), 0), (topic, 1)]);
    }
}
