//! What those are told who are not let in, and who is let in without credentials.

use serde_json::json;

use super::{Authorized, File, INSIDE, ask, basic, challenges, proxy};
use crate::harness::app::{self, App};
use crate::harness::http::{Answer, JSON, JSON_V2, V1, V2};
use crate::harness::{PATIENCE, eventually};

const MISSING: &str = "This proxy has to know who calls: send credentials in one of the ways that WWW-Authenticate names, or a certificate.";
const WRONG: &str =
    "The credentials are not accepted: they are wrong, have expired, or are not of a kind that this proxy takes.";

fn locked(users: &File, more: &[&str]) -> App {
    let users = users.set("auth.users_file");
    proxy(&[&["auth.methods=basic", users.as_str()], more].concat())
}

#[tokio::test]
async fn without_methods_everybody_is_anonymous_and_what_they_show_is_not_looked_at() {
    let app = proxy(&[]);
    assert_eq!(app.get(INSIDE).send().await.status, 200);
    for shown in [&basic("a", "b"), "Bearer x", "nonsense"] {
        assert_eq!(ask(&app, shown).await.status, 200, "{shown}");
    }
}

#[tokio::test]
async fn each_api_answers_in_its_envelope() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &["connect.default.urls=http://127.0.0.1:1"]);
    let table = [
        ("GET", "/topics", V1, V1),
        ("GET", "/topics", V2, V2),
        ("GET", "/topics", "*/*", JSON),
        ("GET", "/v3/clusters", "*/*", JSON),
        ("GET", "/kafka/v3/clusters", V2, JSON),
        ("GET", "/connectors", "*/*", JSON),
        ("GET", "/connect/v1/clusters", "*/*", JSON),
        ("GET", "/connect/default/connectors", "*/*", JSON),
        ("GET", "/no/such/path", "*/*", JSON),
        ("DELETE", "/topics", "*/*", JSON),
        ("POST", "/topics/t", V2, V2),
        ("POST", "/v3/clusters/c/topics/t/records", "*/*", JSON),
        ("PUT", "/connectors/c/config", "*/*", JSON),
        ("OPTIONS", "/topics", "*/*", JSON),
    ];
    for (method, path, accept, media) in table {
        let call = || app.call(method, path).accept(accept);
        for (answer, message) in
            [(call().send().await, MISSING), (call().authorized(&basic("alice", "b")).send().await, WRONG)]
        {
            assert_eq!(answer.error(), (401, 40101), "{method} {path}");
            assert_eq!((answer.media(), answer.message().as_str()), (Some(media), message), "{method} {path}");
            assert_eq!(challenges(&answer), ["Basic realm=\"kafka-rest-proxy\", charset=\"UTF-8\""]);
        }
    }
}

#[tokio::test]
async fn who_has_shown_who_they_are_reaches_kafka() {
    let users = File::of_users(&[("alice", "a")]);
    let settings = ["auth.methods=basic", &users.set("auth.users_file")];
    let app = app::spawn_app(app::config_with(&crate::harness::kafka::shared().bootstrap, &settings));
    let topic = app::topic(1);
    let send = |shown: String| {
        let body = json!({ "records": [{ "value": 1 }] });
        app.post(&format!("/topics/{topic}")).document(JSON_V2, &body).authorized(&shown).send()
    };
    assert_eq!(send(basic("alice", "a")).await.placed(), [(0, 0)]);
    assert_eq!(send(basic("alice", "b")).await.error(), (401, 40101));
    assert_eq!(send(basic("alice", "a")).await.placed(), [(0, 1)]);
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &["auth.failed_attempts=0"]);
    let shown = [
        &basic("alice", "b"),
        &basic("nobody", "a"),
        &basic("alice", ""),
        &basic("ANONYMOUS", "a"),
        "Basic",
        "Basic !!!",
        "Bearer abc",
        "Digest username=\"alice\"",
        "Negotiate abc",
        "",
    ];
    let heads = |answer: &Answer| {
        let mut headers: Vec<_> =
            answer.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str())).collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        format!("{headers:?}")
    };
    let first = ask(&app, shown[0]).await;
    for value in shown {
        let answer = ask(&app, value).await;
        assert_eq!((answer.status, heads(&answer), answer.text()), (401, heads(&first), first.text()), "{value}");
    }
    let twice = app.get(INSIDE).authorized(&basic("alice", "a")).authorized(&basic("alice", "a")).send().await;
    assert_eq!((twice.status, twice.text()), (401, first.text()));
}

#[tokio::test]
async fn some_paths_are_for_everybody() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &[]);
    for path in ["/health", "/health/"] {
        assert_eq!(app.get(path).send().await.status, 200, "{path}");
        assert_eq!(app.get(path).authorized("nonsense").send().await.status, 200, "{path}");
    }
    // Whether they are there is not this layer's affair.
    for path in ["/live", "/ready", "/metrics"] {
        assert_ne!(app.get(path).send().await.status, 401, "{path}");
    }
    for path in ["/", "/health2", "/health/x", "//health", "/HEALTH", "/metrics/x", "/docs", "/openapi.json"] {
        assert_eq!(app.get(path).send().await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_preflight_needs_no_credentials_and_gets_nothing_for_it() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &[]);
    let preflight = |method: &str, path: &str| {
        let call = app.call(method, path).header("origin", "https://a.example");
        call.header("access-control-request-method", "POST").send()
    };
    let answer = preflight("OPTIONS", "/topics").await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    for method in ["GET", "POST", "HEAD"] {
        assert_eq!(preflight(method, "/topics").await.status, 401, "{method}");
    }
    assert_eq!(app.call("OPTIONS", "/topics").header("origin", "https://a.example").send().await.status, 401);
}

#[tokio::test]
async fn who_need_not_show_anything_is_anonymous_but_what_is_wrong_is_refused() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &["auth.required=false"]);
    assert_eq!(app.get(INSIDE).send().await.status, 200);
    assert_eq!(ask(&app, &basic("alice", "a")).await.status, 200);
    for wrong in [&basic("alice", "b"), &basic("bob", "a"), "Bearer x", "nonsense"] {
        assert_eq!(ask(&app, wrong).await.error(), (401, 40101), "{wrong}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_wanted_is_not_read_for_ever() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &[]);
    let mut chunked = app.wire().await;
    chunked.start_chunked("/topics/t", JSON_V2).await;
    let mut long = app.wire().await;
    long.send_head("/topics/t", JSON_V2, 1 << 40).await;
    for mut wire in [chunked, long] {
        let answer = wire.answer().await;
        assert_eq!((answer.error(), answer.header("connection")), ((401, 40101), Some("close")));
        let closed = async || wire.try_send("1\r\nx\r\n").await.is_err().then_some(());
        eventually("the connection is closed", PATIENCE, closed).await;
    }
}

#[tokio::test]
async fn the_realm_can_be_chosen() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &["auth.realm=team a"]);
    assert_eq!(challenges(&app.get(INSIDE).send().await), ["Basic realm=\"team a\", charset=\"UTF-8\""]);
}
