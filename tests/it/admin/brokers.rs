//! Brokers that go, come back and say nothing, under a client that goes on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka_rest_proxy::admin::{Admin, Code, ConfigDetails};
use kafka_rest_proxy::config::Config;
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::model::{
    ConfigChange, ConfigResource, Election, Isolation, NewAssignment, NewTopic, OffsetSpec, PartitionId,
    PartitionOffset, TopicName,
};

use crate::harness::kafka::{Broker, NewRecord, OwnOptions};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};

fn admin_of(broker: &Broker, timeout: Duration) -> Admin {
    let mut config = Config::for_bootstrap(&broker.kafka().bootstrap);
    config.kafka.request_timeout = timeout;
    Admin::new(&config)
}

fn new_topic(assignments: BTreeMap<i32, Vec<i32>>) -> NewTopic {
    NewTopic {
        name: TopicName::try_from(unique("topic").as_str()).unwrap(),
        partitions: None,
        replication_factor: None,
        assignments,
        configs: Vec::new(),
    }
}

#[tokio::test]
async fn a_connection_that_the_broker_closed_is_made_again_unnoticed() {
    let broker = Broker::start(OwnOptions::default().set("connections.max.idle.ms", "500"));
    let admin = admin_of(&broker, Duration::from_secs(10));
    for _ in 0..3 {
        admin.create_topic(&new_topic(BTreeMap::new()), false).await.unwrap();
        // Longer than the broker lets a connection idle.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
}

#[tokio::test]
async fn a_restarted_broker_is_found_again() {
    let mut broker = Broker::start(OwnOptions::default());
    let admin = admin_of(&broker, Duration::from_secs(2));
    let new = new_topic(BTreeMap::new());
    admin.create_topic(&new, false).await.unwrap();
    broker.kill();
    let start = Instant::now();
    assert_eq!(admin.describe_topic(&new.name, false).await.unwrap_err().kind(), Kind::KafkaRetriable);
    assert!(start.elapsed() < Duration::from_secs(4));
    broker.restart();
    eventually("the topic is described", PATIENCE, async || admin.describe_topic(&new.name, false).await.ok()).await;
    admin.create_topic(&new_topic(BTreeMap::new()), false).await.unwrap();
}

#[tokio::test]
async fn the_outcome_of_a_change_that_nobody_confirmed_is_unknown() {
    let broker = Broker::start(OwnOptions::default());
    let admin = admin_of(&broker, Duration::from_secs(2));
    let new = new_topic(BTreeMap::new());
    admin.describe_cluster(false).await.unwrap();
    admin.list_topics(false).await.unwrap();
    admin.delete_topic(&new.name).await.unwrap_err();
    broker.pause();
    let start = Instant::now();
    let unknown = admin.create_topic(&new, false).await.unwrap_err();
    let looked = admin.list_topics(false).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(6));
    broker.resume();
    assert_eq!(unknown.kind(), Kind::KafkaRetriable);
    assert!(unknown.message().contains("outcome is unknown"), "{unknown}");
    assert_eq!(looked.kind(), Kind::KafkaRetriable);
    assert!(!looked.message().contains("outcome is unknown"), "{looked}");
    // It may have been done after all, or not: the broker has a deadline too.
    eventually("the broker answers again", PATIENCE, async || admin.list_topics(false).await.ok()).await;
}

#[tokio::test]
async fn requests_find_who_leads_and_coordinates_when_a_broker_dies() {
    let mut brokers = Broker::start_cluster(3, OwnOptions::default());
    let admin = admin_of(&brokers[0], Duration::from_secs(30));
    assert_eq!(admin.describe_cluster(false).await.unwrap().brokers.len(), 3);

    // Each broker leads one partition.
    let new = new_topic(BTreeMap::from([(0, vec![1, 2]), (1, vec![2, 3]), (2, vec![3, 1])]));
    admin.create_topic(&new, false).await.unwrap();
    let records: Vec<_> =
        (0..3).map(|partition| NewRecord { partition: Some(partition), ..NewRecord::new("key", "value") }).collect();
    brokers[0].kafka().produce(new.name.as_str(), &records);
    move_there_and_back(&admin, &brokers).await;

    let groups: Vec<String> = (0..6).map(|_| unique("group")).collect();
    for group in &groups {
        let offset = PartitionOffset::new(new.name.clone(), PartitionId::try_from(0).unwrap(), 1);
        assert!(admin.alter_offsets(group, &[offset]).await.unwrap()[0].1.is_ok());
    }
    every_partition_and_group_answers(&admin, &new.name, &groups).await;
    every_broker_has_its_own_configs(&admin).await;

    brokers[1].kill();
    // Not after a while: from now on.
    every_partition_and_group_answers(&admin, &new.name, &groups).await;
    let made = new_topic(BTreeMap::from([(0, vec![1]), (1, vec![3])]));
    admin.create_topic(&made, false).await.unwrap();
    eventually("two brokers are left", PATIENCE, async || {
        (admin.describe_cluster(false).await.unwrap().brokers.len() == 2).then_some(())
    })
    .await;
    let gone = admin.configs_of(&ConfigResource::Broker(2), ConfigDetails::default()).await.unwrap_err();
    assert_eq!(gone.kind(), Kind::BrokerNotAvailable);

    brokers[1].restart();
    eventually("the preferred leader is back", PATIENCE, async || {
        let elected = admin.elect_leaders(Election::Preferred, Some(&[(new.name.clone(), 1)])).await.unwrap();
        drop(elected);
        let found = admin.describe_topic(&new.name, false).await.unwrap();
        (found.partitions[1].leader == Some(2)).then_some(())
    })
    .await;
    every_partition_and_group_answers(&admin, &new.name, &groups).await;
    what_only_reads_does_not_wait_for_a_broker_that_says_nothing(&brokers).await;
}

async fn what_only_reads_does_not_wait_for_a_broker_that_says_nothing(brokers: &[Broker]) {
    let admin = admin_of(&brokers[0], Duration::from_secs(6));
    for broker in brokers {
        admin.list_topics(false).await.unwrap();
        broker.pause();
        let listed = admin.list_topics(false).await;
        broker.resume();
        listed.unwrap();
    }
}

/// Begins a move that takes long, looks at it, and ends it.
async fn move_there_and_back(admin: &Admin, brokers: &[Broker]) {
    let new = new_topic(BTreeMap::from([(0, vec![1, 2])]));
    admin.create_topic(&new, false).await.unwrap();
    let big = NewRecord { partition: Some(0), ..NewRecord::new("key", vec![7; 500_000]) };
    brokers[0].kafka().produce(new.name.as_str(), &vec![big; 12]);
    let throttles = [
        (
            ConfigResource::Topic(new.name.clone()),
            ["leader", "follower"].map(|side| format!("{side}.replication.throttled.replicas")).to_vec(),
            "*",
        ),
        (ConfigResource::Broker(1), vec!["leader.replication.throttled.rate".to_owned()], "1"),
        (ConfigResource::Broker(3), vec!["follower.replication.throttled.rate".to_owned()], "1"),
    ];
    let change = async |change: &dyn Fn(&String, &str) -> ConfigChange| {
        let changes = throttles
            .clone()
            .map(|(resource, names, value)| (resource, names.iter().map(|name| change(name, value)).collect()));
        for (_, result) in admin.alter_configs(&changes, false).await.unwrap() {
            result.unwrap();
        }
    };
    change(&|name, value| ConfigChange::Set { name: name.clone(), value: Some(value.to_owned()) }).await;

    let wanted = |replicas| NewAssignment { topic: new.name.clone(), partition: 0, replicas };
    admin.alter_reassignments(&[wanted(Some(vec![1, 3]))]).await.unwrap().remove(0).1.unwrap();
    let found = admin.list_reassignments(Some(&new.name)).await.unwrap().remove(0);
    assert_eq!((found.partition, &found.adding, &found.removing), (0, &vec![3], &vec![2]));
    assert_eq!(found.replicas.len(), 3);
    assert_eq!(admin.list_reassignments(None).await.unwrap(), [found]);
    admin.alter_reassignments(&[wanted(None)]).await.unwrap().remove(0).1.unwrap();
    assert_eq!(admin.list_reassignments(Some(&new.name)).await.unwrap(), []);
    change(&|name, _| ConfigChange::Delete { name: name.clone() }).await;
}

async fn every_partition_and_group_answers(admin: &Admin, topic: &TopicName, groups: &[String]) {
    let wanted: Vec<_> = (0..3).map(|partition| (topic.clone(), partition, OffsetSpec::Latest)).collect();
    for (partition, found) in admin.list_offsets(&wanted, Isolation::ReadUncommitted).await.unwrap() {
        assert_eq!(found.unwrap().offset, Some(1), "{partition:?}");
    }
    // A new coordinator knows a group once the followers have confirmed its log; until then it says that there is none.
    eventually("every group is told", PATIENCE, async || {
        for (_, described) in admin.describe_groups(groups, false).await.unwrap() {
            match described {
                Ok(described) => assert!(described.is_simple(), "{}", described.id),
                Err(error) if Code::of(&error) == Some(Code::GROUP_ID_NOT_FOUND) => return None,
                Err(error) => panic!("{error:?}"),
            }
        }
        for group in groups {
            if admin.committed_offsets(group).await.unwrap().len() != 1 {
                return None;
            }
        }
        let listed = admin.list_groups(&Default::default()).await.unwrap();
        groups.iter().all(|group| listed.iter().any(|listing| listing.id == *group)).then_some(())
    })
    .await;
}

async fn every_broker_has_its_own_configs(admin: &Admin) {
    let resources = [1, 2, 3].map(ConfigResource::Broker);
    let names = ["node.id".to_owned()];
    let described = admin.describe_configs(&resources, Some(&names), ConfigDetails::default()).await.unwrap();
    let ids: Vec<_> = described.into_iter().map(|one| one.configs.unwrap().remove(0).value.unwrap()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
}
