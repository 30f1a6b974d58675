use std::collections::BTreeMap;

use kafka_rest_proxy::admin::{Admin, Code};
use kafka_rest_proxy::config::Config;
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::kafka::MockKafka;
use kafka_rest_proxy::model::{AclOperation, ConfigSource, NewTopic, TopicDescription, TopicName};

use crate::admin::admin;
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};

fn new_topic() -> NewTopic {
    NewTopic {
        name: name(&unique("topic")),
        partitions: Some(3),
        replication_factor: Some(1),
        assignments: BTreeMap::new(),
        configs: Vec::new(),
    }
}

fn name(name: &str) -> TopicName {
    TopicName::try_from(name).unwrap()
}

/// Waits until the broker that answers has heard of what the controller did.
async fn described_with(admin: &Admin, topic: &TopicName, partitions: usize) -> TopicDescription {
    eventually("the topic has its partitions", PATIENCE, async || {
        admin.describe_topic(topic, true).await.ok().filter(|found| found.partitions.len() == partitions)
    })
    .await
}

#[tokio::test]
async fn a_topic_is_made_described_grown_and_deleted() {
    let admin = admin();
    let new = NewTopic { configs: vec![("retention.ms".to_owned(), Some("60000".to_owned()))], ..new_topic() };
    let created = admin.create_topic(&new, false).await.unwrap();
    assert_eq!((created.partitions, created.replication_factor), (Some(3), Some(1)));
    let configs = created.configs.unwrap();
    let retention = configs.iter().find(|config| config.name == "retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.source), (Some("60000"), ConfigSource::DynamicTopic));

    let found = described_with(&admin, &new.name, 3).await;
    let leader = found.partitions[0].leader.unwrap();
    assert_eq!(found.partitions.iter().map(|partition| partition.id).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((&found.partitions[0].replicas, &found.partitions[0].isr), (&vec![leader], &vec![leader]));
    assert!(found.partitions[0].offline.is_empty() && !found.internal);
    assert!(found.authorized_operations.unwrap().contains(&AclOperation::Write));

    admin.create_partitions(&new.name, 5, None, false).await.unwrap();
    described_with(&admin, &new.name, 5).await;
    let listed = admin.list_topics(false).await.unwrap();
    assert!(listed.is_sorted_by(|one, other| one.name < other.name));
    assert!(listed.iter().any(|topic| topic.name == new.name && topic.authorized_operations.is_none()));

    admin.delete_topic(&new.name).await.unwrap();
    eventually("the topic is gone", PATIENCE, async || {
        let gone = admin.describe_topic(&new.name, false).await.err()?;
        (gone.kind() == Kind::UnknownTopic).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_only_validated_is_not_made() {
    let admin = admin();
    let new = new_topic();
    assert_eq!(admin.create_topic(&new, true).await.unwrap().partitions, Some(3));
    assert_eq!(admin.describe_topic(&new.name, false).await.unwrap_err().kind(), Kind::UnknownTopic);
}

#[tokio::test]
async fn the_broker_chooses_what_is_not_said() {
    let new = NewTopic { partitions: None, replication_factor: None, ..new_topic() };
    let created = admin().create_topic(&new, false).await.unwrap();
    assert_eq!((created.partitions, created.replication_factor), (Some(1), Some(1)));
}

#[tokio::test]
async fn an_assignment_says_which_brokers_get_what() {
    let admin = admin();
    let broker = admin.describe_cluster(false).await.unwrap().brokers[0].id;
    let assignments = BTreeMap::from([(0, vec![broker]), (1, vec![broker])]);
    let new = NewTopic { partitions: None, replication_factor: None, assignments, ..new_topic() };
    assert_eq!(admin.create_topic(&new, false).await.unwrap().partitions, Some(2));
    admin.create_partitions(&new.name, 3, Some(&[vec![broker]]), false).await.unwrap();
    described_with(&admin, &new.name, 3).await;
}

#[tokio::test]
async fn refusals_have_the_brokers_words_and_code() {
    let admin = admin();
    let new = new_topic();
    admin.create_topic(&new, false).await.unwrap();

    let twice = admin.create_topic(&new, false).await.unwrap_err();
    assert_eq!((twice.kind(), Code::of(&twice)), (Kind::KafkaBadRequest, Some(Code::TOPIC_ALREADY_EXISTS)));
    assert_eq!(twice.message(), format!("Topic '{}' already exists.", new.name));

    let config = vec![("no.such".to_owned(), Some("1".to_owned()))];
    let unknown_config = admin.create_topic(&NewTopic { configs: config, ..new_topic() }, false).await.unwrap_err();
    assert_eq!(Code::of(&unknown_config), Some(Code::INVALID_CONFIG));
    assert!(unknown_config.message().contains("no.such"), "{unknown_config}");

    let too_many = NewTopic { replication_factor: Some(9), ..new_topic() };
    assert_eq!(
        Code::of(&admin.create_topic(&too_many, false).await.unwrap_err()),
        Some(Code::INVALID_REPLICATION_FACTOR)
    );
    let fewer = admin.create_partitions(&new.name, 1, None, false).await.unwrap_err();
    assert_eq!(Code::of(&fewer), Some(Code::INVALID_PARTITIONS));
}

#[tokio::test]
async fn an_unknown_topic_is_never_made_by_looking_at_it() {
    let admin = admin();
    let unknown = name(&unique("unknown"));
    for _ in 0..2 {
        assert_eq!(admin.describe_topic(&unknown, false).await.unwrap_err().kind(), Kind::UnknownTopic);
    }
    assert_eq!(admin.delete_topic(&unknown).await.unwrap_err().kind(), Kind::UnknownTopic);
    assert_eq!(admin.create_partitions(&unknown, 2, None, false).await.unwrap_err().kind(), Kind::UnknownTopic);
}

#[tokio::test]
async fn the_embedded_kafka_lists_topics_and_leaves_making_them_to_its_owner() {
    let embedded = MockKafka::start().unwrap();
    let admin = Admin::new(&Config::for_bootstrap(embedded.bootstrap_servers()));
    let new = new_topic();
    let refused = admin.create_topic(&new, false).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported, "{}", refused.log_line());
    embedded.create_topic(&new.name, 3).await.unwrap();
    assert_eq!(admin.describe_topic(&new.name, false).await.unwrap().partitions.len(), 3);
    assert_eq!(admin.list_topics(false).await.unwrap().len(), 1);
}
