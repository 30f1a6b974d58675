//! Records that were written by schemas of a registry.

use std::time::Duration;

use serde_json::{Value, json};

use crate::consume::{Instance, offsets, values};
use crate::harness::app::{self, App};
use crate::harness::http::{JSON, JSON_V2, V2};
use crate::harness::kafka::{self, NewRecord};
use crate::harness::registry::{Mode, Registry};
use crate::harness::{eventually, unique, waiting::PATIENCE};

const AVRO_V1: &str = "application/vnd.kafka.avro.v1+json";
const AVRO_V2: &str = "application/vnd.kafka.avro.v2+json";

const ONE_FIELD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
const TWO_FIELDS: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null}]}"#;

/// A registry and a proxy that has it.
struct World {
    registry: Registry,
    app: App,
}

impl World {
    fn start() -> World {
        let registry = Registry::start();
        let mut config = app::config();
        config.schema_registry.remote.urls = vec![registry.url().to_owned()];
        config.schema_registry.request_timeout = Duration::from_millis(500);
        config.schema_registry.missing_max_age = Duration::ZERO;
        World { registry, app: app::spawn_app(config) }
    }

    async fn reader(&self, topic: &str, fields: Value) -> Instance {
        Instance::of_partition(&self.app, topic, fields).await
    }
}

fn framed(id: i32, payload: &[u8]) -> Bytes {
    Some([&[0], &id.to_be_bytes()[..], payload].concat())
}

fn bytes(text: &str) -> Bytes {
    Some(text.into())
}

type Bytes = Option<Vec<u8>>;

/// Writes keys and values to partition 0.
fn write(topic: &str, records: &[(Bytes, Bytes)]) {
    let record = |(key, value): &(Bytes, Bytes)| NewRecord {
        partition: Some(0),
        key: key.clone(),
        value: value.clone(),
        ..NewRecord::default()
    };
    kafka::shared().produce(topic, &records.iter().map(record).collect::<Vec<_>>());
}

fn write_values<const N: usize>(topic: &str, values: [Bytes; N]) {
    write(topic, &values.map(|value| (None, value)));
}

fn topic_of_values<const N: usize>(values: [Bytes; N]) -> String {
    let topic = app::topic(1);
    write_values(&topic, values);
    topic
}

/// Returns status and code of a read that fails, and what it says.
async fn failure(instance: &Instance) -> ((u16, u64), String) {
    eventually("a read fails", PATIENCE, async || {
        let answer = instance.get("/records?timeout=5000").send().await;
        (answer.status != 200).then(|| (answer.error(), answer.message()))
    })
    .await
}

#[tokio::test]
async fn a_topic_with_several_versions_and_a_broken_record_is_read_around_it() {
    let world = World::start();
    let one = world.registry.add("s", "AVRO", ONE_FIELD);
    let two = world.registry.add("s", "AVRO", TWO_FIELDS);
    let topic = topic_of_values([
        framed(one, &[2]),
        framed(two, &[4, 2, 2, b'x']),
        framed(one, &[6]),
        bytes("not avro"),
        framed(two, &[10, 0]),
        None,
    ]);
    let instance = world.reader(&topic, json!({ "format": "avro" })).await;
    let before = instance.collect(3).await;
    assert_eq!(values(&before), [json!({ "a": 1 }), json!({ "a": 2, "b": { "string": "x" } }), json!({ "a": 3 })]);
    assert_eq!(before[0], json!({ "topic": topic, "key": null, "value": { "a": 1 }, "partition": 0, "offset": 0 }));
    for _ in 0..2 {
        let (error, message) = failure(&instance).await;
        assert_eq!(error, (408, 40801));
        for part in ["value", topic.as_str(), "partition 0", "offset 3", "AVRO", "position to 4"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
    instance.seek(&topic, 0, 4).await;
    let after = instance.collect(2).await;
    assert_eq!((offsets(&after), values(&after)), (vec![4, 5], vec![json!({ "a": 5, "b": null }), Value::Null]));
    assert_eq!(world.registry.asked("GET", "/schemas/ids/*"), 2);
}

#[tokio::test]
async fn what_does_not_fit_says_why_and_comes_after_the_records_before_it() {
    let world = World::start();
    let avro = world.registry.add("s", "AVRO", r#""int""#);
    let other = world.registry.add("s", "JSON", "{}");
    let unreadable = world.registry.add("s", "AVRO", "{");
    let cases = [
        (bytes(""), "not AVRO".to_owned()),
        (bytes("\0\0\0"), "not AVRO".to_owned()),
        (framed(other, b"{}"), format!("schema {other} is of the type JSON")),
        (framed(999, &[2]), "schema 999".to_owned()),
        (framed(-1, &[2]), "schema -1".to_owned()),
        (framed(unreadable, &[2]), format!("schema {unreadable}")),
        (framed(avro, &[]), format!("schema {avro}")),
        (framed(avro, &[2, 2]), format!("schema {avro}")),
    ];
    for (bad, why) in cases {
        let topic = topic_of_values([framed(avro, &[2]), bad, framed(avro, &[4])]);
        let instance = world.reader(&topic, json!({ "format": "avro" })).await;
        assert_eq!(values(&instance.collect(1).await), [json!(1)], "{why}");
        let (error, message) = failure(&instance).await;
        assert_eq!(error, (408, 40801), "{why}");
        assert!(message.contains(&why) && message.contains("offset 1"), "{why}: {message}");
        instance.seek(&topic, 0, 2).await;
        assert_eq!(values(&instance.collect(1).await), [json!(2)], "{why}");
    }
}

#[tokio::test]
async fn a_schema_that_appears_later_is_found() {
    let world = World::start();
    let topic = topic_of_values([framed(1, &[2])]);
    let instance = world.reader(&topic, json!({ "format": "avro" })).await;
    assert_eq!(failure(&instance).await.0, (408, 40801));
    assert_eq!(world.registry.add("s", "AVRO", r#""int""#), 1);
    assert_eq!(values(&instance.collect(1).await), [json!(1)]);
}

#[tokio::test]
async fn while_the_registry_is_away_known_schemas_go_on_and_others_wait_for_it() {
    let world = World::start();
    let known = world.registry.add("s", "AVRO", r#""int""#);
    let unknown = world.registry.add("s", "AVRO", r#""long""#);
    let topic = topic_of_values([framed(known, &[0])]);
    let instance = world.reader(&topic, json!({ "format": "avro" })).await;
    assert_eq!(offsets(&instance.collect(1).await), [0]);
    for mode in [None, Some(Mode::Frozen), Some(Mode::Status(503))] {
        match mode.clone() {
            None => world.registry.take_down(),
            Some(mode) => world.registry.set_mode(mode),
        }
        // Another schema each time: what was looked up is kept.
        let id = if mode.is_none() {
            unknown
        } else {
            world.registry.add("s", "AVRO", &format!(r#"{{"type":"long","doc":"{mode:?}"}}"#))
        };
        let next = offsets_end(&topic);
        write_values(&topic, [framed(known, &[2]), framed(id, &[4]), framed(known, &[6])]);
        assert_eq!(offsets(&instance.collect(1).await), [next], "{mode:?}");
        for _ in 0..2 {
            let (error, message) = failure(&instance).await;
            assert_eq!(error, (408, 40801), "{mode:?}");
            assert!(message.contains("registry") && message.contains("again"), "{mode:?}: {message}");
        }
        world.registry.bring_up();
        world.registry.set_mode(Mode::Healthy);
        let read = instance.collect(2).await;
        assert_eq!((offsets(&read), values(&read)), (vec![next + 1, next + 2], vec![json!(2), json!(3)]), "{mode:?}");
    }
}

fn offsets_end(topic: &str) -> i64 {
    let records = kafka::shared().read_partition(topic, 0);
    i64::try_from(records.len()).expect("they are few")
}

#[tokio::test]
async fn a_registry_that_comes_and_goes_neither_loses_nor_repeats_a_record() {
    let world = World::start();
    let count = 60;
    let topic = app::topic(1);
    let ids: Vec<_> =
        (0..count).map(|n| world.registry.add("s", "AVRO", &format!(r#"{{"type":"int","doc":"{n}"}}"#))).collect();
    let record = |id: &i32| (None, framed(*id, &[2]));
    write(&topic, &ids.iter().map(record).collect::<Vec<_>>());
    let instance = world.reader(&topic, json!({ "format": "avro", "properties": { "max.poll.records": 7 } })).await;
    let (mut read, mut failures) = (Vec::new(), 0);
    eventually("all are read", PATIENCE, async || {
        let answer = instance.get("/records?timeout=1000").send().await;
        if answer.status == 200 {
            read.extend(offsets(answer.ok().as_array().expect("a list")));
            world.registry.take_down();
        } else {
            assert_eq!(answer.error(), (408, 40801));
            failures += 1;
            world.registry.bring_up();
        }
        (read.len() >= count).then_some(())
    })
    .await;
    assert_eq!(read, (0..i64::try_from(count).expect("few")).collect::<Vec<_>>());
    assert!(failures > 0);
}

#[tokio::test]
async fn records_of_a_client_that_leaves_while_a_schema_is_asked_for_come_again() {
    let registry = Registry::start();
    let known = registry.add("s", "AVRO", r#""int""#);
    let other = registry.add("s", "AVRO", r#""long""#);
    let mut config = app::config();
    config.schema_registry.remote.urls = vec![registry.url().to_owned()];
    let patient = app::spawn_app(config);
    let topic = topic_of_values([framed(known, &[2])]);
    // A read goes on until there is more than there will be: it has the first record when it asks for the other schema.
    let fields = json!({ "format": "avro", "fetch.min.bytes": 1_000_000 });
    let instance = Instance::of_partition(&patient, &topic, fields).await;
    assert_eq!(offsets(&instance.collect_with(1, "?timeout=500").await), [0]);
    write_values(&topic, [framed(known, &[4]), framed(other, &[6])]);
    registry.set_mode(Mode::Frozen);
    let read = instance.get("/records?timeout=60000").patience(Duration::from_secs(60));
    let read = tokio::spawn(read.try_send());
    eventually("the registry is asked", PATIENCE, async || {
        (registry.asked("GET", &format!("/schemas/ids/{other}")) > 0).then_some(())
    })
    .await;
    read.abort();
    registry.set_mode(Mode::Healthy);
    assert_eq!(offsets(&instance.collect_with(2, "?timeout=500").await), [1, 2]);
}

#[tokio::test]
async fn a_read_that_waits_for_the_registry_ends_with_its_instance() {
    let world = World::start();
    world.registry.set_mode(Mode::Frozen);
    let mut config = app::config();
    config.schema_registry.remote.urls = vec![world.registry.url().to_owned()];
    let patient = app::spawn_app(config);
    let topic = topic_of_values([framed(1, &[2])]);
    let instance = Instance::of_partition(&patient, &topic, json!({ "format": "avro" })).await;
    let read = tokio::spawn(instance.get("/records?timeout=60000").send());
    eventually("the registry is asked", PATIENCE, async || {
        (world.registry.asked("GET", "/schemas/ids/1") > 0).then_some(())
    })
    .await;
    instance.delete().await;
    assert_eq!(read.await.expect("it does not panic").error(), (404, 40403));
}

#[tokio::test]
async fn keys_and_values_have_formats_of_their_own() {
    let world = World::start();
    let id = world.registry.add("s", "AVRO", r#""int""#);
    let topic = app::topic(1);
    write(
        &topic,
        &[
            (bytes("k\"1"), framed(id, &[2])),
            (None, framed(id, &[4])),
            (bytes("k"), None),
            (framed(id, &[8]), bytes("{}")),
        ],
    );
    let pairs = |records: &[Value]| -> Vec<_> {
        records.iter().map(|record| (record["key"].clone(), record["value"].clone())).collect()
    };
    let fields = json!({ "format": "avro", "key_format": "string" });
    let read = world.reader(&topic, fields).await.collect(3).await;
    assert_eq!(pairs(&read), [(json!("k\"1"), json!(1)), (Value::Null, json!(2)), (json!("k"), Value::Null)]);
    let fields = json!({ "format": "binary", "key_format": "AVRO", "value_format": "json" });
    let instance = world.reader(&topic, fields).await;
    instance.seek(&topic, 0, 3).await;
    assert_eq!(pairs(&instance.collect(1).await), [(json!(4), json!({}))]);
    let instance =
        world.reader(&topic, json!({ "format": "binary", "value_format": "string", "key_format": "" })).await;
    instance.seek(&topic, 0, 3).await;
    assert_eq!(pairs(&instance.collect(1).await), [(json!("AAAAAAEI"), json!("{}"))]);
}

#[tokio::test]
async fn json_schema_and_protobuf_are_read_too() {
    let world = World::start();
    let schema = world.registry.add("s", "JSON", r#"{"type":"object"}"#);
    let message = r#"syntax = "proto3"; message M { int32 n = 1; string name = 2; }"#;
    let message = world.registry.add("s", "PROTOBUF", message);
    let topic = topic_of_values([framed(schema, br#"{"a": 1.10}"#), None]);
    let read = world.reader(&topic, json!({ "format": "jsonschema" })).await.collect(2).await;
    assert_eq!(values(&read), [json!({ "a": 1.10 }), Value::Null]);
    let topic = topic_of_values([framed(message, &[0, 8, 5]), framed(message, &[0]), None]);
    let instance = world.reader(&topic, json!({ "format": "protobuf" })).await;
    let read = instance.collect(3).await;
    assert_eq!(values(&read), [json!({ "n": 5, "name": "" }), json!({ "n": 0, "name": "" }), Value::Null]);
    let media = "application/vnd.kafka.protobuf.v2+json";
    let nothing = instance.get("/records?timeout=50").accept(media).send().await;
    assert_eq!((nothing.media(), nothing.ok()), (Some(media), json!([])));
}

#[tokio::test]
async fn schemas_may_refer_to_others() {
    let world = World::start();
    world.registry.add("inner", "AVRO", r#"{"type":"record","name":"In","fields":[{"name":"x","type":"int"}]}"#);
    let outer = r#"{"type":"record","name":"Out","fields":[{"name":"in","type":"In"}]}"#;
    let id = world.registry.add_referring("outer", "AVRO", outer, &[("In", "inner", 1)]);
    let topic = topic_of_values([framed(id, &[2])]);
    let read = world.reader(&topic, json!({ "format": "avro" })).await.collect(1).await;
    assert_eq!(values(&read), [json!({ "in": { "x": 1 } })]);
}

#[tokio::test]
async fn a_read_is_labelled_with_the_format_of_the_values() {
    let world = World::start();
    let topic = topic_of_values([bytes("no schema")]);
    let avro = world.reader(&topic, json!({ "format": "avro", "key_format": "string" })).await;
    for (accept, media) in [("*/*", AVRO_V2), (AVRO_V2, AVRO_V2), (V2, V2), (JSON, JSON)] {
        let answer = eventually("the record is reached", PATIENCE, async || {
            let answer = avro.get("/records?timeout=5000").accept(accept).send().await;
            (answer.status != 200).then_some(answer)
        })
        .await;
        assert_eq!((answer.error(), answer.media()), ((408, 40801), Some(media)), "{accept}");
    }
    for accept in [JSON_V2, "application/vnd.kafka.jsonschema.v2+json"] {
        assert_eq!(avro.get("/records").accept(accept).send().await.error(), (406, 40601), "{accept}");
    }
    let text = world.reader(&topic, json!({ "format": "avro", "value_format": "string" })).await;
    assert_eq!(values(&text.collect(1).await), [json!("no schema")]);
    assert_eq!(text.get("/records?timeout=1").send().await.media(), Some(V2));
    assert_eq!(text.get("/records").accept(AVRO_V2).send().await.error(), (406, 40601));
}

#[tokio::test]
async fn formats_that_are_none_or_have_no_registry_are_refused() {
    let world = World::start();
    let create = async |app: &App, body: Value| {
        app.post(&format!("/consumers/{}", unique("group"))).document(V2, &body).send().await.error()
    };
    for body in [json!({ "format": "string" }), json!({ "key_format": "xml" }), json!({ "value_format": 1 })] {
        assert_eq!(create(&world.app, body.clone()).await, (422, 422), "{body}");
    }
    for body in [json!({ "key_format": "avro" }), json!({ "value_format": "protobuf", "format": "json" })] {
        assert_eq!(create(app::shared(), body.clone()).await, (422, 42207), "{body}");
    }
}

#[tokio::test]
async fn a_stateless_read_takes_the_formats_from_the_type_or_from_parameters() {
    let world = World::start();
    let id = world.registry.add("s", "AVRO", r#""int""#);
    let topic = app::topic(1);
    write(
        &topic,
        &[(bytes("k"), framed(id, &[2])), (None, framed(id, &[4])), (None, bytes("no")), (None, framed(id, &[8]))],
    );
    let get = async |query: &str, accept: &str| {
        let path = format!("/topics/{topic}/partitions/0/records?{query}");
        world.app.get(&path).accept(accept).send().await
    };
    let expected = json!([
        { "topic": topic, "key": "k", "value": 1, "partition": 0, "offset": 0 },
        { "topic": topic, "key": null, "value": 2, "partition": 0, "offset": 1 },
    ]);
    for (query, accept, media) in [
        ("key_format=string", AVRO_V2, AVRO_V2),
        ("key_format=string&value_format=avro", "*/*", AVRO_V2),
        ("key_format=String&value_format=AVRO", V2, V2),
    ] {
        let answer = get(query, accept).await;
        assert_eq!((answer.ok(), answer.media()), (expected.clone(), Some(media)), "{query} {accept}");
    }
    assert_eq!(world.registry.asked("GET", "/schemas/ids/*"), 1);
    let broken = get("offset=2", AVRO_V2).await;
    assert_eq!((broken.error(), broken.media()), ((408, 40801), Some(AVRO_V2)));
    assert!(broken.message().contains("offset 2"), "{}", broken.message());
    assert_eq!(get("value_format=avro", JSON_V2).await.error(), (406, 40601));
    assert_eq!(get("value_format=xml", "*/*").await.error(), (400, 400));
    assert_eq!(get("", AVRO_V2).await.error(), (408, 40801), "the key is not Avro");
}

#[tokio::test]
async fn a_stateless_read_has_what_is_before_a_schema_that_cannot_be_had() {
    let world = World::start();
    let known = world.registry.add("s", "AVRO", r#""int""#);
    let other = world.registry.add("s", "AVRO", r#""long""#);
    let topic = topic_of_values([framed(known, &[2]), framed(known, &[4]), framed(other, &[6]), framed(known, &[8])]);
    let get = async |query: &str| {
        world.app.get(&format!("/topics/{topic}/partitions/0/records?{query}")).accept(AVRO_V2).send().await
    };
    assert_eq!(values(get("limit=1").await.ok().as_array().expect("a list")), [json!(1)]);
    world.registry.take_down();
    assert_eq!(values(get("").await.ok().as_array().expect("a list")), [json!(1), json!(2)]);
    assert_eq!(get("offset=2").await.error(), (408, 40801));
    world.registry.bring_up();
    let all = get("").await.ok();
    assert_eq!(values(all.as_array().expect("a list")), [json!(1), json!(2), json!(3), json!(4)]);
}

#[tokio::test]
async fn v1_reads_avro() {
    let world = World::start();
    let id = world.registry.add("s", "AVRO", ONE_FIELD);
    let topic = topic_of_values([framed(id, &[2]), bytes("no")]);
    let messages = format!("/topics/{topic}/partitions/0/messages?offset=0&count=5");
    let answer = world.app.get(&messages).accept(AVRO_V1).send().await;
    assert_eq!(answer.media(), Some(AVRO_V1));
    assert_eq!(values(answer.ok().as_array().expect("a list")), [json!({ "a": 1 })]);
    let path = format!("/consumers/{}", unique("group"));
    let body = json!({ "id": "a", "format": "avro", "auto.offset.reset": "smallest" });
    let v1 = "application/vnd.kafka.v1+json";
    assert_eq!(world.app.post(&path).document(v1, &body).accept(v1).send().await.status, 200);
    let read = format!("{path}/instances/a/topics/{topic}");
    let answer = eventually("the record is read", PATIENCE, async || {
        let answer = world.app.get(&read).send().await;
        (answer.ok() != json!([])).then_some(answer)
    })
    .await;
    assert_eq!(answer.media(), Some(AVRO_V1));
    assert_eq!(values(answer.ok().as_array().expect("a list")), [json!({ "a": 1 })]);
    let broken = world.app.get(&read).accept(AVRO_V1).send().await;
    assert_eq!((broken.error(), broken.media()), ((408, 40801), Some(AVRO_V1)));
    assert_eq!(world.app.call("DELETE", &format!("{path}/instances/a")).send().await.status, 204);
}
