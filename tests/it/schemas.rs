//! Schemas with a real registry, and payloads that real Java programs write and read.

use serde_json::{Value, json};

use crate::consume::Instance;
use crate::harness::app::{self, App, config_with, spawn_app};
use crate::harness::java::{Codecs, hex, registry, unhex};
use crate::harness::kafka::{self, NewRecord};

const AVRO: &str = "application/vnd.kafka.avro.v2+json";
const JSON_SCHEMA: &str = "application/vnd.kafka.jsonschema.v2+json";
const PROTOBUF: &str = "application/vnd.kafka.protobuf.v2+json";
const MESSAGE: &str =
    "syntax = \"proto3\"; message M { string name = 1; int32 n = 2; repeated string tags = 3; int64 l = 4; }";

fn app() -> App {
    let urls = format!("schema_registry.urls={}", registry().url);
    spawn_app(config_with(&kafka::shared().bootstrap, &[&urls]))
}

async fn produce(app: &App, topic: &str, media: &str, body: Value) -> Value {
    app.post(&format!("/topics/{topic}")).document(media, &body).send().await.ok()
}

fn values_of(topic: &str) -> Vec<Vec<u8>> {
    kafka::shared().read_partition(topic, 0).into_iter().map(|record| record.value.expect("a value")).collect()
}

fn framed(id: &Value, payload: &[u8]) -> Vec<u8> {
    let id = i32::try_from(id.as_i64().expect("an id")).expect("32 bits");
    [&[0][..], &id.to_be_bytes(), payload].concat()
}

/// Schemas, and values in the order of their fields, which Java's reader of JSON does not put right.
const CASES: [(&str, &str); 12] = [
    (r#""int""#, "-7"),
    (r#""long""#, "9007199254740993"),
    (r#""string""#, r#""é😀\"\\""#),
    (r#""double""#, "0.1"),
    (r#""bytes""#, r#""\u00ff\u0000a""#),
    (r#"["null","string","int"]"#, r#"{"int":3}"#),
    (r#"{"type":"array","items":"long"}"#, "[1,-1,4294967296]"),
    (r#"{"type":"map","values":["null","boolean"]}"#, r#"{"k":{"boolean":true}}"#),
    (r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, r#""B""#),
    (r#"{"type":"fixed","name":"F","size":2}"#, r#""ab""#),
    (
        r#"{"type":"record","name":"Tree","namespace":"x.y","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","Tree"]}]}"#,
        r#"{"v":1,"next":{"x.y.Tree":{"v":2,"next":null}}}"#,
    ),
    (
        r#"{"type":"record","name":"Money","fields":[{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}]}"#,
        r#"{"at":1700000000000,"amount":"\u0004\u00d2"}"#,
    ),
];

#[tokio::test]
async fn avro_is_written_and_read_as_java_does_it() {
    let (app, mut java) = (app(), Codecs::start());
    for (schema, text) in CASES {
        let (topic, value) = (app::topic(1), serde_json::from_str::<Value>(text).expect("JSON"));
        let written = produce(&app, &topic, AVRO, json!({"value_schema": schema, "records": [{"value": value}]})).await;
        let by_java = java.ask(&["avro-write", schema, text]);
        let expected = framed(&written["value_schema_id"], &unhex(&by_java));
        // A schema that is bytes alone has no length before them, as the registry's serializers have it.
        let plain = if schema == r#""bytes""# {
            framed(&written["value_schema_id"], &unhex(&by_java)[1..])
        } else {
            expected.clone()
        };
        assert_eq!(hex(&values_of(&topic)[0]), hex(&plain), "{schema}");
        kafka::shared().produce(&topic, &[NewRecord { value: Some(plain.clone()), ..NewRecord::default() }]);
        let instance = Instance::of_partition(&app, &topic, json!({"format": "avro"})).await;
        let read: Vec<_> = instance.collect(2).await.into_iter().map(|record| record["value"].clone()).collect();
        assert_eq!(read, [value.clone(), value.clone()], "{schema}");
        let by_java: Value =
            serde_json::from_str(&java.ask(&["avro-read", schema, &hex(&expected[5..])])).expect("JSON");
        assert_eq!(by_java, value, "{schema}");
    }
}

#[tokio::test]
async fn protobuf_is_written_and_read_as_java_does_it() {
    let (app, mut java, topic) = (app(), Codecs::start(), app::topic(1));
    let values = [json!({"name": "é", "n": -5, "tags": ["a", ""], "l": "9007199254740993"}), json!({})];
    let records: Vec<_> = values.iter().map(|value| json!({ "value": value })).collect();
    let written = produce(&app, &topic, PROTOBUF, json!({"value_schema": MESSAGE, "records": records})).await;
    let id = &written["value_schema_id"];
    for (value, bytes) in values.iter().zip(values_of(&topic)) {
        let payload = [&[0][..], &unhex(&java.ask(&["protobuf-write", &value.to_string()]))].concat();
        assert_eq!(hex(&bytes), hex(&framed(id, &payload)), "{value}");
    }
    let instance = Instance::of_partition(&app, &topic, json!({"format": "protobuf"})).await;
    for (record, bytes) in instance.collect(2).await.iter().zip(values_of(&topic)) {
        let by_java: Value = serde_json::from_str(&java.ask(&["protobuf-read", &hex(&bytes[6..])])).expect("JSON");
        assert_eq!(record["value"], by_java);
    }
}

#[tokio::test]
async fn json_is_checked_by_its_schema_and_stored_as_text() {
    let (app, topic) = (app(), app::topic(1));
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}).to_string();
    let written =
        produce(&app, &topic, JSON_SCHEMA, json!({"value_schema": schema, "records": [{"value": {"a": 1}}]})).await;
    assert_eq!(hex(&values_of(&topic)[0]), hex(&framed(&written["value_schema_id"], br#"{"a":1}"#)));
    let refused = app.post(&format!("/topics/{topic}"));
    let body =
        json!({"value_schema_id": written["value_schema_id"], "records": [{"value": {"a": 1}}, {"value": {"a": "x"}}]});
    let refused = refused.document(JSON_SCHEMA, &body).send().await;
    assert_eq!(refused.error(), (400, 400));
    assert!(refused.message().contains("records[1].value"), "{}", refused.message());
    assert_eq!(values_of(&topic).len(), 1);
}

#[tokio::test]
async fn a_text_is_a_key_beside_an_avro_value() {
    let (app, topic) = (app(), app::topic(1));
    let call = app.post(&format!("/topics/{topic}?key_format=string"));
    let body = json!({"value_schema": "\"int\"", "records": [{"key": "k", "value": 1}]});
    let answer = call.document(AVRO, &body).send().await.ok();
    assert_eq!(answer["key_schema_id"], Value::Null);
    assert_eq!(kafka::shared().read_partition(&topic, 0)[0].key.as_deref(), Some(&b"k"[..]));
}

#[tokio::test]
async fn a_schema_is_registered_once_and_found_by_every_instance() {
    let (one, other, topic) = (app(), app(), app::topic(1));
    let schema = json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}).to_string();
    let body = json!({"value_schema": schema, "records": [{"value": {"a": 1}}]});
    let (first, second) = (produce(&one, &topic, AVRO, body.clone()).await, produce(&other, &topic, AVRO, body).await);
    assert_eq!(first["value_schema_id"], second["value_schema_id"]);
    let body = json!({"value_schema_id": first["value_schema_id"], "records": [{"value": {"a": 2}}]});
    produce(&other, &topic, AVRO, body.clone()).await;
    let elsewhere = app::topic(1);
    let refused = one.post(&format!("/topics/{elsewhere}")).document(AVRO, &body).send().await;
    assert_eq!(refused.error(), (422, 42207), "the id is not one of this subject");
}
