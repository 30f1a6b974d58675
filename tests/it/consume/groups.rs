//! Instances that share a group: who reads what, and what a rebalance leaves behind.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::consume::{Instance, native, offsets, places, topic_of, values, write};
use crate::harness::app::{self, App};
use crate::harness::kafka::{self, NewRecord};
use crate::harness::{PATIENCE, eventually, unique};

async fn member(app: &App, group: &str, topic: &str, fields: Value) -> Instance {
    let instance = Instance::create(app, group, fields).await;
    instance.subscribe(&[topic]).await;
    instance
}

/// Waits until each member has its share, which covers all partitions together.
async fn balanced(members: &[&Instance], partitions: i32) {
    let all: Vec<i32> = (0..partitions).collect();
    eventually("the group is balanced", PATIENCE, async || {
        let mut shared = Vec::new();
        for member in members {
            let answer = member.get("/assignments").send().await.ok();
            let partitions = answer["partitions"].as_array().expect("a list");
            if partitions.is_empty() {
                return None;
            }
            shared.extend(partitions.iter().map(|item| crate::consume::number::<i32>(item, "partition")));
        }
        shared.sort_unstable();
        (shared == all).then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_members_share_the_partitions_and_the_one_that_stays_takes_over() {
    let topic = app::topic(4);
    let group = unique("group");
    let one = member(app::shared(), &group, &topic, json!({})).await;
    one.assigned(4).await;
    let other = member(app::shared(), &group, &topic, json!({})).await;
    balanced(&[&one, &other], 4).await;
    for partition in 0..4 {
        write(&topic, partition, 0..5);
    }

    let mut read = places(&one.collect(10).await);
    read.extend(places(&other.collect(10).await));
    read.sort_unstable();
    let everything: Vec<(i32, i64)> =
        (0..4).flat_map(|partition| (0..5).map(move |offset| (partition, offset))).collect();
    assert_eq!(read, everything, "each record goes to one of them");
    one.commit_delivered().await;
    other.commit_delivered().await;

    one.delete().await;
    other.assigned(4).await;
    for partition in 0..4 {
        write(&topic, partition, 5..6);
    }
    assert_eq!(places(&other.collect(4).await), [(0, 5), (1, 5), (2, 5), (3, 5)]);
}

#[tokio::test]
async fn members_of_different_proxies_share_as_well() {
    let topic = app::topic(2);
    let group = unique("group");
    let elsewhere = app::spawn_app(app::config());
    let one = member(app::shared(), &group, &topic, json!({})).await;
    let other = member(&elsewhere, &group, &topic, json!({})).await;
    balanced(&[&one, &other], 2).await;
    write(&topic, 0, 0..3);
    write(&topic, 1, 0..3);
    let mut read = places(&one.collect(3).await);
    read.extend(places(&other.collect(3).await));
    assert_eq!(read.into_iter().collect::<BTreeSet<_>>().len(), 6);
}

#[tokio::test]
async fn a_member_that_does_not_read_does_not_hold_up_the_others() {
    let topic = app::topic(2);
    let group = unique("group");
    let silent = member(app::shared(), &group, &topic, json!({})).await;
    silent.assigned(2).await;
    let other = member(app::shared(), &group, &topic, json!({})).await;
    assert_eq!(other.assigned(1).await.len(), 1, "without a call of the first one");
}

#[tokio::test]
async fn what_a_member_that_left_did_not_commit_is_read_again() {
    let topic = topic_of(1, 0..10);
    let group = unique("group");
    let first = member(app::shared(), &group, &topic, json!({})).await;
    assert_eq!(offsets(&first.collect_with(4, "?timeout=5000&max_bytes=3").await)[..4], [0, 1, 2, 3]);
    first.commit(&topic, 0, 1).await;
    first.delete().await;
    let second = member(app::shared(), &group, &topic, json!({})).await;
    assert_eq!(offsets(&second.collect(8).await), (2..10).collect::<Vec<_>>());
}

/// Writes records of which a read with [`PART`] fetches more than it returns.
fn write_large(topic: &str, partition: i32, count: usize) {
    let record = NewRecord {
        partition: Some(partition),
        value: Some(format!("{:?}", "x".repeat(2000)).into()),
        ..NewRecord::default()
    };
    kafka::shared().produce(topic, &vec![record; count]);
}

const PART: &str = "?timeout=5000&max_bytes=100000";

/// Reads some, lets a second member join and reads the rest with both.
async fn read_across_a_rebalance(app: &App, partitions: i32, fields: Value, what: &str) {
    let topic = app::topic(partitions);
    for partition in 0..partitions {
        write_large(&topic, partition, 300);
    }
    let group = unique("group");
    let one = member(app, &group, &topic, fields.clone()).await;
    let mut read: BTreeSet<_> = places(&one.collect_with(1, PART).await).into_iter().collect();
    one.commit_delivered().await;

    let other = member(app, &group, &topic, fields).await;
    // Of one partition one of them has nothing, which only the coordinator knows.
    if partitions == 1 {
        native::wait_for_members(kafka::shared(), &group, 2);
    } else {
        balanced(&[&one, &other], partitions).await;
    }
    let all = 300 * usize::try_from(partitions).expect("a small number");
    eventually(&format!("every record is read with {what} and {partitions} partitions"), PATIENCE, async || {
        for member in [&one, &other] {
            read.extend(places(&member.read("?timeout=500&max_bytes=100000").await));
        }
        (read.len() == all).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_rebalance_skips_nothing_of_what_was_fetched_and_not_delivered() {
    for strategy in ["range", "cooperative-sticky"] {
        let fields = json!({ "properties": { "partition.assignment.strategy": strategy } });
        for partitions in [1, 3] {
            read_across_a_rebalance(app::shared(), partitions, fields.clone(), strategy).await;
        }
    }
}

#[tokio::test]
async fn nor_does_it_with_the_new_protocol_of_groups() {
    let fields = json!({ "properties": { "group.protocol": "consumer" } });
    read_across_a_rebalance(app::shared(), 3, fields, "the new protocol").await;
}

#[tokio::test]
#[ignore = "known gap: a group without a commit starts at the end again after a rebalance"]
async fn a_record_that_comes_between_a_read_and_a_rebalance_is_not_skipped() {
    let topic = topic_of(1, 0..3);
    let group = unique("group");
    let latest = json!({ "auto.offset.reset": "latest", "auto.commit.enable": true });
    let one = member(app::shared(), &group, &topic, latest.clone()).await;
    one.assigned(1).await;
    // It is at the end now, as a client sees it: there was nothing more.
    assert_eq!(one.read("?timeout=1500").await, Vec::<Value>::new());

    write(&topic, 0, 3..6);
    let other = member(app::shared(), &group, &topic, latest).await;
    native::wait_for_members(kafka::shared(), &group, 2);

    let mut read = Vec::new();
    eventually("the records are read by one of them", PATIENCE / 4, async || {
        for member in [&one, &other] {
            read.extend(values(&member.read("?timeout=500").await));
        }
        (read.len() >= 3).then_some(())
    })
    .await;
    assert_eq!(read, [3, 4, 5]);
}

#[tokio::test]
async fn an_assignment_by_hand_does_not_join_the_group() {
    let topic = topic_of(2, 0..3);
    let group = unique("group");
    let shared = member(app::shared(), &group, &topic, json!({})).await;
    shared.assigned(2).await;
    let own = Instance::create(app::shared(), &group, json!({})).await;
    own.assign(&[(&topic, 0)]).await;
    assert_eq!(offsets(&own.collect(3).await), [0, 1, 2]);
    assert_eq!(native::members(kafka::shared(), &group), 1);
    assert_eq!(offsets(&shared.collect(3).await), [0, 1, 2]);
}
