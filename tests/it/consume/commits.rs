//! What is stored for the group, and when.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::consume::{Instance, native, offsets, topic_of, values};
use crate::harness::app;
use crate::harness::http::V2;
use crate::harness::kafka;
use crate::harness::unique;

async fn new_instance() -> Instance {
    Instance::create(app::shared(), &unique("group"), json!({})).await
}

async fn committed(instance: &Instance, partitions: Value) -> Value {
    instance.get("/offsets").document(V2, &json!({ "partitions": partitions })).send().await.ok()["offsets"].clone()
}

#[tokio::test]
async fn the_offset_of_a_processed_record_stores_the_next_one() {
    let topic = topic_of(2, 0..3);
    let instance = new_instance().await;
    let place = |offset: Value| json!({ "topic": topic, "partition": 0, "offset": offset });
    let cases = [
        (json!([place(json!(1))]), 2),
        (json!([place(json!("0"))]), 1),
        (json!([place(json!(-1))]), 0),
        (json!([place(json!(5)), place(json!(2))]), 3),
        (json!([place(json!(1_000_000))]), 1_000_001),
    ];
    for (entries, expected) in cases {
        let answer = instance.post("/offsets", json!({ "offsets": entries })).await;
        assert_eq!((answer.ok(), answer.media()), (json!([]), Some(V2)), "{entries}");
        assert_eq!(instance.committed(&topic, 0).await, Some(expected), "{entries}");
        assert_eq!(instance.committed(&topic, 1).await, None);
    }
    assert_eq!(instance.post("/offsets", json!({ "offsets": [] })).await.ok(), json!([]));
}

#[tokio::test]
async fn metadata_is_kept_with_the_offset() {
    let topic = topic_of(1, 0..1);
    let instance = new_instance().await;
    for metadata in ["héllo", "", "x"] {
        let entry = json!({ "topic": topic, "partition": 0, "offset": 0, "metadata": metadata });
        instance.post("/offsets", json!({ "offsets": [entry] })).await.ok();
        let stored = committed(&instance, json!([{ "topic": topic, "partition": 0 }])).await;
        assert_eq!(stored, json!([{ "topic": topic, "partition": 0, "offset": 1, "metadata": metadata }]));
    }
    let entry =
        |metadata: &str| json!({ "offsets": [{ "topic": topic, "partition": 0, "offset": 5, "metadata": metadata }] });
    assert_eq!(instance.post("/offsets", entry("a\0b")).await.error(), (422, 422));
    assert_eq!(instance.post("/offsets", entry(&"x".repeat(5000))).await.error(), (500, 50002));
    assert_eq!(instance.committed(&topic, 0).await, Some(1));
}

#[tokio::test]
async fn a_commit_without_a_body_stores_what_was_delivered_when_it_answers() {
    let topic = topic_of(1, 0..20);
    let instance = Instance::of_topic(app::shared(), &topic).await;
    instance.commit_delivered().await;
    assert_eq!(instance.committed(&topic, 0).await, None, "nothing was delivered yet");
    for next in [3, 6] {
        assert_eq!(offsets(&instance.read("?timeout=30000&max_bytes=4").await).last(), Some(&(next - 1)));
        for body in ["", "null", " "] {
            let call = instance.call("POST", "/offsets?async=true").body(V2, body);
            assert_eq!(call.send().await.ok(), json!([]));
            assert_eq!(instance.committed(&topic, 0).await, Some(next), "the rest was only fetched");
        }
    }
}

#[tokio::test]
async fn what_a_read_has_gathered_and_not_answered_yet_is_not_committed() {
    let topic = topic_of(1, 0..3);
    let instance = Instance::of_partition(app::shared(), &topic, json!({ "fetch.min.bytes": 1000 })).await;
    let mut waiting = instance.start_read(app::shared(), "?timeout=4000").await;
    instance.commit_delivered().await;
    let during = instance.committed(&topic, 0).await;
    assert_eq!(offsets(&crate::consume::records(&waiting.answer().await)), [0, 1, 2]);
    assert_eq!(during, None);
    instance.commit_delivered().await;
    assert_eq!(instance.committed(&topic, 0).await, Some(3));
}

#[tokio::test]
async fn an_instance_commits_by_itself_when_asked_to_and_not_otherwise() {
    let topic = topic_of(1, 0..9);
    let cases = [(json!({ "auto.commit.enable": true }), Some(3)), (json!({ "auto.commit.enable": null }), Some(3))];
    let cases = [&cases[..], &[(json!({ "auto.commit.enable": "false" }), None)]].concat();
    for (fields, expected) in cases {
        for subscribed in [true, false] {
            let instance = Instance::create(app::shared(), &unique("group"), fields.clone()).await;
            if subscribed {
                instance.subscribe(&[&topic]).await;
            } else {
                instance.assign(&[(&topic, 0)]).await;
            }
            assert_eq!(offsets(&instance.read("?timeout=30000&max_bytes=4").await), [0, 1, 2]);
            instance.delete().await;
            let stored = native::committed(kafka::shared(), &instance.group, &topic, 0);
            assert_eq!(stored, expected, "{fields}, subscribed: {subscribed}");
        }
    }
}

#[tokio::test]
async fn an_instance_commits_by_itself_while_it_lives() {
    let topic = topic_of(1, 0..3);
    let fields = json!({ "auto.commit.enable": true, "properties": { "auto.commit.interval.ms": 100 } });
    let instance = Instance::of_partition(app::shared(), &topic, fields).await;
    instance.collect(3).await;
    crate::harness::eventually("it is committed", crate::harness::PATIENCE, async || {
        (native::committed(kafka::shared(), &instance.group, &topic, 0) == Some(3)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_group_goes_on_at_the_commit() {
    let topic = topic_of(1, 0..10);
    let group = unique("group");
    let first = Instance::create(app::shared(), &group, json!({})).await;
    first.subscribe(&[&topic]).await;
    first.collect(10).await;
    first.commit(&topic, 0, 6).await;
    first.delete().await;
    let second = Instance::create(app::shared(), &group, json!({ "auto.offset.reset": "latest" })).await;
    second.subscribe(&[&topic]).await;
    assert_eq!(values(&second.collect(3).await), [7, 8, 9]);
}

#[tokio::test]
async fn unknown_topics_and_partitions_are_told_at_once_and_nothing_is_stored() {
    let topic = topic_of(2, 0..1);
    let instance = new_instance().await;
    let good = json!({ "topic": topic, "partition": 0, "offset": 0 });
    let start = Instant::now();
    let missing = json!({ "topic": unique("missing"), "partition": 0, "offset": 0 });
    let answer = instance.post("/offsets", json!({ "offsets": [good, missing] })).await;
    assert_eq!(answer.error(), (404, 40401));
    let missing = json!({ "topic": topic, "partition": 2, "offset": 0 });
    let answer = instance.post("/offsets", json!({ "offsets": [good, missing] })).await;
    assert_eq!(answer.error(), (404, 40402));
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(instance.committed(&topic, 0).await, None);
}

#[tokio::test]
async fn bodies_that_are_wrong_store_nothing() {
    let topic = topic_of(1, 0..1);
    let instance = new_instance().await;
    let good = json!({ "topic": topic, "partition": 0, "offset": 0 });
    let cases = [
        (json!({}), (422, 422)),
        (json!({ "offsets": null }), (422, 422)),
        (json!([]), (400, 400)),
        (json!({ "offsets": good }), (400, 400)),
        (json!({ "offsets": [good, null] }), (400, 400)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "offset": 0 }] }), (422, 422)),
        (json!({ "offsets": [good, { "partition": 0, "offset": 0 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": -2 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": i64::MAX }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "partition": -1, "offset": 0 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": "x" }] }), (400, 400)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": 1.5 }] }), (400, 400)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": 0, "metadata": [] }] }), (400, 400)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": 0, "nope": 0 }] }), (422, 422)),
        (json!({ "offsets": [good], "nope": 0 }), (422, 422)),
    ];
    for (body, expected) in cases {
        let answer = instance.post("/offsets", body.clone()).await;
        assert_eq!((answer.error(), answer.media()), (expected, Some(V2)), "{body}: {}", answer.message());
    }
    assert_eq!(instance.committed(&topic, 0).await, None);
    instance.commit(&topic, 0, 0).await;
    assert_eq!(instance.committed(&topic, 0).await, Some(1), "the instance is as good as before");
}

#[tokio::test]
async fn what_has_no_commit_is_left_out() {
    let topic = topic_of(2, 0..1);
    let instance = new_instance().await;
    instance.commit(&topic, 1, 4).await;
    let place = |topic: &str, partition: i32| json!({ "topic": topic, "partition": partition });
    let all = json!([place(&topic, 0), place(&topic, 1), place(&topic, 7), place(&unique("missing"), 0)]);
    let stored = json!([{ "topic": topic, "partition": 1, "offset": 5, "metadata": "" }]);
    assert_eq!(committed(&instance, all).await, stored);
    assert_eq!(committed(&instance, json!([])).await, json!([]));
    for (body, expected) in [
        (json!(null), (404, 40402)),
        (json!({}), (422, 422)),
        (json!({ "partitions": [{ "partition": 0 }] }), (422, 422)),
        (json!({ "partitions": [{ "topic": topic }] }), (422, 422)),
        (json!({ "partitions": 5 }), (400, 400)),
    ] {
        assert_eq!(instance.get("/offsets").document(V2, &body).send().await.error(), expected, "{body}");
    }
    assert_eq!(instance.get("/offsets").send().await.error(), (404, 40402));
}

#[tokio::test]
async fn a_commit_for_a_group_with_other_members_is_refused_and_not_lost_in_silence() {
    let topic = topic_of(1, 0..3);
    let group = unique("group");
    let member = Instance::create(app::shared(), &group, json!({})).await;
    member.subscribe(&[&topic]).await;
    member.collect(3).await;
    let stranger = Instance::create(app::shared(), &group, json!({})).await;
    let entry = json!({ "topic": topic, "partition": 0, "offset": 0 });
    let answer = stranger.post("/offsets", json!({ "offsets": [entry] })).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert!(matches!(answer.error().1, 50002 | 50003));
    member.commit_delivered().await;
    assert_eq!(member.committed(&topic, 0).await, Some(3));
}

#[tokio::test]
async fn an_instance_that_has_left_its_group_commits_without_it() {
    let topic = topic_of(1, 0..3);
    let instance = new_instance().await;
    instance.subscribe(&[&topic]).await;
    assert_eq!(instance.collect(3).await.len(), 3);
    instance.call("DELETE", "/subscription").accept(V2).send().await;

    instance.assign(&[(&topic, 0)]).await;
    assert_eq!(instance.collect(3).await.len(), 3);
    instance.commit_delivered().await;
    assert_eq!(instance.committed(&topic, 0).await, Some(3));
}
