use kafka_rest_proxy::admin::{Admin, Code, ConfigDetails};
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::model::{ConfigChange, ConfigEntry, ConfigResource, ConfigSource, ConfigType, TopicName};

use crate::admin::admin;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};

const VALUES: ConfigDetails = ConfigDetails { synonyms: false, documentation: false };

fn topic() -> ConfigResource {
    ConfigResource::Topic(TopicName::try_from(app::topic(1).as_str()).unwrap())
}

fn unknown_topic() -> ConfigResource {
    ConfigResource::Topic(TopicName::try_from(unique("unknown").as_str()).unwrap())
}

fn set(name: &str, value: &str) -> ConfigChange {
    ConfigChange::Set { name: name.to_owned(), value: Some(value.to_owned()) }
}

fn delete(name: &str) -> ConfigChange {
    ConfigChange::Delete { name: name.to_owned() }
}

async fn alter(admin: &Admin, resource: &ConfigResource, changes: Vec<ConfigChange>) {
    let altered = admin.alter_configs(&[(resource.clone(), changes)], false).await.unwrap();
    assert_eq!(&altered[0].0, resource);
    altered.into_iter().next().unwrap().1.unwrap();
}

/// Waits until the broker that answers has heard of what the controller did.
async fn wait_for(admin: &Admin, resource: &ConfigResource, name: &str, value: Option<&str>) -> ConfigEntry {
    eventually("the config has its value", PATIENCE, async || {
        let configs = admin.configs_of(resource, VALUES).await.unwrap();
        let found = configs.into_iter().find(|config| config.name == name);
        match (found, value) {
            (Some(found), Some(value)) if found.value.as_deref() == Some(value) => Some(found),
            _ => None,
        }
    })
    .await
}

#[tokio::test]
async fn a_topics_config_is_set_and_given_back_its_default() {
    let (admin, topic) = (admin(), topic());
    alter(&admin, &topic, vec![set("retention.ms", "60000"), set("cleanup.policy", "compact")]).await;
    let found = wait_for(&admin, &topic, "retention.ms", Some("60000")).await;
    assert_eq!((found.source, found.config_type), (ConfigSource::DynamicTopic, ConfigType::Long));
    assert!(!found.sensitive && !found.read_only && found.synonyms.is_empty() && found.documentation.is_none());

    alter(&admin, &topic, vec![delete("retention.ms")]).await;
    let found = wait_for(&admin, &topic, "retention.ms", Some("604800000")).await;
    assert_eq!(found.source, ConfigSource::Default);
    let policy = wait_for(&admin, &topic, "cleanup.policy", Some("compact")).await;
    assert_eq!(policy.source, ConfigSource::DynamicTopic);
}

#[tokio::test]
async fn lists_grow_and_shrink() {
    let (admin, topic) = (admin(), topic());
    let policy = |value: &str| (String::from("cleanup.policy"), value.to_owned());
    let (name, value) = policy("compact");
    alter(&admin, &topic, vec![ConfigChange::Append { name, value }]).await;
    wait_for(&admin, &topic, "cleanup.policy", Some("delete,compact")).await;
    let (name, value) = policy("delete");
    alter(&admin, &topic, vec![ConfigChange::Subtract { name, value }]).await;
    wait_for(&admin, &topic, "cleanup.policy", Some("compact")).await;
}

#[tokio::test]
async fn details_come_when_they_are_asked_for() {
    let details = ConfigDetails { synonyms: true, documentation: true };
    let configs = admin().configs_of(&topic(), details).await.unwrap();
    assert!(configs.is_sorted_by(|one, other| one.name < other.name));
    let policy = configs.iter().find(|config| config.name == "cleanup.policy").unwrap();
    assert_eq!(
        (policy.synonyms[0].name.as_str(), policy.synonyms[0].source),
        ("log.cleanup.policy", ConfigSource::Default)
    );
    assert!(policy.documentation.as_ref().unwrap().contains("compact"));
}

#[tokio::test]
async fn many_resources_are_described_at_once_and_errors_stay_in_their_place() {
    let admin = admin();
    let broker = admin.describe_cluster(false).await.unwrap().brokers[0].id;
    let resources = [topic(), unknown_topic(), ConfigResource::Broker(broker), ConfigResource::ClusterDefault, topic()];
    let described = admin.describe_configs(&resources, Some(&["compression.type".to_owned()]), VALUES).await.unwrap();
    assert!(described.iter().map(|one| &one.resource).eq(&resources));
    assert_eq!(described[1].configs.as_ref().unwrap_err().kind(), Kind::UnknownTopic);
    for at in [0, 2, 4] {
        assert_eq!(described[at].configs.as_ref().unwrap()[0].name, "compression.type");
    }
    assert!(described[3].configs.is_ok());
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_an_error_in_its_place() {
    let resources = [ConfigResource::Broker(4711), topic()];
    let described = admin().describe_configs(&resources, None, VALUES).await.unwrap();
    assert_eq!(described[0].configs.as_ref().unwrap_err().kind(), Kind::BrokerNotAvailable);
    assert!(described[1].configs.is_ok());
}

#[tokio::test]
async fn brokers_and_the_cluster_have_configs_that_can_be_set() {
    let admin = admin();
    let broker = ConfigResource::Broker(admin.describe_cluster(false).await.unwrap().brokers[0].id);
    alter(&admin, &ConfigResource::ClusterDefault, vec![set("log.cleaner.threads", "2")]).await;
    let default = wait_for(&admin, &ConfigResource::ClusterDefault, "log.cleaner.threads", Some("2")).await;
    assert_eq!(default.source, ConfigSource::DynamicDefaultBroker);
    alter(&admin, &broker, vec![set("log.cleaner.threads", "1")]).await;
    assert_eq!(wait_for(&admin, &broker, "log.cleaner.threads", Some("1")).await.source, ConfigSource::DynamicBroker);
    alter(&admin, &broker, vec![delete("log.cleaner.threads")]).await;
    alter(&admin, &ConfigResource::ClusterDefault, vec![delete("log.cleaner.threads")]).await;
}

#[tokio::test]
async fn of_many_alterations_each_has_its_own_end() {
    let admin = admin();
    let (good, bad, unknown) = (topic(), topic(), unknown_topic());
    let changes = [
        (good.clone(), vec![set("retention.ms", "1000")]),
        (bad.clone(), vec![set("retention.ms", "2000"), set("max.message.bytes", "x")]),
        (unknown, vec![set("retention.ms", "1000")]),
    ];
    let altered = admin.alter_configs(&changes, false).await.unwrap();
    let codes: Vec<_> = altered.iter().map(|(_, result)| result.as_ref().err().and_then(Code::of)).collect();
    assert_eq!(codes, [None, Some(Code::INVALID_CONFIG), Some(Code::UNKNOWN_TOPIC_OR_PARTITION)]);
    wait_for(&admin, &good, "retention.ms", Some("1000")).await;
    wait_for(&admin, &bad, "retention.ms", Some("604800000")).await;
}

#[tokio::test]
async fn what_is_only_validated_is_not_changed() {
    let (admin, topic) = (admin(), topic());
    let good = admin.alter_configs(&[(topic.clone(), vec![set("retention.ms", "1000")])], true).await.unwrap();
    assert!(good[0].1.is_ok());
    let bad = admin.alter_configs(&[(topic.clone(), vec![set("retention.ms", "x")])], true).await.unwrap();
    assert_eq!(bad[0].1.as_ref().unwrap_err().kind(), Kind::KafkaBadRequest);
    wait_for(&admin, &topic, "retention.ms", Some("604800000")).await;
}
