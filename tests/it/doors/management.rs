//! The listener for operators.

use crate::doors::address;
use crate::doors::start;
use crate::harness::app;
use crate::harness::http::{self, JSON};
use crate::harness::kafka;

fn management(settings: &[&str]) -> app::App {
    let mut all = vec!["server.management_listen=127.0.0.1:0"];
    all.extend(settings);
    app::spawn_app(app::config_with(&kafka::shared().bootstrap, &all))
}

#[tokio::test]
async fn it_has_health_and_settings_and_nothing_else() {
    let app = management(&[]);
    let url = |path: &str| format!("http://{}{path}", app.management());
    for path in ["/live", "/ready", "/health", "/config"] {
        let answer = http::get(&url(path)).send().await;
        assert_eq!((answer.status, answer.media()), (200, Some(JSON)), "{path}");
        let head = http::call("HEAD", &url(path)).send().await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        let refused = http::post(&url(path)).send().await;
        assert_eq!((refused.error(), refused.header("allow")), ((405, 405), Some("GET, HEAD, OPTIONS")));
    }
    for path in ["/topics", "/v3/clusters", "/connectors", "/openapi.json", "/"] {
        assert_eq!(http::get(&url(path)).send().await.error(), (404, 404), "{path}");
    }
}

#[tokio::test]
async fn the_other_listeners_have_health_and_no_settings() {
    let app = management(&[]);
    for path in ["/live", "/ready", "/health"] {
        assert_eq!(app.get(path).send().await.status, 200, "{path}");
    }
    assert_eq!(app.get("/config").send().await.error(), (404, 404));
    let document = app.get("/openapi.json").send().await.ok();
    for path in ["/live", "/ready", "/health"] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
    }
    assert!(document["paths"]["/config"].is_null());
}

#[tokio::test]
async fn settings_are_shown_with_their_sources_and_without_secrets() {
    let secrets = [
        "kafka.properties.sasl.password=hunter2",
        "producer.properties.ssl.key.password=hunter2",
        "server.tls.key_password=hunter2",
        "schema_registry.password=hunter2",
        "schema_registry.username=alice",
        "connect.default.urls=http://127.0.0.1:1",
        "connect.default.bearer_token=hunter2",
        "producer.linger=2ms",
    ];
    let app = management(&secrets);
    let answer = http::get(&format!("http://{}/config", app.management())).send().await;
    let settings = &answer.ok()["settings"];
    assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    for secret in ["server.tls.key_password", "schema_registry.password", "kafka.properties.sasl.password"] {
        assert_eq!(settings[secret]["value"], "***", "{secret}");
    }
    assert_eq!(settings["connect.default.bearer_token"]["value"], "***");
    assert_eq!(settings["connect.default.password"]["value"], "", "that it is not set is no secret");
    assert_eq!(settings["producer.linger"]["value"], "2ms");
    assert_eq!(settings["producer.linger"]["source"], "--set");
    // The tests run where the shipped file is.
    assert!(settings["server.backlog"]["source"].as_str().unwrap().starts_with("proxy.toml line "));
    assert_eq!(settings["server.tls.client_auth"]["value"], "none");
}

#[tokio::test]
async fn it_answers_while_the_others_are_full() {
    let settings = ["server.management_listen=127.0.0.1:0", "limits.connections=1", "server.workers=1"];
    let proxy = start("127.0.0.1:0", &settings.map(str::to_owned));
    let (main, management) = (address(&proxy, "listening on http://"), address(&proxy, "management on http://"));
    let mut taken = crate::harness::wire::Wire::connect(main).await;
    taken.send("GET /live HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert_eq!(taken.answer().await.status, 200);
    assert_eq!(http::get(&format!("http://{management}/live")).send().await.status, 200);
}
