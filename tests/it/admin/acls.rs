use kafka_rest_proxy::admin::{Admin, Code};
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::model::{
    Acl, AclFilter, AclOperation, ConfigResource, NewTopic, PatternType, Permission, ResourceType, TopicName,
};

use crate::admin::admin;
use crate::admin::security::secured;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};

/// Returns a client that may do everything.
fn owner() -> Admin {
    secured().admin(&secured().broker.kafka().bootstrap, &[])
}

fn acl(topic: &str, operation: AclOperation) -> Acl {
    Acl {
        resource_type: ResourceType::Topic,
        resource_name: topic.to_owned(),
        pattern_type: PatternType::Literal,
        principal: "User:alice".to_owned(),
        host: "*".to_owned(),
        operation,
        permission: Permission::Allow,
    }
}

fn of_topic(topic: &str) -> AclFilter {
    AclFilter { resource_name: Some(topic.to_owned()), ..AclFilter::any() }
}

#[tokio::test]
async fn acls_are_made_found_and_deleted() {
    let (owner, topic) = (owner(), unique("topic"));
    let prefixed = Acl { pattern_type: PatternType::Prefixed, ..acl(&topic, AclOperation::Read) };
    let acls = [acl(&topic, AclOperation::Write), prefixed.clone(), acl(&topic, AclOperation::Describe)];
    for _ in 0..2 {
        let made = owner.create_acls(&acls).await.unwrap();
        assert!(made.iter().all(Result::is_ok), "{made:?}");
    }
    let mut sorted = acls.to_vec();
    sorted.sort();
    eventually("the broker knows the ACLs", PATIENCE, async || {
        (owner.describe_acls(&of_topic(&topic)).await.unwrap() == sorted).then_some(())
    })
    .await;
    let writes = AclFilter { operation: AclOperation::Write, ..of_topic(&topic) };
    assert_eq!(owner.describe_acls(&writes).await.unwrap(), [acl(&topic, AclOperation::Write)]);
    let covering = AclFilter { pattern_type: PatternType::Match, ..of_topic(&format!("{topic}-more")) };
    assert_eq!(owner.describe_acls(&covering).await.unwrap(), [prefixed]);

    assert_eq!(owner.delete_acls(&of_topic(&topic)).await.unwrap(), sorted);
    assert_eq!(owner.delete_acls(&of_topic(&topic)).await.unwrap(), []);
}

#[tokio::test]
async fn of_many_acls_each_has_its_own_end() {
    let topic = unique("topic");
    let nobody = Acl { principal: "alice".to_owned(), ..acl(&topic, AclOperation::Read) };
    let made = owner().create_acls(&[nobody, acl(&topic, AclOperation::Read)]).await.unwrap();
    assert_eq!(made[0].as_ref().unwrap_err().kind(), Kind::KafkaBadRequest);
    assert!(made[1].is_ok());
}

#[tokio::test]
async fn what_a_user_may_not_do_is_403() {
    let alice = secured().admin_of("alice", "PLAIN", "alice-pw");
    let topic = TopicName::try_from(app::topic_on(secured().broker.kafka(), 1).as_str()).unwrap();
    let new = NewTopic {
        name: TopicName::try_from(unique("topic").as_str()).unwrap(),
        partitions: Some(1),
        replication_factor: Some(1),
        assignments: Default::default(),
        configs: Vec::new(),
    };
    let resource = ConfigResource::Topic(topic.clone());
    for refused in [
        alice.create_topic(&new, false).await.unwrap_err(),
        alice.delete_topic(&topic).await.unwrap_err(),
        alice.describe_topic(&topic, false).await.unwrap_err(),
        alice.configs_of(&resource, Default::default()).await.unwrap_err(),
        alice.describe_acls(&AclFilter::any()).await.unwrap_err(),
        alice.describe_groups(&["group".to_owned()], false).await.unwrap().remove(0).1.unwrap_err(),
        alice.committed_offsets("group").await.unwrap_err(),
    ] {
        assert_eq!(refused.kind(), Kind::KafkaAuthorization, "{refused}");
    }
    assert_eq!(alice.list_topics(false).await.unwrap(), []);
}

#[tokio::test]
async fn without_an_authorizer_there_are_no_acls() {
    let refused = admin().describe_acls(&AclFilter::any()).await;
    if let Err(refused) = refused {
        assert_eq!((refused.kind(), Code::of(&refused)), (Kind::KafkaBadRequest, Some(Code::SECURITY_DISABLED)));
    } else {
        // A broker that somebody else started may have one.
        assert!(std::env::var("KAFKA_BOOTSTRAP").is_ok());
    }
}
