use kafka_rest_proxy::admin::Admin;
use kafka_rest_proxy::config::Config;
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::kafka::MockKafka;
use kafka_rest_proxy::model::{AclFilter, AclOperation, ConfigResource, Isolation};

use crate::admin::admin;
use crate::harness::kafka;

#[tokio::test]
async fn a_cluster_has_an_id_and_brokers() {
    let admin = admin();
    let cluster = admin.describe_cluster(false).await.unwrap();
    let addresses: Vec<_> = cluster.brokers.iter().map(|broker| format!("{}:{}", broker.host, broker.port)).collect();
    assert_eq!(addresses.join(","), kafka::shared().bootstrap);
    assert_eq!(cluster.controller, Some(cluster.brokers[0].id));
    assert_eq!(cluster.authorized_operations, None);
    assert_eq!(admin.cluster_id().await.unwrap(), cluster.id);
}

#[tokio::test]
async fn what_the_proxy_may_do_is_told_when_asked_for() {
    let cluster = admin().describe_cluster(true).await.unwrap();
    assert!(cluster.authorized_operations.unwrap().contains(&AclOperation::Alter));
}

#[tokio::test]
async fn the_embedded_kafka_has_a_cluster_too() {
    let embedded = MockKafka::start().unwrap();
    let admin = Admin::new(&Config::for_bootstrap(embedded.bootstrap_servers()));
    let cluster = admin.describe_cluster(false).await.unwrap();
    assert_eq!(cluster.brokers.len(), 1);
    assert!(!cluster.id.is_empty());
}

#[tokio::test]
async fn what_the_embedded_kafka_does_not_know_is_told_at_once() {
    let embedded = MockKafka::start().unwrap();
    let admin = Admin::new(&Config::for_bootstrap(embedded.bootstrap_servers()));
    let group = ["group".to_owned()];
    for refused in [
        admin.list_groups(&Default::default()).await.err(),
        admin.describe_groups(&group, false).await.unwrap().remove(0).1.err(),
        admin.delete_groups(&group).await.unwrap().remove(0).1.err(),
        admin.describe_acls(&AclFilter::any()).await.err(),
        admin.configs_of(&ConfigResource::ClusterDefault, Default::default()).await.err(),
        admin.describe_quotas(&Default::default()).await.err(),
        admin.describe_scram(None).await.err(),
        admin.list_reassignments(None).await.err(),
    ] {
        assert_eq!(refused.map(|refused| refused.kind()), Some(Kind::Unsupported));
    }
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let admin = admin();
    let all = futures_util::future::join_all((0..500).map(|_| admin.list_topics(true))).await;
    assert!(all.iter().all(Result::is_ok));
}

/// Operations may be spawned.
#[test]
fn operations_can_move_between_threads() {
    fn moves(_: impl Send) {}
    let admin = Admin::new(&Config::for_bootstrap("127.0.0.1:1"));
    moves(admin.describe_groups(&[], false));
    moves(admin.list_offsets(&[], Isolation::ReadCommitted));
    moves(admin.describe_configs(&[], None, Default::default()));
    moves(admin.alter_scram(&[]));
}

#[tokio::test]
async fn without_a_broker_the_request_ends_in_time() {
    let mut config = Config::for_bootstrap("127.0.0.1:1");
    config.kafka.request_timeout = std::time::Duration::from_millis(300);
    let refused = Admin::new(&config).describe_cluster(false).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::KafkaRetriable);
    assert_eq!(refused.message(), "No Kafka broker that can do it was reached within 300 ms.");
}
