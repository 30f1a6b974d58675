use serde_json::json;

use crate::harness::{app, unique};
use crate::v3_admin::{broker, call, get, path_of, send};

#[tokio::test]
async fn where_nothing_moves_lists_are_empty_and_one_is_not_found() {
    let (topic, unknown) = (app::topic(1), unique("no"));
    for path in
        [format!("/topics/{topic}/partitions/-/reassignment"), format!("/topics/{unknown}/partitions/-/reassignment")]
    {
        let list = get(&path).await.send().await.ok();
        assert_eq!((&list["kind"], &list["data"]), (&"KafkaReassignmentList".into(), &json!([])));
        assert!(path_of(&list["metadata"]["self"]).ends_with(&path), "{list}");
    }
    assert!(get("/topics/-/partitions/-/reassignment").await.send().await.ok()["data"].is_array());
    for path in [
        format!("/topics/{topic}/partitions/0"),
        format!("/topics/{topic}/partitions/7"),
        format!("/topics/{unknown}/partitions/0"),
    ] {
        assert_eq!(get(&format!("{path}/reassignment")).await.send().await.error(), (404, 404), "{path}");
        assert_eq!(call("DELETE", &format!("{path}/reassignment")).await.send().await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_move_that_cannot_be_is_refused_and_one_to_where_it_is_is_done() {
    let (topic, broker) = (app::topic(1), broker().await);
    let path = format!("/topics/{topic}/partitions/0/reassignment");
    for (body, expected) in [
        (json!({ "replicas": [4711] }), (400, 40002)),
        (json!({ "replicas": [] }), (400, 40002)),
        (json!({ "replicas": [broker, broker] }), (400, 40002)),
        (json!({ "replicas": ["x"] }), (400, 400)),
        (json!({ "replicas": null }), (400, 400)),
        (json!({ "replicas": [broker], "x": 1 }), (422, 422)),
    ] {
        assert_eq!(send("PUT", &path, body.clone()).await.send().await.error(), expected, "{body}");
    }
    assert_eq!(call("PUT", &path).await.send().await.error(), (422, 42206));
    assert_eq!(send("PUT", &path, json!({ "replicas": [broker] })).await.send().await.status, 204);
    let unknown = format!("/topics/{}/partitions/0/reassignment", unique("no"));
    assert_eq!(send("PUT", &unknown, json!({ "replicas": [broker] })).await.send().await.error(), (404, 40403));
}

#[tokio::test]
async fn many_are_asked_for_at_once_and_those_that_were_refused_are_told() {
    let (topic, broker) = (app::topic(2), broker().await);
    let alter = async |body| send("POST", "/topics/-/partitions/-/reassignment:alter", body).await.send().await;
    let entry = |partition, replicas| json!({ "topic_name": topic, "partition_id": partition, "replicas": replicas });
    assert_eq!(alter(json!({ "data": [entry(0, json!([broker])), entry(1, json!([broker]))] })).await.status, 202);
    let some =
        alter(json!({ "data": [entry(0, json!([broker])), entry(1, json!([4711])), entry(9, json!(null))] })).await;
    assert_eq!(some.status, 207, "{}", some.text());
    let failed: Vec<_> = some.json()["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["partition_id"].clone(), it["error_code"].clone()))
        .collect();
    assert_eq!(failed, [(1.into(), 40002.into()), (9.into(), 40403.into())]);
    assert_eq!(alter(json!({ "data": [] })).await.status, 202);
    assert_eq!(alter(json!({ "data": [{ "topic_name": topic }] })).await.error(), (400, 400));
}
