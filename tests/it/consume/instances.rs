//! The life of an instance: creation, names, and the end.

use serde_json::{Value, json};

use crate::consume::{Instance, native, topic_of};
use crate::harness::app;
use crate::harness::http::{Answer, JSON, JSON_V2, V2, get};
use crate::harness::kafka;
use crate::harness::{PATIENCE, eventually, unique};

async fn create(group: &str, body: &Value) -> Answer {
    app::shared().post(&format!("/consumers/{group}")).document(V2, body).send().await
}

#[tokio::test]
async fn an_instance_needs_no_body_and_gets_a_name_of_its_own() {
    let group = unique("group");
    let mut names = Vec::new();
    for body in ["", "null", "{}", " \n"] {
        let answer = app::shared().post(&format!("/consumers/{group}")).body(V2, body).send().await;
        assert_eq!((answer.status, answer.media()), (200, Some(V2)), "{body:?}: {}", answer.text());
        let name = answer.json()["instance_id"].as_str().expect("a text").to_owned();
        assert_eq!(answer.json()["base_uri"], app::shared().url(&format!("/consumers/{group}/instances/{name}")));
        names.push(name);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
    for name in names {
        let deleted = app::shared().call("DELETE", &format!("/consumers/{group}/instances/{name}")).send().await;
        assert_eq!((deleted.status, deleted.media(), deleted.text().as_str()), (204, None, ""));
    }
}

#[tokio::test]
async fn the_name_is_the_one_given_and_the_id_wins_over_it() {
    let cases = [
        (json!({ "name": "n" }), "n"),
        (json!({ "id": "i" }), "i"),
        (json!({ "id": "i2", "name": "n2" }), "i2"),
        (json!({ "id": null, "name": "n3" }), "n3"),
        (json!({ "name": 5 }), "5"),
    ];
    let group = unique("group");
    for (body, expected) in cases {
        let created = create(&group, &body).await.ok();
        assert_eq!(created["instance_id"], expected, "{body}");
        assert!(
            created["base_uri"].as_str().expect("a text").ends_with(&format!("/instances/{expected}")),
            "{created}"
        );
        let path = format!("/consumers/{group}/instances/{expected}");
        assert_eq!(app::shared().call("DELETE", &path).send().await.status, 204);
    }
}

#[tokio::test]
async fn a_name_is_taken_once_in_its_group_until_it_is_deleted() {
    let (group, other) = (unique("group"), unique("group"));
    let body = json!({ "name": "a" });
    let first = Instance::create(app::shared(), &group, body.clone()).await;

    let answer = create(&group, &json!({ "name": "a", "format": "json" })).await;

    assert_eq!((answer.error(), answer.media()), ((409, 40902), Some(V2)));
    let elsewhere = Instance::create(app::shared(), &other, body.clone()).await;
    first.delete().await;
    assert_eq!(elsewhere.get("/subscription").send().await.status, 200, "the other group has its own");
    Instance::create(app::shared(), &group, body).await.delete().await;
}

#[tokio::test]
async fn the_base_uri_is_usable_whatever_characters_the_name_has() {
    let names = [
        "a b",
        "ü/日本",
        "a%2Fb",
        "%",
        "%zz",
        "a+b",
        "?x=1",
        "#",
        "a&b;c",
        "\"'`<>",
        "a\\b",
        "a\nb",
        "*",
        "...",
        "a:b@c",
        "%00",
    ];
    for name in names {
        let created = create(&unique("group"), &json!({ "name": name })).await.ok();
        assert_eq!(created["instance_id"], name);
        let uri = created["base_uri"].as_str().expect("a text");
        let path = uri.strip_prefix(&app::shared().url("/consumers/")).expect("it begins with the address");
        assert!(path.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/%".contains(c)), "{uri}");
        assert_eq!(get(&format!("{uri}/subscription")).send().await.ok(), json!({ "topics": [] }), "{name:?}");
        let deleted = app::shared().call("DELETE", &format!("/consumers/{path}")).send().await;
        assert_eq!(deleted.status, 204, "{name:?}");
    }
}

#[tokio::test]
async fn a_name_that_no_path_can_have_is_refused() {
    for name in ["", "  ", ".", "..", "a\0b"] {
        let answer = create(&unique("group"), &json!({ "name": name })).await;
        assert_eq!(answer.error(), (422, 422), "{name:?}");
    }
}

#[tokio::test]
async fn the_group_of_the_path_is_decoded() {
    let topic = topic_of(1, 0..1);
    let group = unique("grüße a/b%");
    let encoded =
        group.replace('%', "%25").replace('/', "%2F").replace(' ', "%20").replace("ü", "%C3%BC").replace("ß", "%C3%9F");
    let instance = Instance::create(app::shared(), &encoded, json!({})).await;
    instance.subscribe(&[&topic]).await;
    instance.collect(1).await;
    assert_eq!(native::members(kafka::shared(), &group), 1);
}

#[tokio::test]
async fn a_bad_configuration_is_refused_and_creates_nothing() {
    let cases = [
        (r#"{"name":"a","auto.offset.reset":"bad"}"#, (422, 42204)),
        (r#"{"name":"a","auto.offset.reset":""}"#, (422, 42204)),
        (r#"{"name":"a","auto.offset.reset":"EARLIEST"}"#, (422, 42204)),
        (r#"{"name":"a","auto.offset.reset":"smallest"}"#, (422, 42204)),
        (r#"{"name":"a","auto.commit.enable":"yes"}"#, (422, 42204)),
        (r#"{"name":"a","auto.commit.enable":""}"#, (422, 42204)),
        (r#"{"name":"a","fetch.min.bytes":10000001}"#, (422, 40001)),
        (r#"{"name":"a","fetch.min.bytes":-2}"#, (422, 40001)),
        (r#"{"name":"a","responseMinBytes":-2}"#, (422, 40001)),
        (r#"{"name":"a","fetch.min.bytes":"x"}"#, (400, 400)),
        (r#"{"name":"a","fetch.min.bytes":99999999999}"#, (400, 400)),
        (r#"{"name":"a","consumer.request.timeout.ms":"x"}"#, (400, 400)),
        (r#"{"name":"a","format":"xml"}"#, (422, 422)),
        (r#"{"name":"a","format":"string"}"#, (422, 422)),
        (r#"{"name":"a","format":""}"#, (422, 422)),
        (r#"{"name":"a","isolation.level":"read_committed"}"#, (422, 422)),
        (r#"{"name":"a","enable.auto.commit":true}"#, (422, 422)),
        (r#"{"name":["a"]}"#, (400, 400)),
        (r#"{"name":"a"} junk"#, (400, 400)),
        (r#"{"name":"a""#, (400, 400)),
        (r#"["a"]"#, (400, 400)),
        (r#""a""#, (400, 400)),
        ("\u{0}", (400, 400)),
    ];
    let group = unique("group");
    for (body, expected) in cases {
        let answer = app::shared().post(&format!("/consumers/{group}")).body(V2, body).send().await;
        assert_eq!((answer.error(), answer.media()), (expected, Some(V2)), "{body}: {}", answer.message());
    }
    let nobody = app::shared().get(&format!("/consumers/{group}/instances/a/subscription")).send().await;
    assert_eq!(nobody.error(), (404, 40403));
}

#[tokio::test]
async fn formats_that_need_a_registry_say_so() {
    for format in ["avro", "jsonschema", "protobuf", "AVRO"] {
        let answer = create(&unique("group"), &json!({ "format": format })).await;
        assert_eq!(answer.error(), (422, 42207), "{format}");
    }
}

#[tokio::test]
async fn settings_may_be_written_as_the_reference_allows() {
    let bodies = [
        json!({ "format": "JSON", "auto.commit.enable": "false" }),
        json!({ "format": "Binary", "auto.commit.enable": true }),
        json!({ "fetch.min.bytes": "5", "consumer.request.timeout.ms": "500" }),
        json!({ "fetch.min.bytes": -1 }),
        json!({ "fetch.min.bytes": 10_000_000 }),
        json!({ "responseMinBytes": 1, "requestWaitMs": 300 }),
        json!({ "fetch.min.bytes": "", "format": null, "auto.offset.reset": null }),
        json!({ "auto.offset.reset": "none" }),
    ];
    for body in bodies {
        let group = unique("group");
        let answer = create(&group, &body).await;
        let name = answer.ok()["instance_id"].as_str().expect("a text").to_owned();
        assert_eq!(
            app::shared().call("DELETE", &format!("/consumers/{group}/instances/{name}")).send().await.status,
            204
        );
    }
}

#[tokio::test]
async fn the_answer_is_labelled_with_what_the_client_takes() {
    for (accept, expected) in [("*/*", V2), (V2, V2), (JSON_V2, JSON_V2), (JSON, JSON)] {
        let call = app::shared().post(&format!("/consumers/{}", unique("group"))).accept(accept);
        assert_eq!(call.body(JSON, "{}").send().await.media(), Some(expected), "{accept}");
    }
}

/// Every call of an instance, with a body that is good.
fn calls() -> Vec<(&'static str, &'static str, Option<Value>)> {
    let place = json!({ "topic": "t", "partition": 0 });
    let partitions = json!({ "partitions": [place] });
    let offsets = json!({ "offsets": [{ "topic": "t", "partition": 0, "offset": 1 }] });
    vec![
        ("DELETE", "", None),
        ("GET", "/subscription", None),
        ("POST", "/subscription", Some(json!({ "topics": ["t"] }))),
        ("POST", "/subscription", Some(json!({ "topic_pattern": "t" }))),
        ("DELETE", "/subscription", None),
        ("GET", "/assignments", None),
        ("POST", "/assignments", Some(partitions.clone())),
        ("POST", "/positions", Some(offsets.clone())),
        ("POST", "/positions", Some(json!({}))),
        ("POST", "/positions/beginning", Some(partitions.clone())),
        ("POST", "/positions/end", Some(json!({ "partitions": [] }))),
        ("GET", "/offsets", Some(partitions)),
        ("POST", "/offsets", Some(offsets)),
        ("POST", "/offsets", None),
        ("GET", "/records", None),
        ("GET", "/records?timeout=60000", None),
        ("GET", "/topics/t", None),
    ]
}

#[tokio::test]
async fn every_call_of_an_instance_that_is_not_there_is_40403() {
    let instance = Instance::create(app::shared(), &unique("group"), json!({ "name": "gone" })).await;
    let deleted = instance.path.clone();
    instance.delete().await;
    let unknown = format!("/consumers/{}/instances/gone", unique("group"));
    for path in [deleted, unknown] {
        for (method, below, body) in calls() {
            let call = app::shared().call(method, &format!("{path}{below}"));
            let call = match &body {
                Some(body) => call.document(V2, body),
                None => call,
            };
            assert_eq!(call.send().await.error(), (404, 40403), "{method} {path}{below}");
        }
    }
}

#[tokio::test]
async fn a_bad_request_is_told_before_an_instance_that_is_not_there() {
    let path = format!("/consumers/{}/instances/none", unique("group"));
    let cases = [
        ("POST", "/subscription", "", (422, 422)),
        ("POST", "/subscription", "{", (400, 400)),
        ("POST", "/subscription", r#"{"nope":1}"#, (422, 422)),
        ("POST", "/assignments", "{}", (422, 422)),
        ("POST", "/positions", "null", (422, 422)),
        ("POST", "/positions/end", "{}", (422, 422)),
        ("POST", "/offsets", "{}", (422, 422)),
        ("GET", "/offsets", "", (404, 40402)),
        ("GET", "/offsets", "{}", (422, 422)),
    ];
    for (method, below, body, expected) in cases {
        let answer = app::shared().call(method, &format!("{path}{below}")).body(V2, body).send().await;
        assert_eq!(answer.error(), expected, "{method} {below} {body}");
    }
    let answer = app::shared().get(&format!("{path}/records?timeout=x")).send().await;
    assert_eq!(answer.error(), (400, 400));
}

#[tokio::test]
async fn an_instance_leaves_its_group_before_the_deletion_is_answered() {
    let topic = topic_of(1, 0..1);
    let instance = Instance::of_topic(app::shared(), &topic).await;
    instance.collect(1).await;
    assert_eq!(native::members(kafka::shared(), &instance.group), 1);

    instance.delete().await;

    assert_eq!(native::members(kafka::shared(), &instance.group), 0);
    assert_eq!(instance.call("DELETE", "").send().await.error(), (404, 40403));
}

#[tokio::test]
async fn of_many_who_create_one_name_at_once_one_gets_it() {
    let (group, body) = (unique("group"), json!({ "name": "a" }));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (group, body) = (group.clone(), body.clone());
        tasks.spawn(async move { create(&group, &body).await.status });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200], vec![409; 15]].concat());
    let path = format!("/consumers/{group}/instances/a");
    eventually("it can be deleted", PATIENCE, async || {
        (app::shared().call("DELETE", &path).send().await.status == 404).then_some(())
    })
    .await;
}
