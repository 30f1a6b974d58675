//! Topics, partitions, offsets and brokers, in both versions.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::harness::app;
use crate::harness::http::{JSON, V1, V2};
use crate::harness::kafka::{self, Broker, NewRecord, OwnOptions};
use crate::harness::{PATIENCE, eventually, unique};
use kafka_rest_proxy::config::Config;

#[tokio::test]
async fn the_root_answers_an_empty_object() {
    for method in ["GET", "POST"] {
        for (accept, media) in [("*/*", V2), (V1, V1), (JSON, JSON)] {
            let answer = app::shared().call(method, "/").accept(accept).send().await;
            assert_eq!((answer.ok(), answer.media()), (json!({}), Some(media)), "{method} {accept}");
        }
    }
}

#[tokio::test]
async fn topics_are_listed_sorted_in_both_versions() {
    let (topic, other) = (app::topic(1), app::topic(1));
    for media in [V2, V1] {
        let answer = app::shared().get("/topics").accept(media).send().await;
        assert_eq!(answer.media(), Some(media));
        let names: Vec<String> = serde_json::from_value(answer.ok()).expect("a list of names");
        assert!(names.contains(&topic) && names.contains(&other), "{names:?}");
        assert!(names.is_sorted(), "{names:?}");
    }
}

#[tokio::test]
async fn internal_topics_are_not_listed_and_can_be_read_by_name() {
    make_internal_topic().await;
    let names = app::shared().get("/topics").send().await.ok();
    assert!(!names.as_array().expect("a list").contains(&json!("__consumer_offsets")));
    let topic = app::shared().get("/topics/__consumer_offsets").send().await.ok();
    assert_eq!(
        (&topic["name"], &topic["configs"]["cleanup.policy"]),
        (&json!("__consumer_offsets"), &json!("compact"))
    );
}

#[tokio::test]
async fn a_topic_has_all_its_configs_as_text_and_its_partitions() {
    let topic = unique("metadata");
    kafka::shared().create_topic_with(&topic, 2, &[("cleanup.policy", "compact"), ("retention.ms", "12345")]);

    for media in [V2, V1] {
        let answer = app::shared().get(&format!("/topics/{topic}")).accept(media).send().await;
        let found = answer.ok();
        assert_eq!((answer.media(), &found["name"]), (Some(media), &json!(topic)));
        assert_eq!(found["configs"]["cleanup.policy"], json!("compact"));
        assert_eq!(found["configs"]["retention.ms"], json!("12345"));
        assert_eq!(found["configs"]["preallocate"], json!("false"), "defaults are there too");
        let configs = found["configs"].as_object().expect("an object");
        assert!(configs.values().all(|value| value.is_string() || value.is_null()), "{configs:?}");
        let partitions = app::shared().get(&format!("/topics/{topic}/partitions")).accept(media).send().await.ok();
        assert_eq!((&found["partitions"], partitions.as_array().map(Vec::len)), (&partitions, Some(2)));
    }
}

#[tokio::test]
async fn a_partition_has_its_leader_and_replicas() {
    let topic = app::topic(3);
    let list = app::shared().get(&format!("/topics/{topic}/partitions")).send().await.ok();
    for partition in 0..3 {
        let one = app::shared().get(&format!("/topics/{topic}/partitions/{partition}")).send().await.ok();
        assert_eq!((&one["partition"], &one), (&json!(partition), &list[partition]), "in the order of their numbers");
        let leader = one["leader"].as_i64().expect("a leader");
        let replica = json!({ "broker": leader, "leader": true, "in_sync": true });
        assert!(one["replicas"].as_array().expect("a list").contains(&replica), "{one}");
    }
}

#[tokio::test]
async fn a_dead_replica_is_not_in_sync() {
    let mut brokers = Broker::start_cluster(3, OwnOptions::default());
    brokers[0].kafka().create_topic("replicated", 1);
    let app = app::spawn_app(Config::for_bootstrap(&brokers[0].kafka().bootstrap));
    assert_eq!(app.get("/brokers").send().await.ok(), json!({ "brokers": [1, 2, 3] }));

    brokers[2].kill();

    let replicas = eventually("broker 3 is out of sync and a leader is there", PATIENCE, async || {
        let one = app.get("/topics/replicated/partitions/0").send().await.ok();
        let replicas = one["replicas"].as_array().expect("a list").clone();
        let dead = replicas.iter().find(|replica| replica["broker"] == 3).expect("it stays a replica");
        (dead["in_sync"] == false && matches!(one["leader"].as_i64(), Some(1 | 2))).then_some(replicas)
    });
    let replicas = replicas.await;
    assert_eq!(replicas.len(), 3);
    assert_eq!(replicas.iter().filter(|replica| replica["leader"] == true).count(), 1);
    assert_eq!(app.get("/topics/replicated/partitions").send().await.ok().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn offsets_are_those_of_the_log_now() {
    let topic = app::topic(2);
    let path = format!("/topics/{topic}/partitions/1/offsets");
    let offsets = async || app::shared().get(&path).send().await.ok();
    let is_led = async || (app::shared().get(&path).send().await.status == 200).then_some(());
    eventually("the new partition has a leader", PATIENCE, is_led).await;
    assert_eq!(offsets().await, json!({ "beginning_offset": 0, "end_offset": 0 }));
    let record = NewRecord { partition: Some(1), ..NewRecord::new("k", "v") };
    kafka::shared().produce(&topic, &[record.clone(), record.clone(), record]);
    assert_eq!(offsets().await, json!({ "beginning_offset": 0, "end_offset": 3 }));
}

#[tokio::test]
async fn brokers_are_listed_sorted() {
    for media in [V2, V1, JSON] {
        let answer = app::shared().get("/brokers").accept(media).send().await;
        let brokers: Vec<i32> = serde_json::from_value(answer.ok()["brokers"].clone()).expect("a list of ids");
        assert!(!brokers.is_empty() && brokers.is_sorted(), "{brokers:?}");
        assert_eq!(answer.media(), Some(media));
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let topic = app::topic(2);
    let unknown = unique("unknown");
    let cases = [
        (format!("/topics/{unknown}"), 40401),
        (format!("/topics/{unknown}/partitions"), 40401),
        (format!("/topics/{unknown}/partitions/0"), 40401),
        (format!("/topics/{topic}/partitions/2"), 40402),
        (format!("/topics/{topic}/partitions/-1"), 40402),
        (format!("/topics/{topic}/partitions/abc"), 404),
        (format!("/topics/{topic}/partitions/2147483648"), 404),
    ];
    for (path, code) in cases {
        for media in [V2, V1] {
            let answer = app::shared().get(&path).accept(media).send().await;
            assert_eq!((answer.error(), answer.media()), ((404, code), Some(media)), "{path}");
        }
    }
    for (path, code) in [
        (format!("/topics/{unknown}/partitions/0/offsets"), 40401),
        (format!("/topics/{topic}/partitions/2/offsets"), 40402),
        (format!("/topics/{topic}/partitions/-1/offsets"), 40402),
        (format!("/topics/{topic}/partitions/abc/offsets"), 404),
    ] {
        assert_eq!(app::shared().get(&path).send().await.error(), (404, code), "{path}");
    }
}

#[tokio::test]
async fn a_name_that_kafka_does_not_allow_is_refused_everywhere() {
    for name in ["a%20b", "caf%C3%A9", "a%3Fb", &"x".repeat(250)] {
        for path in ["", "/partitions", "/partitions/0", "/partitions/0/offsets"] {
            let answer = app::shared().get(&format!("/topics/{name}{path}")).send().await;
            assert_eq!(answer.error(), (400, 40002), "{name}{path}");
        }
    }
}

#[tokio::test]
async fn a_name_may_be_percent_encoded() {
    let topic = unique("encoded._name");
    kafka::shared().create_topic(&topic, 1);
    let every: String = topic.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let some = topic.replace('-', "%2D").replace('.', "%2e").replace('_', "%5F");
    for name in [every, some] {
        let found = app::shared().get(&format!("/topics/{name}")).send().await.ok();
        assert_eq!(found["name"], json!(topic), "{name}");
    }
}

#[tokio::test]
async fn head_answers_what_get_does_without_the_body() {
    let topic = app::topic(1);
    let topic_path = format!("/topics/{topic}");
    let paths = [
        "/",
        "/topics",
        &topic_path,
        "/brokers",
        &format!("{topic_path}/partitions"),
        &format!("{topic_path}/partitions/0"),
    ];
    let mut wire = app::shared().wire().await;
    for path in paths.into_iter().chain([&*format!("{topic_path}/partitions/0/offsets"), "/topics/nobody-made-this"]) {
        wire.send(format!("HEAD {path} HTTP/1.1\r\nHost: proxy\r\n\r\n")).await;
        let head = wire.answer_to_head().await;
        // A body would be taken for the head of the next answer.
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: proxy\r\n\r\n")).await;
        let full = wire.answer().await;
        assert_eq!((head.status, head.media()), (full.status, full.media()), "{path}");
    }
}

#[tokio::test]
async fn large_answers_are_packed_for_those_who_take_it() {
    let topic = app::topic(1);
    let path = format!("/topics/{topic}");
    let packed = app::shared().get(&path).header("accept-encoding", "gzip").send().await;
    assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")));
    let plain = app::shared().get(&path).send().await;
    assert_eq!(plain.header("content-encoding"), None);
    let unpacked: Value =
        serde_json::from_reader(flate2::read::GzDecoder::new(&packed.body[..])).expect("gzip of JSON");
    assert_eq!(unpacked, plain.json());
}

/// Makes Kafka create `__consumer_offsets`, which it does for the first commit.
async fn make_internal_topic() {
    let topic = app::topic(1);
    let group = unique("group");
    let consumer: BaseConsumer =
        kafka::shared().client().set("group.id", &group).create().expect("a consumer needs no connection");
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&topic, 0, Offset::Offset(0)).expect("the offset is valid");
    eventually("an offset is committed", PATIENCE, async || consumer.commit(&offsets, CommitMode::Sync).ok()).await;
    consumer.committed_offsets(offsets, Duration::from_secs(30)).expect("the group has a coordinator");
}
