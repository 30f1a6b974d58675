use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::consume::native::trim;
use crate::harness::http::Answer;
use crate::harness::kafka::{self, NewRecord};
use crate::harness::{app, unique};
use crate::v3_admin::{get, send};

async fn reset(group: &str, body: Value) -> Answer {
    send("POST", &format!("/consumer-groups/{group}/offsets:reset"), body).await.send().await
}

/// Makes a group with these offsets, by partition.
async fn group_at(topic: &str, offsets: &[i64]) -> String {
    let group = unique("group");
    alter(&group, topic, offsets).await;
    group
}

async fn alter(group: &str, topic: &str, offsets: &[i64]) {
    let entry = |(partition, offset)| json!({ "topic_name": topic, "partition_id": partition, "offset": offset });
    let data: Vec<_> = offsets.iter().enumerate().map(entry).collect();
    let altered = send("POST", &format!("/consumer-groups/{group}/offsets:alter"), json!({ "data": data })).await;
    assert_eq!(altered.send().await.status, 204);
}

/// Returns partition, old and new offset of each.
fn moves(answer: &Answer) -> Vec<(i64, Option<i64>, i64)> {
    let list = answer.ok();
    assert_eq!(list["kind"], "KafkaConsumerGroupOffsetResetList");
    let one = |it: &Value| {
        let number = |name: &str| it[name].as_i64();
        (number("partition_id").unwrap(), number("old_offset"), number("new_offset").unwrap())
    };
    list["data"].as_array().unwrap().iter().map(one).collect()
}

async fn committed(group: &str) -> Vec<i64> {
    let list = get(&format!("/consumer-groups/{group}/offsets")).await.send().await.ok();
    list["data"].as_array().unwrap().iter().map(|it| it["offset"].as_i64().unwrap()).collect()
}

/// Makes a topic of two partitions with records 2 to 9, a second apart from `start_ms` on for offset 0.
async fn filled(start_ms: i64) -> String {
    let topic = app::topic(2);
    for partition in 0..2 {
        let record = |index: i64| NewRecord {
            partition: Some(partition),
            timestamp_ms: Some(start_ms + index * 1000),
            ..NewRecord::new("k", "v")
        };
        kafka::shared().produce(&topic, &(0..10).map(record).collect::<Vec<_>>());
        trim(kafka::shared(), &topic, partition, 2).await;
    }
    topic
}

#[tokio::test]
async fn a_group_is_moved_to_every_target() {
    let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let start_ms = now_ms - 60_000;
    let topic = filled(start_ms).await;
    let group = group_at(&topic, &[5, 8]).await;
    for (target, expected) in [
        (json!({ "to": "EARLIEST" }), [2, 2]),
        (json!({ "to": "LATEST" }), [10, 10]),
        (json!({ "to": "OFFSET", "offset": 7 }), [7, 7]),
        (json!({ "to": "OFFSET", "offset": 0 }), [2, 2]),
        (json!({ "to": "OFFSET", "offset": 99 }), [10, 10]),
        (json!({ "to": "SHIFT_BY", "shift_by": 1 }), [6, 9]),
        (json!({ "to": "SHIFT_BY", "shift_by": -4 }), [2, 4]),
        (json!({ "to": "SHIFT_BY", "shift_by": 4 }), [9, 10]),
        (json!({ "to": "TIMESTAMP", "timestamp": start_ms + 5500 }), [6, 6]),
        (json!({ "to": "TIMESTAMP", "timestamp": 0 }), [2, 2]),
        (json!({ "to": "TIMESTAMP", "timestamp": "2999-01-01T00:00:00Z" }), [10, 10]),
    ] {
        alter(&group, &topic, &[5, 8]).await;
        let expected_moves = [(0, Some(5), expected[0]), (1, Some(8), expected[1])];
        let mut dry = target.clone();
        dry["dry_run"] = json!(true);
        assert_eq!(moves(&reset(&group, dry).await), expected_moves, "{target}");
        assert_eq!(committed(&group).await, [5, 8], "{target}");
        assert_eq!(moves(&reset(&group, target.clone()).await), expected_moves, "{target}");
        assert_eq!(committed(&group).await, expected, "{target}");
    }
}

#[tokio::test]
async fn only_the_partitions_that_are_named_are_moved() {
    let (topic, other) = (app::topic(3), app::topic(1));
    let group = group_at(&topic, &[5, 8]).await;
    let partitions = json!([{ "topic_name": topic, "partition_id": 1 }]);
    let one = reset(&group, json!({ "to": "EARLIEST", "partitions": partitions })).await;
    assert_eq!(moves(&one), [(1, Some(8), 0)]);
    assert_eq!(committed(&group).await, [5, 0]);
    // All partitions of a topic, also those without an offset.
    let all = reset(&group, json!({ "to": "LATEST", "topics": [topic] })).await;
    assert_eq!(moves(&all), [(0, Some(5), 0), (1, Some(0), 0), (2, None, 0)]);
    let another = reset(&group, json!({ "to": "LATEST", "topics": [other], "dry_run": true })).await;
    assert_eq!(moves(&another), [(0, None, 0)]);
    assert_eq!(committed(&group).await, [0, 0, 0]);
}

#[tokio::test]
async fn what_has_no_new_offset_moves_nothing() {
    let topic = app::topic(2);
    let group = group_at(&topic, &[5]).await;
    let partition = |number: i32| json!({ "topic_name": topic, "partition_id": number });
    for (body, error) in [
        (json!({}), (400, 400)),
        (json!({ "to": "earliest" }), (400, 400)),
        (json!({ "to": "OFFSET" }), (400, 400)),
        (json!({ "to": "LATEST", "offset": 1 }), (400, 400)),
        (json!({ "to": "LATEST", "dry_run": 1 }), (400, 400)),
        (json!({ "to": "LATEST", "topics": [topic], "partitions": [] }), (400, 400)),
        (json!({ "to": "LATEST", "partitions": [partition(0), partition(0)] }), (400, 400)),
        (json!({ "to": "SHIFT_BY", "shift_by": 1, "topics": [topic] }), (400, 400)),
        (json!({ "to": "LATEST", "topics": [unique("unknown")] }), (404, 40403)),
        (json!({ "to": "LATEST", "partitions": [partition(0), partition(9)] }), (404, 40403)),
        (json!({ "to": "LATEST", "group": 1 }), (422, 422)),
    ] {
        assert_eq!(reset(&group, body.clone()).await.error(), error, "{body}");
    }
    assert_eq!(committed(&group).await, [5]);
}
