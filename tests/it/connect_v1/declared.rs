use serde_json::{Value, json};

use crate::connect_v1::{DATABASE, Gateway, each, file_source};
use crate::harness::connect::fake::Action;
use crate::harness::http::{Answer, JSON};

impl Gateway {
    async fn declared(&self, verb: &str, set: &Value) -> Answer {
        self.app.post(&format!("/connect/v1/clusters/c/{verb}")).document(JSON, set).send().await
    }

    async fn plan(&self, set: &Value) -> Value {
        self.declared("plan", set).await.ok()
    }

    /// Returns how many requests changed something, or tried to.
    fn writes(&self) -> usize {
        let all = self.workers.requests();
        all.iter().filter(|request| request.method != "GET" && !request.matches("PUT", "*/validate")).count()
    }
}

fn database() -> Value {
    json!({
        "connector.class": DATABASE, "connection.url": "jdbc:x", "connection.password": "hunter2-planted", "tasks.max": "1",
    })
}

fn connector(name: &str, config: &Value) -> Value {
    json!({ "name": name, "config": config })
}

fn with(mut value: Value, key: &str, new: Value) -> Value {
    value[key] = new;
    value
}

#[tokio::test]
async fn a_plan_tells_what_has_to_change_and_changes_nothing() {
    let gateway = Gateway::start(1, &[]);
    for name in ["same", "changed", "paused", "team-old", "other-old"] {
        gateway.workers.put(name, file_source());
    }
    let changed = with(with(file_source(), "tasks.max", json!(2)), "file", Value::Null);
    let set = json!({
        "connectors": [
            connector("new", &file_source()),
            connector("same", &with(file_source(), "__internal.config.version", json!("7"))),
            connector("changed", &changed),
            with(connector("paused", &file_source()), "state", json!("PAUSED")),
        ],
        "prune": { "prefix": "team-" },
    });
    let plan = gateway.plan(&set).await;
    let connectors = &plan["connectors"];
    assert_eq!(each(connectors, "name"), ["new", "same", "changed", "paused", "team-old"]);
    let actions = [json!(["create"]), json!([]), json!(["update"]), json!(["pause"]), json!(["delete"])];
    assert_eq!(each(connectors, "actions"), actions);
    let expected = json!([
        { "key": "file", "old": "/nowhere", "new": null },
        { "key": "tasks.max", "old": "1", "new": "2" },
    ]);
    assert_eq!(connectors[2]["changes"], expected);
    assert_eq!(each(&connectors[0]["changes"], "old"), vec![Value::Null; 4]);
    assert_eq!(plan["summary"]["total"], 5);
    assert_eq!((&plan["summary"]["unchanged"], &plan["summary"]["invalid"]), (&json!(1), &json!(0)));
    assert_eq!(gateway.declared("apply", &with(set, "dry_run", json!(true))).await.ok(), plan);
    assert_eq!(gateway.writes(), 0);
}

#[tokio::test]
async fn what_is_applied_is_so_and_is_unchanged_the_second_time() {
    let gateway = Gateway::start(2, &[]);
    for name in ["changed", "stopped", "team-old", "other-old"] {
        gateway.workers.put(name, file_source());
    }
    let set = json!({
        "connectors": [
            with(connector("new", &file_source()), "state", json!("stopped")),
            connector("changed", &with(file_source(), "tasks.max", json!(2))),
            with(connector("stopped", &with(file_source(), "file", json!("/else"))), "state", json!("STOPPED")),
        ],
        "prune": { "prefix": "team-" },
    });
    let applied = gateway.declared("apply", &set).await.ok();
    assert_eq!(each(&applied["connectors"], "result"), vec!["applied"; 4], "{applied}");
    assert_eq!(applied["connectors"][2]["actions"], json!(["stop", "update"]));
    assert_eq!(gateway.workers.names(), ["changed", "new", "other-old", "stopped"]);
    let states = ["changed", "new", "stopped"].map(|name| gateway.workers.connector_state(name).unwrap());
    assert_eq!(states, ["RUNNING", "STOPPED", "STOPPED"]);
    assert_eq!(gateway.workers.config("stopped").unwrap()["file"], "/else");
    gateway.workers.forget_requests();
    let again = gateway.declared("apply", &set).await.ok();
    assert_eq!(each(&again["connectors"], "result"), vec!["unchanged"; 3], "{again}");
    assert_eq!(gateway.writes(), 0);
}

#[tokio::test]
async fn secrets_are_in_no_answer_and_a_mask_keeps_what_is_stored() {
    let gateway = Gateway::start(1, &[]);
    gateway.workers.put("db", database());
    let masked = with(database(), "connection.password", json!("********"));
    let plan = gateway.plan(&json!({ "connectors": [connector("db", &masked)] })).await;
    assert_eq!(plan["connectors"][0]["actions"], json!([]), "{plan}");

    let set = json!({ "connectors": [connector("db", &with(masked.clone(), "connection.url", json!("jdbc:y")))] });
    let applied = gateway.declared("apply", &set).await;
    assert_eq!(each(&applied.ok()["connectors"][0]["changes"], "key"), ["connection.url"]);
    let stored = gateway.workers.config("db").unwrap();
    assert_eq!(
        (&stored["connection.password"], &stored["connection.url"]),
        (&json!("hunter2-planted"), &json!("jdbc:y"))
    );

    let changed = with(database(), "connection.password", json!("another-planted"));
    let plan = gateway.plan(&json!({ "connectors": [connector("db", &changed), connector("new", &masked)] })).await;
    let change = json!({ "key": "connection.password", "old": "********", "new": "********" });
    assert_eq!(plan["connectors"][0]["changes"][0], change, "{plan}");
    assert_eq!(plan["connectors"][1]["errors"][0]["key"], "connection.password", "{plan}");
    assert!(!plan.to_string().contains("planted"), "{plan}");
}

#[tokio::test]
async fn one_invalid_connector_refuses_the_whole_set() {
    let gateway = Gateway::start(1, &[]);
    let bad = json!({ "connector.class": DATABASE, "connection.password": "hunter2-planted" });
    let nobody = json!({ "connector.class": "org.example.Nobody", "x.password": "hunter2-planted" });
    let set = json!({ "connectors": [
        connector("good", &file_source()),
        connector("bad", &bad),
        connector("nobody", &nobody),
        connector("nothing", &json!({})),
        connector("a/b", &file_source()),
    ] });
    let plan = gateway.plan(&set).await;
    let keys: Vec<_> = plan["connectors"].as_array().unwrap().iter().map(|one| each(&one["errors"], "key")).collect();
    let expected = [
        vec![],
        vec![json!("connection.url")],
        vec![json!("connector.class")],
        vec![json!("connector.class")],
        vec![json!("name")],
    ];
    assert_eq!(keys, expected, "{plan}");
    assert_eq!(plan["summary"]["invalid"], 4);
    let refused = gateway.declared("apply", &set).await;
    assert_eq!(refused.error(), (422, 422));
    assert_eq!(refused.header("x-connect-gateway-outcome"), Some("not-applied"));
    assert!(refused.message().contains("bad (connection.url"), "{}", refused.message());
    assert!(!format!("{plan}{}", refused.text()).contains("planted"));
    assert_eq!(gateway.writes(), 0);
}

#[tokio::test]
async fn what_the_policy_forbids_is_invalid() {
    let policy = ["connect.c.denied_keys=producer.override.", "connect.c.max_tasks=2"];
    let gateway =
        Gateway::start(1, &[&policy[..], &["connect.c.allowed_classes=*.FileStreamSourceConnector"]].concat());
    let set = json!({ "connectors": [
        connector("good", &file_source()),
        connector("class", &database()),
        connector("key", &with(file_source(), "producer.override.acks", json!("1"))),
        connector("tasks", &with(file_source(), "tasks.max", json!(3))),
    ] });
    let plan = gateway.plan(&set).await;
    let keys: Vec<_> = plan["connectors"].as_array().unwrap().iter().map(|one| each(&one["errors"], "key")).collect();
    let expected = [vec![], vec!["connector.class"], vec!["producer.override.acks"], vec!["tasks.max"]];
    assert_eq!(keys, expected, "{plan}");
    assert_eq!(gateway.declared("apply", &set).await.error(), (422, 422));
}

#[tokio::test]
async fn a_failure_is_told_and_holds_up_only_deletions() {
    let gateway = Gateway::start(1, &[]);
    gateway.workers.put("team-old", file_source());
    let refused = Action::error(400, "bad value hunter2-planted in it");
    gateway.workers.always("PUT", "/connectors/db/config", refused);
    gateway.workers.put("db", database());
    let set = json!({
        "connectors": [
            connector("db", &with(database(), "connection.url", json!("jdbc:y"))),
            connector("good", &file_source()),
        ],
        "prune": { "prefix": "team-" },
    });
    let answer = gateway.declared("apply", &set).await;
    assert_eq!(answer.status, 207, "{}", answer.text());
    let applied = answer.json();
    assert_eq!(each(&applied["connectors"], "result"), ["failed", "applied", "not_tried"]);
    assert_eq!(applied["connectors"][0]["status"], 400);
    assert_eq!(applied["connectors"][0]["message"], "bad value ******** in it");
    assert_eq!((&applied["summary"]["failed"], &applied["summary"]["not_tried"]), (&json!(1), &json!(1)));
    assert_eq!(gateway.workers.names(), ["db", "good", "team-old"]);
}

#[tokio::test]
async fn what_is_no_set_is_refused() {
    let gateway = Gateway::start(1, &["connect.c.max_body_bytes=2KiB"]);
    let one = connector("a", &file_source());
    for (set, status) in [
        (json!({ "connectors": [one, one] }), 422),
        (json!({ "connectors": [one], "prune": { "prefix": "" } }), 422),
        (json!({ "connectors": [one], "prune": {} }), 422),
        (json!({ "connectors": [one], "rollback": true }), 422),
        (json!({ "connectors": [with(one.clone(), "state", json!("FAILED"))] }), 422),
        (json!({ "connectors": [connector("a", &json!({ "k": ["v"] }))] }), 422),
        (json!([one]), 422),
        (json!({ "connectors": vec![one.clone(); 40] }), 413),
    ] {
        for verb in ["plan", "apply"] {
            let answer = gateway.declared(verb, &set).await;
            assert_eq!(answer.error().0, status, "{set}: {}", answer.text());
        }
    }
    let path = "/connect/v1/clusters/c/plan";
    assert_eq!(gateway.app.post(path).body(JSON, "{").send().await.error(), (400, 400));
    assert_eq!(gateway.app.post(path).body("text/plain", "{}").send().await.error(), (415, 415));
    assert_eq!(gateway.app.get(path).send().await.error(), (405, 405));
    assert_eq!(gateway.writes(), 0);
}

#[tokio::test]
async fn nothing_more_is_tried_when_the_workers_are_lost() {
    let gateway = Gateway::start(1, &["connect.c.request_timeout=1s", "connect.c.concurrent_writes=1"]);
    gateway.workers.always(
        "POST",
        "/connectors",
        Action::error(409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"),
    );
    let set = json!({ "connectors": [connector("a", &file_source()), connector("b", &file_source())] });
    let answer = gateway.declared("apply", &set).await;
    assert_eq!(answer.status, 207, "{}", answer.text());
    assert_eq!(each(&answer.json()["connectors"], "result"), ["failed", "not_tried"]);
}
