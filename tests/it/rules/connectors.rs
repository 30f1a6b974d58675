use serde_json::{Value, json};

use crate::harness::app::App;
use crate::harness::connect::fake::{FakeWorkers, Request};
use crate::harness::http::{Answer, JSON};
use crate::rules::{assert_forbidden, started};

const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

/// A proxy before a scripted worker, where those who did not say who they are may do some things to connectors whose
/// names begin with `team-`.
struct Gateway {
    workers: FakeWorkers,
    app: App,
}

impl Gateway {
    fn start(verbs: &str, settings: &[&str]) -> Gateway {
        let workers = FakeWorkers::start(1);
        for name in ["team-a", "team-b", "other"] {
            workers.put(name, config());
        }
        let (urls, verbs) = (format!("connect.default.urls={}", workers.urls()), format!("rules.test.verbs={verbs}"));
        let rule = ["rules.test.principals=ANONYMOUS", "rules.test.connect=default", "rules.test.connectors=team-*"];
        let app = started(&[&rule, [urls.as_str(), &verbs].as_slice(), settings].concat());
        Gateway { workers, app }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.app.call(method, path).document(JSON, body).send().await
    }

    async fn get(&self, path: &str) -> Value {
        self.app.get(path).send().await.ok()
    }

    /// Returns what changed something, or tried to.
    fn writes(&self) -> Vec<Request> {
        let all = self.workers.requests().into_iter();
        all.filter(|request| request.method != "GET" && !request.matches("PUT", "*/validate")).collect()
    }
}

fn config() -> Value {
    json!({ "connector.class": FILE_SOURCE, "tasks.max": "1", "file": "/nowhere", "topic": "t" })
}

fn lacks(right: &str, connector: &str) -> String {
    format!("{right} connector {connector} of Kafka Connect cluster default")
}

#[tokio::test]
async fn connectors_are_listed_that_the_caller_sees() {
    for masks in ["connect.default.mask_secrets=true", "connect.default.mask_secrets=false"] {
        let gateway = Gateway::start("read", &[masks]);
        let mut names = gateway.get("/connectors").await;
        names.as_array_mut().unwrap().sort_by_key(Value::to_string);
        assert_eq!(names, json!(["team-a", "team-b"]), "{masks}");
        for query in ["expand=info", "expand=status", "expand=info&expand=status", "expand=x"] {
            let expanded = gateway.get(&format!("/connectors?{query}")).await;
            let names: Vec<_> = expanded.as_object().unwrap().keys().cloned().collect();
            assert_eq!(names, ["team-a", "team-b"], "{masks} {query}");
        }
        let page = gateway.get("/connect/v1/clusters/default/connectors?limit=1").await;
        assert_eq!((&page["connectors"][0]["name"], page["connectors"][1].is_null()), (&json!("team-a"), true));
        let cursor = page["next_cursor"].as_str().expect("there is another");
        let page = gateway.get(&format!("/connect/v1/clusters/default/connectors?cursor={cursor}")).await;
        assert_eq!((&page["connectors"][0]["name"], &page["next_cursor"]), (&json!("team-b"), &Value::Null));
    }
}

#[tokio::test]
async fn figures_are_those_of_the_connectors_that_the_caller_sees() {
    let gateway = Gateway::start("describe", &[]);
    gateway.workers.fail_connector("other", "org.x.Error: not yours");
    gateway.workers.fail_task("team-a", 0, "org.x.Error: yours");
    let seen = gateway.get("/connect/v1/clusters/default/overview").await;
    assert_eq!((&seen["connectors"]["total"], &seen["connectors"]["failed"]), (&json!(2), &json!(0)));
    assert_eq!((&seen["tasks"]["failed"], &seen["types"]["source"]), (&json!(1), &json!(2)));
    let failed: Vec<_> = seen["failed"].as_array().unwrap().iter().map(|one| one["connector"].clone()).collect();
    assert_eq!(failed, ["team-a"]);
    assert_eq!(gateway.get("/connect/v1/clusters").await["clusters"][0]["name"], "default");
}

#[tokio::test]
async fn who_may_only_see_states_gets_no_configurations() {
    let gateway = Gateway::start("describe", &[]);
    assert_eq!(gateway.get("/connectors?expand=status").await.as_object().unwrap().len(), 2);
    assert_eq!(gateway.get("/connectors?expand=info").await, json!({}));
    assert_eq!(gateway.app.get("/connectors/team-a/status").send().await.status, 200);
    let refused = gateway.app.get("/connectors/team-a/config").send().await;
    assert_forbidden(&refused, &lacks("read", "team-a"));
}

#[tokio::test]
async fn a_connector_in_the_path_is_one_that_is_allowed_however_it_is_written() {
    let gateway = Gateway::start("all", &[]);
    for prefix in ["", "/connect/default"] {
        for path in ["other", "%6fther", "other;x=team-a"] {
            let refused = gateway.app.get(&format!("{prefix}/connectors/{path}/status")).send().await;
            assert_forbidden(&refused, &lacks("describe", "other"));
        }
        let refused = gateway.app.call("PUT", &format!("{prefix}/connectors/other/pause")).send().await;
        assert_forbidden(&refused, &lacks("write", "other"));
        let refused = gateway.send("PUT", &format!("{prefix}/connectors/other/config"), &config()).await;
        assert_forbidden(&refused, &lacks("alter", "other"));
        let refused = gateway.app.call("DELETE", &format!("{prefix}/connectors/other")).send().await;
        assert_forbidden(&refused, &lacks("delete", "other"));
    }
    assert!(gateway.writes().is_empty(), "{:?}", gateway.writes());
    assert_eq!(gateway.app.call("PUT", "/connectors/team-a/pause").send().await.status, 202);
    // It is no connector's, but all connectors'.
    let refused = gateway.app.get("/admin/loggers").send().await;
    assert_forbidden(&refused, "read Kafka Connect cluster default");
    assert_eq!(gateway.app.get("/connector-plugins").send().await.status, 200);
}

#[tokio::test]
async fn a_connector_is_created_under_a_name_that_is_allowed() {
    let gateway = Gateway::start("create", &[]);
    let create = |name: &str| json!({ "name": name, "config": config() });
    let refused = gateway.send("POST", "/connectors", &create("others")).await;
    assert_forbidden(&refused, &lacks("create", "others"));
    // A worker reads on where this proxy does not: it is not passed on to find out.
    let body = format!("{} trailing", create("others"));
    let refused = gateway.app.post("/connectors").body(JSON, body).send().await;
    assert_forbidden(&refused, "create every connector of Kafka Connect cluster default");
    let twice = format!(r#"{{"name":"team-x","name":"others","config":{}}}"#, config());
    let refused = gateway.app.post("/connectors").body(JSON, twice).send().await;
    assert_forbidden(&refused, &lacks("create", "others"));
    assert!(gateway.writes().is_empty(), "{:?}", gateway.writes());
    assert_eq!(gateway.send("POST", "/connectors", &create("team-new")).await.status, 201);
    // It would replace one that is there.
    let refused = gateway.send("PUT", "/connectors/team-a/config", &config()).await;
    assert_forbidden(&refused, &lacks("alter", "team-a"));
}

#[tokio::test]
async fn a_configuration_is_validated_as_that_of_a_connector_that_may_be_changed() {
    let gateway = Gateway::start("alter", &[]);
    let path = format!("/connector-plugins/{FILE_SOURCE}/config/validate");
    let named = |name: &str| {
        let mut config = config();
        config["name"] = json!(name);
        config
    };
    assert_forbidden(&gateway.send("PUT", &path, &named("other")).await, &lacks("alter", "other"));
    assert!(gateway.workers.requests_to("PUT", "*/validate").is_empty());
    assert_eq!(gateway.send("PUT", &path, &named("team-a")).await.status, 200);
}

#[tokio::test]
async fn a_set_has_only_connectors_that_are_allowed() {
    let gateway = Gateway::start("read,create,alter,delete", &[]);
    let connector = |name: &str| json!({ "name": name, "config": config() });
    for verb in ["plan", "apply"] {
        let path = format!("/connect/v1/clusters/default/{verb}");
        let set = json!({ "connectors": [connector("team-new"), connector("other")] });
        assert_forbidden(&gateway.send("POST", &path, &set).await, &lacks("read", "other"));
        let set = json!({ "connectors": [{ "name": "team-new", "config": config(), "state": "PAUSED" }] });
        assert_forbidden(&gateway.send("POST", &path, &set).await, &lacks("write", "team-new"));
        let set = json!({ "connectors": [connector("team-new")], "prune": { "prefix": "t" } });
        let sentence = "delete every connector of Kafka Connect cluster default whose name begins with t";
        assert_forbidden(&gateway.send("POST", &path, &set).await, sentence);
    }
    assert!(gateway.writes().is_empty(), "{:?}", gateway.writes());
    let set = json!({ "connectors": [connector("team-new")], "prune": { "prefix": "team-" } });
    let applied = gateway.send("POST", "/connect/v1/clusters/default/apply", &set).await;
    assert_eq!(applied.status, 200, "{}", applied.text());
    let mut names = gateway.workers.names();
    names.sort_unstable();
    assert_eq!(names, ["other", "team-new"]);
}

#[tokio::test]
async fn another_cluster_is_not_shown() {
    let workers = FakeWorkers::start(1);
    let (one, two) = (format!("connect.one.urls={}", workers.urls()), format!("connect.two.urls={}", workers.urls()));
    let rule = ["principals=*", "verbs=all", "connect=one", "connectors=*"].map(|rule| format!("rules.test.{rule}"));
    let settings: Vec<&str> = [&one, &two].into_iter().chain(&rule).map(String::as_str).collect();
    let app = started(&settings);
    let seen = app.get("/connect/v1/clusters").send().await.ok();
    let names: Vec<_> = seen["clusters"].as_array().unwrap().iter().map(|cluster| cluster["name"].clone()).collect();
    assert_eq!(names, ["one"]);
    let refused = app.get("/connect/two/connectors").send().await;
    assert_forbidden(&refused, "describe any connector of Kafka Connect cluster two");
    // Whoever may do everything to all connectors may do it to their cluster.
    assert_eq!(app.get("/connect/one/admin/loggers").send().await.status, 200);
}
