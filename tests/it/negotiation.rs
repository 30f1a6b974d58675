//! Every route with every wrong method and type: the answer is always the envelope.

use serde_json::json;

use crate::harness::app;
use crate::harness::http::{BINARY_V1, BINARY_V2, JSON, JSON_V2, V1, V2};
use crate::harness::kafka;

/// Paths with their methods; `{t}` is a topic of one partition, `{i}` a consumer that nobody made.
type Routes = &'static [(&'static str, &'static [&'static str])];

const METADATA_AND_PRODUCE: Routes = &[
    ("/", &["GET", "HEAD", "POST", "OPTIONS"]),
    ("/brokers", &["GET", "HEAD", "OPTIONS"]),
    ("/topics", &["GET", "HEAD", "OPTIONS"]),
    ("/topics/{t}", &["GET", "HEAD", "POST", "OPTIONS"]),
    ("/topics/{t}/partitions", &["GET", "HEAD", "OPTIONS"]),
    ("/topics/{t}/partitions/0", &["GET", "HEAD", "POST", "OPTIONS"]),
];

/// What only v2 has.
const V2_ONLY: Routes = &[
    ("/topics/{t}/partitions/0/offsets", &["GET", "HEAD", "OPTIONS"]),
    ("/topics/{t}/partitions/0/records", &["GET", "HEAD", "OPTIONS"]),
    ("{i}/subscription", &["GET", "HEAD", "POST", "DELETE", "OPTIONS"]),
    ("{i}/assignments", &["GET", "HEAD", "POST", "OPTIONS"]),
    ("{i}/positions", &["POST", "OPTIONS"]),
    ("{i}/positions/beginning", &["POST", "OPTIONS"]),
    ("{i}/positions/end", &["POST", "OPTIONS"]),
    ("{i}/offsets", &["GET", "HEAD", "POST", "OPTIONS"]),
    ("{i}/records", &["GET", "HEAD", "OPTIONS"]),
];

/// Consumers in both versions.
const CONSUMERS: Routes = &[("/consumers/group", &["POST", "OPTIONS"]), ("{i}", &["DELETE", "OPTIONS"])];

/// What only v1 has; two of its paths are known without naming it.
const V1_ONLY: Routes = &[("{i}/offsets", &["POST", "OPTIONS"])];
const V1_BY_PATH: Routes = &[
    ("{i}/topics/{t}", &["GET", "HEAD", "OPTIONS"]),
    ("/topics/{t}/partitions/0/messages", &["GET", "HEAD", "OPTIONS"]),
];

const V2_ROUTES: &[Routes] = &[METADATA_AND_PRODUCE, V2_ONLY, CONSUMERS, V1_BY_PATH];
const V1_ROUTES: &[Routes] = &[METADATA_AND_PRODUCE, V1_ONLY, CONSUMERS, V1_BY_PATH];

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"];

const WRONG_ACCEPTS: [&str; 6] =
    ["text/html", "application/xml", "image/*", "application/vnd.kafka.v3+json", "application/json;q=0", "garbage"];

const WRONG_TYPES: [&str; 9] = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/vnd.kafka.v3+json",
    "application/vnd.kafka.thrift.v2+json",
    "*/*",
    "application/*",
    "garbage",
    ";",
];

fn paths(routes: &[Routes], topic: &str) -> Vec<(String, &'static [&'static str])> {
    let fill = |path: &str| path.replace("{i}", "/consumers/group/instances/nobody").replace("{t}", topic);
    routes.iter().copied().flatten().map(|(path, methods)| (fill(path), *methods)).collect()
}

#[tokio::test]
async fn a_wrong_method_is_405_with_allow_whatever_else_is_wrong() {
    let topic = app::topic(1);
    let v2: &[_] =
        &[("accept", "*/*"), ("accept", "text/html"), ("content-type", "text/plain"), ("content-type", JSON_V2)];
    let v1: &[_] = &[("accept", V1), ("content-type", BINARY_V1), ("content-type", "application/octet-stream")];
    for (routes, headers) in [(V2_ROUTES, v2), (V1_ROUTES, v1)] {
        for (path, allowed) in paths(routes, &topic) {
            for method in METHODS.into_iter().filter(|method| !allowed.contains(method) && *method != "HEAD") {
                for (name, value) in headers {
                    let what = format!("{method} {path} {name}: {value}");
                    let answer = app::shared().call(method, &path).header(name, value).send().await;
                    assert_eq!(answer.error(), (405, 405), "{what}");
                    assert_eq!(
                        sorted(answer.header("allow").unwrap_or_default().split(", ")),
                        sorted(allowed),
                        "{what}"
                    );
                }
            }
        }
    }
}

fn sorted<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut words: Vec<_> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
    words.sort_unstable();
    words
}

#[tokio::test]
async fn an_answer_that_the_client_does_not_take_is_406() {
    let topic = app::topic(1);
    for (path, allowed) in paths(V2_ROUTES, &topic) {
        for accept in WRONG_ACCEPTS {
            for method in allowed.iter().filter(|method| !["HEAD", "OPTIONS"].contains(method)) {
                let call = app::shared().call(method, &path).accept(accept);
                let call = if *method == "POST" { call.body(JSON_V2, r#"{"records":[{"value":1}]}"#) } else { call };
                let expected = if path == "/" && *method == "POST" { (415, 415) } else { (406, 406) };
                assert_eq!(call.send().await.error(), expected, "{method} {path} {accept}");
            }
        }
    }
    assert_eq!(kafka::shared().read_topic(&topic), [], "nothing is done for an answer that cannot be given");
}

#[tokio::test]
async fn a_type_with_a_format_is_no_type_for_answers_without_records() {
    for (path, _) in paths(&[METADATA_AND_PRODUCE], &app::topic(1)) {
        for accept in [BINARY_V2, JSON_V2, BINARY_V1, "application/vnd.kafka.avro.v2+json"] {
            assert_eq!(app::shared().get(&path).accept(accept).send().await.error(), (406, 406), "{path} {accept}");
        }
    }
}

#[tokio::test]
async fn a_body_in_a_wrong_type_is_415() {
    let topic = app::topic(1);
    for (path, _) in paths(&[METADATA_AND_PRODUCE], &topic).iter().filter(|(_, allowed)| allowed.contains(&"POST")) {
        for media in WRONG_TYPES {
            // v1 reads nothing on `/`, so nothing can be wrong with it there.
            for accept in ["*/*", V2, JSON, V1].into_iter().filter(|accept| path != "/" || *accept != V1) {
                let what = format!("POST {path} {media} {accept}");
                let body = r#"{"records":[{"value":"dg=="}]}"#;
                let answer = app::shared().post(path).accept(accept).body(media, body).send().await;
                assert_eq!(answer.error(), (415, 415), "{what}");
                assert_eq!(answer.media(), Some(if accept == "*/*" { JSON } else { accept }), "{what}");
                assert!(answer.message().contains("application/"), "{what} names no type: {}", answer.message());
            }
        }
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn produce_takes_no_type_without_a_format() {
    let topic = app::topic(1);
    for media in [V2, JSON, "application/json; charset=utf-8"] {
        let call = app::shared().post(&format!("/topics/{topic}")).body(media, r#"{"records":[{"value":"data"}]}"#);
        assert_eq!(call.send().await.error(), (415, 415), "{media}");
    }
    assert_eq!(kafka::shared().read_topic(&topic), []);
}

#[tokio::test]
async fn types_are_matched_without_case_and_parameters() {
    let topic = app::topic(1);
    let types = [
        "Application/Vnd.Kafka.JSON.v2+JSON",
        "application/vnd.kafka.json.v2+json; charset=utf-8",
        " application/vnd.kafka.json.v2+json",
    ];
    for media in types {
        let call = app::shared()
            .post(&format!("/topics/{topic}"))
            .accept("APPLICATION/VND.KAFKA.V2+JSON")
            .body(media, r#"{"records":[{"value":1}]}"#);
        let answer = call.send().await;
        assert_eq!((answer.status, answer.media()), (200, Some(V2)), "{media}: {}", answer.text());
    }
}

#[tokio::test]
async fn produce_without_a_content_type_is_binary() {
    let topic = app::topic(1);
    let body = r#"{"records":[{"value":"dg=="}]}"#;
    let mut wire = app::shared().wire().await;
    wire.send(format!("POST /topics/{topic} HTTP/1.1\r\nHost: proxy\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
        .await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.media()), (200, Some(V2)), "{}", answer.text());
    assert_eq!(kafka::shared().read_topic(&topic)[0].value.as_deref(), Some(&b"v"[..]));
}

#[tokio::test]
async fn what_a_client_takes_is_what_it_gets() {
    let cases = [
        ("", V2),
        ("*/*", V2),
        ("application/*", V2),
        (JSON, JSON),
        ("application/json, application/vnd.kafka.v2+json", V2),
        ("application/json, application/vnd.kafka.v2+json;q=0.9", JSON),
        ("application/vnd.kafka.v2+json;q=0, */*", JSON),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", V2),
        ("application/vnd.kafka.v1+json", V1),
        ("application/vnd.kafka+json", "application/vnd.kafka+json"),
        ("application/vnd.kafka.v1+json, application/vnd.kafka+json; q=0.9, application/json; q=0.8", V1),
        ("application/vnd.kafka.v2+json, application/vnd.kafka+json; q=0.9, application/json; q=0.8", V2),
    ];
    for (accept, expected) in cases {
        let answer = app::shared().get("/brokers").accept(accept).send().await;
        assert_eq!((answer.status, answer.media()), (200, Some(expected)), "{accept:?}");
    }
}

#[tokio::test]
async fn a_content_type_on_a_read_is_ignored() {
    for (path, _) in paths(&[METADATA_AND_PRODUCE], &app::topic(1)) {
        for media in [JSON, V2, BINARY_V2, "text/plain", "garbage"] {
            let answer = app::shared().get(&path).body(media, "{}").send().await;
            assert_eq!(answer.status, 200, "{path} {media}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_404_for_every_method() {
    let topic = format!("/topics/{}", app::topic(1));
    let roots = ["/nothing", "//", "//topics", "/topics//", "/Topics", "/v2/topics", "/index.html"].map(str::to_owned);
    let below =
        ["//", "//partitions", "/partition", "/partitions//", "/partitions/0//", "/partitions/0/offsets/0", "/records"];
    for path in roots.into_iter().chain(below.map(|path| topic.clone() + path)) {
        for method in METHODS.into_iter().filter(|method| *method != "HEAD") {
            for accept in ["*/*", V1, "text/html"] {
                let answer = app::shared().call(method, &path).accept(accept).send().await;
                assert_eq!(answer.error(), (404, 404), "{method} {path} {accept}");
            }
        }
    }
}

#[tokio::test]
async fn one_slash_at_the_end_changes_nothing() {
    let topic = app::topic(1);
    for (path, allowed) in paths(V2_ROUTES, &topic).into_iter().filter(|(path, _)| path != "/") {
        let answer = app::shared().call("OPTIONS", &format!("{path}/")).send().await;
        let allow = sorted(answer.header("allow").unwrap_or_default().split(", "));
        assert_eq!((answer.status, allow), (200, sorted(allowed)), "{path}/");
    }
    for (path, allowed) in paths(&[METADATA_AND_PRODUCE], &topic).into_iter().filter(|(path, _)| path != "/") {
        let (plain, slashed) =
            (app::shared().get(&path).send().await, app::shared().get(&format!("{path}/")).send().await);
        assert_eq!((slashed.status, slashed.media()), (200, plain.media()), "{path}/");
        if allowed.contains(&"POST") {
            let answer = app::shared()
                .post(&format!("{path}/"))
                .document(JSON_V2, &json!({ "records": [{ "value": 1 }] }))
                .send()
                .await;
            assert_eq!(answer.placed().len(), 1, "{path}/");
        }
    }
}

#[tokio::test]
async fn options_names_the_methods() {
    let topic = app::topic(1);
    for (routes, accepts) in [(V2_ROUTES, ["*/*", "text/html"]), (V1_ROUTES, [V1, "application/vnd.kafka+json"])] {
        for (path, allowed) in paths(routes, &topic) {
            for accept in accepts {
                let answer = app::shared().call("OPTIONS", &path).accept(accept).send().await;
                let allow = sorted(answer.header("allow").unwrap_or_default().split(", "));
                assert_eq!((answer.status, allow), (200, sorted(allowed)), "{path} {accept}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_the_connection_closed() {
    for garbage in [
        "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    ] {
        let mut wire = app::shared().wire().await;
        wire.send(garbage).await;
        // The framework answers this one, without a body.
        assert_eq!(wire.answer_to_head().await.status, 400, "{garbage:?}");
        assert_eq!(wire.rest().await, b"", "{garbage:?}");
    }
}
