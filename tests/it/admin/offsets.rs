use kafka_rest_proxy::admin::{Admin, Code};
use kafka_rest_proxy::config::Config;
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::kafka::MockKafka;
use kafka_rest_proxy::model::{FoundOffset, Isolation, OffsetSpec, TopicName};

use crate::admin::admin;
use crate::harness::kafka::{self, NewRecord};
use crate::harness::{app, unique};

/// Returns a topic whose first partition has three records, a second apart.
fn topic_with_records() -> TopicName {
    let topic = app::topic(2);
    let record = |timestamp_ms| NewRecord {
        partition: Some(0),
        timestamp_ms: Some(timestamp_ms),
        ..NewRecord::new("key", "value")
    };
    kafka::shared().produce(&topic, &[record(1_000), record(2_000), record(3_000)]);
    TopicName::try_from(topic.as_str()).unwrap()
}

#[tokio::test]
async fn every_kind_of_offset_is_found() {
    let (admin, topic) = (admin(), topic_with_records());
    let at = |offset, timestamp_ms| FoundOffset { offset, timestamp_ms };
    for (spec, expected) in [
        (OffsetSpec::Earliest, at(Some(0), None)),
        (OffsetSpec::Latest, at(Some(3), None)),
        (OffsetSpec::MaxTimestamp, at(Some(2), Some(3_000))),
        (OffsetSpec::At(1_500), at(Some(1), Some(2_000))),
        (OffsetSpec::At(2_000), at(Some(1), Some(2_000))),
        (OffsetSpec::At(9_000), at(None, None)),
    ] {
        let found = admin.list_offsets(&[(topic.clone(), 0, spec)], Isolation::ReadUncommitted).await.unwrap();
        assert_eq!(found[0].1.as_ref().unwrap(), &expected, "{spec:?}");
    }
}

#[tokio::test]
async fn many_partitions_are_asked_at_once_and_errors_stay_in_their_place() {
    let (admin, topic) = (admin(), topic_with_records());
    let unknown = TopicName::try_from(unique("unknown").as_str()).unwrap();
    let wanted = [
        (topic.clone(), 1, OffsetSpec::Latest),
        (topic.clone(), 7, OffsetSpec::Latest),
        (unknown, 0, OffsetSpec::Latest),
        (topic, 0, OffsetSpec::Latest),
    ];
    let found = admin.list_offsets(&wanted, Isolation::ReadCommitted).await.unwrap();
    assert!(found.iter().map(|(partition, _)| partition).eq(&wanted.map(|(topic, partition, _)| (topic, partition))));
    assert_eq!(found[0].1.as_ref().unwrap().offset, Some(0));
    for missing in &found[1..3] {
        let why = missing.1.as_ref().unwrap_err();
        assert_eq!((why.kind(), Code::of(why)), (Kind::UnknownTopic, Some(Code::UNKNOWN_TOPIC_OR_PARTITION)));
    }
    assert_eq!(found[3].1.as_ref().unwrap().offset, Some(3));
}

#[tokio::test]
async fn the_embedded_kafka_tells_offsets_too() {
    let embedded = MockKafka::start().unwrap();
    let admin = Admin::new(&Config::for_bootstrap(embedded.bootstrap_servers()));
    let topic = TopicName::try_from("topic").unwrap();
    embedded.create_topic(&topic, 1).await.unwrap();
    for spec in [OffsetSpec::Earliest, OffsetSpec::Latest] {
        let found = admin.list_offsets(&[(topic.clone(), 0, spec)], Isolation::ReadUncommitted).await.unwrap();
        assert_eq!(found[0].1.as_ref().unwrap().offset, Some(0));
    }
}
