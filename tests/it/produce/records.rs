//! What a record of a request is on the log.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::app;
use crate::harness::http::{BINARY_V2, JSON_V2, V2};
use crate::harness::kafka::{self, LogRecord};
use crate::harness::{PATIENCE, eventually};
use crate::produce::produce;
use kafka_rest_proxy::config::{Acks, Compression};

#[tokio::test]
async fn base64_is_stored_as_the_bytes_it_stands_for() {
    let log = log_of(BINARY_V2, json!([{ "key": "AAE=", "value": "//79" }, { "value": "YQ" }])).await;
    assert_eq!((log[0].key.as_deref(), log[0].value.as_deref()), (Some(&[0, 1][..]), Some(&[255, 254, 253][..])));
    assert_eq!((log[1].key.as_deref(), log[1].value.as_deref()), (None, Some(&b"a"[..])));
}

#[tokio::test]
async fn json_is_stored_compact_with_its_numbers_as_they_were_written() {
    let cases = [
        (
            "{ \"b\" : 1e10 ,\n\t\"a\" : [ 1.10 , -0.0 , 12345678901234567890123 ] }",
            r#"{"b":1e10,"a":[1.10,-0.0,12345678901234567890123]}"#,
        ),
        (r#""caf\u00e9 \/ x  y""#, "\"café / x  y\""),
        (r#"{"compact":[1,{"a":null}]}"#, r#"{"compact":[1,{"a":null}]}"#),
        ("1e400", "1e400"),
        ("true", "true"),
        (r#""""#, r#""""#),
    ];
    let topic = app::topic(1);
    let records: Vec<String> = cases.iter().map(|(sent, _)| format!(r#"{{"key":{sent},"value":{sent}}}"#)).collect();
    let body = format!("{{\"records\":[{}]}}", records.join(", "));

    let answer = app::shared().post(&format!("/topics/{topic}")).body(JSON_V2, body).send().await;

    assert_eq!(answer.placed().len(), cases.len());
    for (record, (_, stored)) in kafka::shared().read_topic(&topic).into_iter().zip(cases) {
        assert_eq!(text(&record.value), Some(stored.to_owned()));
        assert_eq!(text(&record.key), Some(stored.to_owned()), "a key is JSON too, so a text keeps its quotes");
    }
}

#[tokio::test]
async fn a_null_or_missing_value_is_a_tombstone_and_a_null_or_missing_key_is_none() {
    for media in [BINARY_V2, JSON_V2] {
        let log = log_of(media, json!([{ "key": null, "value": null }, {}])).await;
        for record in log {
            assert_eq!((record.key, record.value), (None, None), "{media}");
        }
    }
}

#[tokio::test]
async fn an_empty_key_and_value_are_not_null() {
    let log = log_of(BINARY_V2, json!([{ "key": "", "value": "" }])).await;
    assert_eq!((log[0].key.as_deref(), log[0].value.as_deref()), (Some(&b""[..]), Some(&b""[..])));
}

#[tokio::test]
async fn headers_and_timestamp_are_on_the_log() {
    let headers = json!([{ "key": "h", "value": "YQ==" }, { "key": "h", "value": "" }, { "key": "n", "value": null }]);
    let log = log_of(JSON_V2, json!([{ "value": 1, "timestamp": 1_700_000_000_000_i64, "headers": headers }])).await;
    let expected = [("h".to_owned(), Some(b"a".to_vec())), ("h".to_owned(), Some(Vec::new())), ("n".to_owned(), None)];
    assert_eq!(log[0].headers, expected);
    assert_eq!(log[0].timestamp_ms, Some(1_700_000_000_000));
}

#[tokio::test]
async fn a_record_without_a_timestamp_has_the_time_of_sending() {
    let before = now_ms();
    let log = log_of(JSON_V2, json!([{ "value": 1 }])).await;
    let timestamp = log[0].timestamp_ms.expect("a timestamp");
    assert!((before..=now_ms()).contains(&timestamp), "{timestamp}");
}

#[tokio::test]
async fn the_answer_has_exactly_the_fields_of_the_contract() {
    let topic = app::topic(1);
    let answer = produce(app::shared(), &topic, BINARY_V2, json!([{ "value": "YQ==" }])).await;
    assert_eq!((answer.status, answer.media()), (200, Some(V2)));
    let expected = r#"{"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null}"#;
    assert_eq!(answer.text(), expected);
}

#[tokio::test]
async fn five_hundred_records_keep_their_order() {
    let topic = app::topic(1);
    let records: Vec<Value> = (0..500).map(|number| json!({ "value": number })).collect();

    let answer = produce(app::shared(), &topic, JSON_V2, Value::from(records)).await;

    assert_eq!(answer.placed(), (0..500).map(|offset| (0, offset)).collect::<Vec<_>>());
    let stored: Vec<_> = kafka::shared().read_topic(&topic).iter().map(|record| text(&record.value)).collect();
    assert_eq!(stored, (0..500).map(|number| Some(number.to_string())).collect::<Vec<_>>());
}

#[tokio::test]
async fn each_offset_answers_the_record_at_its_place_in_the_request() {
    let topic = app::topic(5);
    let records: Vec<Value> = (0..200).map(|n| json!({ "key": n, "value": n, "partition": (n * 7) % 5 })).collect();

    let placed = produce(app::shared(), &topic, JSON_V2, Value::from(records)).await.placed();

    let log = kafka::shared().read_topic(&topic);
    assert_eq!((placed.len(), log.len()), (200, 200));
    for (number, place) in placed.into_iter().enumerate() {
        let record = log.iter().find(|record| (record.partition, record.offset) == place);
        assert_eq!(record.and_then(|record| text(&record.value)), Some(number.to_string()), "{place:?}");
    }
}

#[tokio::test]
async fn a_request_too_large_for_one_chunk_or_for_the_worker_is_stored_whole() {
    let topic = app::topic(1);
    // Above the sizes at which decoding and handing over leave the worker thread.
    let records: Vec<Value> = (0..3000).map(|number| json!({ "value": format!("{number:0200}") })).collect();

    let answer = produce(app::shared(), &topic, JSON_V2, Value::from(records)).await;

    assert_eq!(answer.placed(), (0..3000).map(|offset| (0, offset)).collect::<Vec<_>>());
    let stored = kafka::shared().read_topic(&topic);
    let last = stored.iter().rposition(|record| text(&record.value) == Some(format!("\"{:0200}\"", 2999)));
    assert_eq!(last, Some(2999));
}

#[tokio::test]
async fn every_compression_is_built_in() {
    for compression in [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
    {
        let mut config = app::config();
        config.producer.compression = compression;
        let app = app::spawn_app(config);
        let topic = app::topic(1);
        let value = "compressible ".repeat(1000);
        let answer = produce(&app, &topic, JSON_V2, json!([{ "value": value }, { "value": value }])).await;
        assert_eq!(answer.placed(), [(0, 0), (0, 1)], "{compression:?}");
        let stored = kafka::shared().read_topic(&topic);
        assert_eq!(text(&stored[1].value), Some(format!("\"{value}\"")), "{compression:?}");
    }
}

#[tokio::test]
async fn fewer_acks_are_possible_and_without_any_there_is_no_offset() {
    for (acks, offset) in [(Acks::Leader, 0), (Acks::None, -1)] {
        let mut config = app::config();
        config.producer.acks = acks;
        let app = app::spawn_app(config);
        let topic = app::topic(1);
        let answer = produce(&app, &topic, JSON_V2, json!([{ "value": 1 }])).await;
        assert_eq!(answer.placed(), [(0, offset)], "{acks:?}");
        let stored = async || Some(kafka::shared().read_topic(&topic)).filter(|records| records.len() == 1);
        eventually("the record is on the log", PATIENCE, stored).await;
    }
}

/// Sends records to a new topic of one partition and returns what is on the log then.
async fn log_of(media: &str, records: Value) -> Vec<LogRecord> {
    let topic = app::topic(1);
    let answer = produce(app::shared(), &topic, media, records).await;
    let log = kafka::shared().read_topic(&topic);
    assert_eq!(answer.placed().len(), log.len());
    log
}

fn text(bytes: &Option<Vec<u8>>) -> Option<String> {
    bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("before the year 292278994")
}
