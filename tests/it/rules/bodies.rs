use kafka_rest_proxy::config::Rules;
use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, JSON, JSON_V2};
use crate::harness::{kafka, unique};
use crate::rules::{assert_forbidden, cluster, ruled};

async fn post(app: &App, path: &str, body: &Value) -> Answer {
    app.post(&format!("{}/{path}", cluster().await)).document(JSON, body).send().await
}

#[tokio::test]
async fn a_topic_is_created_under_a_name_that_is_allowed() {
    let prefix = unique("team");
    let app = ruled(&["verbs=create,delete", &format!("topics={prefix}*")]);
    let (mine, other) = (unique(&prefix), unique("other"));
    let new = |name: &str| json!({ "topic_name": name, "partitions_count": 1, "replication_factor": 1 });
    assert_forbidden(&post(&app, "topics", &new(&other)).await, &format!("create topic {other}"));
    assert_eq!(post(&app, "topics", &new(&mine)).await.status, 201);
    let names = app::shared().get("/topics").send().await.ok();
    let names: Vec<&str> = names.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&mine.as_str()) && !names.contains(&other.as_str()));
    let delete = |topic: &str| format!("topics/{topic}");
    let at = cluster().await;
    let refused = app.call("DELETE", &format!("{at}/{}", delete(&other))).send().await;
    assert_forbidden(&refused, &format!("delete topic {other}"));
    assert_eq!(app.call("DELETE", &format!("{at}/{}", delete(&mine))).send().await.status, 204);
}

#[tokio::test]
async fn a_request_about_several_topics_is_refused_for_any_of_them_and_changes_none() {
    let prefix = unique("team");
    let (mine, other) = (unique(&prefix), app::topic(1));
    kafka::shared().create_topic(&mine, 1);
    let app = ruled(&["verbs=alter", &format!("topics={prefix}*")]);
    let configs =
        |topic: &str| json!({ "topic_name": topic, "configs": [{ "name": "retention.ms", "value": "5000" }] });
    let both = json!({ "data": [configs(&mine), configs(&other)] });
    assert_forbidden(&post(&app, "topics/-/configs:alter", &both).await, &format!("alter topic {other}"));
    let path = format!("{}/topics/{mine}/configs/retention.ms", cluster().await);
    assert_ne!(app::shared().get(&path).send().await.ok()["value"], "5000");
    assert_eq!(post(&app, "topics/-/configs:alter", &json!({ "data": [configs(&mine)] })).await.status, 204);

    let place = |topic: &str| json!({ "topic_name": topic, "partition_id": 0 });
    let election = json!({ "election_type": "PREFERRED", "data": [place(&mine), place(&other)] });
    let refused = post(&app, "topics/-/partitions/-/leader:elect", &election).await;
    assert_forbidden(&refused, &format!("alter topic {other}"));
    let all = json!({ "election_type": "PREFERRED", "all": true });
    let refused = post(&app, "topics/-/partitions/-/leader:elect", &all).await;
    assert_forbidden(&refused, "alter the Kafka cluster");
}

#[tokio::test]
async fn groups_are_deleted_and_their_offsets_changed_as_allowed() {
    let prefix = unique("team");
    let (mine, other) = (unique(&prefix), app::topic(1));
    kafka::shared().create_topic(&mine, 1);
    let (group, others) = (unique(&prefix), unique("other"));
    let app = ruled(&["verbs=read,alter,delete", &format!("topics={prefix}*"), &format!("groups={prefix}*")]);
    let entry = |topic: &str| json!({ "topic_name": topic, "partition_id": 0, "offset": 0 });
    let alter = format!("consumer-groups/{group}/offsets:alter");
    let refused = post(&app, &alter, &json!({ "data": [entry(&mine), entry(&other)] })).await;
    assert_forbidden(&refused, &format!("read topic {other}"));
    assert_eq!(post(&app, &alter, &json!({ "data": [entry(&mine)] })).await.status, 204);
    let refused = post(&app, &format!("consumer-groups/{others}/offsets:alter"), &json!({})).await;
    assert_forbidden(&refused, &format!("alter consumer group {others}"));

    // A reset of everything is one of what is there, and that is theirs until it has another's.
    let reset = format!("consumer-groups/{group}/offsets:reset");
    assert_eq!(post(&app, &reset, &json!({ "to": "EARLIEST" })).await.status, 200);
    let foreign = json!({ "data": [entry(&other)] });
    assert_eq!(post(app::shared(), &alter, &foreign).await.status, 204);
    let refused = post(&app, &reset, &json!({ "to": "EARLIEST" })).await;
    assert_forbidden(&refused, &format!("read topic {other}"));
    let named = json!({ "to": "EARLIEST", "topics": [mine] });
    assert_eq!(post(&app, &reset, &named).await.status, 200);
    let deleted = json!({ "topics": [other] });
    let refused = post(&app, &format!("consumer-groups/{group}/offsets:delete"), &deleted).await;
    assert_forbidden(&refused, &format!("read topic {other}"));

    let refused = post(&app, "consumer-groups:delete", &json!({ "consumer_group_ids": [group, others] })).await;
    assert_forbidden(&refused, &format!("delete consumer group {others}"));
    let deleted = post(&app, "consumer-groups:delete", &json!({ "consumer_group_ids": [group] })).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());
}

#[tokio::test]
async fn records_are_written_to_topics_that_are_allowed_in_every_version() {
    let prefix = unique("team");
    let (mine, other) = (unique(&prefix), app::topic(1));
    kafka::shared().create_topic(&mine, 1);
    let app = ruled(&["verbs=write", &format!("topics={prefix}*")]);
    let (at, sentence) = (cluster().await, format!("write topic {other}"));
    let records = json!({ "records": [{ "value": 1 }] });
    let record = json!({ "value": { "type": "JSON", "data": 1 } });
    let batch = json!({ "entries": [{ "id": "1", "value": { "type": "JSON", "data": 1 } }] });
    for (path, media, body) in [
        ("/topics/TOPIC", JSON_V2, &records),
        ("/topics/TOPIC/partitions/0", JSON_V2, &records),
        ("AT/topics/TOPIC/records", JSON, &record),
        ("AT/topics/TOPIC/records:batch", JSON, &batch),
    ] {
        let path = |topic: &str| path.replace("TOPIC", topic).replace("AT", &at);
        assert_forbidden(&app.post(&path(&other)).document(media, body).send().await, &sentence);
        let written = app.post(&path(&mine)).document(media, body).send().await;
        assert!(matches!(written.status, 200 | 207), "{}", written.text());
    }
    assert!(kafka::shared().read_topic(&other).is_empty());
    assert_eq!(kafka::shared().read_topic(&mine).len(), 4);
    // An escaped name is the same name.
    let escaped = format!("/topics/%{:02x}{}", other.as_bytes()[0], &other[1..]);
    assert_forbidden(&app.post(&escaped).document(JSON_V2, &records).send().await, &sentence);
}

#[tokio::test]
async fn a_body_is_not_read_before_the_rules_are_asked() {
    let app = ruled(&["verbs=write", "topics=mine"]);
    for path in ["/topics/other", "/v3/clusters/x/topics/other/records", "/v3/clusters/x/topics/other/records:batch"] {
        let mut wire = app.wire().await;
        wire.send_head(path, JSON_V2, 1000).await;
        assert_eq!(wire.answer_to_head().await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_stream_that_is_open_heeds_rules_that_change() {
    let topic = app::topic(1);
    let app = ruled(&["verbs=write", &format!("topics={topic}")]);
    let mut wire = app.wire().await;
    wire.start_chunked(&format!("{}/topics/{topic}/records", cluster().await), JSON).await;
    let record = r#"{"value":{"type":"JSON","data":1}}"#;
    wire.send_chunk(record).await;
    assert_eq!(wire.answer_to_head().await.status, 200);
    let receipt = |chunk: Vec<u8>| serde_json::from_slice::<Value>(&chunk).unwrap()["error_code"].clone();
    assert_eq!(receipt(wire.chunk().await), 200);
    app.state.rules.reload(&rules_for_others());
    wire.send_chunk(record).await;
    assert_eq!(receipt(wire.chunk().await), 40301);
    assert_eq!(kafka::shared().read_topic(&topic).len(), 1);
}

/// Returns rules that let nobody do anything who is here.
fn rules_for_others() -> Rules {
    let rule = ["rules.test.principals=somebody", "rules.test.verbs=read", "rules.test.topics=*"];
    app::config_with("127.0.0.1:1", &rule).rules
}
