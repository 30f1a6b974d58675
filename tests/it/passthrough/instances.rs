//! Consumer instances: each is its owner's, and reads with their rights.

use kafka_rest_proxy::config::Config;
use kafka_rest_proxy::domain::consume::{Instances, Settings};
use kafka_rest_proxy::error::Kind;
use kafka_rest_proxy::model::{AclOperation, Formats, GroupSettings, Principal, Reset, ResourceType};
use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, Call, V2};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::passthrough::{As, User, create_instance, produce, produce_until_allowed, secured};

const JSON_RECORDS: &str = "application/vnd.kafka.json.v2+json";

async fn subscribe(app: &App, instance: &str, topic: &str, user: &User) -> Answer {
    let body = json!({ "topics": [topic] });
    app.post(&format!("{instance}/subscription")).document(V2, &body).by(user).send().await
}

/// Reads until there are so many records.
async fn read(app: &App, instance: &str, user: &User, count: usize) -> Vec<Value> {
    let mut records = Vec::new();
    eventually("the records are there", PATIENCE, async || {
        let answer = app.get(&format!("{instance}/records?timeout=1000")).accept(JSON_RECORDS).by(user).send().await;
        // Brokers hear of rights a moment later.
        if answer.status != 403 {
            records.extend(answer.ok().as_array().unwrap().iter().cloned());
        }
        (records.len() >= count).then_some(())
    })
    .await;
    records
}

#[tokio::test]
async fn instances_of_the_same_name_are_each_its_owners() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let (one, other) = (secured().user().await, secured().user().await);
    let (group, name) = (unique("group"), "same");
    let topics = [secured().topic_of(&one.name).await, secured().topic_of(&other.name).await];
    for (user, topic) in [(&one, &topics[0]), (&other, &topics[1])] {
        secured().allow(&user.name, AclOperation::Read, ResourceType::Group, &group).await;
        produce_until_allowed(&app, topic, |call| call.by(user)).await;
        let instance = create_instance(&app, &group, name, |call| call.by(user)).await;
        // Members of one group would have to see each other's topics: the one that leads it shares them out.
        let partition = json!({ "partitions": [{ "topic": topic, "partition": 0 }] });
        let assigned = app.post(&format!("{instance}/assignments")).document(V2, &partition).by(user).send().await;
        assert_eq!(assigned.status, 204);
    }
    let instance = format!("/consumers/{group}/instances/{name}");
    for (user, topic) in [(&one, &topics[0]), (&other, &topics[1])] {
        let records = read(&app, &instance, user, 1).await;
        assert!(records.iter().all(|record| record["topic"] == json!(topic)), "{records:?}");
        assert_eq!(app.post(&format!("{instance}/offsets")).by(user).send().await.status, 200);
        let assigned = app.get(&format!("{instance}/assignments")).by(user).send().await.ok();
        assert_eq!(assigned["partitions"][0]["topic"], json!(topic));
    }
    let again = app.post(&format!("/consumers/{group}")).document(V2, &json!({ "name": name })).by(&one).send().await;
    assert_eq!(again.error(), (409, 40902));
    assert_eq!(app.call("DELETE", &instance).by(&one).send().await.status, 204);
    assert_eq!(app.get(&format!("{instance}/assignments")).by(&one).send().await.error(), (404, 40403));
    assert_eq!(app.get(&format!("{instance}/assignments")).by(&other).send().await.status, 200);
    assert_eq!(app.call("DELETE", &instance).by(&other).send().await.status, 204);
}

#[tokio::test]
async fn an_instance_of_another_is_not_there() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let (owner, other) = (secured().user().await, secured().user().await);
    let instance = create_instance(&app, &unique("group"), "mine", |call| call.by(&owner)).await;
    let partitions = json!({ "partitions": [{ "topic": "t", "partition": 0 }] });
    let offsets = json!({ "offsets": [{ "topic": "t", "partition": 0, "offset": 0 }] });
    let post = |path: &str, body: &Value| app.post(&format!("{instance}{path}")).document(V2, body);
    let calls: Vec<Call> = vec![
        app.get(&format!("{instance}/records")),
        app.get(&format!("{instance}/subscription")),
        app.get(&format!("{instance}/assignments")),
        app.get(&format!("{instance}/offsets")).document(V2, &partitions),
        post("/subscription", &json!({ "topics": ["t"] })),
        post("/assignments", &partitions),
        post("/offsets", &offsets),
        post("/positions", &offsets),
        post("/positions/beginning", &partitions),
        post("/positions/end", &partitions),
        app.call("DELETE", &format!("{instance}/subscription")),
        app.call("DELETE", &instance),
        app.get(&format!("{instance}/topics/t")).accept("application/vnd.kafka.v1+json"),
    ];
    for call in calls {
        let answer = call.clone().by(&other).send().await;
        assert_eq!(answer.error(), (404, 40403), "{}", answer.text());
    }
    assert_eq!(app.get(&format!("{instance}/assignments")).by(&owner).send().await.status, 200);
}

#[tokio::test]
async fn reads_and_commits_need_the_callers_rights() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let (reader, group) = (secured().user().await, unique("group"));
    let topic = app::topic_on(secured().broker.kafka(), 1);
    secured().allow(&reader.name, AclOperation::Describe, ResourceType::Topic, &topic).await;
    secured().allow(&reader.name, AclOperation::Write, ResourceType::Topic, &topic).await;
    produce_until_allowed(&app, &topic, |call| call.by(&reader)).await;

    // Without the right to read the group.
    let instance = create_instance(&app, &group, "i", |call| call.by(&reader)).await;
    assert_eq!(subscribe(&app, &instance, &topic, &reader).await.status, 204);
    let read_once = || app.get(&format!("{instance}/records?timeout=2000")).accept(JSON_RECORDS).by(&reader);
    eventually("the group is refused", PATIENCE, async || {
        let answer = read_once().send().await;
        (answer.status == 403).then(|| assert_eq!(answer.error(), (403, 40301)))
    })
    .await;
    let offsets = json!({ "offsets": [{ "topic": topic, "partition": 0, "offset": 0 }] });
    let commit = || app.post(&format!("{instance}/offsets")).document(V2, &offsets).by(&reader);
    assert_eq!(commit().send().await.error(), (403, 40301));
    assert_eq!(read_once().send().await.error(), (403, 40301), "it is told again");
    let never_read = create_instance(&app, &group, "never-read", |call| call.by(&reader)).await;
    let commit = app.post(&format!("{never_read}/offsets")).document(V2, &offsets).by(&reader).send().await;
    assert_eq!(commit.error(), (403, 40301));

    // With it, without the right to read the topic.
    secured().allow(&reader.name, AclOperation::Read, ResourceType::Group, &group).await;
    eventually("the topic is refused", PATIENCE, async || {
        let answer = read_once().send().await;
        (answer.status == 403 && answer.text().contains("opic")).then_some(())
    })
    .await;

    // With both.
    secured().allow(&reader.name, AclOperation::Read, ResourceType::Topic, &topic).await;
    let second = create_instance(&app, &group, "j", |call| call.by(&reader)).await;
    assert_eq!(app.call("DELETE", &instance).by(&reader).send().await.status, 204);
    assert_eq!(subscribe(&app, &second, &topic, &reader).await.status, 204);
    assert_eq!(read(&app, &second, &reader, 1).await.len(), 1);
    let commit = app.post(&format!("{second}/offsets")).document(V2, &offsets).by(&reader).send().await;
    assert_eq!(commit.status, 200, "{}", commit.text());
}

#[tokio::test]
async fn an_instance_outlives_the_clients_of_its_owner() {
    let app = secured().proxy("SCRAM-SHA-256", &["auth.idle_timeout=1s"]);
    let (owner, group) = (secured().user().await, unique("group"));
    let topic = secured().topic_of(&owner.name).await;
    secured().allow(&owner.name, AclOperation::Read, ResourceType::Group, &group).await;
    produce_until_allowed(&app, &topic, |call| call.by(&owner)).await;
    let instance = create_instance(&app, &group, "i", |call| call.by(&owner)).await;
    assert_eq!(subscribe(&app, &instance, &topic, &owner).await.status, 204);
    assert_eq!(read(&app, &instance, &owner, 1).await.len(), 1);
    eventually("the owner's clients expire", PATIENCE, async || (app.state.callers.count() == 0).then_some(())).await;
    assert_eq!(produce(&app, &topic).by(&owner).send().await.status, 200);
    assert_eq!(read(&app, &instance, &owner, 1).await[0]["offset"], 1, "it goes on where it was");
    assert_eq!(app.call("DELETE", &instance).by(&owner).send().await.status, 204);
}

fn settings(group: &str) -> Settings {
    let group = group.to_owned();
    Settings {
        formats: Formats::named(kafka_rest_proxy::model::Format::Binary, None, None).unwrap(),
        min_bytes: 1,
        request_timeout: PATIENCE,
        max_records: 1,
        group: GroupSettings { group, reset: Reset::Latest, auto_commit: false, properties: Vec::new() },
    }
}

/// Owners are known also where their credentials do not go on to Kafka, as with a file of users.
#[tokio::test]
async fn owners_are_kept_apart_whatever_they_have_with_kafka() {
    let mut config = Config::for_bootstrap("127.0.0.1:1").consumer;
    config.max_instances = 6;
    config.max_instances_per_principal = 2;
    let instances = Instances::new(&config);
    let (alice, bob, nobody) = (Principal::named("alice"), Principal::named("bob"), Principal::default());
    let create = |owner: &Principal, name: &str| {
        instances.create(owner, "g".to_owned(), name.to_owned(), settings("g")).map(|_| ()).map_err(|why| why.kind())
    };
    assert_eq!(create(&alice, "a"), Ok(()));
    assert_eq!((create(&bob, "a"), create(&nobody, "a")), (Ok(()), Ok(())), "names are an owner's");
    assert_eq!(create(&alice, "a"), Err(Kind::InstanceExists));
    assert_eq!((create(&alice, "b"), create(&alice, "c")), (Ok(()), Err(Kind::TooManyInstances)));
    assert_eq!((create(&nobody, "b"), create(&nobody, "c")), (Ok(()), Ok(())), "those without a name have no share");
    assert_eq!(create(&bob, "b"), Err(Kind::TooManyInstances), "there are as many as there may be");

    let named = Principal::named(Principal::ANONYMOUS);
    assert_eq!(instances.find(&named, "g", "a").err().map(|why| why.kind()), Some(Kind::InstanceNotFound));
    assert_eq!(instances.find(&bob, "g", "b").err().map(|why| why.kind()), Some(Kind::InstanceNotFound));
    assert_eq!(instances.delete(&bob, "g", "b").await.err().map(|why| why.kind()), Some(Kind::InstanceNotFound));
    instances.delete(&alice, "g", "a").await.unwrap();
    assert!(instances.find(&bob, "g", "a").is_ok() && instances.find(&nobody, "g", "a").is_ok());
    assert!(instances.find(&alice, "g", "b").is_ok());
    assert_eq!(create(&alice, "c"), Ok(()));
}
