//! Planted passwords are in no answer and in no log, and what is masked can be sent back.

use serde_json::{Value, json};

use crate::harness::app;
use crate::harness::binary::Proxy;
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::connect::{self};
use crate::harness::http::{Answer, JSON, call};
use crate::harness::{kafka, unique};

/// In every secret that is planted.
const PLANTED: &str = "planted-hunter2";
const MASK: &str = "********";

/// A configuration with secrets of every kind: by the plugin's definition, by key, in a URL, nearly a reference.
fn config() -> Value {
    json!({
        "connector.class": "org.example.DatabaseSourceConnector",
        "connection.url": format!("jdbc:x://user:{PLANTED}-url@db/x"),
        "connection.password": format!("{PLANTED}-typed"),
        "license": format!("{PLANTED}-license"),
        "my.api.key": format!("{PLANTED}-key"),
        "producer.override.sasl.jaas.config": format!("x required password=\"{PLANTED}-jaas\";"),
        "referred.password": "${file:/secrets:db}",
        "topic": "t",
    })
}

async fn send(proxy: &Proxy, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let request = call(method, &proxy.url(path));
    let answer = match body {
        Some(body) => request.document(JSON, body).send().await,
        None => request.send().await,
    };
    assert!(!answer.text().contains(PLANTED), "{method} {path}: {}", answer.text());
    answer
}

#[tokio::test]
async fn planted_passwords_are_in_no_answer_and_in_no_log() {
    let fakes = FakeWorkers::start(2);
    let arguments = ["--bootstrap-servers", "127.0.0.1:1", "--connect-url", &fakes.urls(), "--set", "log.level=debug"];
    let proxy = Proxy::start(&arguments, &[]);
    let created = send(&proxy, "POST", "/connectors", Some(&json!({"name": "c", "config": config()}))).await;
    assert_eq!((created.status, &created.json()["config"]["license"]), (201, &json!(MASK)));
    fakes.fail_task("c", 0, &format!("org.x.Error: login with {PLANTED}-typed failed\n\tat x"));
    let reads = [
        "/connectors/c",
        "/connectors/c/config",
        "/connectors/c/tasks",
        "/connectors/c/status",
        "/connectors/c/tasks/0/status",
        "/connectors?expand=info",
        "/connectors?expand=status",
        "/connectors?expand=info&expand=status",
        "/connectors?expand=%69nfo",
        "/connectors?expand=statu%73",
        "/connectors?%65xpand=info",
        "/connect/default/connectors/c/config",
        "/connect/v1/clusters/default/overview",
        "/connect/v1/clusters/default/connectors",
    ];
    for path in reads {
        assert_eq!(send(&proxy, "GET", path, None).await.status, 200, "{path}");
    }
    let shown = send(&proxy, "GET", "/connectors/c/config", None).await.json();
    assert_eq!(shown["referred.password"], "${file:/secrets:db}");
    let refused = json!({"name": "d", "config": {"topic": "t", "connection.password": format!("{PLANTED}-echo")}});
    assert_eq!(send(&proxy, "POST", "/connectors", Some(&refused)).await.status, 400);
    send(&proxy, "PUT", "/connector-plugins/DatabaseSource/config/validate", Some(&config())).await;
    send(&proxy, "POST", "/connectors/c/restart?includeTasks=true", None).await;
    let set = json!({"connectors": [{"name": "c", "config": config()}]});
    send(&proxy, "POST", "/connect/v1/clusters/default/plan", Some(&set)).await;
    fakes[0].take_down();
    fakes[1].take_down();
    send(&proxy, "PUT", "/connectors/c/pause", None).await;
    assert!(!proxy.log().contains(PLANTED), "{}", proxy.log());
}

#[tokio::test]
async fn what_is_masked_can_be_sent_back_and_keeps_what_is_stored() {
    let fakes = FakeWorkers::start(1);
    let proxy = Proxy::start(&["--bootstrap-servers", "127.0.0.1:1", "--connect-url", &fakes.urls()], &[]);
    fakes.put("c", config());
    let stored = fakes.config("c").expect("it is stored");
    let mut shown = send(&proxy, "GET", "/connectors/c/config", None).await.json();
    assert_eq!(send(&proxy, "PUT", "/connectors/c/config", Some(&shown)).await.status, 200);
    assert_eq!(fakes.config("c"), Some(stored));
    shown["topic"] = json!("u");
    send(&proxy, "PUT", "/connectors/c/config", Some(&shown)).await;
    send(&proxy, "PATCH", "/connectors/c/config", Some(&json!({"license": MASK, "note": "n"}))).await;
    let stored = fakes.config("c").expect("it is stored");
    let expected = (format!("{PLANTED}-license"), "u", "n");
    assert_eq!(
        (&stored["license"], &stored["topic"], &stored["note"]),
        (&json!(expected.0), &json!(expected.1), &json!(expected.2))
    );
    let refused = send(
        &proxy,
        "PUT",
        "/connectors/new/config",
        Some(&json!({"connector.class": "FileStreamSource", "a.password": MASK})),
    )
    .await;
    assert_eq!((refused.error(), refused.header("x-connect-gateway-outcome")), ((400, 400), Some("not-applied")));
    assert_eq!(fakes.config("new"), None);
}

#[tokio::test]
async fn real_workers_keep_the_secrets_that_are_masked_here() {
    let workers = connect::shared();
    let arguments = ["--bootstrap-servers", &kafka::shared().bootstrap, "--connect-url", &workers.urls()];
    let (proxy, name) = (Proxy::start(&arguments, &[]), unique("secret"));
    let body = json!({"name": name, "initial_state": "STOPPED", "config": {
        "connector.class": "MirrorSourceConnector", "source.cluster.alias": "a", "target.cluster.alias": "b",
        "topics": app::topic(1), "source.cluster.ssl.keystore.password": format!("{PLANTED}-keystore"),
        "ssl.key.password": format!("{PLANTED}-key"), "sasl.jaas.config": format!("x password={PLANTED}-jaas;"),
    }});
    let created = send(&proxy, "POST", "/connectors", Some(&body)).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let shown = send(&proxy, "GET", &format!("/connectors/{name}/config"), None).await.json();
    assert_eq!(shown["sasl.jaas.config"], MASK);
    assert_eq!(send(&proxy, "PUT", &format!("/connectors/{name}/config"), Some(&shown)).await.status, 200);
    let stored = workers[0].get(&format!("/connectors/{name}/config")).send().await.ok();
    assert_eq!(stored["sasl.jaas.config"], body["config"]["sasl.jaas.config"]);
    assert_eq!(send(&proxy, "DELETE", &format!("/connectors/{name}"), None).await.status, 204);
}
