//! Partitions assigned by hand.

use serde_json::{Value, json};

use crate::consume::{Instance, assert_done, partitions_of, places, topic_of, write};
use crate::harness::app;
use crate::harness::http::V2;
use crate::harness::unique;

async fn new_instance() -> Instance {
    Instance::create(app::shared(), &unique("group"), json!({})).await
}

#[tokio::test]
async fn just_these_partitions_are_read_in_the_place_of_those_before() {
    let topic = app::topic(3);
    for partition in 0..3 {
        write(&topic, partition, 0..2);
    }
    let instance = new_instance().await;
    instance.assign(&[(&topic, 2), (&topic, 0), (&topic, 2)]).await;
    let mut assigned = instance.assigned(2).await;
    assigned.sort_unstable();
    assert_eq!(assigned, [0, 2]);
    assert_eq!(places(&instance.collect(4).await), [(0, 0), (0, 1), (2, 0), (2, 1)]);

    instance.assign(&[(&topic, 1)]).await;
    assert_eq!(instance.assigned(1).await, [1]);
    assert_eq!(places(&instance.collect(2).await), [(1, 0), (1, 1)]);
    assert_eq!(instance.get("/subscription").send().await.ok(), json!({ "topics": [] }));
}

#[tokio::test]
async fn what_was_fetched_of_partitions_that_are_left_is_dropped() {
    let topic = app::topic(2);
    write(&topic, 0, 0..50);
    write(&topic, 1, 0..1);
    let instance = new_instance().await;
    instance.assign(&[(&topic, 0)]).await;
    assert_eq!(places(&instance.collect_with(1, "?timeout=5000&max_bytes=1").await), [(0, 0)]);
    instance.assign(&[(&topic, 1)]).await;
    assert_eq!(places(&instance.collect(1).await), [(1, 0)]);
}

#[tokio::test]
async fn an_assignment_begins_at_what_the_group_has_committed() {
    let topic = topic_of(1, 0..5);
    let group = unique("group");
    let first = Instance::create(app::shared(), &group, json!({})).await;
    first.commit(&topic, 0, 2).await;
    let second = Instance::create(app::shared(), &group, json!({})).await;
    second.assign(&[(&topic, 0)]).await;
    assert_eq!(places(&second.collect(2).await), [(0, 3), (0, 4)]);
}

#[tokio::test]
async fn an_empty_list_and_unsubscribing_clear_it() {
    let topic = topic_of(1, 0..9);
    let instance = new_instance().await;
    for clear in ["list", "delete"] {
        instance.assign(&[(&topic, 0)]).await;
        instance.collect_with(1, "?timeout=5000&max_bytes=1").await;
        match clear {
            "list" => instance.assign(&[]).await,
            _ => assert_done(&instance.call("DELETE", "/subscription").send().await),
        }
        assert_eq!(instance.get("/assignments").send().await.ok(), json!({ "partitions": [] }));
        assert_eq!(instance.get("/records").send().await.error(), (409, 40903));
    }
}

#[tokio::test]
async fn partitions_that_do_not_exist_are_accepted_and_disturb_nobody() {
    let topic = topic_of(1, 0..2);
    let instance = new_instance().await;
    instance.assign(&[(&topic, 0), (&topic, 99), (&unique("missing"), 0)]).await;
    assert_eq!(places(&instance.collect(2).await), [(0, 0), (0, 1)]);
    assert_eq!(instance.assigned(3).await.len(), 3);
}

#[tokio::test]
async fn bodies_that_are_wrong_change_nothing() {
    let topic = topic_of(2, 0..2);
    let instance = new_instance().await;
    instance.assign(&[(&topic, 0)]).await;
    let cases = [
        (json!(null), (422, 422)),
        (json!({}), (422, 422)),
        (json!({ "partitions": null }), (422, 422)),
        (json!([]), (400, 400)),
        (json!({ "partitions": { "topic": topic } }), (400, 400)),
        (json!({ "partitions": [topic] }), (400, 400)),
        (json!({ "partitions": [null] }), (400, 400)),
        (json!({ "partitions": [{ "topic": topic, "partition": 1 }, { "topic": topic }] }), (422, 422)),
        (json!({ "partitions": [{ "topic": topic, "partition": 1 }, { "partition": 1 }] }), (422, 422)),
        (json!({ "partitions": [{ "topic": topic, "partition": "x" }] }), (400, 400)),
        (json!({ "partitions": [{ "topic": topic, "partition": 1.5 }] }), (400, 400)),
        (json!({ "partitions": [{ "topic": topic, "partition": 4_294_967_296_i64 }] }), (400, 400)),
        (json!({ "partitions": [{ "topic": topic, "partition": -1 }] }), (422, 422)),
        (json!({ "partitions": [{ "topic": "", "partition": 1 }] }), (422, 422)),
        (json!({ "partitions": [{ "topic": "not legal", "partition": 1 }] }), (422, 422)),
        (json!({ "partitions": [{ "topic": topic, "partition": 1, "offset": 3 }] }), (422, 422)),
        (json!({ "partitions": [], "nope": 1 }), (422, 422)),
    ];
    for (body, expected) in cases {
        let answer = instance.post("/assignments", body.clone()).await;
        assert_eq!((answer.error(), answer.media()), (expected, Some(V2)), "{body}: {}", answer.message());
    }
    assert_eq!(instance.get("/assignments").send().await.ok(), partitions_of(&[(&topic, 0)]));
    assert_eq!(places(&instance.collect(2).await), [(0, 0), (0, 1)]);
}

#[tokio::test]
async fn a_partition_may_be_a_number_in_a_text() {
    let topic = topic_of(1, 0..1);
    let instance = new_instance().await;
    assert_done(&instance.post("/assignments", json!({ "partitions": [{ "topic": topic, "partition": "0" }] })).await);
    assert_eq!(instance.collect(1).await.len(), 1);
}

#[tokio::test]
async fn a_read_of_nothing_is_refused_at_once() {
    let instance = new_instance().await;
    let start = std::time::Instant::now();
    assert_eq!(instance.get("/records?timeout=30000").send().await.error(), (409, 40903));
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(instance.get("/assignments").send().await.ok(), json!({ "partitions": Vec::<Value>::new() }));
}
