//! Scripted Connect workers.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::connect::fake::{Action, FakeWorker, FakeWorkers, Gate, Mode, Reply, times};
use crate::harness::http::{self, Answer, Call, JSON};
use crate::harness::{PATIENCE, eventually};

fn call(worker: &FakeWorker, method: &str, path: &str) -> Call {
    http::call(method, &format!("{}{path}", worker.url()))
}

async fn get(worker: &FakeWorker, path: &str) -> Answer {
    call(worker, "GET", path).send().await
}

fn create(worker: &FakeWorker, name: &str) -> Call {
    call(worker, "POST", "/connectors").document(JSON, &json!({"name": name, "config": config()}))
}

fn config() -> Value {
    json!({"connector.class": "FileStreamSource", "topic": "t", "tasks.max": 2})
}

#[tokio::test]
async fn without_a_script_it_keeps_connectors_as_a_worker_does() {
    let fakes = FakeWorkers::start(2);
    let stored = json!({"connector.class": "FileStreamSource", "topic": "t", "tasks.max": "2", "name": "a b"});

    let created = create(&fakes[0], "a b").send().await;

    assert_eq!((created.status, &created.json()["config"]), (201, &stored));
    assert_eq!(created.header("location"), Some(format!("{}/connectors/a%20b", fakes[0].url()).as_str()));
    assert_eq!(create(&fakes[1], "a b").send().await.error(), (409, 409));
    assert_eq!(get(&fakes[1], "/connectors/a%20b/config").await.ok(), stored);
    let listed = get(&fakes[1], "/connectors?expand=status&expand=info").await.ok();
    assert_eq!(listed["a b"]["status"]["tasks"][1]["state"], "RUNNING");
    assert_eq!(listed["a b"]["info"]["tasks"][1], json!({"connector": "a b", "task": 1}));
    assert_eq!(call(&fakes[0], "PUT", "/connectors/a%20b/stop").send().await.status, 204);
    assert_eq!(fakes.connector_state("a b").as_deref(), Some("STOPPED"));
    assert_eq!(call(&fakes[0], "DELETE", "/connectors/a%20b/").send().await.status, 204);
    assert_eq!(get(&fakes[1], "/connectors/a%20b").await.error(), (404, 404));
    assert_eq!(fakes.requests()[0].json()["name"], "a b");
}

#[tokio::test]
async fn only_the_leader_does_what_must_not_be_forwarded() {
    let fakes = FakeWorkers::start(2);
    fakes.put("c", config());
    let probe = "/connectors/c/stop?forward=false";

    assert!(call(&fakes[1], "PUT", probe).send().await.message().contains("conflicting operation"));
    fakes.set_leader(Some(1));
    assert_eq!(call(&fakes[1], "PUT", probe).send().await.status, 204);
    fakes[1].take_down();
    assert!(create(&fakes[0], "d").send().await.message().contains("IO Error"));
    fakes.set_leader(None);
    assert!(create(&fakes[0], "d").send().await.message().contains("no known leader URL"));
}

#[tokio::test]
async fn a_restart_heals_a_failed_task_unless_it_is_told_not_to() {
    let fakes = FakeWorkers::start(1);
    fakes.put("c", config());
    fakes.fail_task("c", 1, "java.lang.Error");
    let restart =
        async || call(&fakes[0], "POST", "/connectors/c/restart?includeTasks=true&onlyFailed=true").send().await;

    fakes.set_curable("c", false);
    let plan = restart().await;
    assert_eq!((plan.status, &plan.json()["tasks"][1]["state"]), (202, &json!("RESTARTING")));
    assert_eq!(fakes.task_states("c"), ["RUNNING", "FAILED"]);
    fakes.set_curable("c", true);
    restart().await;
    assert_eq!(fakes.task_states("c"), ["RUNNING", "RUNNING"]);
}

#[tokio::test]
async fn scripted_answers_are_given_in_their_order_and_then_it_behaves() {
    let fakes = FakeWorkers::start(1);
    let rebalance = Action::error(409, "stale configuration");
    fakes.on("GET", "/conn*", times(2, rebalance));
    fakes.on("GET", "/connectors", [Action::html(502), Action::reply(Reply::empty(204).header("x-a", "1"))]);

    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(get(&fakes[0], "/connectors").await);
    }

    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [409, 409, 502, 204, 200]);
    assert_eq!(answers[3].header("x-a"), Some("1"));
    fakes.always("*", "*", Action::html(503));
    assert_eq!(get(&fakes[0], "/connectors").await.status, 503);
    fakes.behave();
    assert_eq!(get(&fakes[0], "/connectors").await.status, 200);
}

#[tokio::test]
async fn an_answer_may_be_late_slow_in_chunks_half_or_never_come() {
    let fakes = FakeWorkers::start(1);
    let path = "/connector-plugins/FileStreamSink/config";
    let whole = get(&fakes[0], path).await.ok();
    fakes.on("GET", "*", [Action::chunks(), Action::drip(), Action::half(), Action::close(), Action::hang()]);

    assert_eq!(get(&fakes[0], path).await.ok(), whole);
    assert_eq!(get(&fakes[0], path).await.ok(), whole);
    assert!(call(&fakes[0], "GET", path).try_send().await.is_err());
    assert!(call(&fakes[0], "GET", path).try_send().await.is_err());
    assert!(timeout(Duration::from_millis(100), get(&fakes[0], path)).await.is_err());
    eventually("the client was seen to go", PATIENCE, async || (fakes[0].in_flight() == 0).then_some(())).await;
}

#[tokio::test]
async fn a_request_takes_effect_or_not_whatever_the_client_sees() {
    let fakes = FakeWorkers::start(1);
    fakes.on("POST", "*", [Action::close(), Action::close_early(), Action::close().applied()]);

    for name in ["lost", "unread", "applied"] {
        assert!(create(&fakes[0], name).try_send().await.is_err());
    }

    assert_eq!(fakes.names(), ["applied"]);
}

#[tokio::test]
async fn a_held_request_takes_effect_when_the_gate_opens_even_if_the_client_is_gone() {
    let (fakes, gate) = (FakeWorkers::start(1), Gate::closed());
    fakes.on("POST", "/connectors", times(2, Action::hold(&gate)));
    let gone = tokio::spawn(create(&fakes[0], "gone").send());
    let waits = tokio::spawn(create(&fakes[0], "waits").send());
    fakes.wait_for(2, "POST", "/connectors").await;

    gone.abort();
    assert_eq!((fakes[0].peak(), fakes.names().len()), (2, 0));
    gate.open();

    assert_eq!(waits.await.expect("it does not panic").status, 201);
    eventually("both are there", PATIENCE, async || (fakes.names() == ["gone", "waits"]).then_some(())).await;
}

#[tokio::test]
async fn a_worker_that_is_down_comes_back_on_its_port() {
    let fakes = FakeWorkers::start(2);
    fakes.put("c", config());

    fakes[0].take_down();
    assert!(call(&fakes[0], "GET", "/").try_send().await.is_err());
    fakes[0].bring_up();
    get(&fakes[0], "/connectors/c").await.ok();
    fakes[0].refuse(1);
    assert!(call(&fakes[0], "GET", "/").try_send().await.is_err());
    get(&fakes[0], "/").await.ok();
}

#[tokio::test]
async fn a_worker_may_start_hide_behind_a_page_or_want_credentials() {
    let fakes = FakeWorkers::start(1);

    fakes[0].set_mode(Mode::Starting);
    assert_eq!(get(&fakes[0], "/health").await.status, 503);
    let page = get(&fakes[0], "/connectors").await;
    assert_eq!((page.status, page.media()), (404, Some("text/html;charset=iso-8859-1")));
    fakes[0].set_mode(Mode::Page(502));
    assert_eq!(get(&fakes[0], "/health").await.status, 502);
    fakes[0].set_mode(Mode::Healthy);
    fakes[0].require_authorization("Basic x");
    assert_eq!(get(&fakes[0], "/").await.status, 401);
    call(&fakes[0], "GET", "/").header("authorization", "Basic x").send().await.ok();
}
