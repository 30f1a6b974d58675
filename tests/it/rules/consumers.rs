use serde_json::{Value, json};

use crate::consume::{Instance, write_to};
use crate::harness::http::{BINARY_V1, V1, V2};
use crate::harness::waiting::PATIENCE;
use crate::harness::{app, eventually, kafka, unique};
use crate::rules::{assert_forbidden, ruled};

/// Makes a topic with a record.
fn topic(prefix: &str) -> String {
    let topic = unique(prefix);
    kafka::shared().create_topic(&topic, 1);
    write_to(kafka::shared(), &topic, 0, 0..1);
    topic
}

#[tokio::test]
async fn an_instance_is_created_in_a_group_that_may_be_read() {
    let prefix = unique("team");
    let app = ruled(&["verbs=read", &format!("groups={prefix}*"), "topics=*"]);
    let other = unique("other");
    let refused = app.post(&format!("/consumers/{other}")).document(V2, &json!({})).send().await;
    assert_forbidden(&refused, &format!("read consumer group {other}"));
    let refused = app.post(&format!("/consumers/{other}")).document(V1, &json!({})).send().await;
    assert_forbidden(&refused, &format!("read consumer group {other}"));
    Instance::create(&app, &unique(&prefix), json!({})).await;
    // An escaped name is the same name.
    let escaped = format!("/consumers/%{:02x}{}", other.as_bytes()[0], &other[1..]);
    let refused = app.post(&escaped).document(V2, &json!({})).send().await;
    assert_forbidden(&refused, &format!("read consumer group {other}"));
}

#[tokio::test]
async fn an_instance_reads_topics_that_may_be_read() {
    let prefix = unique("team");
    let (mine, other) = (topic(&prefix), topic("other"));
    let app = ruled(&["verbs=read", "groups=*", &format!("topics={prefix}*")]);
    let instance = Instance::create(&app, &unique("group"), json!({})).await;
    let sentence = format!("read topic {other}");
    assert_forbidden(&instance.post("/subscription", json!({ "topics": [mine, other] })).await, &sentence);
    let places = json!({ "partitions": [{ "topic": mine, "partition": 0 }, { "topic": other, "partition": 0 }] });
    assert_forbidden(&instance.post("/assignments", places.clone()).await, &sentence);
    assert_forbidden(&instance.post("/positions/beginning", places).await, &sentence);
    let offsets = json!({ "offsets": [{ "topic": other, "partition": 0, "offset": 0 }] });
    assert_forbidden(&instance.post("/positions", offsets.clone()).await, &sentence);
    assert_forbidden(&instance.post("/offsets", offsets).await, &sentence);
    let asked = json!({ "partitions": [{ "topic": other, "partition": 0 }] });
    let refused = instance.get("/offsets").document(V2, &asked).send().await;
    assert_forbidden(&refused, &format!("describe topic {other}"));
    assert_eq!(instance.get("/subscription").send().await.ok()["topics"], json!([]));

    instance.subscribe(&[&mine]).await;
    assert_eq!(instance.collect(1).await[0]["topic"], json!(mine));
    let stateless = app.get(&format!("/topics/{other}/partitions/0/records")).send().await;
    assert_forbidden(&stateless, &sentence);
    let stateless = app.get(&format!("/topics/{other}/partitions/0/messages")).accept(BINARY_V1).send().await;
    assert_forbidden(&stateless, &sentence);
}

#[tokio::test]
async fn the_first_read_of_v1_subscribes_to_what_may_be_read() {
    let (mine, other) = (topic("mine"), topic("other"));
    let app = ruled(&["verbs=read", "groups=*", &format!("topics={mine}")]);
    let group = unique("group");
    let created = app.post(&format!("/consumers/{group}")).document(V1, &json!({ "name": "i" })).send().await;
    assert_eq!(created.status, 200, "{}", created.text());
    let read = |topic: &str| app.get(&format!("/consumers/{group}/instances/i/topics/{topic}")).accept(BINARY_V1);
    assert_forbidden(&read(&other).send().await, &format!("read topic {other}"));
    assert_eq!(read(&mine).send().await.status, 200);
}

#[tokio::test]
async fn a_pattern_matches_what_may_be_read_and_nothing_else() {
    let common = unique("common");
    let (mine, other) = (topic(&format!("{common}-mine")), topic(&format!("{common}-other")));
    let app = ruled(&["verbs=read", "groups=*", &format!("topics={common}-mine*")]);
    let instance = Instance::create(&app, &unique("group"), json!({})).await;
    let subscribed = instance.post("/subscription", json!({ "topic_pattern": format!("{common}.*") })).await;
    assert_eq!(subscribed.status, 204, "{}", subscribed.text());
    assert_eq!(instance.get("/subscription").send().await.ok()["topics"], json!([mine]));
    assert_eq!(instance.collect(1).await[0]["topic"], json!(mine));

    // What it may read by a new rule is found, and what it may not any more is lost.
    let topics = format!("rules.test.topics={common}-other*");
    let rule = ["rules.test.principals=*", "rules.test.verbs=read", "rules.test.groups=*", &topics];
    app.state.rules.reload(&app::config_with("127.0.0.1:1", &rule).rules);
    let read = eventually("the other topic is read", PATIENCE, async || {
        let records = instance.get("/records?timeout=500").send().await.ok();
        let topics: Vec<Value> = records.as_array().unwrap().iter().map(|record| record["topic"].clone()).collect();
        (!topics.is_empty()).then_some(topics)
    });
    assert_eq!(read.await, [json!(other)]);
    assert_eq!(instance.get("/subscription").send().await.ok()["topics"], json!([other]));
}

#[tokio::test]
async fn an_instance_stops_reading_what_may_not_be_read_any_more() {
    let mine = topic("mine");
    let app = ruled(&["verbs=read", "groups=*", "topics=*"]);
    let (subscribed, assigned) =
        (Instance::of_topic(&app, &mine).await, Instance::of_partition(&app, &mine, json!({})).await);
    subscribed.collect(1).await;
    let rule = ["rules.test.principals=*", "rules.test.verbs=read", "rules.test.groups=*"];
    app.state.rules.reload(&app::config_with("127.0.0.1:1", &rule).rules);
    for instance in [subscribed, assigned] {
        assert_forbidden(&instance.get("/records").send().await, &format!("read topic {mine}"));
    }
}
