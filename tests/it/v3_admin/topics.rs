use serde_json::{Value, json};

use crate::harness::http::{Answer, JSON, JSON_V2};
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};
use crate::v3_admin::{broker, call, found, get, get_until, path_of, send};

async fn create(body: Value) -> Answer {
    send("POST", "/topics", body).await.send().await
}

async fn produce_to(topic: &str, partition: i32) -> Answer {
    let body = json!({ "records": [{ "value": 1, "partition": partition }] });
    app::shared().post(&format!("/topics/{topic}")).document(JSON_V2, &body).send().await
}

#[tokio::test]
async fn a_topic_is_made_read_grown_and_deleted() {
    let topic = unique("topic");
    let configs = json!([{ "name": "cleanup.policy", "value": "compact" }]);
    let body = json!({ "topic_name": topic, "partitions_count": 2, "replication_factor": 1, "configs": configs });
    let created = create(body).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.header("location").unwrap(), created.json()["metadata"]["self"]);
    let path = format!("/topics/{topic}");
    assert_eq!(get_until(&path, |_| true).await, created.json());
    let policy = get_until(&format!("{path}/configs/cleanup.policy"), |_| true).await;
    assert_eq!(policy["value"], "compact");
    assert_eq!(found(&get("/topics").await.send().await.ok(), "topic_name", &topic), &created.json());
    for link in ["partitions", "configs", "partition_reassignments"] {
        app::shared().get(&path_of(&created.json()[link]["related"])).send().await.ok();
    }

    let grown = send("PATCH", &path, json!({ "partitions_count": 4 })).await.send().await.ok();
    assert_eq!((&grown["partitions_count"], &grown["replication_factor"]), (&4.into(), &1.into()));
    get_until(&format!("{path}/partitions"), |list| list["data"].as_array().unwrap().len() == 4).await;

    let deleted = call("DELETE", &path).await.send().await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    eventually("it is gone", PATIENCE, async || (get(&path).await.send().await.status == 404).then_some(())).await;
    assert_eq!(call("DELETE", &path).await.send().await.error(), (404, 40403));
}

#[tokio::test]
async fn produce_knows_at_once_what_was_made_grown_and_deleted() {
    let topic = unique("topic");
    assert_eq!(produce_to(&topic, 0).await.error(), (404, 40401));
    assert_eq!(create(json!({ "topic_name": topic, "partitions_count": 1 })).await.status, 201);
    assert_eq!(produce_to(&topic, 0).await.placed(), [(0, 0)]);
    let path = format!("/topics/{topic}");
    send("PATCH", &path, json!({ "partitions_count": 2 })).await.send().await.ok();
    assert_eq!(produce_to(&topic, 1).await.placed(), [(1, 0)]);
    assert_eq!(call("DELETE", &path).await.send().await.status, 204);
    eventually("it is gone", PATIENCE, async || (get(&path).await.send().await.status == 404).then_some(())).await;
    assert_eq!(produce_to(&topic, 0).await.error(), (404, 40401));
}

#[tokio::test]
async fn what_is_only_validated_is_not_made() {
    let topic = unique("topic");
    let body = json!({ "topic_name": topic, "partitions_count": 3, "replication_factor": -1, "validate_only": true });
    let checked = create(body).await;
    assert_eq!((checked.status, checked.header("location")), (200, None));
    assert_eq!((&checked.json()["partitions_count"], &checked.json()["replication_factor"]), (&3.into(), &1.into()));
    assert_eq!(get(&format!("/topics/{topic}")).await.send().await.error(), (404, 40403));
    assert_eq!(produce_to(&topic, 0).await.error(), (404, 40401));
}

#[tokio::test]
async fn assignments_win_over_counts() {
    let (topic, broker) = (unique("topic"), broker().await);
    let assigned = json!({ "0": [broker], "1": [broker] });
    let body = json!({ "topic_name": topic, "partitions_count": 9, "replicas_assignments": assigned });
    let created = create(body).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!((&created.json()["partitions_count"], &created.json()["replication_factor"]), (&2.into(), &1.into()));
    let gap = json!({ "topic_name": unique("topic"), "replicas_assignments": { "0": [broker], "2": [broker] } });
    assert_eq!(create(gap).await.error(), (500, 50002));
}

#[tokio::test]
async fn what_is_no_topic_is_refused_and_not_made() {
    let topic = app::topic(1);
    let new = unique("topic");
    let cases = [
        (json!({}), (400, 400)),
        (json!({ "topic_name": null }), (400, 400)),
        (json!({ "topic_name": [] }), (400, 400)),
        (json!({ "topic_name": new, "partitions_count": "x" }), (400, 400)),
        (json!({ "topic_name": new, "replication_factor": 32768 }), (400, 400)),
        (json!({ "topic_name": new, "replicas_assignments": { "x": [1] } }), (400, 400)),
        (json!({ "topic_name": new, "replicas_assignments": { "0": ["x"] } }), (400, 400)),
        (json!({ "topic_name": new, "configs": [{ "value": "x" }] }), (400, 400)),
        (json!({ "topic_name": new, "validate_only": "maybe" }), (400, 400)),
        (json!({ "topic_name": new, "bogus": 1 }), (422, 422)),
        (json!({ "topic_name": "a b" }), (422, 42206)),
        (json!({ "topic_name": "" }), (422, 42206)),
        (json!({ "topic_name": new, "partitions_count": 0 }), (400, 40002)),
        (json!({ "topic_name": new, "replication_factor": 9 }), (400, 40002)),
        (json!({ "topic_name": new, "configs": [{ "name": "no.such", "value": "x" }] }), (400, 40002)),
        (json!({ "topic_name": new, "configs": [{ "name": "retention.ms", "value": "x" }] }), (400, 40002)),
        (json!({ "topic_name": topic }), (400, 40002)),
    ];
    for (body, expected) in cases {
        assert_eq!(create(body.clone()).await.error(), expected, "{body}");
    }
    let empty = call("POST", "/topics").await.send().await;
    assert_eq!(empty.error(), (422, 42206));
    assert_eq!(empty.message(), "Payload error. Request body is empty. Data is required.");
    assert_eq!(call("POST", "/topics").await.body("text/plain", "{}").send().await.error(), (415, 415));
    assert_eq!(call("POST", "/topics").await.body(JSON, "{} x").send().await.error(), (400, 400));
    assert_eq!(get(&format!("/topics/{new}")).await.send().await.error(), (404, 40403));
}

#[tokio::test]
async fn names_that_collide_are_refused_in_the_brokers_words() {
    let name = unique("a.b");
    assert_eq!(create(json!({ "topic_name": name })).await.status, 201);
    let collision = create(json!({ "topic_name": name.replace('.', "_") })).await;
    assert_eq!(collision.error(), (422, 42206));
    assert!(collision.message().starts_with("Payload error. Invalid topic name. "), "{}", collision.message());
    assert!(collision.message().contains(&name), "{}", collision.message());
}

#[tokio::test]
async fn partitions_are_only_added() {
    let path = format!("/topics/{}", app::topic(3));
    for (body, expected) in [
        (json!({ "partitions_count": 3 }), (400, 40002)),
        (json!({ "partitions_count": -1 }), (400, 40002)),
        (json!({ "partitions_count": null }), (400, 400)),
        (json!({ "partitions_count": 4, "x": 1 }), (422, 422)),
    ] {
        assert_eq!(send("PATCH", &path, body.clone()).await.send().await.error(), expected, "{body}");
    }
    let empty = call("PATCH", &path).await.send().await;
    assert_eq!(empty.message(), "Payload error. Request body is empty. Partitions_count is required.");
    let unknown = send("PATCH", &format!("/topics/{}", unique("no")), json!({ "partitions_count": 4 })).await;
    assert_eq!(unknown.send().await.error(), (404, 40403));
    let other = app::shared().call("PATCH", &format!("/v3/clusters/other{path}"));
    assert_eq!(other.document(JSON, &json!({ "partitions_count": 9 })).send().await.error(), (404, 404));
    assert_eq!(get(&path).await.send().await.ok()["partitions_count"], 3);
}

#[tokio::test]
async fn names_may_be_percent_encoded_and_need_not_exist() {
    let topic = app::topic(1);
    let encoded: String = topic.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(get(&format!("/topics/{encoded}")).await.send().await.ok()["topic_name"], topic.as_str());
    for illegal in ["a%20b", "a%2Fb", "%C3%BC", "%FF"] {
        let refused = get(&format!("/topics/{illegal}")).await.send().await;
        assert_eq!(refused.error(), (400, 40002), "{illegal}");
    }
    let unknown = get(&format!("/topics/{}", unique("no"))).await.send().await;
    assert_eq!(unknown.error(), (404, 40403));
    assert_eq!(unknown.message(), "This server does not host this topic-partition.");
}

#[tokio::test]
async fn a_topic_named_like_the_placeholder_of_all_topics_is_a_topic() {
    let made = create(json!({ "topic_name": "-" })).await;
    assert!(made.status == 201 || made.message().contains("already exists"), "{}", made.text());
    assert_eq!(get_until("/topics/-", |_| true).await["topic_name"], "-");
    assert_eq!(get_until("/topics/-/partitions/0", |_| true).await["topic_name"], "-");
    // Their configs are those of all topics.
    assert_eq!(get("/topics/-/configs").await.send().await.ok()["kind"], "KafkaTopicConfigList");
    assert_eq!(call("DELETE", "/topics/-").await.send().await.status, 204);
}

#[tokio::test]
async fn operations_are_listed_when_asked_for() {
    let topic = app::topic(1);
    for path in ["/topics?includeAuthorizedOperations=TRUE", "/topics?include_authorized_operations=true"] {
        let list = get(path).await.send().await.ok();
        let operations = found(&list, "topic_name", &topic)["authorized_operations"].as_array().unwrap();
        assert!(operations.contains(&"WRITE".into()), "{operations:?}");
    }
    let one = get(&format!("/topics/{topic}?include_authorized_operations=true")).await.send().await.ok();
    assert!(one["authorized_operations"].as_array().unwrap().contains(&"DELETE".into()));
    let plain = get(&format!("/topics/{topic}?include_authorized_operations=1")).await.send().await.ok();
    assert_eq!(plain["authorized_operations"], json!([]));
}

#[tokio::test]
async fn lists_do_not_fail_over_topics_that_are_deleted_meanwhile() {
    let churn = async {
        for _ in 0..15 {
            let topic = unique("gone");
            assert_eq!(create(json!({ "topic_name": topic })).await.status, 201);
            assert_eq!(call("DELETE", &format!("/topics/{topic}")).await.send().await.status, 204);
        }
    };
    let look = async {
        loop {
            for path in ["/topics", "/topics/-/configs", "/topics/-/partitions/-/reassignment"] {
                get(path).await.send().await.ok();
            }
        }
    };
    tokio::select! {
        () = churn => {}
        () = look => {}
    }
}

#[tokio::test]
async fn verbs_are_told() {
    let other = call("PUT", "/topics").await.send().await;
    assert_eq!((other.error(), other.header("allow")), ((405, 405), Some("GET, POST, HEAD, OPTIONS")));
    let head = call("HEAD", "/topics").await.send().await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}
