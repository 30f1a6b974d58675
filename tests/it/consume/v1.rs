//! Consumers of v1: the first read subscribes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::consume::{native, offsets, records, topic_of, values, write};
use crate::harness::app;
use crate::harness::http::{Answer, BINARY_V1, JSON, JSON_V1, JSON_V2, V1, V2};
use crate::harness::kafka;
use crate::harness::{PATIENCE, eventually, unique};

/// Returns the path of a new instance that reads JSON from the smallest offset, with `fields` over it.
async fn create(fields: Value) -> (String, String) {
    let mut body = json!({ "format": "json", "auto.offset.reset": "smallest" });
    let all = body.as_object_mut().expect("it is one");
    all.extend(fields.as_object().expect("the fields are an object").clone());
    let group = unique("group");
    let answer = app::shared().post(&format!("/consumers/{group}")).document(V1, &body).send().await;
    assert_eq!((answer.status, answer.media()), (200, Some(V1)), "{}", answer.text());
    let uri = answer.json()["base_uri"].as_str().expect("a text").to_owned();
    (uri.strip_prefix(&app::shared().url("")).expect("it is this proxy").to_owned(), group)
}

async fn read(path: &str, topic: &str) -> Answer {
    app::shared().get(&format!("{path}/topics/{topic}")).accept(JSON_V1).send().await
}

async fn collect(path: &str, topic: &str, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    eventually("the records are read", PATIENCE, async || {
        all.extend(records(&read(path, topic).await));
        (all.len() >= count).then_some(())
    })
    .await;
    all
}

async fn commit(path: &str) -> Value {
    let answer = app::shared().post(&format!("{path}/offsets")).accept(V1).send().await;
    assert_eq!(answer.media(), Some(V1));
    answer.ok()
}

async fn delete(path: &str) {
    let answer = app::shared().call("DELETE", path).accept(V1).send().await;
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
}

#[tokio::test]
async fn the_first_read_subscribes_and_a_commit_tells_the_last_offset() {
    let topic = topic_of(1, 0..5);
    let (path, group) = create(json!({})).await;
    assert_eq!(commit(&path).await, json!([]), "nothing was read");
    let read = collect(&path, &topic, 5).await;
    assert_eq!(values(&read), [0, 1, 2, 3, 4]);
    assert_eq!(read[4], json!({ "topic": topic, "key": null, "value": 4, "partition": 0, "offset": 4 }));

    let committed = json!([{ "topic": topic, "partition": 0, "consumed": 4, "committed": 4 }]);
    assert_eq!(commit(&path).await, committed);
    assert_eq!(native::committed(kafka::shared(), &group, &topic, 0), Some(5));
    delete(&path).await;
    assert_eq!(native::members(kafka::shared(), &group), 0);
}

#[tokio::test]
async fn a_commit_tells_the_partitions_that_were_read() {
    let topic = topic_of(3, 0..2);
    write(&topic, 2, 0..4);
    let (path, _) = create(json!({})).await;
    collect(&path, &topic, 6).await;
    let entry = |partition: i32, last: i64| json!({ "topic": topic, "partition": partition, "consumed": last, "committed": last });
    assert_eq!(commit(&path).await, json!([entry(0, 1), entry(2, 3)]));
    delete(&path).await;
}

#[tokio::test]
async fn another_topic_on_the_same_instance_is_40901() {
    let (topic, other) = (topic_of(1, 0..1), topic_of(1, 5..6));
    let (path, _) = create(json!({})).await;
    assert_eq!(read(&path, &unique("missing")).await.error(), (404, 40401), "which subscribes to nothing");
    collect(&path, &topic, 1).await;
    let answer = read(&path, &other).await;
    assert_eq!((answer.error(), answer.media()), ((409, 40901), Some(JSON_V1)));
    write(&topic, 0, 1..2);
    assert_eq!(values(&collect(&path, &topic, 1).await), [1]);
    delete(&path).await;
}

#[tokio::test]
async fn nothing_is_committed_by_itself_unless_asked_for() {
    let topic = topic_of(1, 0..3);
    for (fields, expected) in [(json!({}), None), (json!({ "auto.commit.enable": true }), Some(3))] {
        let (path, group) = create(fields.clone()).await;
        collect(&path, &topic, 3).await;
        delete(&path).await;
        assert_eq!(native::committed(kafka::shared(), &group, &topic, 0), expected, "{fields}");
    }
}

#[tokio::test]
async fn the_settings_are_those_of_v1() {
    let group = unique("group");
    let cases = [
        (json!({ "auto.offset.reset": "smallest" }), 200),
        (json!({ "auto.offset.reset": "largest" }), 200),
        (json!({ "auto.offset.reset": "none" }), 422),
        (json!({ "auto.offset.reset": "x" }), 422),
        (json!({ "fetch.min.bytes": 1 }), 422),
        (json!({ "consumer.request.timeout.ms": 1 }), 422),
        (json!({ "nope": 1 }), 422),
    ];
    for (body, expected) in cases {
        let answer = app::shared().post(&format!("/consumers/{group}")).document(V1, &body).send().await;
        assert_eq!((answer.status, answer.media()), (expected, Some(V1)), "{body}: {}", answer.text());
    }
    let none = app::shared().post(&format!("/consumers/{group}")).accept(V1).send().await;
    assert_eq!(none.status, 200, "the body may be missing");
    let topic = topic_of(1, 0..1);
    let (path, _) = create(json!({ "auto.offset.reset": null })).await;
    assert_eq!(records(&read(&path, &topic).await), Vec::<Value>::new(), "the largest offset is the default");
    delete(&path).await;
}

#[tokio::test]
async fn the_accept_header_names_the_format_of_the_instance_or_none() {
    let topic = topic_of(1, 7..8);
    let library = "application/vnd.kafka.v1+json, application/vnd.kafka+json; q=0.9, application/json; q=0.8";
    let cases = [
        ("*/*", Ok(JSON_V1)),
        (JSON_V1, Ok(JSON_V1)),
        (V1, Ok(V1)),
        (library, Ok(V1)),
        ("application/vnd.kafka+json", Ok("application/vnd.kafka+json")),
        (JSON, Ok(JSON)),
        (BINARY_V1, Err((406, 40601))),
        ("application/vnd.kafka.avro.v1+json", Err((406, 40601))),
        (V2, Err((406, 406))),
        (JSON_V2, Err((406, 406))),
        ("text/plain", Err((406, 406))),
    ];
    for (accept, expected) in cases {
        let (path, _) = create(json!({})).await;
        let mut answer = app::shared().get(&format!("{path}/topics/{topic}")).accept(accept).send().await;
        while answer.status == 200 && answer.json() == json!([]) {
            answer = app::shared().get(&format!("{path}/topics/{topic}")).accept(accept).send().await;
        }
        match expected {
            Ok(media) => {
                assert_eq!((answer.status, answer.media()), (200, Some(media)), "{accept}");
                assert_eq!(values(&records(&answer)), [7]);
            }
            Err(error) => assert_eq!(answer.error(), error, "{accept}"),
        }
        delete(&path).await;
    }
}

#[tokio::test]
async fn max_bytes_bounds_an_answer_and_a_timeout_does_nothing() {
    let topic = topic_of(1, 0..5);
    let (path, _) = create(json!({})).await;
    collect(&path, &topic, 5).await;
    let start = Instant::now();
    let empty = app::shared().get(&format!("{path}/topics/{topic}?timeout=60000")).accept(JSON_V1).send().await;
    assert_eq!(records(&empty), Vec::<Value>::new());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    write(&topic, 0, 5..9);
    let mut read = Vec::new();
    while read.len() < 4 {
        let answer = app::shared().get(&format!("{path}/topics/{topic}?max_bytes=3")).accept(JSON_V1).send().await;
        let now = offsets(&records(&answer));
        assert!(now.len() <= 2, "{now:?}");
        read.extend(now);
    }
    assert_eq!(read, [5, 6, 7, 8]);
    delete(&path).await;
}

#[tokio::test]
async fn an_instance_that_is_not_there_is_40403() {
    let path = format!("/consumers/{}/instances/none", unique("group"));
    assert_eq!(read(&path, "t").await.error(), (404, 40403));
    for (method, below) in [("POST", "/offsets"), ("DELETE", "")] {
        let answer = app::shared().call(method, &format!("{path}{below}")).accept(V1).send().await;
        assert_eq!((answer.error(), answer.media()), ((404, 40403), Some(V1)), "{method} {below}");
    }
}

async fn messages(topic: &str, rest: &str) -> Answer {
    app::shared().get(&format!("/topics/{topic}/partitions/{rest}")).accept(JSON_V1).send().await
}

#[tokio::test]
async fn messages_are_read_without_an_instance() {
    let topic = topic_of(1, 0..5);
    let cases: [(&str, &[i64]); 7] = [
        ("0/messages", &[0]),
        ("0/messages?offset=2", &[2]),
        ("0/messages?offset=2&count=2", &[2, 3]),
        ("0/messages?count=100", &[0, 1, 2, 3, 4]),
        ("0/messages?offset=4&count=1000000", &[4]),
        ("0/messages?offset=5", &[]),
        ("0/messages?offset=&count=", &[0]),
    ];
    for (rest, expected) in cases {
        let answer = messages(&topic, rest).await;
        assert_eq!(
            (values(&records(&answer)), answer.media()),
            (expected.iter().map(|n| json!(n)).collect(), Some(JSON_V1)),
            "{rest}"
        );
    }
    let plain = app::shared().get(&format!("/topics/{topic}/partitions/0/messages")).send().await;
    assert_eq!((plain.media(), values(&records(&plain))), (Some(BINARY_V1), vec![json!("MA==")]));
}

#[tokio::test]
async fn messages_that_are_not_there_are_told() {
    let topic = topic_of(1, 0..5);
    let cases = [
        (topic.as_str(), "1/messages", (404, 40402)),
        (topic.as_str(), "-1/messages", (404, 40402)),
        (topic.as_str(), "x/messages", (404, 404)),
        (topic.as_str(), "0/messages?offset=x", (400, 400)),
        (topic.as_str(), "0/messages?count=x", (400, 400)),
        (topic.as_str(), "0/messages?offset=-1", (422, 422)),
        (topic.as_str(), "0/messages?count=0", (422, 422)),
        (topic.as_str(), "0/messages?offset=6", (422, 422)),
        ("missing-topic", "0/messages", (404, 40401)),
    ];
    for (topic, rest, expected) in cases {
        assert_eq!(messages(topic, rest).await.error(), expected, "{rest}");
    }
}
