use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::{Value, json};

use crate::admin::groups::member;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};
use crate::v3_admin::{call, cluster, get, path_of, send};

/// Waits until a group that has members is stable, and returns it.
async fn stable(group: &str, member: &BaseConsumer) -> Value {
    eventually("the group is stable", PATIENCE, async || {
        member.poll(Duration::ZERO);
        let found = get(&format!("/consumer-groups/{group}")).await.send().await.ok();
        (found["state"] == "STABLE").then_some(found)
    })
    .await
}

/// Returns the item of a list whose field has this value.
fn item(list: &Value, field: &str, value: &str) -> Option<Value> {
    list["data"].as_array().unwrap().iter().find(|item| item[field] == value).cloned()
}

/// Makes a group that only keeps an offset.
async fn simple_group(topic: &str) -> String {
    let group = unique("group");
    let body = json!({ "data": [{ "topic_name": topic, "partition_id": 0, "offset": 0 }] });
    let altered = send("POST", &format!("/consumer-groups/{group}/offsets:alter"), body).await.send().await;
    assert_eq!(altered.status, 204, "{}", altered.text());
    group
}

#[tokio::test]
async fn groups_of_both_protocols_are_described_and_listed() {
    for (protocol, group_type, assignor) in [("classic", "CLASSIC", "range"), ("consumer", "CONSUMER", "uniform")] {
        let (topic, group) = (app::topic(2), unique("group"));
        let member = member(&group, &topic, protocol);
        let found = stable(&group, &member).await;
        let at = format!("{}/consumer-groups/{group}", cluster().await);
        let id = at.split('/').nth(3).unwrap();
        assert_eq!(found["kind"], "KafkaConsumerGroup");
        assert_eq!(path_of(&found["metadata"]["self"]), at);
        assert_eq!(found["metadata"]["resource_name"], format!("crn:///kafka={id}/consumer-group={group}"));
        assert_eq!((&found["cluster_id"], &found["consumer_group_id"]), (&json!(id), &json!(group)));
        assert_eq!((&found["type"], &found["partition_assignor"]), (&json!(group_type), &json!(assignor)));
        assert_eq!((&found["is_simple"], &found["is_mixed_consumer_group"]), (&json!(false), &json!(false)));
        assert!(path_of(&found["coordinator"]["related"]).contains("/brokers/"));
        assert_eq!(path_of(&found["consumers"]["related"]), format!("{at}/consumers"));
        assert_eq!(path_of(&found["lag_summary"]["related"]), format!("{at}/lag-summary"));

        let list = get("/consumer-groups").await.send().await.ok();
        assert_eq!(list["kind"], "KafkaConsumerGroupList");
        assert_eq!(path_of(&list["metadata"]["self"]), format!("{}/consumer-groups", cluster().await));
        assert_eq!(item(&list, "consumer_group_id", &group), Some(found));
    }
}

#[tokio::test]
async fn members_and_what_they_are_assigned_are_found() {
    for protocol in ["classic", "consumer"] {
        let (topic, group) = (app::topic(2), unique("group"));
        let member = member(&group, &topic, protocol);
        stable(&group, &member).await;
        let at = format!("/consumer-groups/{group}/consumers");
        let list = get(&at).await.send().await.ok();
        assert_eq!((&list["kind"], list["data"].as_array().unwrap().len()), (&json!("KafkaConsumerList"), 1));
        let only = &list["data"][0];
        let id = only["consumer_id"].as_str().unwrap();
        assert_eq!((&only["client_id"], &only["instance_id"]), (&json!("tester"), &Value::Null));
        // Ids of the new protocol may have any character: links lead there all the same.
        let one = app::shared().get(&path_of(&only["metadata"]["self"])).send().await.ok();
        assert_eq!(&one, only);

        let assigned = app::shared().get(&path_of(&one["assignments"]["related"])).send().await.ok();
        assert_eq!(assigned["kind"], "KafkaConsumerAssignmentList");
        let partitions: Vec<_> = assigned["data"].as_array().unwrap().iter().map(|it| &it["partition_id"]).collect();
        assert_eq!(partitions, [0, 1]);
        let second = &assigned["data"][1];
        assert_eq!((&second["topic_name"], &second["consumer_id"]), (&json!(topic), &json!(id)));
        assert!(path_of(&second["partition"]["related"]).ends_with(&format!("/topics/{topic}/partitions/1")));
        assert!(path_of(&second["lag"]["related"]).ends_with(&format!("/lags/{topic}/partitions/1")));
        let same = app::shared().get(&path_of(&second["metadata"]["self"])).send().await.ok();
        assert_eq!(&same, second);

        for path in [format!("{at}/nobody"), format!("{at}/nobody/assignments")] {
            assert_eq!(get(&path).await.send().await.error(), (404, 404), "{path}");
        }
        let other = path_of(&one["assignments"]["related"]) + &format!("/{topic}/partitions/9");
        assert_eq!(app::shared().get(&other).send().await.error(), (404, 404));
    }
}

#[tokio::test]
async fn a_group_that_only_keeps_offsets_is_simple_and_empty() {
    let group = simple_group(&app::topic(1)).await;
    let found = get(&format!("/consumer-groups/{group}")).await.send().await.ok();
    assert_eq!(
        (&found["is_simple"], &found["state"], &found["type"]),
        (&json!(true), &json!("EMPTY"), &json!("CLASSIC"))
    );
    let consumers = get(&format!("/consumer-groups/{group}/consumers")).await.send().await.ok();
    assert_eq!(consumers["data"], json!([]));
}

#[tokio::test]
async fn lists_are_limited_to_states_and_types() {
    let topic = app::topic(1);
    let (simple, classic, consumer) = (simple_group(&topic).await, unique("group"), unique("group"));
    let members = (member(&classic, &topic, "classic"), member(&consumer, &topic, "consumer"));
    stable(&classic, &members.0).await;
    stable(&consumer, &members.1).await;
    for (query, expected) in [
        ("", [true, true, true]),
        ("?state=EMPTY", [true, false, false]),
        ("?state=stable", [false, true, true]),
        ("?type=consumer", [false, false, true]),
        ("?state=STABLE,EMPTY&type=CLASSIC,CONSUMER", [true, true, true]),
        ("?type=share", [false, false, false]),
        ("?state=STABLE&type=streams,classic", [false, true, false]),
    ] {
        let list = get(&format!("/consumer-groups{query}")).await.send().await.ok();
        let there = [&simple, &classic, &consumer].map(|group| item(&list, "consumer_group_id", group).is_some());
        assert_eq!(there, expected, "{query}");
        assert_eq!(
            path_of(&list["metadata"]["self"]).replace("%2C", ","),
            format!("{}/consumer-groups{query}", cluster().await)
        );
    }
    for query in ["?state=teapot", "?type=teapot", "?type="] {
        assert_eq!(get(&format!("/consumer-groups{query}")).await.send().await.error(), (404, 404), "{query}");
    }
}

#[tokio::test]
async fn a_group_is_deleted_once_it_has_no_members() {
    let (topic, group) = (app::topic(1), unique("group"));
    let at = format!("/consumer-groups/{group}");
    let joined = member(&group, &topic, "classic");
    assert_eq!(call("DELETE", &at).await.send().await.error(), (405, 405), "as in the reference");
    let delete = async || send("POST", "/consumer-groups:delete", json!({ "consumer_group_ids": [group] })).await;
    let refused = delete().await.send().await;
    assert_eq!(refused.error(), (409, 40904));
    assert!(refused.message().contains("stop them first"), "{}", refused.message());
    joined.unsubscribe();
    drop(joined);
    eventually("the member has left", PATIENCE, async || {
        let deleted = delete().await.send().await;
        (deleted.status == 204 && deleted.body.is_empty()).then_some(())
    })
    .await;
    let again = delete().await.send().await;
    assert_eq!((again.error(), again.message()), ((404, 404), format!("Consumer Group {group} could not be found.")));
    assert_eq!(get(&at).await.send().await.error(), (404, 404));
}

#[tokio::test]
async fn unknown_groups_and_other_clusters_are_not_found() {
    let group = unique("unknown");
    for (path, message) in [
        ("", "could not be found."),
        ("/consumers", "does not exist."),
        ("/consumers/x", "does not exist."),
        ("/consumers/x/assignments", "does not exist."),
        ("/lags", "could not be found."),
        ("/lags/t/partitions/0", "could not be found."),
        ("/lag-summary", "could not be found."),
        ("/offsets", "could not be found."),
        ("/offsets/t/partitions/0", "could not be found."),
    ] {
        let answer = get(&format!("/consumer-groups/{group}{path}")).await.send().await;
        assert_eq!(
            (answer.error(), answer.message()),
            ((404, 404), format!("Consumer Group {group} {message}")),
            "{path}"
        );
        let other = app::shared().get(&format!("/v3/clusters/other/consumer-groups/{group}{path}")).send().await;
        assert_eq!((other.error(), other.message()), ((404, 404), "Cluster other could not be found.".to_owned()));
    }
}
