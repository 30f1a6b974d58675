//! Whatever a client sends to the endpoints of consumers is answered, and never with a failure of the proxy.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::consume::{Instance, topic_of};
use crate::harness::app;
use crate::harness::http::{Answer, JSON_V2, V1, V2};
use crate::harness::unique;

const SEED: [u8; 32] = *b"consumers answer whatever comes.";

const CASES: usize = 1200;

/// Names of fields, right and wrong.
const FIELDS: [&str; 22] = [
    "topics",
    "topic_pattern",
    "partitions",
    "offsets",
    "timestamps",
    "topic",
    "partition",
    "offset",
    "timestamp",
    "metadata",
    "name",
    "id",
    "format",
    "auto.offset.reset",
    "auto.commit.enable",
    "fetch.min.bytes",
    "consumer.request.timeout.ms",
    "properties",
    "max.poll.records",
    "isolation.level",
    "nope",
    "",
];

const TEXTS: [&str; 20] = [
    "",
    " ",
    "json",
    "binary",
    "earliest",
    "none",
    "true",
    "0",
    "-1",
    "9223372036854775807",
    "1e5",
    "not legal",
    "..",
    "ü",
    "[",
    ".*",
    "\0",
    "2023-11-14T22:13:22Z",
    "read_committed",
    "99999-99-99T99:99:99Z",
];

fn scalar(topic: String) -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => Just(Value::from(topic)),
        3 => prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        3 => (0..4_i64).prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<String>().prop_map(Value::from),
    ]
}

fn value(topic: String) -> impl Strategy<Value = Value> {
    scalar(topic).prop_recursive(4, 30, 5, |inner| {
        let fields = prop::collection::btree_map(prop::sample::select(&FIELDS[..]), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// Bodies that are nearly right: the fields of an endpoint with values that may be anything.
fn document(topic: String) -> impl Strategy<Value = Value> {
    let entry = |topic: String| {
        let fields = prop::sample::select(vec!["topic", "partition", "offset", "timestamp", "metadata", "nope"]);
        prop::collection::btree_map(fields, scalar(topic.clone()), 0..5).prop_map(move |fields| {
            let mut entry = json!({ "topic": topic, "partition": 0 });
            let all = entry.as_object_mut().expect("it is one");
            all.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
            entry
        })
    };
    let list = prop::sample::select(&["partitions", "offsets", "timestamps"][..]);
    prop_oneof![
        3 => (list, prop::collection::vec(entry(topic.clone()), 0..4)).prop_map(|(name, list)| json!({ name: list })),
        1 => prop::collection::vec(scalar(topic.clone()), 0..4).prop_map(|list| json!({ "topics": list })),
        1 => any::<String>().prop_map(|pattern| json!({ "topic_pattern": pattern })),
        3 => value(topic),
    ]
}

fn body(topic: String) -> impl Strategy<Value = Vec<u8>> {
    let text = document(topic).prop_map(|document| document.to_string().into_bytes());
    let cut = (text, any::<prop::sample::Index>(), 0..12_u8).prop_map(|(mut text, at, how)| {
        let at = at.index(text.len());
        match how {
            0 => text.truncate(at),
            1 => text.insert(at, b'"'),
            2 => text[at] ^= 0x80,
            _ => {}
        }
        text
    });
    prop_oneof![9 => cut, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

fn query() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "timeout",
        "max_bytes",
        "include",
        "offset",
        "timestamp",
        "limit",
        "count",
        "async",
        "x",
    ]);
    let texts = prop_oneof![
        prop::sample::select(&["", "1", "0", "-1", "100", "x", "headers,timestamp", "%", "%00", "%ff", "1e3"][..])
            .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-zA-Z0-9%+:,.-]{0,12}",
    ];
    let pairs = prop::collection::vec((names, texts), 0..4);
    pairs.prop_map(|pairs| pairs.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join("&"))
}

/// Every endpoint with a body or a query; `{i}` is an instance, `{t}` a topic.
const ENDPOINTS: [(&str, &str); 15] = [
    ("POST", "/consumers/{g}"),
    ("POST", "{i}/subscription"),
    ("GET", "{i}/subscription"),
    ("DELETE", "{i}/subscription"),
    ("POST", "{i}/assignments"),
    ("GET", "{i}/assignments"),
    ("POST", "{i}/positions"),
    ("POST", "{i}/positions/beginning"),
    ("POST", "{i}/positions/end"),
    ("POST", "{i}/offsets"),
    ("GET", "{i}/offsets"),
    ("GET", "{i}/records"),
    ("GET", "{i}/topics/{t}"),
    ("GET", "/topics/{t}/partitions/0/records"),
    ("GET", "/topics/{t}/partitions/0/messages"),
];

#[track_caller]
fn check(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text());
    match answer.status {
        200 => drop(answer.json()),
        204 => assert_eq!(answer.body, b"", "{what}"),
        _ => {
            let (status, code) = answer.error();
            assert!(code == u64::from(status) || code >= 40000, "{what}: {status} {code}");
        }
    }
}

#[tokio::test]
async fn every_body_and_query_is_answered() {
    let mut config = app::config();
    config.consumer.max_poll_wait = Duration::from_millis(20);
    config.consumer.max_instances = 30;
    let app = app::spawn_app(config);
    let topic = topic_of(1, 0..20);
    let mut runner = TestRunner::new_with_rng(Runs::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &SEED));
    let all = (prop::sample::select(&ENDPOINTS[..]), body(topic.clone()), query(), 0..20_u8);
    let (mut instance, group) = (None, unique("group"));
    for case in 0..CASES {
        // A new one now and then: what came before stays with it.
        if case % 50 == 0 {
            instance = Some(Instance::of_partition(&app, &topic, json!({})).await);
        }
        let path = instance.as_ref().map(|instance| instance.path.clone()).expect("there is one");
        let ((method, endpoint), body, query, kind) = all.new_tree(&mut runner).expect("a case").current();
        let url = endpoint.replace("{i}", &path).replace("{t}", &topic).replace("{g}", &group);
        let call = app.call(method, &format!("{url}?{query}"));
        let call = match kind {
            0 => call.accept(V1).body(V1, body.clone()),
            1 => call.body(JSON_V2, body.clone()),
            2 => call,
            _ => call.body(V2, body.clone()),
        };
        let what = format!("case {case} of seed {SEED:?}: {method} {url}?{query} {:?}", String::from_utf8_lossy(&body));
        check(&call.send().await, &what);
    }
    let instance = Instance::of_partition(&app, &topic, json!({})).await;
    assert_eq!(instance.collect(20).await.len(), 20, "the proxy is as good as before");
}
