use serde_json::{Value, json};

use crate::admin::groups::member;
use crate::harness::http::Answer;
use crate::harness::{app, unique};
use crate::v3_admin::{call, get, path_of, send};

async fn post(group: &str, verb: &str, body: Value) -> Answer {
    send("POST", &format!("/consumer-groups/{group}/offsets:{verb}"), body).await.send().await
}

fn entry(topic: &str, partition: i32, offset: i64) -> Value {
    json!({ "topic_name": topic, "partition_id": partition, "offset": offset })
}

/// Returns partition and offset of all that a group has committed.
async fn committed(group: &str) -> Vec<(i64, i64)> {
    let list = get(&format!("/consumer-groups/{group}/offsets")).await.send().await.ok();
    assert_eq!(list["kind"], "KafkaConsumerGroupOffsetList");
    let short = |it: &Value| (it["partition_id"].as_i64().unwrap(), it["offset"].as_i64().unwrap());
    list["data"].as_array().unwrap().iter().map(short).collect()
}

#[tokio::test]
async fn offsets_are_altered_read_and_deleted() {
    let (topic, other, group) = (app::topic(3), app::topic(1), unique("group"));
    let mut first = entry(&topic, 2, 5);
    first["commit_metadata"] = json!("by hand");
    let altered = post(&group, "alter", json!({ "data": [first, entry(&topic, 0, 7), entry(&topic, 1, 0)] })).await;
    assert_eq!((altered.status, altered.body.len()), (204, 0), "{}", altered.text());
    assert_eq!(committed(&group).await, [(0, 7), (1, 0), (2, 5)]);
    let list = get(&format!("/consumer-groups/{group}/offsets")).await.send().await.ok();
    let last = &list["data"][2];
    assert_eq!((&last["kind"], &last["commit_metadata"]), (&json!("KafkaConsumerGroupOffset"), &json!("by hand")));
    assert!(path_of(&last["partition"]["related"]).ends_with(&format!("/topics/{topic}/partitions/2")));
    let same = app::shared().get(&path_of(&last["metadata"]["self"])).send().await.ok();
    assert_eq!(&same, last);
    let unknown = get(&format!("/consumer-groups/{group}/offsets/{topic}/partitions/9")).await.send().await;
    assert_eq!(unknown.error(), (404, 404));

    let partition = json!({ "topic_name": topic, "partition_id": 1 });
    assert_eq!(post(&group, "delete", json!({ "partitions": [partition] })).await.status, 204);
    assert_eq!(committed(&group).await, [(0, 7), (2, 5)]);
    assert_eq!(post(&group, "delete", json!({ "topics": [other] })).await.status, 204);
    assert_eq!(post(&group, "alter", json!({ "data": [entry(&other, 0, 1)] })).await.status, 204);
    assert_eq!(post(&group, "delete", json!({ "topics": [topic] })).await.status, 204);
    assert_eq!(committed(&group).await, [(0, 1)]);
}

#[tokio::test]
async fn partitions_that_do_not_exist_are_named() {
    let (topic, group) = (app::topic(1), unique("group"));
    let some = post(&group, "alter", json!({ "data": [entry(&topic, 0, 1), entry(&topic, 9, 1)] })).await;
    assert_eq!(some.status, 207, "{}", some.text());
    let failures = &some.json()["failures"];
    assert_eq!(failures.as_array().unwrap().len(), 1);
    let failure = &failures[0];
    assert_eq!((&failure["topic_name"], &failure["partition_id"]), (&json!(topic), &json!(9)));
    assert_eq!(failure["error_code"], 40403);
    assert_eq!(committed(&group).await, [(0, 1)]);
    let all = post(&group, "alter", json!({ "data": [entry(&topic, 9, 1)] })).await;
    assert_eq!(all.error(), (404, 40403));
    assert!(all.message().contains(&format!("Partition 9 of topic {topic}")), "{}", all.message());
}

#[tokio::test]
async fn a_group_with_members_keeps_its_offsets() {
    for protocol in ["classic", "consumer"] {
        let (topic, group) = (app::topic(1), unique("group"));
        let _member = member(&group, &topic, protocol);
        for (verb, body) in [
            ("alter", json!({ "data": [entry(&topic, 0, 1)] })),
            ("delete", json!({ "partitions": [{ "topic_name": topic, "partition_id": 0 }] })),
            ("reset", json!({ "to": "EARLIEST", "topics": [topic] })),
        ] {
            let refused = post(&group, verb, body).await;
            assert_eq!(refused.error(), (409, 40904), "{protocol} {verb}");
            assert!(refused.message().contains("stop them first"), "{}", refused.message());
        }
        let told = post(&group, "reset", json!({ "to": "EARLIEST", "topics": [topic], "dry_run": true })).await;
        assert_eq!(told.ok()["data"][0]["new_offset"], 0);
    }
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing() {
    let (topic, group) = (app::topic(1), unique("group"));
    let twice = json!({ "data": [entry(&topic, 0, 1), entry(&topic, 0, 2)] });
    for (verb, body, error) in [
        ("alter", json!({}), (400, 400)),
        ("alter", json!({ "data": [{ "topic_name": topic, "partition_id": 0 }] }), (400, 400)),
        ("alter", json!({ "data": [entry(&topic, 0, -1)] }), (400, 400)),
        ("alter", json!({ "data": [entry("a b", 0, 1)] }), (400, 40002)),
        ("alter", json!({ "data": [entry(&topic, -1, 1)] }), (404, 40402)),
        ("alter", json!({ "data": [], "x": 1 }), (422, 422)),
        ("alter", twice, (400, 400)),
        ("delete", json!({}), (400, 400)),
        ("delete", json!({ "topics": [topic] }), (404, 404)),
        ("reset", json!({ "to": "EARLIEST", "topics": [topic] }), (404, 404)),
    ] {
        assert_eq!(post(&group, verb, body.clone()).await.error(), error, "{verb} {body}");
    }
    for verb in ["alter", "delete", "reset"] {
        let empty = call("POST", &format!("/consumer-groups/{group}/offsets:{verb}")).await.send().await;
        assert_eq!(empty.error(), (422, 42206), "{verb}");
    }
    assert_eq!(get(&format!("/consumer-groups/{group}")).await.send().await.error(), (404, 404));
}
