//! Every request has a name that its client, the log and the answer share.

use crate::harness::app::{self, config_with, spawn_app};
use crate::harness::binary::Proxy;
use crate::harness::{PATIENCE, http};

const NO_KAFKA: &str = "127.0.0.1:1";
const ID: &str = "x-request-id";

#[tokio::test]
async fn a_sane_id_comes_back_and_another_is_made_otherwise() {
    let app = spawn_app(config_with(NO_KAFKA, &[]));
    let longest = "x".repeat(128);
    for id in ["abc-123", "7f3e:/x+y=", longest.as_str()] {
        assert_eq!(app.get("/health").header(ID, id).send().await.header(ID), Some(id));
    }
    let made = |answer: http::Answer| answer.header(ID).expect("there is always one").to_owned();
    let (one, other) = (made(app.get("/health").send().await), made(app.get("/health").send().await));
    assert_ne!(one, other);
    for bad in ["a b", "a\tb", "\u{e9}", &"x".repeat(129), ""] {
        let id = made(app.get("/health").header(ID, bad).send().await);
        assert!(id != bad && id.len() == 32 && id.bytes().all(|c| c.is_ascii_hexdigit()), "{bad:?}: {id}");
    }
}

#[tokio::test]
async fn answers_of_every_kind_have_one() {
    let app = spawn_app(config_with(NO_KAFKA, &["limits.body_bytes=1KiB", "limits.bytes_in_flight=64MiB"]));
    let large = vec![b'x'; 4096];
    let calls = [
        (app.get("/nowhere"), 404),
        (app.call("DELETE", "/health"), 405),
        (app.call("OPTIONS", "/health"), 200),
        (app.call("HEAD", "/health"), 200),
        (app.post("/topics/any").body("text/plain", "x"), 415),
        (app.post("/topics/any").body(http::JSON_V2, large), 413),
        (app.get("/docs"), 200),
    ];
    for (call, status) in calls {
        let answer = call.header(ID, "mine").send().await;
        assert_eq!((answer.status, answer.header(ID)), (status, Some("mine")));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn the_line_of_an_error_has_the_id() {
    let proxy = Proxy::start(&["--bootstrap-servers", NO_KAFKA, "--set", "kafka.request_timeout=300ms"], &[]);
    let path = format!("/topics/{}", crate::harness::unique("any"));
    let answer = http::get(&proxy.url(&path)).header(ID, "find-me-1").send().await;
    assert_eq!(answer.error(), (500, 50003));
    let line = proxy.wait_for_log(&path, PATIENCE);
    assert!(line.contains("find-me-1"), "{line}");
}

#[tokio::test]
async fn what_browsers_are_told_can_be_turned_off() {
    let plain = app::shared().get("/health").send().await;
    assert_eq!(plain.header("cache-control"), Some("no-store"));
    assert_eq!(plain.header("strict-transport-security"), None);
    let page = app::shared().get("/docs").send().await;
    assert_eq!(page.header("cache-control"), Some("no-cache"), "what an answer says of itself stays");
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    let off = spawn_app(config_with(NO_KAFKA, &["headers.security=false", "headers.hsts=1h"]));
    let answer = off.get("/health").send().await;
    for name in ["cache-control", "x-content-type-options", "strict-transport-security"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}
