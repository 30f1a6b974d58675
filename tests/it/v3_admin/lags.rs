use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::admin::groups::member;
use crate::consume::native::{Ending, transaction};
use crate::harness::kafka::{self, NewRecord};
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};
use crate::v3_admin::{get, path_of, send};

fn commit(member: &BaseConsumer, topic: &str, offsets: &[(i32, i64)]) {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).unwrap();
    }
    member.commit(&list, CommitMode::Sync).unwrap();
}

fn fill(topic: &str, partition: i32, count: usize) {
    let record = NewRecord { partition: Some(partition), ..NewRecord::new("k", "v") };
    kafka::shared().produce(topic, &vec![record; count]);
}

async fn lags(group: &str) -> Value {
    get(&format!("/consumer-groups/{group}/lags")).await.send().await.ok()
}

/// Makes a group that only has these offsets.
async fn simple_group(offsets: &[(&str, i32, i64)]) -> String {
    let group = unique("group");
    let entry = |(topic, partition, offset): &(&str, i32, i64)| json!({ "topic_name": topic, "partition_id": partition, "offset": offset });
    let body = json!({ "data": offsets.iter().map(entry).collect::<Vec<_>>() });
    let altered = send("POST", &format!("/consumer-groups/{group}/offsets:alter"), body).await.send().await;
    assert_eq!(altered.status, 204, "{}", altered.text());
    group
}

/// Returns topic, partition and lag of each.
fn in_short(lags: &Value) -> Vec<(String, i64, i64)> {
    let short = |lag: &Value| {
        let number = |name: &str| lag[name].as_i64().unwrap();
        (lag["topic_name"].as_str().unwrap().to_owned(), number("partition_id"), number("lag"))
    };
    lags["data"].as_array().unwrap().iter().map(short).collect()
}

#[tokio::test]
async fn lags_of_members_come_with_the_largest_first_and_in_short() {
    for protocol in ["classic", "consumer"] {
        let (topic, group) = (app::topic(3), unique("group"));
        for (partition, count) in [(0, 3), (1, 6), (2, 3)] {
            fill(&topic, partition, count);
        }
        let member = member(&group, &topic, protocol);
        for path in ["lags", "lag-summary", &format!("lags/{topic}/partitions/0")] {
            let none = get(&format!("/consumer-groups/{group}/{path}")).await.send().await;
            let text = "Consumer group offsets could not be found.".to_owned();
            assert_eq!((none.error(), none.message()), ((404, 404), text), "{path}");
        }
        eventually("the member's commit is accepted", PATIENCE, async || {
            member.poll(Duration::ZERO);
            (member.assignment().unwrap().count() == 3).then_some(())
        })
        .await;
        commit(&member, &topic, &[(0, 2), (1, 1), (2, 2)]);
        let found = lags(&group).await;
        assert_eq!(in_short(&found), [(topic.clone(), 1, 5), (topic.clone(), 0, 1), (topic.clone(), 2, 1)]);
        let largest = &found["data"][0];
        assert_eq!((&largest["kind"], &largest["client_id"]), (&json!("KafkaConsumerLag"), &json!("tester")));
        assert_eq!((&largest["current_offset"], &largest["log_end_offset"]), (&json!(1), &json!(6)));
        assert_eq!(largest["instance_id"], Value::Null);
        let same = app::shared().get(&path_of(&largest["metadata"]["self"])).send().await.ok();
        assert_eq!(&same, largest);

        let summary = get(&format!("/consumer-groups/{group}/lag-summary")).await.send().await.ok();
        assert_eq!(summary["kind"], "KafkaConsumerGroupLagSummary");
        assert_eq!((&summary["max_lag"], &summary["total_lag"]), (&json!(5), &json!(7)));
        assert_eq!((&summary["max_lag_topic_name"], &summary["max_lag_partition_id"]), (&json!(topic), &json!(1)));
        assert_eq!(summary["max_lag_consumer_id"], largest["consumer_id"]);
        let consumer = app::shared().get(&path_of(&summary["max_lag_consumer"]["related"])).send().await.ok();
        assert_eq!(consumer["consumer_id"], largest["consumer_id"]);
    }
}

#[tokio::test]
async fn a_group_without_members_has_lags_that_nobody_owns() {
    let topic = app::topic(2);
    fill(&topic, 0, 4);
    // Offsets beyond the end are no lag below 0.
    let group = simple_group(&[(&topic, 0, 1), (&topic, 1, 9)]).await;
    let found = lags(&group).await;
    assert_eq!(in_short(&found), [(topic.clone(), 0, 3), (topic.clone(), 1, 0)]);
    let first = &found["data"][0];
    assert_eq!(
        (&first["consumer_id"], &first["client_id"], &first["instance_id"]),
        (&json!(""), &json!(""), &Value::Null)
    );
    let summary = get(&format!("/consumer-groups/{group}/lag-summary")).await.send().await.ok();
    let consumers = format!("/consumer-groups/{group}/consumers");
    assert!(path_of(&summary["max_lag_consumer"]["related"]).ends_with(&consumers));
    let unknown = get(&format!("/consumer-groups/{group}/lags/{topic}/partitions/7")).await.send().await;
    assert_eq!(unknown.error(), (404, 404));
}

#[tokio::test]
async fn records_of_an_open_transaction_are_no_lag() {
    let topic = app::topic(1);
    fill(&topic, 0, 2);
    let group = simple_group(&[(&topic, 0, 1)]).await;
    let record = NewRecord { partition: Some(0), ..NewRecord::new("k", "v") };
    let producer = transaction(kafka::shared(), &topic, &vec![record; 3], Ending::Open);
    assert_eq!(in_short(&lags(&group).await), [(topic, 0, 1)]);
    drop(producer);
}

#[tokio::test]
async fn partitions_of_a_deleted_topic_are_left_out() {
    let (kept, gone) = (app::topic(1), app::topic(1));
    let (both, only) = (simple_group(&[(&kept, 0, 0), (&gone, 0, 0)]).await, simple_group(&[(&gone, 0, 0)]).await);
    kafka::shared().delete_topic(&gone);
    assert_eq!(in_short(&lags(&both).await), [(kept, 0, 0)]);
    // Kafka deletes the offsets of a deleted topic at some time, and then the group.
    let none = get(&format!("/consumer-groups/{only}/lags")).await.send().await;
    assert_eq!(none.error(), (404, 404));
}
