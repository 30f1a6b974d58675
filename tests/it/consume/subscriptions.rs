//! Subscriptions to topics and patterns.

use serde_json::{Value, json};

use crate::consume::{Instance, assert_done, native, topic_of, values, write};
use crate::harness::app;
use crate::harness::http::V2;
use crate::harness::kafka;
use crate::harness::{PATIENCE, eventually, unique};

async fn new_instance() -> Instance {
    Instance::create(app::shared(), &unique("group"), json!({})).await
}

async fn subscription(instance: &Instance) -> Value {
    instance.get("/subscription").send().await.ok()["topics"].clone()
}

#[tokio::test]
async fn a_list_of_topics_takes_the_place_of_the_one_before() {
    let (one, other) = (topic_of(1, 0..2), topic_of(1, 10..12));
    let instance = new_instance().await;
    assert_eq!(subscription(&instance).await, json!([]));
    instance.subscribe(&[&one]).await;
    assert_eq!(subscription(&instance).await, json!([one]));
    assert_eq!(values(&instance.collect(2).await), [0, 1]);

    instance.subscribe(&[&other]).await;

    assert_eq!(subscription(&instance).await, json!([other]));
    assert_eq!(values(&instance.collect(2).await), [10, 11]);
    write(&one, 0, 2..3);
    write(&other, 0, 12..13);
    assert_eq!(values(&instance.collect(1).await), [12]);
}

#[tokio::test]
async fn all_topics_of_the_list_are_read() {
    let (one, other) = (topic_of(2, 0..2), topic_of(1, 10..12));
    let instance = new_instance().await;
    instance.subscribe(&[&one, &other, &one]).await;
    let mut read = values(&instance.collect(4).await);
    read.sort_by_key(Value::as_i64);
    assert_eq!(read, [0, 1, 10, 11]);
}

#[tokio::test]
async fn what_was_fetched_of_topics_that_are_left_is_dropped() {
    let (one, other) = (topic_of(1, 0..50), topic_of(1, 100..101));
    let instance = new_instance().await;
    instance.subscribe(&[&one]).await;
    assert_eq!(values(&instance.collect_with(1, "?timeout=5000&max_bytes=1").await), [0]);
    instance.subscribe(&[&other]).await;
    assert_eq!(values(&instance.collect(1).await), [100]);
}

#[tokio::test]
async fn nothing_or_neither_leaves_the_subscription_as_it_was() {
    let topic = topic_of(1, 0..1);
    let instance = new_instance().await;
    instance.subscribe(&[&topic]).await;
    for body in [json!({}), json!({ "topics": null }), json!({ "topics": null, "topic_pattern": null })] {
        assert_done(&instance.post("/subscription", body).await);
        assert_eq!(subscription(&instance).await, json!([topic]));
    }
    assert_eq!(values(&instance.collect(1).await), [0]);
}

#[tokio::test]
async fn an_empty_list_and_delete_unsubscribe_and_leave_the_group() {
    let topic = topic_of(1, 0..3);
    let instance = new_instance().await;
    for unsubscribe in ["list", "delete", "delete again"] {
        instance.subscribe(&[&topic]).await;
        assert_eq!(instance.collect_with(1, "?timeout=5000&max_bytes=1").await.len(), 1, "{unsubscribe}");
        assert_eq!(native::members(kafka::shared(), &instance.group), 1);
        match unsubscribe {
            "list" => instance.subscribe(&[]).await,
            _ => assert_done(&instance.call("DELETE", "/subscription").send().await),
        }
        assert_eq!(subscription(&instance).await, json!([]));
        assert_eq!(instance.assigned(0).await, [0; 0]);
        assert_eq!(instance.get("/records").send().await.error(), (409, 40903));
        eventually("it leaves its group", PATIENCE, async || {
            (native::members(kafka::shared(), &instance.group) == 0).then_some(())
        })
        .await;
    }
    assert_done(&instance.call("DELETE", "/subscription").send().await);
}

#[tokio::test]
async fn topics_patterns_and_partitions_exclude_each_other() {
    let topic = topic_of(1, 0..1);
    let bodies = [
        ("/subscription", json!({ "topics": [topic] })),
        ("/subscription", json!({ "topic_pattern": topic })),
        ("/assignments", json!({ "partitions": [{ "topic": topic, "partition": 0 }] })),
    ];
    let instance = new_instance().await;
    for (first, (path, body)) in bodies.iter().enumerate() {
        assert_done(&instance.post(path, body.clone()).await);
        for (second, (path, body)) in bodies.iter().enumerate() {
            let answer = instance.post(path, body.clone()).await;
            if first == second {
                assert_done(&answer);
                continue;
            }
            assert_eq!(answer.error(), (409, 40903), "{first} then {second}");
            let text = "Illegal state: Subscription to topics, partitions and pattern are mutually exclusive";
            assert_eq!(answer.message(), text);
        }
        assert_eq!(instance.collect(1).await.len(), 1, "the first one stays");
        assert_done(&instance.call("DELETE", "/subscription").send().await);
    }
}

#[tokio::test]
async fn topics_win_over_a_pattern_in_one_body() {
    let (topic, matched) = (topic_of(1, 0..1), topic_of(1, 5..6));
    let instance = new_instance().await;
    assert_done(&instance.post("/subscription", json!({ "topics": [topic], "topic_pattern": matched })).await);
    assert_eq!(subscription(&instance).await, json!([topic]));
}

#[tokio::test]
async fn a_pattern_matches_whole_names_now_and_later() {
    let prefix = unique("pattern");
    let kafka = kafka::shared();
    for name in ["-a", "-b", "-ab", "x-a"] {
        kafka.create_topic(&format!("{prefix}{name}"), 1);
    }
    kafka.create_topic(&format!("x{prefix}-a"), 1);
    write(&format!("{prefix}-a"), 0, 1..2);
    write(&format!("{prefix}-b"), 0, 2..3);
    for other in [format!("{prefix}-ab"), format!("{prefix}x-a"), format!("x{prefix}-a")] {
        write(&other, 0, 66..67);
    }
    let instance = new_instance().await;
    assert_done(&instance.post("/subscription", json!({ "topic_pattern": format!("{prefix}-[abc]") })).await);
    let mut topics = subscription(&instance).await.as_array().expect("a list").clone();
    topics.sort_by_key(Value::to_string);
    assert_eq!(topics, [format!("{prefix}-a"), format!("{prefix}-b")]);
    let mut read = values(&instance.collect(2).await);
    read.sort_by_key(Value::as_i64);
    assert_eq!(read, [1, 2]);
    instance.commit_delivered().await;

    let late = format!("{prefix}-c");
    kafka.create_topic(&late, 1);
    write(&late, 0, 3..4);

    assert_eq!(values(&instance.collect_with(1, "?timeout=500").await), [3]);
    assert_eq!(subscription(&instance).await.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_yet_reads_what_comes() {
    let topic = unique("later");
    let instance = new_instance().await;
    assert_done(&instance.post("/subscription", json!({ "topic_pattern": format!("{topic}|{topic}-b") })).await);
    assert_eq!(subscription(&instance).await, json!([]));
    assert_eq!(instance.read("?timeout=200").await, Vec::<Value>::new());
    kafka::shared().create_topic(&topic, 1);
    write(&topic, 0, 7..8);
    assert_eq!(values(&instance.collect_with(1, "?timeout=500").await), [7]);
}

#[tokio::test]
async fn bodies_that_are_wrong_change_nothing() {
    let topic = topic_of(1, 0..1);
    let instance = new_instance().await;
    instance.subscribe(&[&topic]).await;
    let cases = [
        ("", (422, 422)),
        ("null", (422, 422)),
        ("{", (400, 400)),
        ("[]", (400, 400)),
        (r#"{"topics":"t"}"#, (400, 400)),
        (r#"{"topics":[["t"]]}"#, (400, 400)),
        (r#"{"topics":[5]}"#, (400, 400)),
        (r#"{"topics":[null]}"#, (400, 400)),
        (r#"{"topics":[""]}"#, (422, 422)),
        (r#"{"topics":["not legal"]}"#, (422, 422)),
        (r#"{"topics":["ok",".."]}"#, (422, 422)),
        (r#"{"topic":"t"}"#, (422, 422)),
        (r#"{"topic_pattern":["t"]}"#, (400, 400)),
    ];
    for (body, expected) in cases {
        let answer = instance.call("POST", "/subscription").body(V2, body).send().await;
        assert_eq!((answer.error(), answer.media()), (expected, Some(V2)), "{body}");
    }
    assert_eq!(subscription(&instance).await, json!([topic]));
    assert_eq!(values(&instance.collect(1).await), [0]);
}

#[tokio::test]
async fn patterns_that_are_none_are_refused_and_heavy_ones_too() {
    let instance = new_instance().await;
    for pattern in ["", "[", "(", "a{2,1}", "(?=a)", r"(a)\1", "((a{99}){99}){99}"] {
        let answer = instance.post("/subscription", json!({ "topic_pattern": pattern })).await;
        assert_eq!(answer.error(), (422, 422), "{pattern:?}");
        assert!(answer.message().contains("topic_pattern"), "{}", answer.message());
    }
    assert_eq!(subscription(&instance).await, json!([]));
}

#[tokio::test]
async fn a_topic_that_does_not_exist_disturbs_nobody_and_is_read_when_it_does() {
    let (topic, missing) = (topic_of(1, 0..1), unique("missing"));
    let instance = new_instance().await;
    instance.subscribe(&[&missing, &topic]).await;
    assert_eq!(values(&instance.collect(1).await), [0]);
    assert_eq!(instance.read("?timeout=100").await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_first_read_waits_for_the_assignment() {
    let topic = topic_of(3, 0..5);
    for _ in 0..3 {
        let instance = Instance::of_topic(app::shared(), &topic).await;
        let first = instance.read("?timeout=30000").await;
        assert!(!first.is_empty(), "an empty answer means that there was nothing");
    }
}

#[tokio::test]
async fn a_new_group_begins_at_the_end_unless_told_otherwise() {
    let topic = topic_of(1, 0..3);
    let instance = Instance::create(app::shared(), &unique("group"), json!({ "auto.offset.reset": null })).await;
    instance.subscribe(&[&topic]).await;
    assert_eq!(instance.read("?timeout=1000").await, Vec::<Value>::new());
    instance.assigned(1).await;
    // Where the end is becomes known a moment after the assignment.
    assert_eq!(instance.read("?timeout=1000").await, Vec::<Value>::new());
    write(&topic, 0, 3..4);
    assert_eq!(values(&instance.collect(1).await), [3]);
}

#[tokio::test]
async fn a_group_that_may_begin_nowhere_says_so() {
    let topic = topic_of(1, 0..3);
    let group = unique("group");
    let none = json!({ "auto.offset.reset": "none" });
    let instance = Instance::create(app::shared(), &group, none.clone()).await;
    instance.subscribe(&[&topic]).await;
    let refused = instance.get("/records?timeout=30000").send().await;
    assert_eq!(refused.error(), (500, 50002));
    instance.delete().await;

    let first = Instance::create(app::shared(), &group, json!({})).await;
    first.commit(&topic, 0, 0).await;
    let second = Instance::create(app::shared(), &group, none).await;
    second.subscribe(&[&topic]).await;
    assert_eq!(values(&second.collect(2).await), [1, 2]);
}
