//! Changes whose answer is lost: what is reported is what is true.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::connect::requests::{Write, config};
use crate::connect::{Gateway, NOT_FORWARDED, OUTCOME, TIMED_OUT, told};
use crate::harness::connect::fake::{Action, Gate};
use crate::harness::http::{Answer, JSON};
use crate::harness::{PATIENCE, eventually};

/// Sends one change of each kind, the first attempt of which meets `first`, and all others what a worker does.
async fn send_each(writes: &[Write], first: &Action) -> (Gateway, Vec<(Write, String, Answer)>) {
    let gateway = Gateway::start(2, &["concurrent_writes=100", "write_timeout=1s"]);
    let answers = join_all(writes.iter().map(async |write| {
        let connector = write.connector("c");
        write.prepare(gateway.fakes[0].url(), &connector).await;
        if *write == Write::ResetTopics {
            gateway.fakes.set_topics(&connector, &["a", "b"]);
        }
        let ask = write.ask(&connector);
        gateway.fakes.on(ask.method, ask.worker_path(), [first.clone()]);
        let answer = ask.at(&gateway.app.url("")).send().await;
        (*write, connector, answer)
    }))
    .await;
    (gateway, answers)
}

async fn assert_all_are_made(what: &str, first: Action) {
    let (gateway, answers) = send_each(&Write::REPEATABLE, &first).await;
    for (write, connector, answer) in answers {
        let is_done = write.is_done(gateway.fakes[0].url(), &connector).await;
        assert_ne!(is_done, Some(false), "{what}: {write:?}: {}", answer.text());
        let expected = write.ask(&connector).status;
        assert_eq!(answer.status, expected, "{what}: {write:?}: {}", answer.text());
        assert!(matches!(answer.header(OUTCOME), None | Some("applied")), "{what}: {write:?}: {answer:?}");
        if write == Write::Create {
            let place = gateway.app.url(&format!("/connectors/{connector}"));
            assert_eq!(answer.header("location"), Some(place.as_str()), "{what}");
            assert_eq!(answer.json()["config"]["name"], json!(connector), "{what}");
        }
        if matches!(write, Write::Put | Write::Patch) {
            assert_eq!(answer.json()["config"]["name"], json!(connector), "{what}");
        }
    }
}

#[tokio::test]
async fn a_change_is_made_whatever_becomes_of_the_first_attempt() {
    let lost = [
        ("closed before", Action::close()),
        ("closed while it was sent", Action::close_early()),
        ("closed after", Action::close().applied()),
        ("broken off", Action::half()),
        ("hung before", Action::hang()),
        ("hung after", Action::hang().applied()),
        ("stalled", Action::stall()),
        ("timed out before", Action::error(500, TIMED_OUT)),
        ("timed out after", Action::error(500, TIMED_OUT).applied()),
        ("not forwarded before", Action::error(500, NOT_FORWARDED)),
        ("not forwarded after", Action::error(500, NOT_FORWARDED).applied()),
        ("a page before", Action::html(502)),
        ("a page after", Action::html(502).applied()),
        ("a page that reads as success", Action::html(200)),
    ];
    join_all(lost.map(async |(what, first)| assert_all_are_made(what, first).await)).await;
}

#[tokio::test]
async fn what_was_made_is_not_made_again() {
    for first in [Action::close().applied(), Action::error(500, TIMED_OUT).applied(), Action::half()] {
        let seen_by_state =
            [Write::Create, Write::Put, Write::Patch, Write::Delete, Write::Pause, Write::Resume, Write::Stop];
        let (gateway, answers) = send_each(&seen_by_state, &first).await;
        for (write, connector, answer) in answers {
            // Half of no body is all of it.
            let is_lost = answer.status != 204 && answer.status != 202 || !format!("{first:?}").contains("Half");
            assert!(!is_lost || answer.header(OUTCOME) == Some("applied"), "{write:?}: {answer:?}");
            let ask = write.ask(&connector);
            assert_eq!(
                gateway.fakes.requests_to(ask.method, ask.worker_path()).len(),
                prepared(write) + 1,
                "{write:?}"
            );
        }
    }
}

/// How many requests to the path of a change are made before it.
fn prepared(write: Write) -> usize {
    usize::from(write == Write::Put)
}

#[tokio::test]
async fn a_worker_that_never_knows_is_believed_in_that() {
    for (always, status) in [(Action::error(500, TIMED_OUT), 500), (Action::close(), 504), (Action::html(503), 504)] {
        let gateway = Gateway::start(1, &["request_timeout=2s", "concurrent_writes=100"]);
        let asks = join_all(Write::all().map(async |write| {
            let connector = write.connector("c");
            write.prepare(gateway.fakes[0].url(), &connector).await;
            write.ask(&connector)
        }))
        .await;
        for ask in &asks {
            gateway.fakes.always(ask.method, ask.worker_path(), always.clone());
        }
        join_all(asks.iter().map(async |ask| {
            let answer = ask.at(&gateway.app.url("")).send().await;
            assert_eq!(told(&answer), (status, Some("unknown")), "{ask:?}: {}", answer.text());
        }))
        .await;
        assert_eq!(gateway.fakes.connector_state("c-Delete").as_deref(), Some("RUNNING"));
    }
}

#[tokio::test]
async fn a_change_nobody_can_look_at_afterwards_is_unknown() {
    let gateway = Gateway::start(1, &["request_timeout=3s", "concurrent_writes=100"]);
    let writes: Vec<Write> = Write::all().filter(|write| *write != Write::SetLogger).collect();
    for write in &writes {
        write.prepare(gateway.fakes[0].url(), &write.connector("c")).await;
    }
    for write in &writes {
        let ask = write.ask(&write.connector("c"));
        gateway.fakes.on(ask.method, ask.worker_path(), [Action::close().applied()]);
    }
    gateway.always(&Action::hang());
    join_all(writes.iter().map(async |write| {
        let answer = write.ask(&write.connector("c")).at(&gateway.app.url("")).send().await;
        assert_eq!(told(&answer), (504, Some("unknown")), "{write:?}: {}", answer.text());
        assert_eq!(answer.error(), (504, 504));
    }))
    .await;
    gateway.fakes.behave();
    for write in &writes {
        let is_done = write.is_done(gateway.fakes[0].url(), &write.connector("c")).await;
        assert_ne!(is_done, Some(false), "it was applied: {write:?}");
    }
}

#[tokio::test]
async fn a_change_that_needs_what_is_stored_is_not_made_when_that_cannot_be_read() {
    let gateway = Gateway::start(1, &["denied_keys=forbidden"]);
    gateway.fakes.put("c", config());
    gateway.always(&Action::hang());
    let patch = Write::Patch.ask("c").at(&gateway.app.url("")).header("prefer", "wait=1");
    assert_eq!(told(&patch.send().await), (503, Some("not-applied")));
    assert_eq!(gateway.fakes.requests_to("PATCH", "*").len(), 0);
}

#[tokio::test]
async fn a_name_that_somebody_else_took_meanwhile_is_a_conflict() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes.on("POST", "/connectors", [Action::close()]);
    let mut other = config();
    other["topic"] = json!("another");
    gateway.fakes.put("c", other.clone());

    let answer = Write::Create.ask("c").at(&gateway.app.url("")).send().await;

    assert_eq!(answer.error(), (409, 409));
    assert!(answer.message().contains("already exists"), "{}", answer.text());
    assert_eq!(gateway.fakes.config("c").unwrap()["topic"], "another");
    assert_eq!(gateway.fakes.requests_to("POST", "/connectors").len(), 1);
}

#[tokio::test]
async fn a_connector_that_was_there_before_is_still_a_conflict() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes.put("c", config());
    let answer = Write::Create.ask("c").at(&gateway.app.url("")).send().await;
    assert_eq!((answer.error(), answer.header(OUTCOME)), ((409, 409), None));
    assert_eq!(gateway.fakes.requests_to("POST", "/connectors").len(), 1);
}

#[tokio::test]
async fn a_delete_that_was_sent_twice_is_done_though_the_second_finds_nothing() {
    let gateway = Gateway::start(1, &["write_timeout=1s"]);
    gateway.fakes.put("c", config());
    let gate = Gate::closed();
    // The first is carried out after it was looked at: a worker that was slow.
    gateway.fakes.on("DELETE", "/connectors/c", [Action::hold(&gate), Action::error(404, "Connector c not found")]);
    let deleted = tokio::spawn(gateway.call("DELETE", "/connectors/c").send());
    gateway.fakes.wait_for(2, "DELETE", "/connectors/c").await;
    gate.open();
    let answer = deleted.await.expect("it does not panic");
    assert_eq!(told(&answer), (204, Some("applied")));
    // What never was there is not found.
    assert_eq!(gateway.call("DELETE", "/connectors/never").send().await.error(), (404, 404));
}

#[tokio::test]
async fn a_create_that_lands_late_is_the_same_connector() {
    let gateway = Gateway::start(1, &["write_timeout=1s"]);
    let gate = Gate::closed();
    gateway.fakes.on("POST", "/connectors", [Action::hold(&gate), Action::hold(&gate)]);
    let created = tokio::spawn(Write::Create.ask("c").at(&gateway.app.url("")).send());
    gateway.fakes.wait_for(2, "POST", "/connectors").await;
    gate.open();
    let answer = created.await.expect("it does not panic");
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(gateway.fakes.names(), ["c"]);
}

#[tokio::test]
async fn an_unchanged_configuration_is_not_written_where_that_is_set() {
    let gateway = Gateway::start(2, &["skip_unchanged=true"]);
    gateway.fakes.put("c", config());
    let put =
        async |body: &serde_json::Value| gateway.call("PUT", "/connectors/c/config").document(JSON, body).send().await;
    let mut same = config();
    same["tasks.max"] = json!(1);
    let answer = put(&same).await;
    assert_eq!(told(&answer), (200, Some("unchanged")));
    assert_eq!(answer.json()["name"], "c");
    assert_eq!(gateway.fakes.requests_to("PUT", "*").len(), 0);
    same["topic"] = json!("other");
    assert_eq!(told(&put(&same).await), (200, None));
    assert_eq!(gateway.fakes.config("c").unwrap()["topic"], "other");
    let created = gateway.call("PUT", "/connectors/d/config").document(JSON, &config()).send().await;
    assert_eq!(told(&created), (201, None));
}

#[tokio::test]
async fn a_change_may_be_answered_when_its_state_is_reached() {
    let gateway = Gateway::start(2, &[]);
    gateway.fakes.put("c", config());
    for (path, state) in [
        ("pause?wait=paused", "PAUSED"),
        ("stop?wait=stopped&timeout=30", "STOPPED"),
        ("resume?wait=running", "RUNNING"),
    ] {
        let answer = gateway.call("PUT", &format!("/connectors/c/{path}")).send().await;
        assert_eq!(answer.header("x-connect-settled"), Some("reached"), "{path}: {}", answer.text());
        assert_eq!(gateway.fakes.connector_state("c").as_deref(), Some(state));
    }
    gateway.fakes.set_curable("c", false);
    gateway.fakes.fail_task("c", 0, "java.lang.Error");
    let restart = "/connectors/c/restart?includeTasks=true&wait=running&timeout=";
    assert_eq!(gateway.call("POST", &format!("{restart}30")).send().await.header("x-connect-settled"), Some("failed"));
    for bad in ["0", "601", "x", "-1"] {
        assert_eq!(gateway.call("POST", &format!("{restart}{bad}")).send().await.error().0, 400, "{bad}");
    }
    let queries: BTreeSet<_> =
        gateway.fakes.requests_to("POST", "*").iter().map(|one| one.query().map(str::to_owned)).collect();
    assert_eq!(queries.into_iter().collect::<Vec<_>>(), [Some("includeTasks=true".to_owned())]);
}

#[tokio::test]
async fn what_a_client_did_not_wait_for_is_carried_out_once() {
    let gateway = Gateway::start(1, &[]);
    let gate = Gate::closed();
    gateway.fakes.on("POST", "/connectors", [Action::hold(&gate)]);
    let gone = tokio::spawn(Write::Create.ask("c").at(&gateway.app.url("")).send());
    gateway.fakes.wait_for(1, "POST", "/connectors").await;
    gone.abort();
    gate.open();
    eventually("it is there", PATIENCE, async || (gateway.fakes.names() == ["c"]).then_some(())).await;
    assert_eq!(gateway.fakes.requests_to("POST", "/connectors").len(), 1);
}
