use std::collections::BTreeSet;
use std::time::Duration;

use kafka_rest_proxy::admin::{Admin, Code, GroupFilter};
use kafka_rest_proxy::model::{
    GroupDescription, GroupState, GroupType, MemberProtocol, PartitionId, PartitionOffset, TopicName,
};
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::admin::admin;
use crate::harness::kafka;
use crate::harness::waiting::{PATIENCE, eventually, eventually_blocking};
use crate::harness::{app, unique};

fn name(topic: &str) -> TopicName {
    TopicName::try_from(topic).unwrap()
}

/// Joins a group and waits until it has partitions.
pub fn member(group: &str, topic: &str, protocol: &str) -> BaseConsumer {
    let mut config = kafka::shared().client();
    config.set("group.id", group).set("client.id", "tester").set("group.protocol", protocol);
    config.set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    eventually_blocking("the member has partitions", PATIENCE, || {
        consumer.poll(Duration::from_millis(50));
        (consumer.assignment().ok()?.count() > 0).then_some(())
    });
    consumer
}

async fn describe(admin: &Admin, group: &str) -> GroupDescription {
    admin.describe_groups(&[group.to_owned()], true).await.unwrap().remove(0).1.unwrap()
}

fn offset(topic: &str, partition: i32, offset: i64) -> PartitionOffset {
    PartitionOffset {
        metadata: "by hand".to_owned(),
        ..PartitionOffset::new(name(topic), PartitionId::try_from(partition).unwrap(), offset)
    }
}

#[tokio::test]
async fn groups_of_both_protocols_are_described_with_what_their_members_have() {
    let admin = admin();
    for (protocol, group_type, speaks, assignor) in [
        ("classic", GroupType::Classic, MemberProtocol::Classic, "range"),
        ("consumer", GroupType::Consumer, MemberProtocol::Consumer, "uniform"),
    ] {
        let (topic, group) = (app::topic(2), unique("group"));
        let member = member(&group, &topic, protocol);
        let found = eventually("the group is stable", PATIENCE, async || {
            member.poll(Duration::ZERO);
            Some(describe(&admin, &group).await).filter(|found| found.state == GroupState::Stable)
        })
        .await;
        assert_eq!(
            (found.id.as_str(), found.group_type, found.assignor.as_str()),
            (group.as_str(), group_type, assignor)
        );
        assert_eq!(found.protocol_type, "consumer");
        assert!(found.coordinator.is_some() && found.authorized_operations.is_some());
        assert!(!found.is_simple() && !found.is_mixed());
        let only = &found.members[0];
        assert_eq!((found.members.len(), only.client_id.as_str(), only.speaks), (1, "tester", speaks));
        assert_eq!((only.client_host.as_str(), &only.instance_id), ("/127.0.0.1", &None));
        assert_eq!(only.assignment, [(name(&topic), 0), (name(&topic), 1)]);
    }
}

#[tokio::test]
async fn groups_are_listed_and_filtered_by_state_and_type() {
    let admin = admin();
    let (topic, classic, consumer) = (app::topic(1), unique("group"), unique("group"));
    let _members = (member(&classic, &topic, "classic"), member(&consumer, &topic, "consumer"));
    let ids = async |filter: GroupFilter| -> BTreeSet<String> {
        admin.list_groups(&filter).await.unwrap().into_iter().map(|group| group.id).collect()
    };
    let of_type = |group_type| GroupFilter { types: [group_type].into(), ..GroupFilter::default() };
    let in_state = |state| GroupFilter { states: [state].into(), ..GroupFilter::default() };

    let all = ids(GroupFilter::default()).await;
    assert!(all.contains(&classic) && all.contains(&consumer));
    let of_classic = ids(of_type(GroupType::Classic)).await;
    assert!(of_classic.contains(&classic) && !of_classic.contains(&consumer));
    let of_consumer = ids(of_type(GroupType::Consumer)).await;
    assert!(!of_consumer.contains(&classic) && of_consumer.contains(&consumer));
    assert!(ids(in_state(GroupState::Stable)).await.contains(&classic));
    assert!(!ids(in_state(GroupState::Empty)).await.contains(&classic));
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_an_error_in_its_place() {
    let admin = admin();
    let (topic, group, unknown) = (app::topic(1), unique("group"), unique("unknown"));
    let _member = member(&group, &topic, "classic");
    let described = admin.describe_groups(&[unknown.clone(), group.clone()], false).await.unwrap();
    assert_eq!(described[0].1.as_ref().err().and_then(Code::of), Some(Code::GROUP_ID_NOT_FOUND));
    assert_eq!(described[1].1.as_ref().unwrap().id, group);
    assert_eq!(admin.committed_offsets(&unknown).await.unwrap(), []);
    let deleted = admin.delete_groups(&[unknown]).await.unwrap();
    assert_eq!(deleted[0].1.as_ref().err().and_then(Code::of), Some(Code::GROUP_ID_NOT_FOUND));
}

#[tokio::test]
async fn offsets_are_committed_read_and_deleted_without_a_member() {
    let admin = admin();
    let (topic, group) = (app::topic(3), unique("group"));
    let offsets = [offset(&topic, 2, 5), offset(&topic, 0, 7)];
    let altered = admin.alter_offsets(&group, &offsets).await.unwrap();
    assert!(altered.iter().all(|(_, result)| result.is_ok()), "{altered:?}");
    assert_eq!(admin.committed_offsets(&group).await.unwrap(), [offset(&topic, 0, 7), offset(&topic, 2, 5)]);
    let found = describe(&admin, &group).await;
    assert!(found.is_simple() && found.state == GroupState::Empty && found.members.is_empty());

    let deleted = admin.delete_offsets(&group, &[(name(&topic), 0), (name(&topic), 9)]).await.unwrap();
    assert!(deleted[0].1.is_ok());
    assert_eq!(deleted[1].1.as_ref().err().and_then(Code::of), Some(Code::UNKNOWN_TOPIC_OR_PARTITION));
    assert_eq!(admin.committed_offsets(&group).await.unwrap(), [offset(&topic, 2, 5)]);

    let deleted = admin.delete_groups(std::slice::from_ref(&group)).await.unwrap();
    assert!(deleted[0].1.is_ok());
    assert_eq!(admin.committed_offsets(&group).await.unwrap(), []);
}

#[tokio::test]
async fn a_group_with_members_keeps_its_offsets_and_itself() {
    let admin = admin();
    let (topic, group) = (app::topic(1), unique("group"));
    let _member = member(&group, &topic, "classic");
    let altered = admin.alter_offsets(&group, &[offset(&topic, 0, 0)]).await.unwrap();
    assert_eq!(altered[0].1.as_ref().err().and_then(Code::of), Some(Code::UNKNOWN_MEMBER_ID));
    let deleted = admin.delete_groups(std::slice::from_ref(&group)).await.unwrap();
    assert_eq!(deleted[0].1.as_ref().err().and_then(Code::of), Some(Code::NON_EMPTY_GROUP));
    let deleted = admin.delete_offsets(&group, &[(name(&topic), 0)]).await.unwrap();
    assert_eq!(deleted[0].1.as_ref().err().and_then(Code::of), Some(Code::GROUP_SUBSCRIBED_TO_TOPIC));
}
