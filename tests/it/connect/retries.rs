//! What is asked again, of whom, and for how long.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::connect::requests::{Ask, Write, config, reads};
use crate::connect::{EXPECTED, Gateway, NO_LEADER, NOT_FORWARDED, OUTCOME, STALE, TIMED_OUT, told};
use crate::harness::connect::fake::{Action, FakeWorkers, Mode, times};
use crate::harness::http::Answer;
use crate::harness::{PATIENCE, eventually};

/// Workers with a connector of its own for each kind of change, and all asks.
async fn asks(fakes: &FakeWorkers) -> Vec<Ask> {
    fakes.put("c", config());
    let prepare = async |write: Write| {
        let connector = write.connector("c");
        write.prepare(fakes[0].url(), &connector).await;
        write.ask(&connector)
    };
    let writes = join_all(Write::all().map(prepare)).await;
    fakes.forget_requests();
    reads("c").into_iter().chain(writes).collect()
}

/// Tells whether a worker's answer shows how it is, which the gateway asks for itself.
fn is_of_worker(ask: &Ask) -> bool {
    matches!(ask.worker_path(), "/" | "/health")
}

async fn send(gateway: &Gateway, ask: &Ask) -> Answer {
    ask.at(&gateway.app.url("")).send().await
}

fn count(gateway: &Gateway, ask: &Ask) -> usize {
    gateway.fakes.requests_to(ask.method, ask.worker_path()).len()
}

#[tokio::test]
async fn what_is_refused_for_a_moment_is_asked_again() {
    // Where answers are masked, what is asked for that counts too.
    let gateway = Gateway::start(2, &["concurrent_writes=100", "mask_secrets=false"]);
    let asks = asks(&gateway.fakes).await;
    let one = async |ask: &Ask| {
        let before = count(&gateway, ask);
        let refused = [Action::error(409, STALE), Action::error(500, EXPECTED), Action::error(503, "Not yet.")];
        gateway.fakes.on(ask.method, ask.worker_path(), refused);
        let answer = send(&gateway, ask).await;
        assert_eq!(told(&answer), (ask.status, None), "{ask:?}: {}", answer.text());
        assert_eq!(count(&gateway, ask), before + 4, "{ask:?}");
    };
    // What is scripted is so for a path: those that differ in their query have to be apart.
    let is_alone = |ask: &&Ask| !ask.path.contains("?expand") && !ask.path.contains("?connectorsOnly");
    let asks = asks.iter().filter(|ask| !is_of_worker(ask));
    let (alone, others): (Vec<&Ask>, Vec<&Ask>) = asks.partition(is_alone);
    join_all(alone.into_iter().map(one)).await;
    join_all(others.into_iter().map(one)).await;
}

#[tokio::test]
async fn every_conflict_of_a_moment_is_known() {
    let gateway = Gateway::start(1, &[]);
    let fenced = "Failed to complete zombie fencing because a new set of task configurations was generated";
    let conflict = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";
    for message in [STALE, NO_LEADER, fenced, conflict] {
        gateway.fakes.put("c", config());
        gateway.fakes.on("DELETE", "/connectors/c", [Action::error(409, message)]);
        assert_eq!(told(&gateway.call("DELETE", "/connectors/c").send().await), (204, None), "{message}");
    }
}

#[tokio::test]
async fn what_a_worker_means_is_answered_at_once_and_as_it_is() {
    let gateway = Gateway::start(2, &["concurrent_writes=100"]);
    let asks = asks(&gateway.fakes).await;
    for (status, message) in [
        (400, "Connector configuration is invalid"),
        (403, "Topic tracking is disabled."),
        (404, "Connector x not found"),
        (409, "Connector x already exists"),
        (500, "Cannot deserialize value"),
        (500, "Failed to start connector: x"),
    ] {
        gateway.fakes.behave();
        gateway.fakes.forget_requests();
        gateway.always(&Action::error(status, message));
        for ask in asks.iter().filter(|ask| !is_of_worker(ask)) {
            let before = count(&gateway, ask);
            let answer = send(&gateway, ask).await;
            assert_eq!(told(&answer), (status, None), "{ask:?}");
            assert_eq!((answer.message().as_str(), answer.header("retry-after")), (message, None), "{ask:?}");
            assert_eq!(count(&gateway, ask), before + 1, "{ask:?}: {message}");
        }
    }
}

#[tokio::test]
async fn no_read_fails_while_one_worker_is_well() {
    type Break = fn(&FakeWorkers);
    let broken: [(&str, Break); 12] = [
        ("down", |fakes| fakes[0].take_down()),
        ("refusing", |fakes| fakes[0].refuse(usize::MAX)),
        ("starting", |fakes| fakes[0].set_mode(Mode::Starting)),
        ("hidden by 502", |fakes| fakes[0].set_mode(Mode::Page(502))),
        ("hidden by 503", |fakes| fakes[0].set_mode(Mode::Page(503))),
        ("hidden by 404", |fakes| fakes[0].set_mode(Mode::Page(404))),
        ("hidden by 200", |fakes| fakes[0].set_mode(Mode::Page(200))),
        ("frozen", |fakes| fakes[0].set_mode(Mode::Frozen)),
        ("closing", |fakes| fakes[0].always("*", "*", Action::close())),
        ("closing early", |fakes| fakes[0].always("*", "*", Action::close_early())),
        ("breaking off", |fakes| fakes[0].always("*", "*", Action::half())),
        ("slow", |fakes| fakes[0].always("*", "*", Action::drip())),
    ];
    let one = async |(what, break_it): (&str, Break)| {
        let gateway = Gateway::start(2, &["read_timeout=1s"]);
        gateway.fakes.put("c", config());
        break_it(&gateway.fakes);
        // Twice, so that each is sent to both.
        for _ in 0..2 {
            for (ask, answer) in join_all(reads("c").into_iter().map(async |ask| {
                let answer = send(&gateway, &ask).await;
                (ask, answer)
            }))
            .await
            {
                assert_eq!(told(&answer), (200, None), "{what}: {ask:?}: {}", answer.text());
                answer.json();
            }
        }
    };
    join_all(broken.map(one)).await;
}

#[tokio::test]
async fn health_is_that_of_the_worker_that_is_best() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes[0].set_mode(Mode::Starting);
    for _ in 0..4 {
        assert_eq!(gateway.get("/connect/default/health").send().await.ok()["status"], "healthy");
    }
    gateway.fakes[1].set_mode(Mode::Starting);
    let answer = gateway.get("/connect/default/health").send().await;
    assert_eq!((told(&answer), &answer.json()["status"]), ((503, None), &serde_json::json!("starting")));
}

#[tokio::test]
async fn a_head_is_a_read_too() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes.put("c", config());
    gateway.fakes[0].set_mode(Mode::Page(502));
    for ask in reads("c").iter().filter(|ask| ask.method == "GET") {
        let answer = gateway.call("HEAD", &ask.path).send().await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{ask:?}");
    }
}

#[tokio::test]
async fn workers_that_all_answer_nonsense_are_not_asked_in_a_tight_loop() {
    let gateway = Gateway::start(2, &["request_timeout=3s"]);
    gateway.always(&Action::html(502));
    let answer = gateway.get("/connectors/c").send().await;
    assert!(matches!(answer.error(), (502..=504, _)), "{}", answer.text());
    assert!(gateway.fakes.requests_to("GET", "/connectors/c").len() < 30);
}

#[tokio::test]
async fn a_client_may_want_the_first_answer() {
    let gateway = Gateway::start(2, &["request_timeout=20s"]);
    gateway.fakes.put("c", config());
    let once =
        async |method: &str, path: &str| gateway.call(method, path).header("x-connect-retry", "off").send().await;
    for (status, message) in [(409, STALE), (500, EXPECTED), (503, "Not yet.")] {
        gateway.fakes.on("*", "/connectors/c/*", [Action::error(status, message)]);
        let answer = once("GET", "/connectors/c/config").await;
        assert_eq!((answer.status, answer.message().as_str()), (status, message));
        gateway.fakes.behave();
        gateway.fakes.on("*", "/connectors/c/*", [Action::error(status, message)]);
        let answer = once("PUT", "/connectors/c/stop").await;
        assert_eq!(told(&answer), (status, Some("not-applied")), "{}", answer.text());
    }
    assert_eq!(gateway.fakes.requests_to("*", "/connectors/c/*").len(), 6);
    gateway.fakes.on("GET", "/connectors/c", [Action::close()]);
    assert_eq!(once("GET", "/connectors/c").await.error(), (504, 504));
    gateway.fakes.on("PUT", "/connectors/c/stop", [Action::close()]);
    assert_eq!(told(&once("PUT", "/connectors/c/stop").await), (504, Some("unknown")));
    assert_eq!(gateway.fakes.requests_to("PUT", "/connectors/c/stop").len(), 4);
    gateway.fakes[0].take_down();
    gateway.fakes[1].take_down();
    // A connection that was kept may break only when the request has gone out.
    let answer = once("PUT", "/connectors/c/stop").await;
    assert!([(503, Some("not-applied")), (504, Some("unknown"))].contains(&told(&answer)), "{}", answer.text());
    assert!([(503, 503), (504, 504)].contains(&once("GET", "/connectors/c").await.error()));
}

#[tokio::test]
async fn a_client_may_say_how_long_it_waits() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes.put("c", config());
    let hasty = async |method: &str, path: &str| {
        let began = Instant::now();
        let answer = gateway.call(method, path).header("prefer", "wait=1").send().await;
        assert!(began.elapsed() < Duration::from_secs(30), "{method} {path}");
        answer
    };
    gateway.fakes.always("*", "/connectors/c*", Action::error(409, STALE));
    let answer = hasty("PUT", "/connectors/c/stop").await;
    assert_eq!((told(&answer), answer.message().as_str()), ((409, Some("not-applied")), STALE));
    assert!(answer.header("retry-after").is_some());
    gateway.fakes.behave();
    gateway.always(&Action::error(500, EXPECTED));
    let answer = hasty("GET", "/connectors/c").await;
    assert_eq!((told(&answer), answer.message().as_str()), ((500, None), EXPECTED));
    gateway.fakes.behave();
    gateway.always(&Action::hang());
    assert_eq!(told(&hasty("PUT", "/connectors/c/stop").await), (504, Some("unknown")));
    assert_eq!(told(&hasty("POST", "/connectors/c/restart").await), (504, Some("unknown")));
    assert_eq!(told(&hasty("GET", "/connectors/c").await), (504, None));
    assert_eq!(told(&hasty("GET", "/connectors").await), (504, None));
    gateway.fakes[0].take_down();
    gateway.fakes[1].take_down();
    // A connection that was held may break only as the next request goes out, and then nobody knows.
    eventually("nothing is sent to whoever is not there", PATIENCE, async || {
        let stopped = hasty("PUT", "/connectors/c/stop").await;
        assert!([(503, Some("not-applied")), (504, Some("unknown"))].contains(&told(&stopped)), "{}", stopped.text());
        (stopped.status == 503).then_some(())
    })
    .await;
    assert_eq!(hasty("GET", "/connectors/c").await.error(), (503, 503));
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_does_not_outlast_the_deadline() {
    let gateway = Gateway::start(1, &["request_timeout=2s", "read_timeout=1s"]);
    gateway.fakes.put("c", config());
    gateway.always(&Action::stall());
    for path in ["/connectors", "/connectors/c", "/connector-plugins", "/admin/loggers"] {
        let began = Instant::now();
        assert_eq!(told(&gateway.get(path).send().await), (504, None), "{path}");
        assert!(began.elapsed() < Duration::from_secs(20), "{path}");
    }
}

#[tokio::test]
async fn every_request_ends_at_its_deadline_and_tells_what_is_known() {
    let gateway = Gateway::start(2, &["request_timeout=2s", "concurrent_writes=100", "health_interval=5m"]);
    let asks = asks(&gateway.fakes).await;
    gateway.get("/connectors").send().await.ok();
    let expect = async |read: u16, write: u16, outcome: &str| {
        let began = Instant::now();
        join_all(asks.iter().filter(|ask| !is_of_worker(ask)).map(async |ask| {
            let answer = send(&gateway, ask).await;
            let is_read = ask.method == "GET" || ask.path.ends_with("/validate");
            let expected = if is_read { (read, None) } else { (write, Some(outcome)) };
            let outcome = answer.header(OUTCOME).filter(|_| !is_read);
            assert_eq!((answer.status, outcome), expected, "{ask:?}: {}", answer.text());
        }))
        .await;
        assert!(began.elapsed() < Duration::from_secs(40));
    };
    gateway.always(&Action::hang());
    expect(504, 504, "unknown").await;
    gateway.fakes.behave();
    gateway.always(&Action::error(409, NO_LEADER));
    expect(409, 409, "not-applied").await;
    gateway.fakes[0].take_down();
    gateway.fakes[1].take_down();
    expect(503, 503, "not-applied").await;
}

#[tokio::test]
async fn workers_that_come_back_in_time_are_waited_for() {
    let gateway = Gateway::start(2, &["concurrent_writes=100"]);
    let asks = asks(&gateway.fakes).await;
    gateway.fakes[0].take_down();
    gateway.fakes[1].take_down();
    let sent = join_all(asks.iter().map(async |ask| {
        let answer = send(&gateway, ask).await;
        assert_eq!(told(&answer), (ask.status, None), "{ask:?}: {}", answer.text());
    }));
    let come_back = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        gateway.fakes[0].bring_up();
        gateway.fakes[1].bring_up();
    };
    tokio::join!(sent, come_back);
    for write in Write::DISRUPTIVE {
        assert_eq!(count(&gateway, &write.ask(&write.connector("c"))), 1, "{write:?}");
    }
}

#[tokio::test]
async fn the_conflict_of_a_stopped_connectors_task_is_for_ever() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes.put("c", config());
    let path = "/connectors/c/tasks/0/restart";
    gateway.call("PUT", "/connectors/c/stop").send().await;
    gateway.fakes.always("POST", path, Action::error(409, NO_LEADER));

    let answer = gateway.call("POST", path).send().await;

    assert_eq!((answer.status, answer.message().as_str()), (409, NO_LEADER));
    assert_eq!(gateway.fakes.requests_to("POST", path).len(), 1);
    gateway.call("PUT", "/connectors/c/resume").send().await;
    gateway.fakes.behave();
    gateway.fakes.on("POST", path, times(3, Action::error(409, NO_LEADER)));
    assert_eq!(gateway.call("POST", path).send().await.status, 204);
}

#[tokio::test]
async fn a_restart_that_may_have_been_carried_out_is_not_sent_again() {
    for write in Write::DISRUPTIVE {
        let lost = [
            Action::close(),
            Action::close().applied(),
            Action::half(),
            Action::html(502),
            Action::error(500, TIMED_OUT),
            Action::error(500, NOT_FORWARDED),
        ];
        for action in lost {
            let gateway = Gateway::start(2, &[]);
            gateway.fakes.put("c", config());
            let ask = write.ask("c");
            gateway.fakes.on("POST", ask.worker_path(), [action.clone()]);
            let answer = send(&gateway, &ask).await;
            // Half of nothing is all of it.
            let is_whole = answer.status == 204 && write != Write::RestartWithTasks;
            assert!(is_whole || answer.header(OUTCOME) == Some("unknown"), "{ask:?}: {action:?}: {}", answer.text());
            assert!(is_whole || matches!(answer.status, 500 | 504), "{ask:?}: {action:?}");
            assert_eq!(count(&gateway, &ask), 1, "{ask:?}: {action:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_before_does_not_hide_that_the_outcome_is_unknown() {
    for write in [Write::RestartTask, Write::Stop, Write::Create] {
        let gateway = Gateway::start(2, &["request_timeout=3s"]);
        write.prepare(gateway.fakes[0].url(), "c").await;
        let ask = write.ask("c");
        for then in [Action::hang(), Action::close()] {
            gateway.fakes.behave();
            gateway.fakes.on(ask.method, ask.worker_path(), [Action::error(409, STALE), then]);
            gateway.fakes.always(ask.method, ask.worker_path(), Action::error(409, STALE));
            assert_eq!(told(&send(&gateway, &ask).await), (504, Some("unknown")), "{write:?}");
        }
    }
}

#[tokio::test]
async fn a_restart_that_nobody_got_is_sent_to_another() {
    let mut sent_on = 0;
    for write in Write::DISRUPTIVE {
        let gateway = Gateway::start(2, &[]);
        gateway.fakes.put("c", config());
        let ask = write.ask("c");
        for broken in [0, 1] {
            gateway.fakes[broken].take_down();
            gateway.fakes.set_leader(Some(1 - broken));
            let answer = send(&gateway, &ask).await;
            // The one that is left cannot reach the owner, which it says.
            let is_owner_down = answer.status == 500 && answer.header(OUTCOME) == Some("unknown");
            // Where a connection that was held breaks just as the request goes out, nobody knows who got it.
            let is_amid = told(&answer) == (504, Some("unknown"));
            let is_done = told(&answer) == (ask.status, None);
            assert!(is_owner_down || is_amid || is_done, "{ask:?}: {}", answer.text());
            sent_on += usize::from(is_done);
            gateway.fakes[broken].bring_up();
        }
    }
    assert!(sent_on > 0);
}

#[tokio::test]
async fn a_create_is_sent_again_only_when_it_was_seen_not_to_be_there() {
    let gateway = Gateway::start(1, &["mask_secrets=false"]);
    let ask = Write::Create.ask("c");
    gateway.fakes.on("POST", "/connectors", [Action::close(), Action::close_early()]);

    let answer = send(&gateway, &ask).await;

    assert_eq!(answer.status, 201, "{}", answer.text());
    let seen: Vec<String> =
        gateway.fakes.requests_to("*", "/connectors*").into_iter().map(|request| request.method).collect();
    assert_eq!(seen, ["POST", "GET", "POST", "GET", "POST"]);
    // When nothing can be seen, it is not sent again.
    gateway.fakes.forget_requests();
    gateway.fakes.on("POST", "/connectors", [Action::close()]);
    gateway.fakes.always("GET", "/connectors*", Action::html(502));
    let call = Write::Create.ask("d").at(&gateway.app.url("")).header("prefer", "wait=2");
    assert_eq!(told(&call.send().await), (504, Some("unknown")));
    assert_eq!(gateway.fakes.requests_to("POST", "/connectors").len(), 1);
}
