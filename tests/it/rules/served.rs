use serde_json::json;

use crate::harness::app;
use crate::harness::http::{BINARY_V2, JSON, JSON_V2, V1, V2};
use crate::rules::{cluster, started};

#[tokio::test]
async fn what_is_blocked_is_not_there() {
    let topic = app::topic(1);
    let app = started(&["endpoints.block=api.v3.topics.list,api.v3.topics.delete,api.v3.acls.*"]);
    let at = cluster().await;
    let topics = format!("{at}/topics");
    for path in [topics.clone(), format!("{topics}/"), topics.replace("/v3", "/kafka/v3")] {
        assert_eq!(app.get(&path).send().await.error(), (404, 404), "{path}");
        assert_eq!(app.call("HEAD", &path).send().await.status, 404, "{path}");
    }
    let options = app.call("OPTIONS", &topics).send().await;
    assert_eq!((options.status, options.header("allow")), (200, Some("POST, OPTIONS")));
    let one = format!("{topics}/{topic}");
    let refused = app.call("DELETE", &one).send().await;
    assert_eq!((refused.error(), refused.header("allow")), ((405, 405), Some("GET, PATCH, HEAD, OPTIONS")));
    assert_eq!(app.get(&one).send().await.status, 200);
    assert_eq!(app.get(&format!("{at}/acls")).send().await.error(), (404, 404));
    let batch = app.post(&format!("{at}/acls:batch")).document(JSON, &json!({})).send().await;
    assert_eq!((batch.error(), batch.header("allow")), ((405, 405), Some("OPTIONS")));
    // The method that was never there is as before.
    let put = app.call("PUT", &topics).send().await;
    assert_eq!((put.error(), put.header("allow")), ((405, 405), Some("POST, OPTIONS")));
}

#[tokio::test]
async fn what_is_not_allowed_is_not_there_but_the_proxy_still_tells_how_it_is() {
    let app = started(&["endpoints.allow=api.v2.topics.*"]);
    assert_eq!(app.get("/topics").send().await.status, 200);
    assert_eq!(app.get("/topics").accept(V1).send().await.error(), (404, 404));
    assert_eq!(app.get("/brokers").send().await.error(), (404, 404));
    assert_eq!(app.get(&cluster().await).send().await.error(), (404, 404));
    assert_eq!(app.get("/connectors").send().await.error(), (404, 404));
    assert_eq!(app.post("/consumers/g").document(V2, &json!({})).send().await.error(), (405, 405));
    assert_eq!(app.get("/health").send().await.status, 200);
}

#[tokio::test]
async fn a_version_can_be_blocked_where_the_other_is_served() {
    let topic = app::topic(1);
    let app = started(&["endpoints.block=api.v1.*"]);
    assert_eq!(app.get("/topics").accept(V2).send().await.status, 200);
    assert_eq!(app.get("/topics").accept(V1).send().await.error(), (404, 404));
    let v1 = app.post(&format!("/topics/{topic}")).document("application/vnd.kafka.json.v1+json", &json!({}));
    assert_eq!(v1.send().await.error(), (405, 405));
    let app = started(&["endpoints.block=api.v2.*"]);
    assert_eq!(app.get("/topics").accept(V1).send().await.status, 200);
    assert_eq!(app.get("/topics").accept(V2).send().await.error(), (404, 404));
}

#[tokio::test]
async fn a_format_can_be_blocked() {
    let topic = app::topic(1);
    let app = started(&["endpoints.block=api.v2.produce-to-topic.binary,api.v2.consumers.consume-json"]);
    let path = format!("/topics/{topic}");
    let produce =
        |media: &str, value: &str| app.post(&path).document(media, &json!({ "records": [{ "value": value }] }));
    assert_eq!(produce(BINARY_V2, "aGk=").send().await.error(), (405, 405));
    assert_eq!(produce(JSON_V2, "hi").send().await.status, 200);
    let partition = app.post(&format!("{path}/partitions/0"));
    let written = partition.document(BINARY_V2, &json!({ "records": [{ "value": "aGk=" }] })).send().await;
    assert_eq!(written.status, 200);
    for (format, expected) in [("json", 404), ("binary", 200)] {
        let instance =
            crate::consume::Instance::create(&app, &crate::harness::unique("group"), json!({ "format": format })).await;
        instance.subscribe(&[&topic]).await;
        assert_eq!(instance.get("/records?timeout=1").send().await.status, expected, "{format}");
    }
}
