use serde_json::{Value, json};

use crate::connect_v1::{DATABASE, FILE_SINK, Gateway, each, file_source};
use crate::harness::app::{self, spawn_app};
use crate::harness::connect::fake::{Action, FakeWorkers};
use crate::harness::{free_port, kafka};

#[tokio::test]
async fn clusters_are_listed_with_their_workers_also_one_that_is_down() {
    let workers = FakeWorkers::start(2);
    let up = format!("connect.up.urls={}", workers.urls());
    let down = format!("connect.down.urls=http://127.0.0.1:{}", free_port());
    let app = spawn_app(app::config_with(&kafka::shared().bootstrap, &[&up, &down]));
    let answer = app.get("/connect/v1/clusters").send().await.ok();
    assert_eq!(each(&answer["clusters"], "name"), ["down", "up"]);
    let (down, up) = (&answer["clusters"][0], &answer["clusters"][1]);
    assert_eq!((&down["reachable"], &down["version"]), (&json!(false), &Value::Null));
    assert_eq!(each(&down["workers"], "leader"), [false]);
    assert!(["down", "unknown"].contains(&down["workers"][0]["health"].as_str().expect("a word")), "{down}");
    assert_eq!(
        (&up["reachable"], &up["version"], &up["kafka_cluster_id"]),
        (&json!(true), &json!("4.3.1"), &json!("fake"))
    );
    assert_eq!(each(&up["workers"], "url"), [workers[0].url(), workers[1].url()]);
}

#[tokio::test]
async fn connectors_and_tasks_are_counted_and_failures_shown_without_secrets() {
    let gateway = Gateway::start(1, &[]);
    let mut database = json!({ "connector.class": DATABASE, "tasks.max": "3", "connection.url": "jdbc:x" });
    database["connection.password"] = json!("hunter2-planted");
    gateway.workers.put("database", database);
    gateway.workers.put("file", file_source());
    gateway.workers.put("sink", json!({ "connector.class": FILE_SINK, "topics": "t" }));
    gateway.workers.fail_task("database", 1, "org.x.Error: login with hunter2-planted failed\n\tat org.x.Y");
    gateway.workers.fail_connector("sink", "org.x.Other: it is broken\n\tat org.x.Y");
    let seen = gateway.overview().await;
    let connectors = &seen["connectors"];
    assert_eq!(
        (&connectors["total"], &connectors["running"], &connectors["failed"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let tasks = &seen["tasks"];
    assert_eq!((&tasks["total"], &tasks["running"], &tasks["failed"]), (&json!(5), &json!(4), &json!(1)));
    assert_eq!(seen["types"], json!({ "source": 2, "sink": 1, "unknown": 0 }));
    assert_eq!(each(&seen["failed"], "connector"), ["database", "sink"]);
    assert_eq!(each(&seen["failed"], "task"), [json!(1), Value::Null]);
    assert_eq!(
        each(&seen["failed"], "error"),
        ["org.x.Error: login with ******** failed", "org.x.Other: it is broken"]
    );
    assert_eq!(seen["more_failed"], 0);
    assert_eq!(seen["restarts"], json!({ "enabled": false, "acting": false, "connectors": [] }));
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_whatever_changes_between() {
    let gateway = Gateway::start(1, &[]);
    ["a", "b b/é", "c", "d"].iter().for_each(|name| gateway.workers.put(name, file_source()));
    let first = gateway.page("limit=2").await;
    assert_eq!(each(&first["connectors"], "name"), ["a", "b b/é"]);
    gateway.workers.remove("b b/é");
    gateway.workers.put("0", file_source());
    gateway.workers.put("bc", file_source());
    let cursor = first["next_cursor"].as_str().expect("there are more");
    let second = gateway.page(&format!("limit=2&cursor={cursor}")).await;
    assert_eq!(each(&second["connectors"], "name"), ["bc", "c"]);
    let cursor = second["next_cursor"].as_str().expect("there are more");
    let third = gateway.page(&format!("limit=2&cursor={cursor}")).await;
    assert_eq!((each(&third["connectors"], "name"), &third["next_cursor"]), (vec![json!("d")], &Value::Null));
}

#[tokio::test]
async fn connectors_are_filtered_and_shown_without_their_configurations() {
    let gateway = Gateway::start(1, &[]);
    gateway.workers.put("team-source", file_source());
    gateway.workers.put("team-sink", json!({ "connector.class": FILE_SINK, "tasks.max": "2", "topics": "t" }));
    gateway.workers.put("other", json!({ "connector.class": DATABASE, "connection.url": "jdbc:planted" }));
    gateway.workers.fail_task("team-sink", 0, "x");
    for (query, expected) in [
        ("", vec!["other", "team-sink", "team-source"]),
        ("state=failed", vec!["team-sink"]),
        ("state=RUNNING", vec!["other", "team-sink", "team-source"]),
        ("state=paused", vec![]),
        ("type=sink", vec!["team-sink"]),
        ("class=FileStreamSource", vec!["team-source"]),
        ("class=DatabaseSourceConnector&type=source", vec!["other"]),
        ("prefix=team-", vec!["team-sink", "team-source"]),
        ("prefix=team-&type=source&state=&class=", vec!["team-source"]),
    ] {
        assert_eq!(each(&gateway.page(query).await["connectors"], "name"), expected, "{query}");
    }
    let sink = &gateway.page("type=sink").await["connectors"][0];
    assert_eq!(
        (&sink["class"], &sink["state"], &sink["worker_id"]),
        (&json!(FILE_SINK), &json!("RUNNING"), &json!(gateway.workers[0].url().trim_start_matches("http://")))
    );
    assert_eq!((&sink["tasks"]["total"], &sink["tasks"]["failed"]), (&json!(2), &json!(1)));
    assert!(!gateway.page("").await.to_string().contains("planted"));
}

#[tokio::test]
async fn wrong_parameters_and_unknown_clusters_are_refused() {
    let gateway = Gateway::start(1, &[]);
    for query in ["limit=0", "limit=1001", "limit=x", "state=broken", "type=x", "cursor=zz"] {
        let answer = gateway.app.get(&format!("/connect/v1/clusters/c/connectors?{query}")).send().await;
        assert_eq!(answer.error(), (400, 400), "{query}");
    }
    for path in ["/connect/v1/clusters/x/overview", "/connect/v1/clusters/x/connectors", "/connect/v1/connectors"] {
        assert_eq!(gateway.app.get(path).send().await.error(), (404, 404), "{path}");
    }
}

#[tokio::test]
async fn a_long_list_that_breaks_off_is_read_from_another_worker() {
    let gateway = Gateway::start(2, &[]);
    let mut config = file_source();
    config["text"] = json!("x".repeat(4000));
    (0..700).for_each(|number| gateway.workers.put(&format!("connector-{number:03}"), config.clone()));
    gateway.workers.on("GET", "/connectors", [Action::half()]);
    let seen = gateway.overview().await;
    assert_eq!((&seen["connectors"]["total"], &seen["tasks"]["total"]), (&json!(700), &json!(700)));
    assert_eq!(gateway.workers.requests_to("GET", "/connectors").len(), 2);
}

#[tokio::test]
async fn a_list_that_is_none_is_an_error() {
    let gateway = Gateway::start(1, &[]);
    gateway.workers.always("GET", "/connectors", Action::json(200, &json!({ "a": { "status": 1 } })));
    let answer = gateway.app.get("/connect/v1/clusters/c/overview").send().await;
    assert_eq!(answer.error(), (502, 502));
}
