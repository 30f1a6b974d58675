use serde_json::{Value, json};

use crate::admin::security::secured;
use crate::harness::app::{self, App};
use crate::harness::http::{Answer, JSON};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::v3_admin::{get, send};

/// A proxy of the broker that has an authorizer.
struct Proxy {
    app: App,
    acls: String,
}

impl Proxy {
    /// Returns one that may do everything.
    async fn of_owner() -> Proxy {
        Proxy::start(app::config_with(&secured().broker.kafka().bootstrap, &[])).await
    }

    async fn start(config: kafka_rest_proxy::config::Config) -> Proxy {
        let app = app::spawn_app(config);
        let clusters = app.get("/v3/clusters").send().await.ok();
        let id = clusters["data"][0]["cluster_id"].as_str().unwrap();
        let acls = format!("/v3/clusters/{id}/acls");
        Proxy { app, acls }
    }

    async fn call(&self, method: &str, query: &str) -> Answer {
        self.app.call(method, &format!("{}{query}", self.acls)).send().await
    }

    async fn send(&self, path: &str, body: Value) -> Answer {
        self.app.post(&format!("{}{path}", self.acls)).document(JSON, &body).send().await
    }

    /// Returns what a search finds, once it finds so many.
    async fn find(&self, query: &str, count: usize) -> Value {
        eventually("the broker knows the ACLs", PATIENCE, async || {
            let found = self.call("GET", query).await.ok();
            (found["data"].as_array().unwrap().len() == count).then_some(found)
        })
        .await
    }
}

fn acl(user: &str, resource_type: &str, operation: &str) -> Value {
    json!({ "resource_type": resource_type, "resource_name": "my topic", "pattern_type": "LITERAL",
        "principal": format!("User:{user}"), "host": "*", "operation": operation, "permission": "ALLOW" })
}

#[tokio::test]
async fn acls_are_created_found_and_deleted_by_their_addresses() {
    let (proxy, user) = (Proxy::of_owner().await, unique("user"));
    for _ in 0..2 {
        let created = proxy.send("", acl(&user, "TOPIC", "READ")).await;
        assert_eq!((created.status, created.body.len(), created.media()), (201, 0, None), "{}", created.text());
        let expected = format!(
            "{}?resource_type=TOPIC&resource_name=my+topic&pattern_type=LITERAL&principal=User%3A{user}&host=*&operation=READ&permission=ALLOW",
            proxy.app.url(&proxy.acls)
        );
        assert_eq!(created.header("location"), Some(expected.as_str()));
    }
    let found = proxy.find(&format!("?principal=User:{user}"), 1).await;
    assert_eq!(found["kind"], "KafkaAclList");
    let everything = format!(
        "{}?resource_type=ANY&resource_name=&pattern_type=ANY&principal=User%3A{user}&host=&operation=ANY&permission=ANY",
        proxy.app.url(&proxy.acls)
    );
    assert_eq!(found["metadata"], json!({ "self": everything, "next": null }));
    let one = &found["data"][0];
    assert_eq!((&one["kind"], &one["resource_name"]), (&json!("KafkaAcl"), &json!("my topic")));
    let address = one["metadata"]["self"].as_str().unwrap();
    let query = address.strip_prefix(&proxy.app.url(&proxy.acls)).unwrap();
    assert_eq!(proxy.call("GET", query).await.ok()["data"], json!([one]));
    let deleted = proxy.call("DELETE", query).await.ok();
    assert_eq!(deleted, json!({ "data": [one] }));
    proxy.find(query, 0).await;
    assert_eq!(proxy.call("DELETE", query).await.ok(), json!({ "data": [] }));
}

#[tokio::test]
async fn several_are_created_and_come_sorted() {
    let (proxy, user) = (Proxy::of_owner().await, unique("user"));
    let data = [acl(&user, "GROUP", "READ"), acl(&user, "TOPIC", "WRITE"), acl(&user, "TOPIC", "READ")];
    let created = proxy.send(":batch", json!({ "data": data })).await;
    assert_eq!((created.status, created.body.len(), created.media()), (204, 0, None), "{}", created.text());
    let found = proxy.find(&format!("?principal=User:{user}"), 3).await;
    let sorted: Vec<_> =
        found["data"].as_array().unwrap().iter().map(|it| json!([it["resource_type"], it["operation"]])).collect();
    assert_eq!(json!(sorted), json!([["TOPIC", "READ"], ["TOPIC", "WRITE"], ["GROUP", "READ"]]));
    proxy.find(&format!("?principal=User:{user}&operation=read&resource_type=topic"), 1).await;
    proxy.find("?resource_name=my+topic&pattern_type=match&principal=User:nobody", 0).await;
    let every = "resource_type=ANY&pattern_type=ANY&operation=ANY&permission=ANY";
    let deleted = proxy.call("DELETE", &format!("?{every}&principal=User:{user}")).await.ok();
    assert_eq!(deleted["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_creates_nothing() {
    let (proxy, user) = (Proxy::of_owner().await, unique("user"));
    let mut incomplete = acl(&user, "TOPIC", "READ");
    incomplete["host"] = Value::Null;
    for (body, error) in [
        (json!({ "data": [acl(&user, "TOPIC", "READ"), incomplete] }), (400, 400)),
        (json!({}), (422, 42206)),
        (Value::Null, (422, 42206)),
        (json!({ "data": [], "more": 1 }), (422, 422)),
    ] {
        assert_eq!(proxy.send(":batch", body.clone()).await.error(), error, "{body}");
    }
    assert_eq!(proxy.send(":batch", json!({ "data": [] })).await.status, 204);
    proxy.find(&format!("?principal=User:{user}"), 0).await;
}

#[tokio::test]
async fn what_kafka_does_not_accept_is_told_in_its_words() {
    let (proxy, user) = (Proxy::of_owner().await, unique("user"));
    let mut nobody = acl(&user, "TOPIC", "READ");
    nobody["principal"] = json!("alice");
    let mut nothing = acl(&user, "TOPIC", "READ");
    nothing["resource_name"] = json!("");
    for body in [nobody, nothing, acl(&user, "CLUSTER", "ALTER")] {
        assert_eq!(proxy.send("", body.clone()).await.error(), (400, 40002), "{body}");
    }
    let untyped = proxy.app.post(&proxy.acls).send().await;
    assert_eq!((untyped.error(), untyped.message().contains("Null input provided")), ((422, 42206), true));
}

#[tokio::test]
async fn without_rights_it_is_403() {
    let settings = [
        "kafka.properties.security.protocol=SASL_PLAINTEXT",
        "kafka.properties.sasl.mechanism=PLAIN",
        "kafka.properties.sasl.username=bob",
        "kafka.properties.sasl.password=bob-pw",
    ];
    let proxy = Proxy::start(app::config_with(&secured().sasl, &settings)).await;
    assert_eq!(proxy.call("GET", "").await.error(), (403, 40301));
    assert_eq!(proxy.send("", acl("bob", "TOPIC", "READ")).await.error(), (403, 40301));
    let every = "?resource_type=ANY&pattern_type=ANY&operation=ANY&permission=ANY";
    assert_eq!(proxy.call("DELETE", every).await.error(), (403, 40301));
    let groups = proxy.acls.replace("/acls", "/consumer-groups");
    assert_eq!(proxy.app.get(&groups).send().await.ok()["data"], json!([]));
    assert_eq!(proxy.app.get(&format!("{groups}/g")).send().await.error(), (403, 40301));
}

#[tokio::test]
async fn without_an_authorizer_it_is_a_bad_request() {
    let listed = get("/acls").await.send().await;
    assert_eq!(listed.error(), (400, 40002));
    assert!(listed.message().contains("No Authorizer is configured"), "{}", listed.message());
    let created = send("POST", "/acls", acl("alice", "TOPIC", "READ")).await.send().await;
    assert_eq!(created.error(), (400, 40002));
    let other = app::shared().get("/v3/clusters/other/acls").send().await;
    assert_eq!((other.error(), other.message()), ((404, 404), "Cluster other cannot be found.".to_owned()));
}
