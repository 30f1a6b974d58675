//! The answers are a worker's.

use std::fs;
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::connect::requests::{Ask, Write, config, done, reads};
use crate::connect::{Gateway, NO_KAFKA, proxy, told};
use crate::harness::app::{self, App};
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::connect::{self, Workers};
use crate::harness::http::{Answer, Call, JSON};
use crate::harness::{eventually, unique};

/// How long two answers may differ because something else has just changed.
const SETTLED: Duration = Duration::from_secs(30);

/// A proxy before the workers that tests share.
fn gateway() -> &'static App {
    static GATEWAY: OnceLock<App> = OnceLock::new();
    GATEWAY.get_or_init(|| proxy(&connect::shared().urls(), &[]))
}

fn workers() -> &'static Workers {
    connect::shared()
}

fn worker() -> &'static str {
    workers()[0].url()
}

/// What a client sees: status, type and body. An error of Connect's framework has no type there, and has one here.
type View = (u16, Option<String>, Value);

fn view(answer: &Answer) -> View {
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    let media = answer.media().map(str::to_owned).or_else(|| (!answer.body.is_empty()).then(|| JSON.to_owned()));
    (answer.status, media, body)
}

/// Says what becomes of a body before it is compared.
type Part = fn(Value, &str) -> Value;

/// Compares until both are the same; a worker that refuses for a moment is asked again.
async fn assert_same(what: &str, name: &str, part: Part, worker: Call, gateway: Call) -> Answer {
    let mut seen = None;
    for _ in 0..40 {
        let own = worker.clone().send().await;
        let through = gateway.clone().send().await;
        let of = |(status, media, body): View| (status, media, part(body, name));
        let (own, seen_through) = (of(view(&own)), of(view(&through)));
        if own == seen_through {
            return through;
        }
        seen = Some((own, seen_through));
        tokio::time::sleep(SETTLED / 40).await;
    }
    let (own, through) = seen.expect("they were compared");
    panic!("{what}:\n worker  {own:?}\n gateway {through:?}");
}

fn whole(body: Value, _: &str) -> Value {
    body
}

/// Leaves what other tests do at the same time out.
fn own(body: Value, name: &str) -> Value {
    match &body {
        Value::Array(names) => json!(names.contains(&json!(name))),
        _ => body[name].clone(),
    }
}

/// Creates a connector that runs with one task, removed by [`Running::end`].
struct Running {
    name: String,
    encoded: String,
}

impl Running {
    async fn start(name: String, encoded: String) -> Running {
        let create = Ask {
            method: "POST",
            path: "/connectors".into(),
            body: Some(json!({"name": name, "config": config()})),
            status: 201,
        };
        assert_eq!(create.at(&gateway().url("")).send().await.status, 201);
        let status = format!("/connectors/{encoded}/status");
        eventually("it runs", crate::harness::PATIENCE, async || {
            let answer = gateway().get(&status).send().await;
            let status = (answer.status == 200).then(|| answer.json())?;
            (status["tasks"][0]["state"] == "RUNNING").then_some(())
        })
        .await;
        Running { name, encoded }
    }

    async fn end(self) {
        let path = format!("/connectors/{}", self.encoded);
        assert_eq!(gateway().call("DELETE", &path).send().await.status, 204);
    }
}

#[tokio::test]
async fn every_read_is_a_workers() {
    let end = unique("read");
    let connector = Running::start(format!("a b?#\"+é~{end}"), format!("a%20b%3F%23%22+%C3%A9~{end}")).await;
    let (name, encoded) = (connector.name.as_str(), connector.encoded.as_str());
    let of = |ask: &Ask| -> Part {
        match ask.worker_path() {
            "/connectors" => own,
            // How they are changes with every request, and which are used by their work.
            "/admin/loggers" => |body, _| json!(body["root"]["level"]),
            _ => whole,
        }
    };
    for ask in reads(encoded) {
        let path = ask.path.trim_start_matches("/connect/default");
        let (path, query) =
            path.split_once('?').map_or((path, String::new()), |(path, query)| (path, format!("?{query}")));
        let path = path.trim_end_matches('/');
        let is_at_root = !matches!(path, "" | "/health");
        for prefix in ["", "/connect/default"] {
            for end in ["", "/"] {
                if !is_at_root && prefix.is_empty() {
                    continue;
                }
                let at_worker = Ask { path: format!("{path}{end}{query}"), ..ask.clone() };
                let here = Ask { path: format!("{prefix}{path}{end}{query}"), ..ask.clone() };
                let what = format!("{} {}", ask.method, here.path);
                let calls = (at_worker.at(worker()), here.at(&gateway().url("")));
                let answer = assert_same(&what, name, of(&ask), calls.0, calls.1).await;
                assert_eq!(answer.status, 200, "{what}");
                let answered = answer.header("x-connect-worker").expect("it says who");
                assert!(workers().urls().contains(answered), "{answered}");
            }
        }
        if ask.method == "GET" {
            let head = Ask { method: "HEAD", ..ask.clone() };
            let answer = head.at(&gateway().url("")).send().await;
            assert_eq!((answer.status, answer.media(), answer.body.len()), (200, Some(JSON), 0), "{head:?}");
        }
    }
    let matrix = format!("/connectors/{encoded};a=b/config");
    assert_same(&matrix, name, whole, workers()[0].get(&matrix), gateway().get(&matrix)).await;
    connector.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_workers_404() {
    for ask in reads("never-made").into_iter().filter(|ask| ask.path.starts_with("/connectors/")) {
        assert_same(&ask.path, "", whole, ask.at(worker()), ask.at(&gateway().url(""))).await;
    }
    let asks = [
        ("GET", "/connectors/never-made/tasks/x/status"),
        ("GET", "/connectors/never-made/tasks-config"),
        ("GET", "/connector-plugins/NoSuchPlugin/config"),
        ("GET", "/admin/loggers/no.such.logger"),
        ("DELETE", "/connectors/never-made"),
        ("PUT", "/connectors/never-made/pause"),
        ("PUT", "/connectors/never-made/resume"),
        ("PUT", "/connectors/never-made/stop"),
        ("PUT", "/connectors/never-made/topics/reset"),
        ("POST", "/connectors/never-made/restart"),
        ("POST", "/connectors/never-made/restart?includeTasks=true"),
        ("POST", "/connectors/never-made/tasks/0/restart"),
        ("POST", "/connectors/never-made/tasks/x/restart"),
        ("DELETE", "/connectors/never-made/offsets"),
    ];
    for (method, path) in asks {
        let calls = (workers()[0].call(method, path), gateway().call(method, path));
        assert_same(&format!("{method} {path}"), "", whole, calls.0, calls.1).await;
    }
}

/// Replaces the name, so that what was done to two connectors can be compared.
fn unnamed(answer: &Answer, name: &str) -> View {
    let (status, media, body) = view(answer);
    (status, media, serde_json::from_str(&body.to_string().replace(name, "NAME")).expect("it stays JSON"))
}

#[tokio::test]
async fn every_change_is_answered_as_by_a_worker() {
    let (direct, through) = (unique("change"), unique("change"));
    let put = |rest: &str, body: Value| ("PUT", format!("/connectors/NAME{rest}"), Some(body), 200);
    let call =
        |method: &'static str, rest: &str, status: u16| (method, format!("/connectors/NAME{rest}"), None, status);
    let create = json!({"name": "NAME", "config": config(), "initial_state": "stopped"});
    let mut other = config();
    other["tasks.max"] = json!(2);
    let offsets = json!({"offsets": [{"partition": {"filename": "/nowhere/connect"}, "offset": {"position": 3}}]});
    let steps: Vec<(&'static str, String, Option<Value>, u16)> = vec![
        ("POST", "/connectors".to_owned(), Some(create.clone()), 201),
        ("POST", "/connectors".to_owned(), Some(create), 409),
        ("PATCH", "/connectors/NAME/offsets".to_owned(), Some(offsets), 200),
        call("GET", "/offsets", 200),
        call("DELETE", "/offsets", 200),
        ("PATCH", "/connectors/NAME/offsets".to_owned(), Some(json!({"offsets": []})), 400),
        put("/config", other),
        ("PATCH", "/connectors/NAME/config".to_owned(), Some(json!({"batch.size": 5, "tasks.max": null})), 200),
        call("GET", "/config", 200),
        call("PUT", "/resume", 202),
        call("PUT", "/pause", 202),
        call("PUT", "/topics/reset", 202),
        call("DELETE", "/offsets", 400),
        call("PUT", "/stop", 204),
        call("DELETE", "", 204),
        call("DELETE", "", 404),
        ("PUT", "/connectors/NAME/config".to_owned(), Some(config()), 201),
        call("DELETE", "/", 204),
    ];
    for (method, path, body, status) in steps {
        let ask = |name: &str| {
            let body = body.as_ref().map(|body| serde_json::from_str(&body.to_string().replace("NAME", name)).unwrap());
            Ask { method, path: path.replace("NAME", name), body, status }
        };
        let what = format!("{method} {path}");
        let own = eventually(&what, SETTLED, async || {
            // Without a gateway one has to try again.
            let answer = ask(&direct).at(worker()).send().await;
            (answer.status == status).then_some(answer)
        })
        .await;
        let answer = ask(&through).at(&gateway().url("")).send().await;
        let mut views = (unnamed(&own, &direct), unnamed(&answer, &through));
        // Tasks are made a moment later, by somebody else.
        views.0.2["tasks"] = json!(null);
        views.1.2["tasks"] = json!(null);
        assert_eq!(views.1, views.0, "{what}");
        assert_eq!(answer.header("content-length").is_some(), own.header("content-length").is_some() || status != 204);
        let place = |answer: &Answer, base: &str, name: &str| {
            answer.header("location").map(|place| place.replace(base, "BASE").replace(name, "NAME"))
        };
        assert_eq!(place(&answer, &gateway().url(""), &through), place(&own, worker(), &direct), "{what}");
    }
}

#[tokio::test]
async fn restarts_are_answered_as_by_a_worker() {
    let name = unique("restart");
    let connector = Running::start(name.clone(), name.clone()).await;
    for (rest, status) in [
        ("/restart", 204),
        ("/restart?includeTasks=False&onlyFailed=False", 204),
        ("/restart?includeTasks=true", 202),
        ("/restart?onlyFailed=TRUE", 202),
        ("/tasks/0/restart", 204),
        ("/tasks/7/restart", 404),
    ] {
        let answer = gateway().call("POST", &format!("/connectors/{name}{rest}")).send().await;
        assert_eq!(told(&answer), (status, None), "{rest}: {}", answer.text());
        assert_eq!(answer.body.is_empty(), status == 204, "{rest}");
        if status == 202 {
            assert_eq!(answer.json()["name"], json!(name));
        }
    }
    connector.end().await;
}

#[tokio::test]
async fn what_a_worker_refuses_is_refused_in_its_words() {
    let name = unique("refused");
    let bodies: Vec<(&str, String, String)> = [
        ("POST", "/connectors", r#"{"name":"NAME""#),
        ("POST", "/connectors", "[]"),
        ("POST", "/connectors", "null"),
        ("POST", "/connectors", ""),
        ("POST", "/connectors", r#"{"name":"NAME"}"#),
        ("POST", "/connectors", r#"{"name":"NAME","config":{"connector.class":"FileStreamSource","a":{}}}"#),
        ("POST", "/connectors", r#"{"name":"NAME","config":{},"more":1}"#),
        ("POST", "/connectors", r#"{"name":"","config":{"connector.class":"FileStreamSource","topic":"t"}}"#),
        ("POST", "/connectors", r#"{"name":"NAME","config":{"connector.class":"FileStreamSource"}}"#),
        ("POST", "/connectors", r#"{"name":"NAME","config":{"connector.class":"no.such.Class"}}"#),
        (
            "POST",
            "/connectors",
            r#"{"name":"NAME","config":{"connector.class":"FileStreamSource","topic":"t","name":"x"}}"#,
        ),
        (
            "POST",
            "/connectors",
            r#"{"name":"NAME","initial_state":"FAST","config":{"connector.class":"FileStreamSource","topic":"t"}}"#,
        ),
        ("PUT", "/connectors/NAME/config", r#"{"connector.class":"FileStreamSource","topic":"t","name":"x"}"#),
        ("PUT", "/connectors/NAME/config", r#"{"connector.class":"FileStreamSource","topic":"t","tasks.max":"x"}"#),
        ("PUT", "/connectors/NAME/config", "[1]"),
        ("PATCH", "/connectors/NAME/config", "{}"),
        ("PATCH", "/connectors/NAME/offsets", r#"{"offsets":1}"#),
        ("PUT", "/connector-plugins/FileStreamSource/config/validate", "[]"),
        ("PUT", "/connector-plugins/FileStreamSource/config/validate", r#"{"connector.class":"FileStreamSink"}"#),
        (
            "PUT",
            "/connector-plugins/FileStreamSource/config/validate",
            r#"{"connector.class":"FileStreamSource","tasks.max":"x"}"#,
        ),
        ("PUT", "/connector-plugins/FileStreamSource/config/validate", r#"{"connector.class":"no.such.Class"}"#),
        ("PUT", "/admin/loggers/org.example", "{}"),
        ("PUT", "/admin/loggers/org.example", r#"{"level":"LOUD"}"#),
        ("PUT", "/admin/loggers/org.example", "[]"),
    ]
    .map(|(method, path, body)| (method, path.replace("NAME", &name), body.replace("NAME", &name)))
    .into();
    for (method, path, body) in bodies {
        let call = |base: &str| crate::harness::http::call(method, &format!("{base}{path}")).body(JSON, body.clone());
        assert_same(&format!("{method} {path} {body}"), "", whole, call(worker()), call(&gateway().url(""))).await;
    }
}

#[tokio::test]
async fn media_types_are_taken_and_refused_as_by_a_worker() {
    let path = "/connector-plugins/FileStreamSource/config/validate";
    let body = config().to_string();
    let medias = [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/plain",
        "application/xml",
        "application/vnd.kafka.v2+json",
    ];
    for media in medias {
        let statuses = [worker().to_owned(), gateway().url("")].map(async |base| {
            let call = crate::harness::http::call("PUT", &format!("{base}{path}"));
            call.body(media, body.clone()).send().await.status
        });
        let [own, through] = statuses;
        assert_eq!(through.await, own.await, "{media}");
    }
    let untyped = Call::clone(&gateway().call("PUT", path)).send().await;
    assert_eq!(untyped.error(), (415, 415));
    for accept in [
        "*/*",
        "application/json",
        "application/*",
        "text/html",
        "text/html, application/json;q=0.5",
        "application/vnd.kafka.v2+json",
        "image/png;q=0.1",
    ] {
        let own = workers()[0].get("/connectors").accept(accept).send().await;
        let through = gateway().get("/connectors").accept(accept).send().await;
        assert_eq!(through.status, own.status, "{accept}");
    }
    // What has no use for a body does not look at its type here or there.
    for (media, body) in [(JSON, "null"), (JSON, ""), ("text/plain", "x")] {
        let path = "/connectors/never-made/pause";
        let own = workers()[0].call("PUT", path).body(media, body).send().await;
        let through = gateway().call("PUT", path).body(media, body).send().await;
        assert_eq!(through.status, own.status, "{media} {body}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_is_405_with_those_that_are() {
    let cases = [
        ("PATCH", "/connectors", "GET, POST, HEAD, OPTIONS"),
        ("POST", "/connectors/c", "GET, DELETE, HEAD, OPTIONS"),
        ("DELETE", "/connectors/c/config", "GET, PUT, PATCH, HEAD, OPTIONS"),
        ("GET", "/connectors/c/restart", "POST, OPTIONS"),
        ("GET", "/connectors/c/pause", "PUT, OPTIONS"),
        ("PUT", "/connectors/c/tasks", "GET, HEAD, OPTIONS"),
        ("PUT", "/connector-plugins", "GET, HEAD, OPTIONS"),
    ];
    for prefix in ["", "/connect/default"] {
        for (method, path, allowed) in cases {
            let answer = gateway().call(method, &format!("{prefix}{path}")).send().await;
            assert_eq!(
                (answer.error(), answer.header("allow")),
                ((405, 405), Some(allowed)),
                "{method} {prefix}{path}"
            );
            assert_eq!(workers()[0].call(method, path).send().await.status, 405, "{method} {path}");
            let options = gateway().call("OPTIONS", &format!("{prefix}{path}")).send().await;
            assert_eq!((options.status, options.header("allow")), (200, Some(allowed)), "{prefix}{path}");
        }
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_configured_is_404() {
    let gateway = Gateway::start(1, &[]);
    for path in
        ["/connect/other/connectors", "/connect/other/", "/connect/v1/connectors", "/connect/Default/connectors"]
    {
        assert_eq!(gateway.get(path).send().await.error(), (404, 404), "{path}");
    }
    let none = app::spawn_app(app::config_with(NO_KAFKA, &[]));
    for path in ["/connectors", "/connectors/c", "/connect/default/connectors"] {
        let answer = none.get(path).send().await;
        assert_eq!(answer.error(), (404, 404), "{path}");
        assert!(answer.message().contains("connect"), "{}", answer.text());
    }
}

#[tokio::test]
async fn clusters_are_kept_apart_by_name() {
    let (first, second) = (FakeWorkers::start(1), FakeWorkers::start(1));
    let settings = [format!("connect.default.urls={}", first.urls()), format!("connect.a-b_2.urls={}", second.urls())];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let app = app::spawn_app(app::config_with(NO_KAFKA, &settings));
    first.put("first", config());
    second.put("second", config());
    assert_eq!(app.get("/connectors").send().await.ok(), json!(["first"]));
    assert_eq!(app.get("/connect/default/connectors").send().await.ok(), json!(["first"]));
    assert_eq!(app.get("/connect/a-b_2/connectors").send().await.ok(), json!(["second"]));
    let created =
        app.call("POST", "/connect/a-b_2/connectors").document(JSON, &json!({"name": "x/y z", "config": config()}));
    let created = created.send().await;
    let place = app.url("/connect/a-b_2/connectors/x/y%20z");
    assert_eq!((created.status, created.header("location")), (201, Some(place.as_str())));
    assert_eq!((first.names().len(), second.names().len()), (1, 2));
}

#[tokio::test]
async fn the_place_of_a_new_connector_is_where_the_client_finds_it() {
    let fakes = FakeWorkers::start(1);
    let urls = format!("connect.default.urls={}", fakes.urls());
    let app = app::spawn_app(app::config_with(NO_KAFKA, &[&urls, "server.trust_forwarded=true"]));
    let headers: [(&[(&str, &str)], &str); 3] = [
        (&[("host", "kafka.example:99")], "http://kafka.example:99"),
        (&[("x-forwarded-proto", "https"), ("x-forwarded-host", "a.example")], "https://a.example"),
        (
            &[("x-forwarded-proto", "https"), ("x-forwarded-host", "a.example"), ("x-forwarded-prefix", "/p")],
            "https://a.example/p",
        ),
    ];
    for prefix in ["", "/connect/default"] {
        for (headers, base) in headers {
            for (method, rest) in [("POST", ""), ("PUT", "/é%20x/config")] {
                fakes.remove("é x");
                let body = if rest.is_empty() { json!({"name": "é x", "config": config()}) } else { config() };
                let call = app.call(method, &format!("{prefix}/connectors{rest}")).document(JSON, &body);
                let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
                let answer = call.send().await;
                let place = format!("{base}{prefix}/connectors/%C3%A9%20x");
                assert_eq!(
                    (answer.status, answer.header("location")),
                    (201, Some(place.as_str())),
                    "{}",
                    answer.text()
                );
            }
        }
    }
}

#[tokio::test]
async fn a_body_may_be_packed_and_is_not_to_be_too_large() {
    let gateway = Gateway::start(1, &["max_body_bytes=64KiB"]);
    let mut large = config();
    large["padding"] = json!("x".repeat(60_000));
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(large.to_string().as_bytes()).unwrap();
    let put = |name: &str| gateway.call("PUT", &format!("/connectors/{name}/config"));
    let answer = put("packed").body(JSON, packed.finish().unwrap()).header("content-encoding", "gzip").send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(gateway.fakes.config("packed").unwrap()["padding"], large["padding"]);

    large["padding"] = json!("x".repeat(70_000));
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(large.to_string().as_bytes()).unwrap();
    assert_eq!(put("large").document(JSON, &large).send().await.error(), (413, 413));
    let bomb = put("large").body(JSON, packed.finish().unwrap()).header("content-encoding", "gzip").send().await;
    assert_eq!(bomb.error(), (413, 413));
    assert_eq!(gateway.fakes.names(), ["packed"]);
}

#[tokio::test]
async fn answers_are_packed_for_clients_that_ask() {
    let gateway = Gateway::start(1, &[]);
    gateway.fakes.put("c", config());
    for path in
        ["/connectors?expand=info", "/connectors/c", "/connect/default/connector-plugins/FileStreamSource/config"]
    {
        let plain = gateway.get(path).send().await.ok();
        let answer = gateway.get(path).header("accept-encoding", "gzip").send().await;
        assert_eq!(answer.header("content-encoding"), Some("gzip"), "{path}");
        let unpacked: Value = serde_json::from_reader(flate2::read::GzDecoder::new(answer.body.as_slice())).unwrap();
        assert_eq!(unpacked, plain, "{path}");
    }
    assert_eq!(
        gateway.fakes.requests().iter().filter(|request| request.header("accept-encoding").is_some()).count(),
        0
    );
}

#[tokio::test]
async fn the_level_of_a_logger_is_that_of_the_worker_that_is_named() {
    let logger = format!("org.example.{}", unique("l").replace('-', "."));
    for index in 0..workers().len() {
        let id = workers()[index].id();
        let path = format!("/admin/loggers/{logger}?worker={id}");
        let level = if index == 0 { "ERROR" } else { "DEBUG" };
        let answer = gateway().call("PUT", &path).document(JSON, &json!({"level": level})).send().await;
        assert_eq!((answer.ok(), answer.header("x-connect-worker")), (json!([logger]), Some(id)));
        assert_eq!(gateway().get(&path).send().await.ok()["level"], level);
        let own = workers()[index].get(&format!("/admin/loggers/{logger}")).send().await;
        assert_eq!(own.ok()["level"], level);
    }
    let cluster = gateway()
        .call("PUT", &format!("/admin/loggers/{logger}?scope=cluster"))
        .document(JSON, &json!({"level": "WARN"}));
    assert_eq!(cluster.send().await.status, 204);
    for index in 0..workers().len() {
        eventually("every worker has the level", SETTLED, async || {
            let own = workers()[index].get(&format!("/admin/loggers/{logger}")).send().await;
            (own.json()["level"] == "WARN").then_some(())
        })
        .await;
    }
    assert_eq!(gateway().get("/admin/loggers?worker=nobody:1").send().await.error(), (404, 404));
    let none = Gateway::start(1, &["loggers=false"]);
    assert_eq!(none.get("/admin/loggers").send().await.error(), (404, 404));
    assert_eq!(none.fakes.requests_to("GET", "/admin/*").len(), 0);
}

#[tokio::test]
async fn a_connector_that_is_waited_for_runs_when_the_answer_comes() {
    let (name, topic) = (unique("waited"), app::topic(1));
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    fs::write(&file, "one\n").unwrap();
    let body = json!({"name": name, "config": {"connector.class": "FileStreamSource", "file": file, "topic": topic}});
    let created = gateway().call("POST", "/connectors?wait=running&timeout=50").document(JSON, &body).send().await;
    assert_eq!((created.status, created.header("x-connect-settled")), (201, Some("reached")), "{}", created.text());
    let status = gateway().get(&format!("/connectors/{name}/status")).send().await.ok();
    assert_eq!(status["tasks"][0]["state"], "RUNNING");
    let stop = gateway().call("PUT", &format!("/connectors/{name}/stop?wait=stopped")).send().await;
    assert_eq!(stop.header("x-connect-settled"), Some("reached"));
    // Nobody owns its task any more, which a worker calls a conflict of a moment.
    let restart = gateway().call("POST", &format!("/connectors/{name}/tasks/0/restart")).send().await;
    assert!(matches!(restart.status, 404 | 409), "{}", restart.text());
    let delete = Write::Delete.ask(&name);
    assert_eq!(done(&gateway().url(""), &delete).await.status, 204);
    fs::remove_file(&file).unwrap();
}
