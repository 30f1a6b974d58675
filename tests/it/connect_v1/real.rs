use serde_json::{Value, json};

use crate::connect_v1::{each, gateway};
use crate::harness::app::App;
use crate::harness::http::JSON;
use crate::harness::{PATIENCE, connect, eventually, unique};

fn file_source(topic: &str) -> Value {
    json!({ "connector.class": "FileStreamSource", "tasks.max": 1, "file": "/dev/null", "topic": topic })
}

async fn apply(app: &App, connectors: &[Value], prefix: &str) -> Value {
    let set = json!({ "connectors": connectors, "prune": { "prefix": prefix } });
    app.post("/connect/v1/clusters/c/apply").document(JSON, &set).send().await.ok()
}

#[tokio::test]
async fn a_set_is_applied_to_real_workers_seen_and_pruned() {
    let workers = connect::shared();
    let app = gateway(&workers.urls(), &[]);
    let prefix = unique("declared");
    let name = |which: &str| format!("{prefix}-{which}");
    let connector =
        |which: &str, state: &str| json!({ "name": name(which), "config": file_source("t"), "state": state });

    let set = [connector("a", "RUNNING"), connector("b", "STOPPED")];
    let applied = apply(&app, &set, &prefix).await;
    assert_eq!(each(&applied["connectors"], "result"), ["applied", "applied"], "{applied}");
    let page = eventually("both have a state", PATIENCE, async || {
        let path = format!("/connect/v1/clusters/c/connectors?class=FileStreamSourceConnector&prefix={prefix}");
        let page = app.get(&path).send().await.ok();
        let is_there = each(&page["connectors"], "state") == ["RUNNING", "STOPPED"];
        (is_there && page["connectors"][0]["tasks"]["running"] == 1).then_some(page)
    })
    .await;
    assert_eq!(each(&page["connectors"], "type"), ["source", "source"]);

    let again = apply(&app, &set, &prefix).await;
    assert_eq!(each(&again["connectors"], "result"), ["unchanged", "unchanged"], "{again}");

    let mut changed = connector("b", "RUNNING");
    changed["config"]["topic"] = json!("u");
    let applied = apply(&app, &[changed], &prefix).await;
    assert_eq!(each(&applied["connectors"], "name"), [name("b"), name("a")]);
    assert_eq!(each(&applied["connectors"], "actions"), [json!(["update", "resume"]), json!(["delete"])]);
    assert_eq!(each(&applied["connectors"], "result"), ["applied", "applied"], "{applied}");
    let gone = apply(&app, &[], &prefix).await;
    assert_eq!(each(&gone["connectors"], "actions"), [json!(["delete"])], "{gone}");
}

#[tokio::test]
async fn real_workers_say_what_is_wrong_with_each_key() {
    let app = gateway(&connect::shared().urls(), &[]);
    let bad = json!({ "connector.class": "FileStreamSource", "tasks.max": "many", "producer.override.x": "y" });
    let nobody = json!({ "connector.class": "org.example.Nobody" });
    let set = json!({ "connectors": [
        { "name": unique("bad"), "config": bad },
        { "name": unique("nobody"), "config": nobody },
    ] });
    let plan = app.post("/connect/v1/clusters/c/plan").document(JSON, &set).send().await.ok();
    let keys = each(&plan["connectors"][0]["errors"], "key");
    assert!(keys.contains(&json!("tasks.max")) && keys.contains(&json!("topic")), "{plan}");
    assert_eq!(each(&plan["connectors"][1]["errors"], "key"), ["connector.class"], "{plan}");
    let clusters = app.get("/connect/v1/clusters").send().await.ok();
    assert_eq!(
        (&clusters["clusters"][0]["reachable"], &clusters["clusters"][0]["version"]),
        (&json!(true), &json!("4.3.1"))
    );
}
