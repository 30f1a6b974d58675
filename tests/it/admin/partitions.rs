use kafka_rest_proxy::admin::Code;
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::model::{Election, Isolation, NewAssignment, OffsetSpec, TopicName};

use crate::admin::admin;
use crate::harness::kafka::{self, NewRecord};
use crate::harness::{app, unique};

/// Returns a topic of one partition with five records.
fn topic_with_records() -> TopicName {
    let topic = app::topic(1);
    let records: Vec<_> = (0..5).map(|_| NewRecord::new("key", "value")).collect();
    kafka::shared().produce(&topic, &records);
    TopicName::try_from(topic.as_str()).unwrap()
}

fn unknown() -> TopicName {
    TopicName::try_from(unique("unknown").as_str()).unwrap()
}

#[tokio::test]
async fn records_before_an_offset_are_deleted() {
    let (admin, topic) = (admin(), topic_with_records());
    let wanted = [(unknown(), 0, Some(1)), (topic.clone(), 0, Some(2))];
    let deleted = admin.delete_records(&wanted).await.unwrap();
    assert_eq!(deleted[0].1.as_ref().unwrap_err().kind(), Kind::UnknownTopic);
    assert_eq!(deleted[1].1.as_ref().unwrap(), &2);
    let earliest = [(topic.clone(), 0, OffsetSpec::Earliest)];
    let found = admin.list_offsets(&earliest, Isolation::ReadUncommitted).await.unwrap();
    assert_eq!(found[0].1.as_ref().unwrap().offset, Some(2));

    let beyond = admin.delete_records(&[(topic.clone(), 0, Some(99))]).await.unwrap();
    assert_eq!(beyond[0].1.as_ref().err().and_then(Code::of), Some(Code::OFFSET_OUT_OF_RANGE));
    let all = admin.delete_records(&[(topic, 0, None)]).await.unwrap();
    assert_eq!(all[0].1.as_ref().unwrap(), &5);
}

#[tokio::test]
async fn an_election_that_is_not_needed_says_so() {
    let (admin, topic) = (admin(), topic_with_records());
    let partitions = [(topic, 0), (unknown(), 0)];
    let elected = admin.elect_leaders(Election::Preferred, Some(&partitions)).await.unwrap();
    let code = |at: usize| {
        let found = elected.iter().find(|(partition, _)| *partition == partitions[at]).unwrap();
        found.1.as_ref().err().and_then(Code::of)
    };
    assert_eq!(code(0), Some(Code::ELECTION_NOT_NEEDED));
    assert_eq!(code(1), Some(Code::UNKNOWN_TOPIC_OR_PARTITION));
}

#[tokio::test]
async fn a_brokers_folders_hold_its_partitions() {
    let (admin, topic) = (admin(), topic_with_records());
    let broker = admin.describe_cluster(false).await.unwrap().brokers[0].id;
    let folders = admin.describe_log_dirs(broker).await.unwrap();
    assert!(folders[0].total_bytes > folders[0].usable_bytes && !folders[0].path.is_empty());
    let replicas = folders[0].replicas.as_ref().unwrap();
    let found = replicas.iter().find(|replica| replica.topic == topic).unwrap();
    assert_eq!((found.partition, found.offset_lag, found.is_future), (0, 0, false));
    assert!(found.size_bytes > 0);
    assert_eq!(admin.describe_log_dirs(4711).await.unwrap_err().kind(), Kind::BrokerNotAvailable);
}

#[tokio::test]
async fn a_reassignment_that_cannot_be_is_refused_in_its_place() {
    let (admin, topic) = (admin(), topic_with_records());
    let move_to = |topic: &TopicName, replicas| NewAssignment { topic: topic.clone(), partition: 0, replicas };
    let wanted = [move_to(&topic, Some(vec![4711])), move_to(&topic, None), move_to(&unknown(), Some(vec![1]))];
    for (wanted, expected) in wanted.into_iter().zip([
        Code::INVALID_REPLICA_ASSIGNMENT,
        Code::NO_REASSIGNMENT_IN_PROGRESS,
        Code::UNKNOWN_TOPIC_OR_PARTITION,
    ]) {
        let ended = admin.alter_reassignments(&[wanted]).await.unwrap();
        assert_eq!(ended[0].1.as_ref().err().and_then(Code::of), Some(expected));
    }
    assert_eq!(admin.list_reassignments(Some(&topic)).await.unwrap(), []);
}
