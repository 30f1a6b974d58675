use serde_json::{Value, json};

use crate::connect_v1::{Gateway, file_source, gateway};
use crate::harness::app::App;
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::{PATIENCE, eventually, unique};

/// Settings with which what fails is started again soon, by one of those who have the same group.
fn soon(group: &str) -> Vec<String> {
    let settings = ["restart_failed=true", "restart_backoff=100ms", "restart_attempts=3", "restart_group="];
    let prefixed = settings.map(|setting| format!("connect.c.{setting}"));
    prefixed.into_iter().map(|setting| if setting.ends_with('=') { setting + group } else { setting }).collect()
}

fn restarting(count: usize) -> Gateway {
    let settings = soon(&unique("restarts"));
    Gateway::start(count, &settings.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn what_has_failed_is_started_again() {
    let gateway = restarting(2);
    gateway.workers.put("a b", file_source());
    gateway.workers.put("well", file_source());
    gateway.workers.fail_connector("a b", "x");
    gateway.workers.fail_task("a b", 0, "x");
    eventually("connector and task run", PATIENCE, async || {
        let is_running = gateway.workers.connector_state("a b").is_some_and(|state| state == "RUNNING");
        (is_running && gateway.workers.task_states("a b") == ["RUNNING"]).then_some(())
    })
    .await;
    let restarts = gateway.workers.requests_to("POST", "*");
    assert!(restarts.iter().all(|request| request.says("onlyFailed") && request.says("includeTasks")));
    assert_eq!(restarts.len(), gateway.workers.requests_to("POST", "/connectors/a%20b/restart").len());
    // What runs for long enough is forgotten.
    eventually("nothing is remembered", PATIENCE, async || {
        let restarts = &gateway.overview().await["restarts"];
        (restarts["acting"] == true && restarts["connectors"] == json!([])).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_fails_every_time_is_left_to_the_operators() {
    let gateway = restarting(1);
    gateway.workers.put("broken", file_source());
    gateway.workers.set_curable("broken", false);
    gateway.workers.fail_task("broken", 0, "x");
    let given_up = json!([{ "connector": "broken", "attempts": 3, "next_in_ms": null, "given_up": true }]);
    eventually("it is given up", PATIENCE, async || {
        (gateway.overview().await["restarts"]["connectors"] == given_up).then_some(())
    })
    .await;
    // It looks at the cluster a few times more.
    let looks = gateway.workers.requests_to("GET", "/connectors").len();
    gateway.workers.wait_for(looks + 5, "GET", "/connectors").await;
    assert_eq!(gateway.workers.requests_to("POST", "/connectors/broken/restart").len(), 3);
}

async fn is_acting(app: &App) -> bool {
    let seen: Value = app.get("/connect/v1/clusters/c/overview").send().await.ok();
    seen["restarts"]["acting"] == true
}

#[tokio::test]
async fn one_instance_of_a_fleet_acts() {
    let workers = FakeWorkers::start(1);
    let settings = soon(&unique("restarts"));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let fleet = [gateway(&workers.urls(), &settings), gateway(&workers.urls(), &settings)];
    eventually("one acts", PATIENCE, async || (is_acting(&fleet[0]).await != is_acting(&fleet[1]).await).then_some(()))
        .await;
    let [first, second] = fleet;
    let (acting, other) = if is_acting(&first).await { (first, second) } else { (second, first) };
    drop(acting);
    workers.put("a", file_source());
    workers.fail_task("a", 0, "x");
    eventually("the other one acts", PATIENCE, async || {
        (is_acting(&other).await && workers.task_states("a") == ["RUNNING"]).then_some(())
    })
    .await;
}
