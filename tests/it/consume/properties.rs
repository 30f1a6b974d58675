//! Properties of the Kafka consumer that a client may set for its instance.

use serde_json::{Value, json};

use crate::consume::native::{Ending, transaction};
use crate::consume::{Instance, offsets, topic_of, values};
use crate::harness::app;
use crate::harness::http::V2;
use crate::harness::kafka::{self, NewRecord};
use crate::harness::unique;

fn one(value: &str) -> [NewRecord; 1] {
    [NewRecord { partition: Some(0), value: Some(value.into()), ..NewRecord::default() }]
}

#[tokio::test]
async fn a_reader_of_committed_records_does_not_get_aborted_ones() {
    let topic = topic_of(1, 0..1);
    transaction(kafka::shared(), &topic, &one("\"aborted\""), Ending::Abort);
    transaction(kafka::shared(), &topic, &one("\"committed\""), Ending::Commit);
    crate::consume::write(&topic, 0, 9..10);
    let read = async |level: &str| {
        let properties = json!({ "properties": { "isolation.level": level } });
        let instance = Instance::of_partition(app::shared(), &topic, properties).await;
        let mut all = Vec::new();
        while all.last() != Some(&json!(9)) {
            all.extend(values(&instance.collect(1).await));
        }
        all
    };

    assert_eq!(read("read_committed").await, [json!(0), json!("committed"), json!(9)]);
    assert_eq!(read("read_uncommitted").await, [json!(0), json!("aborted"), json!("committed"), json!(9)]);
}

#[tokio::test]
async fn a_reader_of_committed_records_stops_at_a_transaction_that_is_open() {
    let topic = topic_of(1, 0..2);
    let open = transaction(kafka::shared(), &topic, &one("\"later\""), Ending::Open);
    let properties = json!({ "properties": { "isolation.level": "read_committed" } });
    let instance = Instance::of_partition(app::shared(), &topic, properties).await;
    assert_eq!(offsets(&instance.collect(2).await), [0, 1]);
    assert_eq!(instance.read("?timeout=1000").await, Vec::<Value>::new());

    rdkafka::producer::Producer::commit_transaction(&open, crate::harness::PATIENCE).expect("it is committed");

    assert_eq!(values(&instance.collect(1).await), [json!("later")]);
}

#[tokio::test]
async fn an_answer_has_at_most_max_poll_records() {
    let topic = topic_of(1, 0..5);
    let both = json!({ "properties": { "isolation.level": "read_committed", "max.poll.records": 2 } });
    for properties in [both, json!({ "properties": { "max.poll.records": "2" } })] {
        let instance = Instance::of_partition(app::shared(), &topic, properties).await;
        assert_eq!(offsets(&instance.collect(1).await), [0, 1]);
        assert_eq!(offsets(&instance.collect(1).await), [2, 3]);
        assert_eq!(offsets(&instance.collect(1).await), [4]);
    }
}

#[tokio::test]
async fn properties_that_are_not_known_or_not_allowed_are_refused() {
    let cases = [
        (json!({ "nope": 1 }), (422, 422)),
        (json!({ "bootstrap.servers": "evil:9092" }), (422, 422)),
        (json!({ "group.id": "other" }), (422, 422)),
        (json!({ "enable.auto.commit": "true" }), (422, 422)),
        (json!({ "plugin.library.paths": "/tmp/x" }), (422, 422)),
        (json!({ "isolation.level": "read_everything" }), (422, 42204)),
        (json!({ "isolation.level": {} }), (400, 400)),
        (json!({ "max.poll.records": 0 }), (422, 42204)),
        (json!({ "max.poll.records": -1 }), (422, 42204)),
        (json!({ "max.poll.records": "x" }), (400, 400)),
        (json!({ "session.timeout.ms": "soon" }), (422, 42204)),
        (json!({ "session.timeout.ms": 0 }), (422, 42204)),
        (json!({ "auto.commit.interval.ms": -5 }), (422, 42204)),
        (json!([]), (400, 400)),
        (json!("x"), (400, 400)),
    ];
    for (properties, expected) in cases {
        let body = json!({ "properties": properties });
        let answer = app::shared().post(&format!("/consumers/{}", unique("group"))).document(V2, &body).send().await;
        assert_eq!(answer.error(), expected, "{body}: {}", answer.message());
    }
}

#[tokio::test]
async fn what_is_accepted_at_create_works_and_what_would_not_is_refused_there() {
    let topic = topic_of(1, 0..1);
    let cases = [
        (json!({ "partition.assignment.strategy": "roundrobin" }), true),
        (json!({ "partition.assignment.strategy": "cooperative-sticky" }), true),
        (json!({ "partition.assignment.strategy": "nope" }), false),
        (json!({ "group.protocol": "consumer" }), true),
        (json!({ "group.protocol": "nope" }), false),
        (json!({ "group.protocol": "consumer", "session.timeout.ms": "10000" }), false),
        (json!({ "partition.assignment.strategy": "range,cooperative-sticky" }), false),
        (json!({ "session.timeout.ms": 10_000 }), true),
        (json!({ "client.rack": "r1" }), true),
        (json!({ "group.instance.id": "static-1" }), true),
        (json!({ "auto.commit.interval.ms": 100 }), true),
        (json!({}), true),
        (Value::Null, true),
    ];
    for (properties, works) in cases {
        let fields = json!({ "auto.offset.reset": "earliest", "format": "json", "properties": properties });
        let group = unique("group");
        let created = app::shared().post(&format!("/consumers/{group}")).document(V2, &fields).send().await;
        if !works {
            assert_eq!(created.error(), (422, 42204), "{fields}");
            continue;
        }
        let name = created.ok()["instance_id"].as_str().expect("a text").to_owned();
        let path = format!("/consumers/{group}/instances/{name}");
        let subscribed =
            app::shared().post(&format!("{path}/subscription")).document(V2, &json!({ "topics": [topic] }));
        assert_eq!(subscribed.send().await.status, 204, "{fields}");
        let answer = app::shared().get(&format!("{path}/records?timeout=30000")).send().await;
        assert_eq!(answer.ok().as_array().map(Vec::len), Some(1), "{fields}");
        assert_eq!(app::shared().call("DELETE", &path).send().await.status, 204);
    }
}

#[tokio::test]
async fn without_a_level_aborted_records_are_read_as_kafka_has_it() {
    let topic = topic_of(1, 0..1);
    transaction(kafka::shared(), &topic, &one("\"aborted\""), Ending::Abort);
    crate::consume::write(&topic, 0, 9..10);
    let instance = Instance::of_partition(app::shared(), &topic, json!({})).await;
    let mut read = Vec::new();
    while read.last() != Some(&json!(9)) {
        read.extend(values(&instance.collect(1).await));
    }
    assert_eq!(read, [json!(0), json!("aborted"), json!(9)]);
}
