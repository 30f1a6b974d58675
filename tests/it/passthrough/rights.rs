//! What a caller without rights is told, family by family; the proxy itself may do everything here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::app;
use crate::harness::http::{Call, JSON};
use crate::harness::unique;
use crate::passthrough::{As, produce, secured, token};

/// Returns the path of the cluster below v3.
async fn cluster(app: &app::App, login: &impl Fn(Call) -> Call) -> String {
    let clusters = login(app.get("/v3/clusters")).send().await.ok();
    format!("/v3/clusters/{}", clusters["data"][0]["cluster_id"].as_str().unwrap())
}

#[tokio::test]
async fn every_family_says_403_to_who_has_no_rights() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let nobody = secured().user().await;
    let login = |call: Call| call.by(&nobody);
    assert_all_forbidden(&app, &login).await;
}

#[tokio::test]
async fn every_family_says_403_to_a_token_without_rights() {
    let app = secured().proxy("PLAIN", &[]);
    let token = token(&unique("erin"), Duration::from_secs(600));
    let login = |call: Call| call.bearing(&token);
    assert_all_forbidden(&app, &login).await;
}

async fn assert_all_forbidden(app: &app::App, login: &impl Fn(Call) -> Call) {
    let topic = app::topic_on(secured().broker.kafka(), 1);
    let at = cluster(app, login).await;
    let (get, send) = (
        |path: &str| app.get(&format!("{at}{path}")),
        |method: &str, path: &str, body: Value| app.call(method, &format!("{at}{path}")).document(JSON, &body),
    );
    let acl = json!({ "resource_type": "TOPIC", "resource_name": topic, "pattern_type": "LITERAL",
        "principal": "User:x", "host": "*", "operation": "READ", "permission": "ALLOW" });
    let (alter, quota) = (json!({ "data": [{ "name": "retention.ms", "value": "1" }] }), json!({ "value": "1" }));
    let every = "?resource_type=ANY&pattern_type=ANY&operation=ANY&permission=ANY";
    let calls: Vec<(&str, Call)> = vec![
        ("v2 topic", app.get(&format!("/topics/{topic}"))),
        ("v2 partitions", app.get(&format!("/topics/{topic}/partitions"))),
        ("v2 offsets", app.get(&format!("/topics/{topic}/partitions/0/offsets"))),
        ("v2 records", app.get(&format!("/topics/{topic}/partitions/0/records"))),
        ("topic", get(&format!("/topics/{topic}"))),
        ("partitions", get(&format!("/topics/{topic}/partitions"))),
        ("partition", get(&format!("/topics/{topic}/partitions/0"))),
        ("topic configs", get(&format!("/topics/{topic}/configs"))),
        ("create topic", send("POST", "/topics", json!({ "topic_name": unique("new") }))),
        ("delete topic", app.call("DELETE", &format!("{at}/topics/{topic}"))),
        ("alter topic config", send("PUT", &format!("/topics/{topic}/configs/retention.ms"), quota.clone())),
        ("alter topic configs", send("POST", &format!("/topics/{topic}/configs:alter"), alter)),
        ("more partitions", send("PATCH", &format!("/topics/{topic}"), json!({ "partitions_count": 2 }))),
        ("cluster configs", get("/broker-configs")),
        ("broker configs", get("/brokers/1/configs")),
        ("acls", get("/acls")),
        ("create acl", send("POST", "/acls", acl)),
        ("delete acls", app.call("DELETE", &format!("{at}/acls{every}"))),
        ("group", get("/consumer-groups/some-group")),
        ("group members", get("/consumer-groups/some-group/consumers")),
        // All of them a broker without a right to tell does not answer at all.
        ("scram user", get("/scram-users/alice")),
        ("quotas", get("/client-quotas")),
        ("transactions", get("/transactions/some-transaction")),
    ];
    for (what, call) in calls {
        let answer = login(call).send().await;
        assert_eq!((what, answer.status), (what, 403), "{what}: {}", answer.text());
        assert_eq!(answer.error(), (403, 40301), "{what}");
    }
    // Lists show what one may see.
    for (what, path) in [("topics", "/topics"), ("groups", "/consumer-groups")] {
        assert_eq!(login(get(path)).send().await.ok()["data"], json!([]), "{what}");
    }
    assert_eq!(login(app.get("/topics")).send().await.ok(), json!([]));
    assert_produce_is_forbidden(app, &at, &topic, login).await;
    assert_eq!(secured().broker.kafka().read_topic(&topic), []);
}

async fn assert_produce_is_forbidden(app: &app::App, at: &str, topic: &str, login: &impl Fn(Call) -> Call) {
    let refused = login(produce(app, topic)).send().await;
    assert_eq!((refused.status, refused.record_codes()), (403, vec![40301]), "{}", refused.text());
    assert_eq!(refused.json()["offsets"][0]["partition"], Value::Null, "the document of offsets");
    let v1 = app
        .post(&format!("/topics/{topic}"))
        .document("application/vnd.kafka.v1+json", &json!({ "records": [{ "value": "YQ==" }] }));
    assert_eq!(login(v1).send().await.status, 403);
    let record = json!({ "value": { "type": "STRING", "data": "a" } }).to_string();
    let stream = app.post(&format!("{at}/topics/{topic}/records")).body(JSON, format!("{record}{record}"));
    let receipts = login(stream).send().await.text();
    assert_eq!(receipts.matches("\"error_code\":40301").count(), 2, "{receipts}");
}
