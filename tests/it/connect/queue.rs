//! So many changes at a time, and so many that wait.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::connect::requests::{Write, config};
use crate::connect::{Gateway, told};
use crate::harness::connect::fake::{Action, Gate};
use crate::harness::http::{Answer, JSON};
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, eventually};

fn send(gateway: &Gateway, connector: &str) -> impl Future<Output = Answer> + Send + use<> {
    let call = gateway.call("PUT", &format!("/connectors/{connector}/config"));
    call.document(JSON, &config()).send()
}

fn send_many(gateway: &Gateway, count: usize) -> JoinSet<Answer> {
    (0..count).map(|index| send(gateway, &format!("many-{index}"))).collect()
}

fn assert_refused(answer: &Answer) {
    assert_eq!((answer.error(), told(answer)), ((429, 429), (429, Some("not-applied"))));
    let seconds = answer.header("retry-after").and_then(|text| text.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{:?}", answer.headers);
}

#[tokio::test]
async fn so_many_changes_are_under_way_and_no_more() {
    let gateway = Gateway::start(1, &["concurrent_writes=3"]);
    let gate = Gate::closed();
    gateway.fakes.always("PUT", "*", Action::hold(&gate));
    let mut sent = send_many(&gateway, 20);
    gateway.fakes.wait_for(3, "PUT", "*").await;
    // Reads do not wait behind them.
    gateway.get("/connectors").send().await.ok();
    assert_eq!(gateway.fakes.requests_to("PUT", "*").len(), 3);
    gate.open();
    while let Some(answer) = sent.join_next().await {
        assert_eq!(answer.expect("it does not panic").status, 201);
    }
    assert_eq!(gateway.fakes.names().len(), 20);
    // With the read beside them.
    assert!(gateway.fakes[0].peak() <= 4, "{}", gateway.fakes[0].peak());
}

#[tokio::test]
async fn a_retry_keeps_its_place() {
    let gateway = Gateway::start(2, &["concurrent_writes=1"]);
    gateway.fakes.on("PUT", "*", vec![Action::error(409, crate::connect::STALE); 6]);
    let mut sent = send_many(&gateway, 5);
    while let Some(answer) = sent.join_next().await {
        assert_eq!(told(&answer.expect("it does not panic")), (201, None));
    }
    let order: Vec<String> = gateway.fakes.requests_to("PUT", "*").into_iter().map(|request| request.target).collect();
    let mut distinct = order.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 5, "one is done with before the next begins: {order:?}");
}

#[tokio::test]
async fn who_finds_the_queue_full_is_told_to_come_again() {
    let gateway = Gateway::start(1, &["concurrent_writes=1", "queued_writes=2"]);
    let gate = Gate::closed();
    gateway.fakes.always("PUT", "*", Action::hold(&gate));
    let mut sent = send_many(&gateway, 13);
    for _ in 0..10 {
        assert_refused(&sent.join_next().await.expect("ten are refused").expect("it does not panic"));
    }
    assert_eq!(gateway.fakes.wait_for(1, "PUT", "*").await.len(), 1);
    gateway.get("/connectors").send().await.ok();
    gate.open();
    while let Some(answer) = sent.join_next().await {
        assert_eq!(answer.expect("it does not panic").status, 201);
    }
    assert_eq!((gateway.fakes.names().len(), gateway.fakes[0].peak() <= 2), (3, true));
}

#[tokio::test]
async fn a_queue_of_none_is_none() {
    let gateway = Gateway::start(1, &["concurrent_writes=1", "queued_writes=0"]);
    let gate = Gate::closed();
    gateway.fakes.always("PUT", "*", Action::hold(&gate));
    let first = tokio::spawn(send(&gateway, "first"));
    gateway.fakes.wait_for(1, "PUT", "*").await;
    assert_refused(&send(&gateway, "second").await);
    gate.open();
    assert_eq!(first.await.expect("it does not panic").status, 201);
}

#[tokio::test]
async fn waiting_for_a_turn_counts_against_the_deadline() {
    let gateway = Gateway::start(1, &["concurrent_writes=1", "queued_writes=5"]);
    let gate = Gate::closed();
    gateway.fakes.always("PUT", "*", Action::hold(&gate));
    let first = tokio::spawn(send(&gateway, "first"));
    gateway.fakes.wait_for(1, "PUT", "*").await;
    let began = Instant::now();
    let hasty = gateway.call("PUT", "/connectors/c/stop").header("prefer", "wait=1");
    assert_refused(&hasty.send().await);
    assert!(began.elapsed() < Duration::from_secs(30));
    gate.open();
    assert_eq!(first.await.expect("it does not panic").status, 201);
    assert_eq!(gateway.fakes.requests_to("PUT", "/connectors/c/stop").len(), 0);
}

#[tokio::test]
async fn who_goes_away_while_waiting_frees_the_place() {
    let gateway = Gateway::start(1, &["concurrent_writes=1", "queued_writes=1"]);
    let gate = Gate::closed();
    gateway.fakes.always("PUT", "*", Action::hold(&gate));
    let first = tokio::spawn(send(&gateway, "first"));
    gateway.fakes.wait_for(1, "PUT", "*").await;
    let mut sent = send_many(&gateway, 2);
    assert_refused(&sent.join_next().await.expect("one is refused").expect("it does not panic"));

    sent.abort_all();

    let mut waiting = eventually("there is a place", PATIENCE, async || {
        let mut wire = put(&gateway, "late").await;
        if wire.has_answer_within(Duration::from_secs(1)).await {
            assert_refused(&wire.answer().await);
            return None;
        }
        Some(wire)
    })
    .await;
    gate.open();
    assert_eq!(waiting.answer().await.status, 201);
    assert_eq!(first.await.expect("it does not panic").status, 201);
    assert_eq!(gateway.fakes.names(), ["first", "late"], "who went away changed nothing");
}

async fn put(gateway: &Gateway, connector: &str) -> Wire {
    let body = config().to_string();
    let head = format!("PUT /connectors/{connector}/config HTTP/1.1\r\nHost: proxy\r\nContent-Type: {JSON}\r\n");
    let mut wire = gateway.app.wire().await;
    wire.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
    wire
}

#[tokio::test]
async fn changes_of_every_kind_take_a_turn_and_reads_do_not() {
    let gateway = Gateway::start(1, &["concurrent_writes=1", "queued_writes=0"]);
    let gate = Gate::closed();
    gateway.fakes.put("c", config());
    gateway.fakes.on("PUT", "/connectors/first/config", [Action::hold(&gate)]);
    let first = tokio::spawn(send(&gateway, "first"));
    gateway.fakes.wait_for(1, "PUT", "*").await;
    for write in Write::all() {
        assert_refused(&write.ask("c").at(&gateway.app.url("")).send().await);
    }
    for ask in crate::connect::requests::reads("c") {
        assert_eq!(ask.at(&gateway.app.url("")).send().await.status, 200, "{ask:?}");
    }
    gate.open();
    assert_eq!(first.await.expect("it does not panic").status, 201);
}
