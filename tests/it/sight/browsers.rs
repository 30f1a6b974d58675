//! CORS: what a page of another origin may do, in each API, and that nobody else notices.

use crate::harness::app::{App, config_with, spawn_app};
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::http::{Answer, JSON_V1, JSON_V2};

const NO_KAFKA: &str = "127.0.0.1:1";
const PAGE: &str = "https://app.example";
const OTHER: &str = "https://evil.example";

/// A path and a method of each API.
const APIS: [(&str, &str); 6] = [
    ("POST", "/topics/t"),
    ("GET", "/topics/t/partitions"),
    ("POST", "/v3/clusters/c/topics/t/records"),
    ("DELETE", "/connectors/c"),
    ("PUT", "/connect/lake/connectors/c/config"),
    ("GET", "/health"),
];

fn start(settings: &[&str]) -> (App, FakeWorkers) {
    let fakes = FakeWorkers::start(1);
    let urls = format!("connect.default.urls={}", fakes.urls());
    let all = [&["kafka.request_timeout=100ms", urls.as_str()], settings].concat();
    (spawn_app(config_with(NO_KAFKA, &all)), fakes)
}

async fn preflight(app: &App, path: &str, method: &str, origin: &str) -> Answer {
    let call = app.call("OPTIONS", path).header("origin", origin);
    call.header("access-control-request-method", method)
        .header("access-control-request-headers", "content-type")
        .send()
        .await
}

fn cors_headers(answer: &Answer) -> Vec<String> {
    let names = answer.headers.keys().map(|name| name.as_str().to_owned());
    names.filter(|name| name.starts_with("access-control-")).collect()
}

fn varies(answer: &Answer) -> String {
    answer
        .headers
        .get_all("vary")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect::<Vec<_>>()
        .join(", ")
        .to_lowercase()
}

#[tokio::test]
async fn a_page_that_is_allowed_may_ask_each_api() {
    let (app, _fakes) = start(&["cors.origins=http://localhost:3000,https://app.example", "cors.credentials=true"]);
    for (method, path) in APIS {
        let answer = preflight(&app, path, method, PAGE).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert!(answer.header("access-control-allow-methods").unwrap().contains(method));
        assert!(answer.header("access-control-allow-headers").unwrap().contains("Content-Type"));
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
        for name in ["origin", "access-control-request-method", "access-control-request-headers"] {
            assert!(varies(&answer).contains(name), "{}", varies(&answer));
        }
        assert!(answer.header("x-request-id").is_some());

        let answer = app.call(method, path).header("origin", PAGE).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in ["X-Request-Id", "X-Connect-Gateway-Outcome", "RateLimit-Remaining"] {
            assert!(exposed.contains(name), "{exposed}");
        }
        assert!(varies(&answer).contains("origin"));
    }
}

#[tokio::test]
async fn others_get_the_same_answers_without_a_word() {
    let (app, _fakes) = start(&["cors.origins=https://app.example"]);
    for (method, path) in APIS {
        for origin in [
            OTHER,
            "null",
            "https://app.example.evil",
            "http://app.example",
            "https://app.example:8443",
            "HTTPS://APP.EXAMPLE",
        ] {
            let answer = preflight(&app, path, method, origin).await;
            assert_eq!((answer.status, cors_headers(&answer)), (204, Vec::new()), "{path} {origin}");
            assert!(varies(&answer).contains("origin"));
            let (theirs, plain) =
                (app.call(method, path).header("origin", origin).send().await, app.call(method, path).send().await);
            assert_eq!((theirs.status, cors_headers(&theirs)), (plain.status, Vec::new()), "{path} {origin}");
            assert_eq!(cors_headers(&plain), Vec::<String>::new());
            assert!(varies(&plain).contains("origin"), "a cache has to know");
        }
    }
}

#[tokio::test]
async fn everybody_may_where_that_is_said_and_never_with_credentials() {
    let (app, _fakes) = start(&["cors.origins=*"]);
    let answer = app.get("/health").header("origin", OTHER).send().await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let args = |settings: &[&str]| kafka_rest_proxy::config::Args {
        bootstrap_servers: Some("x:1".to_owned()),
        set: settings.iter().map(|setting| (*setting).to_owned()).collect(),
        ..Default::default()
    };
    for bad in
        [&["cors.origins=*", "cors.credentials=true"][..], &["cors.origins=*,https://a"], &["cors.origins=https://a/"]]
    {
        assert!(kafka_rest_proxy::config::load(&args(bad), std::iter::empty()).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn options_that_are_no_preflight_are_for_the_api() {
    let (app, _fakes) = start(&["cors.origins=https://app.example"]);
    let plain = app.call("OPTIONS", "/topics/t").header("origin", PAGE).send().await;
    assert_eq!((plain.status, plain.header("allow")), (200, Some("GET, POST, HEAD, OPTIONS")));
    assert_eq!(plain.header("access-control-allow-origin"), Some(PAGE));
    // Off, everything is as it was.
    let (off, _fakes) = start(&[]);
    let answer = preflight(&off, "/topics/t", "POST", PAGE).await;
    assert_eq!((answer.status, answer.header("allow")), (200, Some("GET, POST, HEAD, OPTIONS")));
    let health = off.get("/health").header("origin", PAGE).send().await;
    assert!(
        cors_headers(&answer).is_empty() && cors_headers(&health).is_empty() && !varies(&health).contains("origin")
    );
}

#[tokio::test]
async fn errors_can_be_read_by_the_page_too() {
    let (app, _fakes) = start(&["cors.origins=https://app.example"]);
    let calls = [
        (app.get("/nowhere"), 404),
        (app.call("DELETE", "/health"), 405),
        (app.post("/topics/t").body("text/plain", "x"), 415),
        (app.post("/topics/t").body(JSON_V1, "{"), 400),
        (app.post("/topics/t").body(JSON_V2, "{"), 400),
    ];
    for (call, status) in calls {
        let answer = call.header("origin", PAGE).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE), "{status}");
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_preflight_is_counted_by_itself() {
    let (app, _fakes) = start(&["cors.origins=*"]);
    preflight(&app, "/topics/t", "POST", PAGE).await;
    let seen = crate::sight::scrape(&app).await;
    let labels = [("route", "preflight"), ("method", "OPTIONS"), ("status", "204")];
    assert_eq!(crate::sight::sum(&seen, "kafka_rest_requests_total", &labels), 1.0);
}

#[tokio::test]
async fn an_answer_that_streams_says_so_too() {
    let fakes = FakeWorkers::start(1);
    let settings = [format!("connect.default.urls={}", fakes.urls()), "cors.origins=https://app.example".to_owned()];
    let app = spawn_app(config_with(NO_KAFKA, &[&settings[0], &settings[1]]));
    let answer =
        app.get("/connectors?expand=info").header("origin", PAGE).header("accept-encoding", "gzip").send().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(PAGE)));
}
