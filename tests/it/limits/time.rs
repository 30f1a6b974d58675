//! How long a client may take.

use std::time::Duration;

use crate::harness::app;
use crate::harness::http::JSON_V2;

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_408() {
    let mut config = app::config();
    config.server.body_timeout = SHORT;
    let app = app::spawn_app(config);
    let mut wire = app.wire().await;
    wire.send_head("/topics/any", JSON_V2, 100).await;
    wire.send("{").await;
    let answer = wire.answer().await;
    assert_eq!((answer.error(), answer.header("connection")), ((408, 408), Some("close")));
    assert_eq!(wire.rest().await, b"");
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_is_408() {
    let mut config = app::config();
    config.server.header_timeout = SHORT;
    let app = app::spawn_app(config);
    let mut wire = app.wire().await;
    wire.send("GET / HTTP/1.1\r\nHost: pro").await;
    // The framework answers this one, without a body.
    assert_eq!(wire.answer_to_head().await.status, 408);
    assert_eq!(wire.rest().await, b"");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let mut config = app::config();
    config.server.keep_alive = SHORT;
    let app = app::spawn_app(config);
    let mut wire = app.wire().await;
    for _ in 0..2 {
        wire.send("GET / HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
        assert_eq!(wire.answer().await.status, 200);
    }
    assert_eq!(wire.rest().await, b"");
}

#[tokio::test]
async fn a_keep_alive_of_zero_closes_after_each_answer() {
    let mut config = app::config();
    config.server.keep_alive = Duration::ZERO;
    let app = app::spawn_app(config);
    let mut wire = app.wire().await;
    wire.send("GET / HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 200);
    assert_eq!(wire.rest().await, b"");
}
