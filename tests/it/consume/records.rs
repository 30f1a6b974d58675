//! What a record looks like in an answer, and records that have no such look.

use serde_json::{Value, json};

use crate::consume::{Instance, assert_done, offsets, topic_of, values, write};
use crate::harness::app;
use crate::harness::http::JSON_V2;
use crate::harness::kafka::{self, NewRecord};

fn produced(records: &[NewRecord]) -> String {
    let topic = app::topic(1);
    let in_partition_0 = |record: &NewRecord| NewRecord { partition: Some(0), ..record.clone() };
    kafka::shared().produce(&topic, &records.iter().map(in_partition_0).collect::<Vec<_>>());
    topic
}

fn valued(value: &str) -> NewRecord {
    NewRecord { value: Some(value.into()), ..NewRecord::default() }
}

async fn of(topic: &str, format: &str) -> Instance {
    Instance::of_partition(app::shared(), topic, json!({ "format": format })).await
}

#[tokio::test]
async fn binary_is_base64_empty_is_empty_and_a_tombstone_is_null() {
    let topic = produced(&[
        NewRecord::new("k", [0, 159, 146, 150]),
        NewRecord { key: Some(b"k".into()), ..NewRecord::default() },
        NewRecord::new("", ""),
        NewRecord::default(),
    ]);
    let read = of(&topic, "binary").await.collect(4).await;
    let expected = [
        json!({ "topic": topic, "key": "aw==", "value": "AJ+Slg==", "partition": 0, "offset": 0 }),
        json!({ "topic": topic, "key": "aw==", "value": null, "partition": 0, "offset": 1 }),
        json!({ "topic": topic, "key": "", "value": "", "partition": 0, "offset": 2 }),
        json!({ "topic": topic, "key": null, "value": null, "partition": 0, "offset": 3 }),
    ];
    assert_eq!(read, expected);
}

#[tokio::test]
async fn json_is_what_was_written() {
    let texts = [r#""s ünï 世界 😀""#, "null", "43.2", "[1, {\"x\": null}]", "true", r#""\u00fc\n""#, "{}", r#"" ""#];
    let mut records: Vec<_> = texts.iter().map(|text| NewRecord::new(*text, *text)).collect();
    records.push(NewRecord { key: Some(b"\"k\"".into()), ..NewRecord::default() });
    let topic = produced(&records);
    let read = of(&topic, "json").await.collect(records.len()).await;
    let expected: Vec<Value> = texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
    assert_eq!(values(&read)[..texts.len()], expected);
    for (record, value) in read.iter().zip(&expected) {
        assert_eq!(&record["key"], value);
    }
    assert_eq!(
        read[texts.len()],
        json!({ "topic": topic, "key": "k", "value": null, "partition": 0, "offset": texts.len() })
    );
}

#[tokio::test]
async fn numbers_keep_their_text() {
    let text = r#"{"a":1.10,"b":1e10,"c":0.12345678901234567890123,"d":1e400,"e":123456789012345678901234567890}"#;
    let topic = produced(&[valued(text)]);
    let answer = of(&topic, "json").await.get("/records?timeout=30000").send().await;
    assert!(answer.text().contains(text), "{}", answer.text());
}

#[tokio::test]
async fn headers_and_timestamp_come_when_asked_for() {
    let full = NewRecord {
        headers: vec![
            ("h".to_owned(), Some(vec![0, 159])),
            ("h".to_owned(), None),
            ("ü\"".to_owned(), Some(Vec::new())),
        ],
        timestamp_ms: Some(1_700_000_000_000),
        ..NewRecord::new("1", "2")
    };
    let plain = NewRecord { timestamp_ms: Some(1_700_000_000_001), ..valued("3") };
    let topic = produced(&[full, plain]);
    let headers =
        json!([{ "key": "h", "value": "AJ8=" }, { "key": "h", "value": null }, { "key": "ü\"", "value": "" }]);
    let cases = [
        ("", None, None),
        ("&include=", None, None),
        ("&include=headers", Some(&headers), None),
        ("&include=timestamp", None, Some(1_700_000_000_000_i64)),
        ("&include=headers,timestamp", Some(&headers), Some(1_700_000_000_000)),
        ("&include=timestamp%2C%20headers", Some(&headers), Some(1_700_000_000_000)),
    ];
    for (include, headers, timestamp) in cases {
        let instance = of(&topic, "json").await;
        let read = instance.collect_with(2, &format!("?timeout=5000{include}")).await;
        assert_eq!(read[0].get("headers"), headers, "{include}");
        assert_eq!(read[0].get("timestamp"), timestamp.map(Value::from).as_ref(), "{include}");
        assert_eq!(read[1].get("headers"), headers.map(|_| json!([])).as_ref(), "{include}");
        assert_eq!(read[1].get("timestamp"), timestamp.map(|ms| json!(ms + 1)).as_ref(), "{include}");
    }
}

#[tokio::test]
async fn a_record_that_is_no_json_is_told_after_those_before_it_and_can_be_sought_past() {
    let bad = ["hello", "", "{", "1 2", "\u{feff}1", "NaN", "'a'"];
    for text in bad {
        let topic = produced(&[valued("0"), valued("1"), valued(text), valued("3")]);
        let instance = of(&topic, "json").await;
        assert_eq!(values(&instance.collect(2).await), [0, 1], "{text:?}");
        for _ in 0..2 {
            let answer = instance.get("/records?timeout=30000").send().await;
            assert_eq!((answer.error(), answer.media()), ((408, 40801), Some(JSON_V2)), "{text:?}");
            for part in [format!("topic {topic}"), "partition 0".to_owned(), "offset 2".to_owned()] {
                assert!(answer.message().contains(&part), "{}", answer.message());
            }
        }
        instance.commit_delivered().await;
        assert_eq!(instance.committed(&topic, 0).await, Some(2), "what was delivered, and no more");
        instance.seek(&topic, 0, 3).await;
        assert_eq!(values(&instance.collect(1).await), [3], "{text:?}");
    }
}

#[tokio::test]
async fn a_bad_key_counts_as_well_and_bytes_that_are_no_utf8() {
    let cases = [NewRecord::new("k", "1"), NewRecord::new("1", *b"\"\xff\"")];
    for record in cases {
        let topic = produced(&[record]);
        let instance = of(&topic, "json").await;
        assert_eq!(instance.get("/records?timeout=30000").send().await.error(), (408, 40801));
        instance.seek(&topic, 0, 1).await;
        write(&topic, 0, 1..2);
        assert_eq!(values(&instance.collect(1).await), [1]);
        let binary = of(&topic, "binary").await;
        assert_eq!(offsets(&binary.collect(2).await), [0, 1], "as binary it can be read");
    }
}

#[tokio::test]
async fn a_bad_record_of_one_partition_does_not_cost_records_of_another() {
    let topic = app::topic(2);
    let bad = NewRecord { partition: Some(0), value: Some(b"bad".to_vec()), ..NewRecord::default() };
    kafka::shared().produce(&topic, &[bad]);
    write(&topic, 1, 0..20);
    let instance = Instance::of_topic(app::shared(), &topic).await;
    let mut read = Vec::new();
    crate::harness::eventually("the other partition is read", crate::harness::PATIENCE, async || {
        let answer = instance.get("/records?timeout=1000").send().await;
        match answer.status {
            200 => read.extend(crate::consume::records(&answer)),
            _ => {
                assert_eq!(answer.error(), (408, 40801));
                instance.seek(&topic, 0, 1).await;
            }
        }
        (read.len() == 20).then_some(())
    })
    .await;
    assert_eq!(offsets(&read), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_bad_record_is_left_behind_by_every_way_to_go_elsewhere() {
    let good = topic_of(1, 5..6);
    for way in ["beginning", "end", "assign", "unsubscribe"] {
        let topic = produced(&[valued("0"), valued("bad")]);
        let instance = of(&topic, "json").await;
        instance.collect(1).await;
        assert_eq!(instance.get("/records?timeout=30000").send().await.error(), (408, 40801));
        match way {
            "assign" => instance.assign(&[(&good, 0)]).await,
            "unsubscribe" => {
                assert_done(&instance.call("DELETE", "/subscription").send().await);
                instance.subscribe(&[&good]).await;
            }
            edge => assert_done(&instance.post(&format!("/positions/{edge}"), json!({ "partitions": [] })).await),
        }
        if way == "end" {
            write(&topic, 0, 5..6);
        }
        let expected = if way == "beginning" { 0 } else { 5 };
        assert_eq!(values(&instance.collect(1).await), [expected], "{way}");
    }
}
