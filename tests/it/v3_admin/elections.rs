use serde_json::json;

use crate::harness::{app, unique};
use crate::v3_admin::{call, send};

#[tokio::test]
async fn a_partition_with_the_right_leader_needs_no_election() {
    let path = format!("/topics/{}/partitions/0/leader:elect", app::topic(1));
    for election in ["PREFERRED", "UNCLEAN"] {
        let elected = send("POST", &path, json!({ "election_type": election })).await.send().await;
        assert_eq!((elected.status, elected.body.len()), (204, 0), "{election}: {}", elected.text());
    }
    for (body, expected) in [
        (json!({ "election_type": "preferred" }), (400, 400)),
        (json!({}), (400, 400)),
        (json!({ "election_type": "PREFERRED", "x": 1 }), (422, 422)),
    ] {
        assert_eq!(send("POST", &path, body.clone()).await.send().await.error(), expected, "{body}");
    }
    assert_eq!(call("POST", &path).await.send().await.error(), (422, 42206));
    let unknown = format!("/topics/{}/partitions/0/leader:elect", unique("no"));
    assert_eq!(
        send("POST", &unknown, json!({ "election_type": "PREFERRED" })).await.send().await.error(),
        (404, 40403)
    );
}

#[tokio::test]
async fn many_are_elected_at_once_and_those_that_failed_are_told() {
    let (topic, unknown) = (app::topic(2), unique("no"));
    let elect = async |body| send("POST", "/topics/-/partitions/-/leader:elect", body).await.send().await;
    let at = |topic: &str, partition| json!({ "topic_name": topic, "partition_id": partition });
    let good = json!({ "election_type": "PREFERRED", "data": [at(&topic, 0), at(&topic, 1), at(&topic, 1)] });
    assert_eq!(elect(good).await.status, 204);
    let some =
        elect(json!({ "election_type": "PREFERRED", "data": [at(&topic, 0), at(&topic, 9), at(&unknown, 0)] })).await;
    assert_eq!(some.status, 207, "{}", some.text());
    let mut failed: Vec<_> = some.json()["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["topic_name"].clone(), it["error_code"].clone()))
        .collect();
    failed.sort_by_key(|(topic, _)| topic.to_string());
    assert_eq!(failed, [(unknown.as_str().into(), 40403.into()), (topic.as_str().into(), 40403.into())]);
    assert_eq!(elect(json!({ "election_type": "PREFERRED", "all": true })).await.status, 204);
    assert_eq!(elect(json!({ "election_type": "PREFERRED" })).await.error(), (400, 400));
    assert_eq!(elect(json!({ "election_type": "PREFERRED", "all": true, "data": [] })).await.error(), (400, 400));
}
