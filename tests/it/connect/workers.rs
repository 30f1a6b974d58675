//! Which worker is asked: how workers are found, what is seen of them, and who leads.

use serde_json::json;

use crate::connect::requests::config;
use crate::connect::{Gateway, proxy};
use crate::harness::app::{self, App};
use crate::harness::connect::fake::{Action, FakeWorkers, Mode};
use crate::harness::connect::{WorkerOptions, Workers};
use crate::harness::http::{Answer, JSON};
use crate::harness::kafka;
use crate::harness::{PATIENCE, eventually, unique};

/// Says which worker answered.
const WORKER: &str = "x-connect-worker";

/// Starts a proxy that finds workers in the shared Kafka; `settings` are below `connect.default`.
fn proxy_on_kafka(settings: &[&str]) -> App {
    let settings: Vec<String> = settings.iter().map(|setting| format!("connect.default.{setting}")).collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    app::spawn_app(app::config_with(&kafka::shared().bootstrap, &settings))
}

async fn put(app: &App, name: &str) -> Answer {
    app.call("PUT", &format!("/connectors/{name}/config")).document(JSON, &config()).send().await
}

/// Waits until changes are sent to this worker, and not only in its turn.
async fn until_led_by(app: &App, name: &str, worker: &str) {
    eventually(&format!("changes go to {worker}"), PATIENCE, async || {
        for _ in 0..4 {
            let answer = put(app, name).await;
            assert!((200..300).contains(&answer.status), "{}", answer.text());
            if answer.header(WORKER) != Some(worker) {
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// Waits until a worker is known by this name; one that is not is a 404.
async fn until_known(app: &App, worker: &str) -> u16 {
    eventually(&format!("{worker} is known"), PATIENCE, async || {
        let call = app.get(&format!("/admin/loggers?worker={worker}")).header("x-connect-retry", "off");
        Some(call.send().await.status).filter(|status| *status != 404)
    })
    .await
}

#[tokio::test]
async fn changes_go_to_the_leader_and_soon_to_the_next_one() {
    let gateway = Gateway::start(3, &[]);
    until_led_by(&gateway.app, "c", gateway.fakes[0].id()).await;
    gateway.fakes.set_leader(Some(2));
    until_led_by(&gateway.app, "c", gateway.fakes[2].id()).await;
    gateway.fakes.set_leader(Some(1));
    gateway.fakes[2].take_down();
    until_led_by(&gateway.app, "c", gateway.fakes[1].id()).await;
    assert_eq!(gateway.fakes.names(), ["c"], "looking for the leader changes nothing");
}

#[tokio::test]
async fn what_was_just_written_is_read_where_it_was_written() {
    let gateway = Gateway::start(3, &[]);
    until_led_by(&gateway.app, "c", gateway.fakes[0].id()).await;
    gateway.fakes[1].always("GET", "/connectors*", Action::error(404, "Connector c not found"));
    gateway.fakes[2].always("GET", "/connectors*", Action::error(404, "Connector c not found"));
    put(&gateway.app, "c").await;
    for path in ["/connectors", "/connectors/c", "/connectors/c/status", "/connectors/c/offsets"] {
        for _ in 0..3 {
            assert_eq!(gateway.get(path).send().await.status, 200, "{path}");
        }
    }
    // Also when it has to be asked twice.
    gateway.fakes[0].on("GET", "/connectors/c", [Action::error(500, super::EXPECTED)]);
    assert_eq!(gateway.get("/connectors/c").send().await.status, 200);
}

#[tokio::test]
async fn reads_of_what_nobody_changed_are_shared_by_the_workers() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes.put("c", config());
    eventually("both are asked", PATIENCE, async || {
        gateway.get("/connectors/c").send().await.ok();
        let asked = |index: usize| !gateway.fakes[index].requests_to("GET", "/connectors/c").is_empty();
        (asked(0) && asked(1)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_is_not_ready_tells_no_client_that_there_is_nothing() {
    let gateway = Gateway::start(1, &["health_interval=100ms"]);
    let starting = json!({"status": "starting", "message": "Worker is still starting up."});
    gateway.fakes.always("GET", "/health", Action::json(503, &starting));
    let told = eventually("its health is told all the same", PATIENCE, async || {
        Some(gateway.get("/connect/default/health").send().await).filter(|answer| answer.status == 503)
    });
    assert_eq!(told.await.json(), starting);
    // As a new process, that has not read yet what there is.
    gateway.fakes.always("GET", "/connectors", Action::json(200, &json!([])));
    let list = gateway.get("/connectors").send();
    let ready = async {
        gateway.fakes.wait_for(gateway.fakes.requests().len() + 3, "*", "*").await;
        assert_eq!(gateway.fakes.requests_to("GET", "/connectors").len(), 0);
        gateway.fakes.put("c", config());
        gateway.fakes.behave();
    };
    let (list, ()) = tokio::join!(list, ready);
    assert_eq!(list.ok(), json!(["c"]));
}

#[tokio::test]
async fn a_worker_that_is_busy_tells_what_it_has_at_hand() {
    let gateway = Gateway::start(1, &["health_interval=100ms"]);
    gateway.fakes.put("c", config());
    gateway.get("/connectors").send().await.ok();
    gateway.fakes.always("GET", "/health", Action::hang());
    gateway.fakes.forget_requests();
    // A check that nothing answered, and one after it.
    gateway.fakes.wait_for(2, "GET", "/health").await;
    for path in ["/connectors", "/connectors/c/status", "/connector-plugins"] {
        gateway.get(path).send().await.ok();
    }
}

#[tokio::test]
async fn workers_without_health_are_asked() {
    for status in [404, 403, 502] {
        let fakes = FakeWorkers::start(1);
        fakes.always("GET", "/health", Action::html(status));
        let app = proxy(&fakes.urls(), &[]);
        assert_eq!(app.get("/connectors").send().await.ok(), json!([]), "{status}");
    }
}

/// A test waits for less than `write_timeout`.
#[tokio::test]
async fn a_change_does_not_wait_for_a_worker_that_hangs() {
    let gateway = Gateway::start(2, &["health_interval=100ms"]);
    gateway.fakes.put("c", config());
    until_led_by(&gateway.app, "c", gateway.fakes[0].id()).await;
    gateway.fakes[0].on("PUT", "/connectors/c/config", [Action::hang()]);
    gateway.fakes.forget_requests();
    let freeze = async {
        gateway.fakes.wait_for(1, "PUT", "/connectors/c/config").await;
        gateway.fakes[0].set_mode(Mode::Frozen);
    };
    let (answer, ()) = tokio::join!(put(&gateway.app, "c"), freeze);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn every_address_of_a_name_is_a_worker_and_is_called_by_the_name() {
    let fakes = FakeWorkers::start(1);
    let app = proxy(&fakes.urls().replace("127.0.0.1", "localhost"), &["discovery=dns"]);
    assert_eq!(until_known(&app, fakes[0].id()).await, 200);
    let requests = fakes.requests_to("GET", "/admin/loggers");
    assert_eq!(requests[0].header("host"), Some(fakes[0].id().replace("127.0.0.1", "localhost").as_str()));
    assert_eq!(app.get("/connectors").send().await.header(WORKER), Some(fakes[0].id()));
}

#[tokio::test]
async fn kafka_tells_who_is_there_and_who_leads() {
    let mut workers = Workers::start(kafka::shared(), 2, WorkerOptions::default());
    let app = proxy_on_kafka(&[&format!("urls={}", workers[0].url()), "discovery=kafka"]);
    assert_eq!(until_known(&app, workers[1].id()).await, 200);
    let name = unique("found");
    let leader = eventually("there is a leader", PATIENCE, async || {
        let probe = |index: usize| workers[index].call("DELETE", "/connectors/never-made?forward=false");
        for index in 0..2 {
            if probe(index).send().await.status == 404 {
                return Some(index);
            }
        }
        None
    })
    .await;
    until_led_by(&app, &name, workers[leader].id()).await;
    workers[leader].kill();
    until_led_by(&app, &name, workers[1 - leader].id()).await;
    workers[leader].restart();
    assert_eq!(until_known(&app, workers[leader].id()).await, 200);
    until_led_by(&app, &name, workers[1 - leader].id()).await;
    assert_eq!(app.call("DELETE", &format!("/connectors/{name}")).send().await.status, 204);
}

#[tokio::test]
async fn what_workers_advertise_is_rewritten_and_else_the_configured_urls_are_asked() {
    let hidden = WorkerOptions::default().set("rest.advertised.host.name", "worker.invalid");
    let workers = Workers::start(kafka::shared(), 1, hidden);
    let group = format!("group_id={}", workers.group());
    let advertised = workers[0].id().replace("127.0.0.1", "worker.invalid");

    let rewrite = format!("url_rewrite=http://{advertised}={}", workers[0].url());
    let app = proxy_on_kafka(&["urls=http://127.0.0.1:1", "discovery=kafka", &group, &rewrite]);
    assert_eq!(until_known(&app, workers[0].id()).await, 200);
    assert_eq!(app.get("/connectors").send().await.header(WORKER), Some(workers[0].id()));

    let app = proxy_on_kafka(&[&format!("urls={}", workers[0].url()), "discovery=kafka", &group]);
    assert_eq!(until_known(&app, &advertised).await, 503);
    assert_eq!(app.get("/connectors").send().await.header(WORKER), Some(workers[0].id()));
}
