//! Reads that wait, and what else happens meanwhile.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::consume::{Instance, assert_done, offsets, records, topic_of, values, write};
use crate::harness::app;
use crate::harness::http::V2;
use crate::harness::{PATIENCE, eventually, unique};

#[tokio::test]
async fn two_reads_at_once_deliver_each_record_once() {
    let topic = app::topic(2);
    write(&topic, 0, 0..1500);
    write(&topic, 1, 0..1500);
    let instance = Instance::of_topic(app::shared(), &topic).await;
    let url = app::shared().url(&format!("{}/records?timeout=2000&max_bytes=100", instance.path));
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let url = url.clone();
        readers.spawn(async move {
            let mut read = Vec::new();
            loop {
                let answer = crate::harness::http::get(&url).send().await;
                let records = records(&answer);
                if records.is_empty() {
                    return read;
                }
                read.extend(crate::consume::places(&records));
            }
        });
    }
    let read: Vec<_> = readers.join_all().await.into_iter().flatten().collect();
    assert_eq!(read.len(), 3000);
    assert_eq!(read.into_iter().collect::<BTreeSet<_>>().len(), 3000);
}

#[tokio::test]
async fn reads_that_wait_together_share_what_comes() {
    let topic = app::topic(1);
    let fields = json!({ "properties": { "max.poll.records": 1 } });
    let instance = Instance::of_partition(app::shared(), &topic, fields).await;
    let mut one = instance.start_read(app::shared(), "?timeout=25000").await;
    let mut other = instance.start_read(app::shared(), "?timeout=25000").await;
    let start = Instant::now();
    write(&topic, 0, 0..2);
    let mut read = offsets(&records(&one.answer().await));
    read.extend(offsets(&records(&other.answer().await)));
    read.sort_unstable();
    assert_eq!(read, [0, 1]);
    assert!(start.elapsed() < Duration::from_secs(15), "neither waits while there is a record: {:?}", start.elapsed());
}

#[tokio::test]
async fn every_other_call_is_answered_while_a_read_waits() {
    let topic = topic_of(1, 0..3);
    let instance = Instance::of_partition(app::shared(), &topic, json!({})).await;
    instance.collect(3).await;
    let mut waiting = instance.start_read(app::shared(), "?timeout=25000").await;
    let start = Instant::now();
    let partitions = json!({ "partitions": [{ "topic": topic, "partition": 0 }] });

    instance.get("/subscription").send().await.ok();
    instance.get("/assignments").send().await.ok();
    instance.commit_delivered().await;
    instance.commit(&topic, 0, 1).await;
    assert_eq!(instance.committed(&topic, 0).await, Some(2));
    assert_done(&instance.post("/positions/end", partitions.clone()).await);
    assert_done(&instance.post("/assignments", partitions).await);

    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert!(!waiting.has_answer_within(Duration::from_millis(10)).await || start.elapsed() > Duration::from_secs(1));
    write(&topic, 0, 3..4);
    let answer = waiting.answer().await;
    assert!(!records(&answer).is_empty());
}

#[tokio::test]
async fn deleting_an_instance_ends_a_read_that_waits() {
    let topic = app::topic(1);
    for subscribed in [true, false] {
        let instance = Instance::create(app::shared(), &unique("group"), json!({})).await;
        if subscribed {
            instance.subscribe(&[&topic]).await;
        } else {
            instance.assign(&[(&topic, 0)]).await;
        }
        let mut one = instance.start_read(app::shared(), "?timeout=30000").await;
        let mut other = instance.start_read(app::shared(), "?timeout=30000").await;
        let start = Instant::now();
        instance.delete().await;
        assert_eq!(one.answer().await.error(), (404, 40403));
        assert_eq!(other.answer().await.error(), (404, 40403));
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_name_can_be_used_again_at_once_though_a_read_of_its_first_owner_waits() {
    let topic = topic_of(1, 0..1);
    let group = unique("group");
    let first = Instance::create(app::shared(), &group, json!({ "name": "a" })).await;
    first.subscribe(&[&app::topic(1)]).await;
    let mut waiting = first.start_read(app::shared(), "?timeout=30000").await;
    first.delete().await;
    let second = Instance::create(app::shared(), &group, json!({ "name": "a" })).await;
    second.subscribe(&[&topic]).await;
    assert_eq!(waiting.answer().await.error(), (404, 40403));
    assert_eq!(values(&second.collect(1).await), [0]);
}

#[tokio::test]
async fn unsubscribing_ends_no_read_but_leaves_it_nothing() {
    let topic = app::topic(1);
    let instance = Instance::of_topic(app::shared(), &topic).await;
    instance.assigned(1).await;
    let mut waiting = instance.start_read(app::shared(), "?timeout=4000").await;
    assert_done(&instance.call("DELETE", "/subscription").send().await);
    write(&topic, 0, 0..1);
    let answer = waiting.answer().await;
    assert!(answer.status == 409 || records(&answer).is_empty(), "{}: {}", answer.status, answer.text());
}

#[tokio::test]
async fn many_reads_that_wait_do_not_keep_others_from_being_answered() {
    let topic = app::topic(1);
    let mut waiting = Vec::new();
    for _ in 0..60 {
        let instance = Instance::of_partition(app::shared(), &topic, json!({})).await;
        let mut wire = app::shared().wire().await;
        wire.send(format!("GET {}/records?timeout=30000 HTTP/1.1\r\nHost: proxy\r\n\r\n", instance.path)).await;
        waiting.push((instance, wire));
    }
    let start = Instant::now();
    let other = topic_of(1, 0..1);
    let body = json!({ "records": [{ "value": "" }] });
    let media = "application/vnd.kafka.binary.v2+json";
    assert_eq!(app::shared().post(&format!("/topics/{other}")).document(media, &body).send().await.placed(), [(0, 1)]);
    assert_eq!(app::shared().get("/topics").accept(V2).send().await.status, 200);
    let instance = Instance::of_partition(app::shared(), &other, json!({})).await;
    assert_eq!(values(&instance.collect(1).await), [0]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());

    write(&topic, 0, 0..1);
    for (_, wire) in &mut waiting {
        assert_eq!(offsets(&records(&wire.answer().await)), [0]);
    }
    assert!(start.elapsed() < Duration::from_secs(28), "none waited for its timeout: {:?}", start.elapsed());
}

#[tokio::test]
async fn calls_at_once_on_one_instance_leave_it_usable() {
    let topic = topic_of(1, 0..50);
    let instance = Instance::create(app::shared(), &unique("group"), json!({})).await;
    instance.assign(&[(&topic, 0)]).await;
    let place = json!({ "topic": topic, "partition": 0 });
    let calls = [
        ("GET", "/records?timeout=200&max_bytes=20", None),
        ("GET", "/records?timeout=200", None),
        ("POST", "/offsets", None),
        ("POST", "/positions", Some(json!({ "offsets": [{ "topic": topic, "partition": 0, "offset": 7 }] }))),
        ("POST", "/positions/beginning", Some(json!({ "partitions": [] }))),
        ("POST", "/assignments", Some(json!({ "partitions": [place] }))),
        ("GET", "/offsets", Some(json!({ "partitions": [place] }))),
        ("GET", "/assignments", None),
    ];
    let mut tasks = JoinSet::new();
    for round in 0..12 {
        for (method, path, body) in calls.clone() {
            let call = instance.call(method, path);
            let call = match &body {
                Some(body) => call.document(V2, body),
                None => call,
            };
            tasks.spawn(async move {
                let answer = call.send().await;
                assert!(matches!(answer.status, 200 | 204), "{round} {method} {path}: {}", answer.text());
            });
        }
    }
    tasks.join_all().await;
    instance.seek(&topic, 0, 40).await;
    assert_eq!(offsets(&instance.collect(10).await), (40..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_instance_that_is_deleted_in_the_middle_of_calls_answers_them_all() {
    let topic = topic_of(1, 0..500);
    for _ in 0..5 {
        let instance = Instance::of_topic(app::shared(), &topic).await;
        let mut tasks = JoinSet::new();
        for (method, path) in
            [("GET", "/records?timeout=20000&max_bytes=50"), ("POST", "/offsets"), ("GET", "/assignments")]
        {
            for _ in 0..5 {
                let call = instance.call(method, path);
                tasks.spawn(async move {
                    let answer = call.send().await;
                    if answer.status != 200 {
                        assert_eq!(answer.error(), (404, 40403), "{method} {path}");
                    }
                });
            }
        }
        eventually("it is deleted once", PATIENCE, async || {
            let status = instance.call("DELETE", "").send().await.status;
            assert!(matches!(status, 204 | 404));
            (status == 404).then_some(())
        })
        .await;
        tasks.join_all().await;
    }
}
