use serde_json::{Value, json};

use crate::harness::http::{JSON, V1, V2};
use crate::harness::waiting::PATIENCE;
use crate::harness::{app, eventually, kafka, unique};
use crate::rules::{assert_forbidden, cluster, each, ruled};

/// Returns the names of two new topics, of which only the first begins so.
fn two_topics(prefix: &str) -> (String, String) {
    let (seen, hidden) = (unique(prefix), unique("hidden"));
    kafka::shared().create_topic(&seen, 1);
    kafka::shared().create_topic(&hidden, 1);
    (seen, hidden)
}

#[tokio::test]
async fn topics_are_listed_that_the_caller_sees() {
    let prefix = unique("seen");
    let (seen, hidden) = two_topics(&prefix);
    let app = ruled(&["verbs=describe", &format!("topics={prefix}*"), "cluster=true"]);
    let at = cluster().await;
    for media in [V1, V2] {
        assert_eq!(app.get("/topics").accept(media).send().await.ok(), json!([seen]));
    }
    assert_eq!(each(&app.get(&format!("{at}/topics")).send().await.ok(), "topic_name"), [seen.as_str()]);
    let configs = each(&app.get(&format!("{at}/topics/-/configs")).send().await.ok(), "topic_name");
    assert!(!configs.is_empty() && configs.iter().all(|topic| *topic == seen), "{configs:?}");
    let replicas = app.get(&format!("{at}/brokers/1/partition-replicas")).send().await.ok();
    assert_eq!(each(&replicas, "topic_name"), [seen.as_str()]);
    assert_eq!(app.get(&format!("{at}/topics/-/partitions/-/reassignment")).send().await.ok()["data"], json!([]));

    assert_eq!(app.get(&format!("/topics/{seen}")).send().await.status, 200);
    assert_forbidden(&app.get(&format!("/topics/{hidden}")).send().await, &format!("describe topic {hidden}"));
    let partitions = app.get(&format!("{at}/topics/{hidden}/partitions")).send().await;
    assert_forbidden(&partitions, &format!("describe topic {hidden}"));
    // Whether it exists is nobody's affair.
    let nothing = unique("hidden");
    assert_forbidden(&app.get(&format!("/topics/{nothing}")).send().await, &format!("describe topic {nothing}"));
}

#[tokio::test]
async fn log_directories_have_the_replicas_that_the_caller_sees() {
    let prefix = unique("seen");
    let (seen, _) = two_topics(&prefix);
    let app = ruled(&["verbs=describe", &format!("topics={prefix}*"), "cluster=true"]);
    let path = format!("{}/brokers/1/log-dirs", cluster().await);
    let topics = eventually("the broker has the replica", PATIENCE, async || {
        let folders = app.get(&path).send().await.ok();
        let replicas =
            folders["data"].as_array().unwrap().iter().flat_map(|folder| folder["replicas"].as_array().unwrap());
        let topics: Vec<String> = replicas.map(|replica| replica["topic_name"].as_str().unwrap().to_owned()).collect();
        (!topics.is_empty()).then_some(topics)
    });
    assert_eq!(topics.await, [seen]);
}

#[tokio::test]
async fn a_reassignment_of_another_is_not_listed_and_cannot_be_begun() {
    let prefix = unique("mine");
    let (mine, other) = two_topics(&prefix);
    let app = ruled(&["verbs=alter", &format!("topics={prefix}*")]);
    let path = format!("{}/topics/-/partitions/-/reassignment:alter", cluster().await);
    let entry = |topic: &str| json!({ "topic_name": topic, "partition_id": 0, "replicas": [1] });
    let both = json!({ "data": [entry(&mine), entry(&other)] });
    let refused = app.post(&path).document(JSON, &both).send().await;
    assert_forbidden(&refused, &format!("alter topic {other}"));
    let begun = app.post(&path).document(JSON, &json!({ "data": [entry(&mine)] })).send().await;
    assert_eq!(begun.status, 202, "{}", begun.text());
}

/// Makes a group that has committed an offset of each topic.
async fn group_of(name: &str, topics: &[&str]) {
    let entry = |topic: &&str| json!({ "topic_name": topic, "partition_id": 0, "offset": 0 });
    let body = json!({ "data": topics.iter().map(entry).collect::<Vec<_>>() });
    let path = format!("{}/consumer-groups/{name}/offsets:alter", cluster().await);
    let altered = app::shared().post(&path).document(JSON, &body).send().await;
    assert_eq!(altered.status, 204, "{}", altered.text());
}

#[tokio::test]
async fn groups_and_their_lags_and_offsets_are_listed_as_the_caller_sees_them() {
    let prefix = unique("seen");
    let (seen, hidden) = two_topics(&prefix);
    let (group, other) = (unique(&prefix), unique("hidden-group"));
    group_of(&group, &[&seen, &hidden]).await;
    group_of(&other, &[&seen]).await;
    let app = ruled(&["verbs=describe", &format!("topics={prefix}*"), &format!("groups={prefix}*")]);
    let at = format!("{}/consumer-groups", cluster().await);

    assert_eq!(each(&app.get(&at).send().await.ok(), "consumer_group_id"), [group.as_str()]);
    assert_forbidden(&app.get(&format!("{at}/{other}")).send().await, &format!("describe consumer group {other}"));
    let listed = |answer: Value| each(&answer, "topic_name");
    assert_eq!(listed(app.get(&format!("{at}/{group}/lags")).send().await.ok()), [seen.as_str()]);
    assert_eq!(listed(app.get(&format!("{at}/{group}/offsets")).send().await.ok()), [seen.as_str()]);
    let summary = app.get(&format!("{at}/{group}/lag-summary")).send().await.ok();
    assert_eq!(summary["max_lag_topic_name"], json!(seen));
    let lag = app.get(&format!("{at}/{group}/lags/{hidden}/partitions/0")).send().await;
    assert_forbidden(&lag, &format!("describe topic {hidden}"));
}

#[tokio::test]
async fn who_sees_none_of_a_kind_is_told_so() {
    let app = ruled(&["verbs=describe", "groups=*"]);
    assert_forbidden(&app.get("/topics").send().await, "describe any topic");
    assert_forbidden(&app.get("/brokers").send().await, "describe the Kafka cluster");
    // Everybody with a rule may find out what the cluster is called.
    assert_eq!(app.get("/v3/clusters").send().await.status, 200);
}
