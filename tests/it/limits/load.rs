//! How much may be under way at a time.

use std::time::Duration;

use crate::harness::app;
use crate::harness::http::JSON_V2;
use crate::harness::{PATIENCE, eventually};

const BODY: &str = r#"{"records":[{"value":1}]}"#;

#[tokio::test]
async fn requests_beyond_those_allowed_at_a_time_are_told_to_come_back() {
    let mut config = app::config();
    config.limits.concurrent_requests = 2;
    let app = app::spawn_app(config);
    let path = format!("/topics/{}", app::topic(1));
    let (mut first, mut second) = (app.wire().await, app.wire().await);
    for wire in [&mut first, &mut second] {
        wire.start_post(&path, JSON_V2, BODY.len()).await;
    }

    let refused = app.get("/").send().await;
    assert_eq!((refused.error(), refused.header("retry-after")), ((503, 503), Some("1")));
    let refused = app.post(&path).body(JSON_V2, BODY).send().await;
    assert_eq!((refused.error(), refused.header("retry-after")), ((503, 503), Some("1")));
    for wire in [&mut first, &mut second] {
        wire.send(BODY).await;
        assert_eq!(wire.answer().await.placed().len(), 1, "those under way are served");
    }
    assert_eq!(app.get("/").send().await.status, 200, "and there is room again");
}

#[tokio::test]
async fn a_connection_can_be_used_on_after_a_refusal() {
    let mut config = app::config();
    config.limits.concurrent_requests = 1;
    let app = app::spawn_app(config);
    let path = format!("/topics/{}", app::topic(1));
    let (mut slow, mut refused) = (app.wire().await, app.wire().await);
    slow.start_post(&path, JSON_V2, BODY.len()).await;

    refused.send_head(&path, JSON_V2, BODY.len()).await;
    refused.send(BODY).await;
    let answer = refused.answer().await;

    assert_eq!(answer.error(), (503, 503));
    slow.send(BODY).await;
    assert_eq!(slow.answer().await.placed().len(), 1);
    if answer.header("connection") != Some("close") {
        refused.send_head(&path, JSON_V2, BODY.len()).await;
        refused.send(BODY).await;
        assert_eq!(refused.answer().await.placed().len(), 1);
    }
}

#[tokio::test]
async fn bodies_beyond_the_bytes_allowed_at_a_time_are_told_to_come_back() {
    let mut config = app::config();
    (config.limits.body_bytes, config.limits.bytes_in_flight) = (3000, 4000);
    let app = app::spawn_app(config);
    let path = format!("/topics/{}", app::topic(1));
    let body = BODY.to_owned() + &" ".repeat(2500);
    let (start, end) = body.split_at(2400);
    let mut wires = [app.wire().await, app.wire().await];
    for wire in &mut wires {
        wire.start_post(&path, JSON_V2, body.len()).await;
        wire.send(start).await;
    }

    let which = eventually("there is no room for both", PATIENCE, async || {
        for (index, wire) in wires.iter_mut().enumerate() {
            if wire.has_answer_within(Duration::from_millis(20)).await {
                return Some(index);
            }
        }
        None
    });

    let which = which.await;
    let refused = wires[which].answer().await;
    assert_eq!((refused.error(), refused.header("retry-after")), ((503, 503), Some("1")));
    let served = &mut wires[1 - which];
    served.send(end).await;
    assert_eq!(served.answer().await.placed().len(), 1);
    assert_eq!(app.post(&path).body(JSON_V2, body).send().await.placed().len(), 1, "and there is room again");
}

#[tokio::test]
async fn an_abandoned_body_gives_its_part_back() {
    let mut config = app::config();
    (config.limits.body_bytes, config.limits.bytes_in_flight, config.limits.concurrent_requests) = (3000, 3000, 1);
    let app = app::spawn_app(config);
    let path = format!("/topics/{}", app::topic(1));
    for _ in 0..5 {
        let mut wire = app.wire().await;
        wire.start_post(&path, JSON_V2, 3000).await;
        wire.send("x".repeat(2900)).await;
        assert_eq!(app.get("/").send().await.status, 503);
        drop(wire);
        eventually("it is forgotten", PATIENCE, async || (app.get("/").send().await.status == 200).then_some(())).await;
    }
    assert_eq!(app.post(&path).body(JSON_V2, BODY).send().await.placed(), [(0, 0)]);
}

#[tokio::test]
async fn connections_beyond_those_allowed_wait_for_their_turn() {
    let mut config = app::config();
    (config.limits.connections, config.server.workers) = (1, 1);
    let app = app::spawn_app(config);
    let (mut first, mut second) = (app.wire().await, app.wire().await);
    first.send("GET / HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert_eq!(first.answer().await.status, 200);

    second.send("GET / HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert!(!second.has_answer_within(Duration::from_millis(300)).await);

    drop(first);
    assert_eq!(second.answer().await.status, 200);
}
