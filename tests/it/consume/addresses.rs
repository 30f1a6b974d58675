//! The `base_uri`: how the client reaches the instance from where it is.

use serde_json::Value;

use crate::harness::app::{self, App};
use crate::harness::unique;

/// Creates the instance `i` and returns its `base_uri` up to the group.
async fn base_uri(app: &App, headers: &[(&str, &str)]) -> String {
    let group = unique("group");
    let call = app.post(&format!("/consumers/{group}?nothing=here"));
    let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
    let created: Value = call.body("application/vnd.kafka.v2+json", r#"{"name":"i"}"#).send().await.ok();
    let uri = created["base_uri"].as_str().expect("a text");
    let base = uri.strip_suffix(&format!("/consumers/{group}/instances/i"));
    base.unwrap_or_else(|| panic!("{uri}")).to_owned()
}

#[tokio::test]
async fn it_is_the_host_that_the_client_named() {
    let app = app::spawn_app(app::config());
    let cases: [&[(&str, &str)]; 2] = [&[("host", "kafka.example:99")], &[("host", "KAFKA.example")]];
    for headers in cases {
        assert_eq!(base_uri(&app, headers).await, format!("http://{}", headers[0].1));
    }
    assert_eq!(base_uri(&app, &[]).await, app.url(""));
}

#[tokio::test]
async fn what_other_proxies_say_is_not_believed_unless_trusted() {
    let app = app::spawn_app(app::config());
    let said = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "host=evil.example;proto=https"),
    ];
    assert_eq!(base_uri(&app, &said).await, app.url(""));
}

#[tokio::test]
async fn what_trusted_proxies_say_is_where_the_client_is() {
    let mut config = app::config();
    config.server.trust_forwarded = true;
    let app = app::spawn_app(config);
    let own = app.url("");
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[], &own),
        (&[("x-forwarded-proto", "https"), ("x-forwarded-host", "a.example")], "https://a.example"),
        (&[("x-forwarded-proto", "https"), ("host", "b.example")], "https://b.example"),
        (&[("x-forwarded-host", "a.example, inner:1"), ("x-forwarded-proto", "HTTPS, http")], "https://a.example"),
        (&[("x-forwarded-host", "a.example"), ("x-forwarded-prefix", "/kafka/")], "http://a.example/kafka"),
        (&[("forwarded", "for=1.2.3.4;host=c.example:8443;proto=https, for=5.6.7.8")], "https://c.example:8443"),
        (&[("forwarded", "Proto=https; Host=\"[::1]:8082\"")], "https://[::1]:8082"),
        (&[("x-forwarded-proto", "javascript"), ("x-forwarded-host", "a/b"), ("x-forwarded-prefix", "evil")], &own),
        (&[("forwarded", "nonsense")], &own),
    ];
    for (headers, expected) in cases {
        assert_eq!(base_uri(&app, headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn the_advertised_url_wins_over_everything() {
    let mut config = app::config_with(
        &crate::harness::kafka::shared().bootstrap,
        &["server.advertised_url=https://kafka.example/rest"],
    );
    config.server.trust_forwarded = true;
    let app = app::spawn_app(config);
    for headers in [&[][..], &[("x-forwarded-host", "a.example"), ("host", "b.example")]] {
        assert_eq!(base_uri(&app, headers).await, "https://kafka.example/rest");
    }
}
