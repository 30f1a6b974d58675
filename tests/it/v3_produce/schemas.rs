//! Records that name schemas.

use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::JSON;
use crate::harness::kafka;
use crate::harness::registry::{Mode, Registry};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::v3_produce::{Open, codes, offsets, path, produce, text_record};

const RECORD: &str =
    r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}"#;

/// A registry of its own and a proxy that uses it.
struct Fixture {
    registry: Registry,
    app: App,
    topic: String,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture::with(&[])
    }

    fn with(settings: &[&str]) -> Fixture {
        let registry = Registry::start();
        let urls = format!("schema_registry.urls={}", registry.url());
        let settings: Vec<_> = settings.iter().copied().chain([urls.as_str()]).collect();
        let app = app::spawn_app(app::config_with(&kafka::shared().bootstrap, &settings));
        Fixture { registry, app, topic: app::topic(1) }
    }

    async fn produce(&self, records: &[Value]) -> Vec<Value> {
        produce(&self.app, &self.topic, body(records)).await
    }

    /// Produces one value and returns its receipt.
    async fn value(&self, value: Value) -> Value {
        self.produce(&[json!({ "value": value })]).await.remove(0)
    }

    fn subject(&self, part: &str) -> String {
        format!("{}-{part}", self.topic)
    }

    /// Returns the values on the log; `None` is null.
    fn log(&self) -> Vec<Option<Vec<u8>>> {
        kafka::shared().read_topic(&self.topic).into_iter().map(|record| record.value).collect()
    }

    /// Returns how often the registry was asked for anything.
    fn asked(&self) -> usize {
        self.registry.asked("*", "*")
    }
}

fn body(records: &[Value]) -> String {
    records.iter().map(Value::to_string).collect()
}

fn raw(data: &Value) -> Value {
    json!({"type": "AVRO", "schema": RECORD, "data": data})
}

/// The bytes of a record of [`RECORD`], where both are short.
fn framed(id: u8, a: u8, b: &str) -> Option<Vec<u8>> {
    Some([&[0, 0, 0, 0, id, a * 2, b.len() as u8 * 2][..], b.as_bytes()].concat())
}

fn failure(receipt: &Value) -> (u64, &str) {
    (receipt["error_code"].as_u64().expect("a code"), receipt["message"].as_str().expect("a message"))
}

#[tokio::test]
async fn a_schema_that_comes_with_its_records_is_registered_once() {
    let fixture = Fixture::new();
    let record = |n: u8| json!({"key": {"type": "AVRO", "schema": "\"string\"", "data": "k"}, "value": raw(&json!({"a": n, "b": "x"}))});
    let receipts = fixture.produce(&(0..50).map(record).collect::<Vec<_>>()).await;
    assert_eq!((codes(&receipts), offsets(&receipts)), (vec![200; 50], (0..50).collect()));
    let (key, value) = (&receipts[0]["key"], &receipts[0]["value"]);
    assert_eq!(
        (&key["type"], &key["subject"], &key["size"]),
        (&json!("AVRO"), &json!(fixture.subject("key")), &json!(7))
    );
    let id = u8::try_from(value["schema_id"].as_u64().unwrap()).unwrap();
    let expected =
        json!({"type": "AVRO", "subject": fixture.subject("value"), "schema_id": id, "schema_version": 1, "size": 8});
    assert_eq!(value, &expected);
    assert_eq!(fixture.log(), (0..50).map(|n| framed(id, n, "x")).collect::<Vec<_>>());
    assert_eq!(fixture.registry.asked("POST", "/subjects/*/versions"), 2);

    // Another batch asks for nothing.
    let asked = fixture.asked();
    assert_eq!(codes(&fixture.produce(&[record(1)]).await), [200]);
    assert_eq!(fixture.asked(), asked);
}

#[tokio::test]
async fn a_schema_is_found_as_latest_by_version_and_by_id() {
    let fixture = Fixture::new();
    let subject = fixture.subject("value");
    let old = fixture.registry.add(&subject, "AVRO", "\"int\"");
    let new = fixture.registry.add(&subject, "AVRO", RECORD);
    let good = json!({"a": 1, "b": ""});
    let cases = [
        (json!({"data": good}), new, 2),
        (json!({"schema_version": 2, "data": good}), new, 2),
        (json!({"schema_version": 1, "data": 5}), old, 1),
        (json!({"schema_id": old, "data": 5}), old, 1),
        (json!({"schema_id": new, "subject": subject, "data": good}), new, 2),
        (json!({"subject_name_strategy": "TOPIC_NAME", "data": good}), new, 2),
    ];
    for (value, id, version) in cases {
        let receipt = fixture.value(value.clone()).await;
        let told = &receipt["value"];
        assert_eq!(receipt["error_code"], 200, "{value}: {receipt}");
        assert_eq!((&told["schema_id"], &told["schema_version"]), (&json!(id), &json!(version)), "{value}");
        assert_eq!(told["subject"], subject.as_str());
    }
    assert_eq!(fixture.log().len(), 6);
}

#[tokio::test]
async fn subjects_are_named_by_name_and_by_strategy() {
    let fixture = Fixture::new();
    let own = unique("own\"");
    let with = |field: &str, value: &str| {
        let mut given = raw(&json!({"a": 1, "b": "x"}));
        given[field] = value.into();
        given
    };
    let by_topic_and_name = format!("{}-n.R", fixture.topic);
    let cases = [
        (with("subject", &own), own.as_str()),
        (with("subject_name_strategy", "RECORD_NAME"), "n.R"),
        (with("subject_name_strategy", "TOPIC_RECORD_NAME"), &by_topic_and_name),
    ];
    for (value, subject) in cases {
        let receipt = fixture.value(value).await;
        assert_eq!((&receipt["error_code"], &receipt["value"]["subject"]), (&json!(200), &json!(subject)), "{receipt}");
        assert_eq!(fixture.registry.versions(subject), 1);
    }
    let id = fixture.registry.add("n.R", "AVRO", RECORD);
    let by_id = json!({"schema_id": id, "subject_name_strategy": "RECORD_NAME", "data": {"a": 1, "b": ""}});
    assert_eq!(fixture.value(by_id).await["value"]["subject"], "n.R");

    let nameless = json!({"type": "AVRO", "schema": "\"int\"", "subject_name_strategy": "RECORD_NAME", "data": 1});
    let latest = json!({"subject_name_strategy": "RECORD_NAME", "data": 1});
    for refused in [nameless, latest] {
        assert_eq!(failure(&fixture.value(refused).await).0, 400);
    }
}

#[tokio::test]
async fn a_schema_that_refers_to_others_is_found_by_its_id() {
    let fixture = Fixture::new();
    fixture.registry.add("inner", "AVRO", r#"{"type":"record","name":"I","fields":[]}"#);
    let outer = r#"{"type":"record","name":"O","fields":[{"name":"i","type":"I"}]}"#;
    let id = fixture.registry.add_referring(&fixture.subject("value"), "AVRO", outer, &[("I", "inner", 1)]);
    let receipt = fixture.value(json!({"schema_id": id, "data": {"i": {}}})).await;
    assert_eq!((&receipt["value"]["schema_id"], &receipt["value"]["size"]), (&json!(id), &json!(5)), "{receipt}");
}

#[tokio::test]
async fn json_schema_and_protobuf_are_told_by_their_types() {
    let fixture = Fixture::new();
    let schema = r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#;
    let given = json!({"type": "JSONSCHEMA", "subject": "j", "schema": schema, "data": {"a": 1}});
    let receipt = fixture.value(given).await;
    let value = &receipt["value"];
    assert_eq!(
        (&value["type"], &value["subject"], &value["size"]),
        (&json!("JSONSCHEMA"), &json!("j"), &json!(12)),
        "{receipt}"
    );
    assert_eq!(failure(&fixture.value(json!({"subject": "j", "data": {"a": "x"}})).await).0, 400);

    let schema = "syntax = \"proto3\"; message M { string a = 1; }";
    let given = json!({"type": "PROTOBUF", "subject": "p", "schema": schema, "data": {"a": "x"}});
    let receipt = fixture.value(given).await;
    let value = &receipt["value"];
    assert_eq!((&value["type"], &value["size"]), (&json!("PROTOBUF"), &json!(9)), "{receipt}");
    assert_eq!(failure(&fixture.value(json!({"subject": "p", "data": {"zz": "x"}})).await).0, 400);
}

#[tokio::test]
async fn plain_records_and_failures_keep_their_places_among_those_with_schemas() {
    let fixture = Fixture::new();
    let text = |text: &str| json!({"value": {"type": "STRING", "data": text}});
    let by_schema = |n: u8| json!({"value": raw(&json!({"a": n, "b": "x"}))});
    let records = [
        text("first"),
        by_schema(1),
        json!({"value": raw(&json!({"a": "no number", "b": "x"}))}),
        text("second"),
        json!({"value": {"schema_id": 999_999, "data": 1}}),
        json!({"bogus": 1}),
        by_schema(2),
        json!({"value": {"type": "AVRO", "schema": "{bad", "data": 1}}),
        text("last"),
    ];
    let receipts = fixture.produce(&records).await;
    assert_eq!(codes(&receipts), [200, 200, 400, 200, 422, 400, 200, 422, 200]);
    assert_eq!(offsets(&receipts), [0, 1, -1, 2, -1, -1, 3, -1, 4]);
    let id = u8::try_from(receipts[1]["value"]["schema_id"].as_u64().unwrap()).unwrap();
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let expected = [bytes("first"), framed(id, 1, "x"), bytes("second"), framed(id, 2, "x"), bytes("last")];
    assert_eq!(fixture.log(), expected);
}

#[tokio::test]
async fn what_cannot_be_found_or_read_is_a_failure_of_its_record() {
    let fixture = Fixture::new();
    fixture.registry.add(&fixture.subject("value"), "AVRO", "\"int\"");
    let elsewhere = fixture.registry.add("elsewhere", "AVRO", "\"long\"");
    let missing = format!("Bad Request: Schema does not exist for subject: {}, version: 9", fixture.subject("value"));
    let by_id = "Error: 42207 : Error serializing message. Error when fetching schema by id. schemaId = 999";
    let cases = [
        (json!({"schema_id": 999, "data": 1}), 422, by_id),
        (json!({"schema_id": elsewhere, "data": 1}), 422, "Error: 42207 : Error serializing message. "),
        (json!({"subject": "nosuch", "data": 1}), 422, "Error: 42207 : Error serializing message. "),
        (json!({"schema_version": 9, "data": 1}), 400, missing.as_str()),
        (json!({"schema_version": -1, "data": 1}), 400, "Bad Request: Schema does not exist for subject: "),
        (json!({"type": "AVRO", "schema": "{bad", "data": 1}), 422, "Error: 42205 : Invalid schema: "),
        (json!({"data": "text"}), 400, "Bad Request: "),
    ];
    for (value, code, beginning) in cases {
        let receipt = fixture.value(value.clone()).await;
        let (told, message) = failure(&receipt);
        assert_eq!(told, code, "{value}: {message}");
        assert!(message.starts_with(beginning), "{value}: {message}");
    }
    assert_eq!(fixture.log(), []);
}

#[tokio::test]
async fn what_the_registry_refuses_is_told_as_it_says() {
    let fixture = Fixture::new();
    fixture.registry.set_mode(Mode::Refuses(409, 409, "Schema being registered is incompatible"));
    let receipt = fixture.value(raw(&json!({"a": 1, "b": ""}))).await;
    let text = "Error: 42207 : Error serializing message. Schema being registered is incompatible";
    assert_eq!(failure(&receipt), (422, text));
    fixture.registry.set_mode(Mode::Refuses(403, 40301, "User is denied operation Write"));
    let other = json!({"type": "AVRO", "schema": "\"int\"", "data": 1});
    assert_eq!(failure(&fixture.value(other).await), (40301, "User is denied operation Write"));
}

#[tokio::test]
async fn null_data_is_a_tombstone_under_a_schema_too() {
    let fixture = Fixture::new();
    let receipt = fixture.value(raw(&Value::Null)).await;
    let value = &receipt["value"];
    assert_eq!((&value["schema_version"], &value["size"]), (&json!(1), &json!(-1)), "{receipt}");
    assert_eq!(fixture.log(), [None]);
}

#[tokio::test]
async fn a_stream_goes_on_when_the_registry_goes_away_and_comes_back() {
    let fixture = Fixture::with(&["schema_registry.request_timeout=500ms"]);
    let by_schema = json!({"value": raw(&json!({"a": 1, "b": "x"}))}).to_string();
    let mut stream = Open::new(&fixture.app, &fixture.topic).await;
    fixture.registry.take_down();
    stream.send(text_record("a") + &by_schema + &text_record("b")).await;
    let receipts = stream.receipts(3).await;
    assert_eq!(codes(&receipts), [200, 422, 200]);
    let message = failure(&receipts[1]).1;
    assert!(message.starts_with("Error: 42207 : Error serializing message. "), "{message}");

    // One that hangs holds the stream up no longer than it may.
    fixture.registry.bring_up();
    fixture.registry.set_mode(Mode::Frozen);
    stream.send(by_schema.clone() + &text_record("c")).await;
    assert_eq!(codes(&stream.receipts(2).await), [422, 200]);

    fixture.registry.set_mode(Mode::Healthy);
    stream.send(by_schema.clone()).await;
    assert_eq!(codes(&stream.receipts(1).await), [200]);

    // What is known goes on without it.
    fixture.registry.take_down();
    stream.send(by_schema).await;
    let receipts = stream.finish().await;
    assert_eq!((codes(&receipts), offsets(&receipts)), (vec![200], vec![4]));
}

#[tokio::test]
async fn the_latest_version_is_followed_and_outlives_the_registry() {
    let fixture = Fixture::with(&["schema_registry.latest_max_age=0s", "schema_registry.request_timeout=300ms"]);
    let subject = fixture.subject("value");
    let latest = async |data: Value| fixture.value(json!({ "data": data })).await;
    fixture.registry.add(&subject, "AVRO", "\"int\"");
    assert_eq!(latest(json!(1)).await["value"]["schema_version"], 1);
    fixture.registry.add(&subject, "AVRO", "\"string\"");
    assert_eq!(latest(json!("text")).await["value"]["schema_version"], 2);
    for mode in [Mode::Frozen, Mode::Status(503)] {
        fixture.registry.set_mode(mode);
        assert_eq!(latest(json!("text")).await["value"]["schema_version"], 2);
    }
}

#[tokio::test]
async fn a_look_up_that_waits_holds_back_no_receipts_and_lets_the_stream_be_left() {
    let fixture = Fixture::with(&["schema_registry.request_timeout=60s"]);
    fixture.registry.set_mode(Mode::Frozen);
    let mut stream = Open::new(&fixture.app, &fixture.topic).await;
    stream.send(text_record("a")).await;
    assert_eq!(codes(&stream.receipts(1).await), [200]);
    stream.send(json!({"value": raw(&json!({"a": 1, "b": "x"}))}).to_string()).await;
    let asked = async || (fixture.asked() > 0).then_some(());
    eventually("the registry is asked", PATIENCE, asked).await;
    drop(stream);
    // Others are served meanwhile.
    assert_eq!(codes(&produce(&fixture.app, &fixture.topic, text_record("b")).await), [200]);
    assert_eq!(fixture.log().len(), 2);
}

#[tokio::test]
async fn a_record_that_is_read_off_the_worker_finds_its_schema() {
    let fixture = Fixture::new();
    let long = "x".repeat(700_000);
    let records = [
        json!({"value": raw(&json!({"a": 1, "b": "x"}))}),
        json!({"value": raw(&json!({"a": 2, "b": long}))}),
        json!({"value": {"type": "STRING", "data": "last"}}),
    ];
    let receipts = fixture.produce(&records).await;
    assert_eq!((codes(&receipts), offsets(&receipts)), (vec![200; 3], vec![0, 1, 2]));
    assert_eq!(fixture.log()[1].as_ref().map(Vec::len), Some(5 + 1 + 3 + 700_000));
}

#[tokio::test]
async fn no_schema_is_registered_for_a_topic_that_is_not_there() {
    let fixture = Fixture::new();
    let topic = unique("nowhere");
    let record = json!({"value": raw(&json!({"a": 1, "b": "x"}))});
    assert_eq!(codes(&produce(&fixture.app, &topic, body(&[record.clone(), record])).await), [40401, 40401]);
    assert_eq!(fixture.asked(), 0);
}

#[tokio::test]
async fn entries_of_a_batch_have_schemas_too() {
    let fixture = Fixture::new();
    let entries = json!({"entries": [
        {"id": "a", "value": raw(&json!({"a": 1, "b": "x"}))},
        {"id": "b", "value": {"type": "STRING", "data": "plain"}},
        {"id": "c", "value": {"schema_id": 999, "data": 1}},
        {"id": "d", "value": raw(&json!({"a": 2, "b": "x"}))},
        {"id": "e", "value": raw(&json!({"a": 2}))},
    ]});
    let answer = fixture.app.post(&(path(&fixture.topic) + ":batch")).document(JSON, &entries).send().await;
    assert_eq!(answer.status, 207);
    let answer = answer.json();
    let ids = |list: &str| answer[list].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids("successes"), ["a", "b", "d"]);
    assert_eq!(ids("failures"), ["c", "e"]);
    assert_eq!(answer["successes"][2]["offset"], 2);
    assert_eq!(answer["successes"][2]["value"]["subject"], fixture.subject("value").as_str());
    assert_eq!(codes(answer["failures"].as_array().unwrap()), [422, 400]);
}

#[tokio::test]
async fn without_a_registry_only_records_with_schemas_fail() {
    let topic = app::topic(1);
    let records = [
        json!({"value": raw(&json!({"a": 1, "b": "x"}))}),
        json!({"value": {"data": 1}}),
        json!({"value": {"schema_id": 1, "data": 1}}),
        json!({"value": {"schema_version": 1, "data": 1}}),
        json!({}),
    ];
    let receipts = produce(app::shared(), &topic, body(&records)).await;
    assert_eq!((codes(&receipts), offsets(&receipts)), (vec![422, 422, 422, 422, 200], vec![-1, -1, -1, -1, 0]));
    let text = "Error: 42206 : Payload error. Schema Registry must be configured when using schemas.";
    assert!(receipts[..4].iter().all(|receipt| failure(receipt).1 == text));
}
