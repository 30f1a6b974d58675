//! Where to go on.

use serde_json::{Value, json};

use crate::consume::{Instance, assert_done, offsets, partitions_of, places, topic_of, values, write};
use crate::harness::app;
use crate::harness::http::V2;
use crate::harness::kafka::{self, NewRecord};
use crate::harness::unique;

/// Milliseconds of the first of the records of [`timed`], which are a second apart.
const FIRST_MS: i64 = 1_700_000_000_000;

/// Returns a topic with three records that are a second apart.
fn timed() -> String {
    let topic = app::topic(1);
    let record = |number: i64| NewRecord {
        partition: Some(0),
        value: Some(number.to_string().into()),
        timestamp_ms: Some(FIRST_MS + number * 1000),
        ..NewRecord::default()
    };
    kafka::shared().produce(&topic, &[0, 1, 2].map(record));
    topic
}

async fn of(topic: &str) -> Instance {
    Instance::of_partition(app::shared(), topic, json!({})).await
}

#[tokio::test]
async fn reading_goes_on_at_an_offset_the_beginning_and_the_end() {
    let topic = topic_of(1, 0..5);
    let instance = of(&topic).await;
    let here = partitions_of(&[(&topic, 0)]);
    // Before the first read as well.
    instance.seek(&topic, 0, 3).await;
    assert_eq!(offsets(&instance.collect(2).await), [3, 4]);
    instance.seek(&topic, 0, 1).await;
    assert_eq!(offsets(&instance.collect(4).await), [1, 2, 3, 4]);
    assert_done(&instance.post("/positions/beginning", here.clone()).await);
    assert_eq!(offsets(&instance.collect(5).await), [0, 1, 2, 3, 4]);
    instance.seek(&topic, 0, 0).await;
    assert_done(&instance.post("/positions/end", here).await);
    assert_eq!(instance.read("?timeout=300").await, Vec::<Value>::new());
    write(&topic, 0, 5..6);
    assert_eq!(offsets(&instance.collect(1).await), [5]);
}

#[tokio::test]
async fn the_end_is_the_end_at_the_time_of_the_call() {
    let topic = topic_of(1, 0..3);
    for next in 3..8 {
        let instance = of(&topic).await;
        assert_done(&instance.post("/positions/end", partitions_of(&[(&topic, 0)])).await);
        write(&topic, 0, next..next + 1);
        assert_eq!(offsets(&instance.collect(1).await), [next], "written right after the call");
    }
}

#[tokio::test]
async fn an_empty_list_means_all_that_are_assigned() {
    let topic = app::topic(2);
    write(&topic, 0, 0..2);
    write(&topic, 1, 0..2);
    let instance = Instance::of_topic(app::shared(), &topic).await;
    instance.collect(4).await;
    for (edge, expected) in [("beginning", 4), ("end", 0)] {
        assert_done(&instance.post(&format!("/positions/{edge}"), json!({ "partitions": [] })).await);
        let read = if expected == 0 { instance.read("?timeout=300").await } else { instance.collect(expected).await };
        assert_eq!(read.len(), expected, "{edge}");
    }
    let idle = Instance::create(app::shared(), &unique("group"), json!({})).await;
    assert_done(&idle.post("/positions/end", json!({ "partitions": [] })).await);
}

#[tokio::test]
async fn what_was_fetched_before_is_dropped() {
    let topic = app::topic(2);
    write(&topic, 0, 0..100);
    write(&topic, 1, 0..1);
    let instance = Instance::create(app::shared(), &unique("group"), json!({})).await;
    instance.assign(&[(&topic, 0)]).await;
    assert_eq!(offsets(&instance.collect_with(1, "?timeout=5000&max_bytes=1").await), [0]);
    instance.seek(&topic, 0, 50).await;
    assert_eq!(offsets(&instance.collect_with(1, "?timeout=5000&max_bytes=1").await), [50]);
    instance.seek(&topic, 0, 10).await;
    assert_eq!(offsets(&instance.collect_with(2, "?timeout=5000&max_bytes=1").await), [10, 11]);
}

#[tokio::test]
async fn moving_one_partition_leaves_the_others_where_they_are() {
    let topic = app::topic(2);
    write(&topic, 0, 0..20);
    write(&topic, 1, 0..20);
    let instance = Instance::create(app::shared(), &unique("group"), json!({})).await;
    instance.assign(&[(&topic, 0), (&topic, 1)]).await;
    let first = instance.collect_with(4, "?timeout=5000&max_bytes=1").await;
    instance.seek(&topic, 0, 15).await;
    let left: Vec<_> =
        (0..20).filter(|offset| !places(&first).contains(&(1, *offset))).map(|offset| (1, offset)).collect();
    let rest = places(&instance.collect(left.len() + 5).await);
    assert_eq!(rest, [(15..20).map(|offset| (0, offset)).collect::<Vec<_>>(), left].concat());
}

#[tokio::test]
async fn a_timestamp_is_the_first_record_that_is_not_older() {
    let topic = timed();
    let instance = of(&topic).await;
    let cases = [
        (json!("2023-11-14T22:13:21Z"), 1),
        (json!("2023-11-14T22:13:20.001Z"), 1),
        (json!("2023-11-14T23:13:22+01:00"), 2),
        (json!("1970-01-01T00:00:00Z"), 0),
        (json!(1_700_000_001), 1),
        (json!(1_700_000_000.5), 1),
        (json!("1700000002"), 2),
        (json!(FIRST_MS + 2000), 2),
        (json!(0), 0),
    ];
    for (timestamp, expected) in cases {
        let times = json!({ "timestamps": [{ "topic": topic, "partition": 0, "timestamp": timestamp }] });
        assert_done(&instance.post("/positions", times).await);
        assert_eq!(offsets(&instance.collect(1).await)[0], expected, "{timestamp}");
    }
}

#[tokio::test]
async fn a_timestamp_after_the_last_record_is_the_end() {
    let topic = timed();
    let instance = of(&topic).await;
    let times = json!({ "timestamps": [{ "topic": topic, "partition": 0, "timestamp": "2050-01-01T00:00:00Z" }] });
    assert_done(&instance.post("/positions", times).await);
    assert_eq!(instance.read("?timeout=300").await, Vec::<Value>::new());
    write(&topic, 0, 3..4);
    assert_eq!(offsets(&instance.collect(1).await), [3]);
}

#[tokio::test]
async fn timestamps_win_over_offsets_and_the_last_of_two_offsets_counts() {
    let topic = timed();
    let instance = of(&topic).await;
    let place = |offset: i64| json!({ "topic": topic, "partition": 0, "offset": offset, "metadata": "ignored" });
    let time = json!({ "topic": topic, "partition": 0, "timestamp": "2023-11-14T22:13:21Z" });
    assert_done(&instance.post("/positions", json!({ "offsets": [place(0)], "timestamps": [time] })).await);
    assert_eq!(offsets(&instance.collect(2).await), [1, 2]);
    assert_done(&instance.post("/positions", json!({ "offsets": [place(0), place(2)] })).await);
    assert_eq!(offsets(&instance.collect(1).await), [2]);
    let twice = instance.post("/positions", json!({ "timestamps": [time, time] })).await;
    assert_eq!(twice.error(), (409, 40903));
}

#[tokio::test]
async fn an_offset_past_the_end_falls_back_to_the_reset_policy() {
    let topic = topic_of(1, 0..3);
    let instance = of(&topic).await;
    instance.seek(&topic, 0, 1000).await;
    assert_eq!(offsets(&instance.collect(3).await), [0, 1, 2]);
}

#[tokio::test]
async fn a_bad_entry_moves_nothing() {
    let topic = topic_of(2, 0..5);
    let instance = of(&topic).await;
    assert_eq!(offsets(&instance.collect_with(2, "?timeout=5000&max_bytes=1").await), [0, 1]);
    let good = json!({ "topic": topic, "partition": 0, "offset": 4 });
    let cases = [
        (json!({ "offsets": [good, { "topic": topic, "partition": 1, "offset": 0 }] }), (409, 40903)),
        (json!({ "offsets": [good, { "topic": unique("other"), "partition": 0, "offset": 0 }] }), (409, 40903)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "offset": 0 }] }), (422, 422)),
        (json!({ "offsets": [good, { "partition": 0, "offset": 0 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": -1 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": 1, "nope": 1 }] }), (422, 422)),
        (json!({ "offsets": [good, { "topic": topic, "partition": 0, "offset": "x" }] }), (400, 400)),
        (json!({ "offsets": [good], "nope": 1 }), (422, 422)),
        (json!({ "offsets": [good], "timestamps": 5 }), (400, 400)),
        (json!({ "offsets": [good], "timestamps": [{ "topic": topic, "partition": 0 }] }), (400, 400)),
        (
            json!({ "offsets": [good], "timestamps": [{ "topic": topic, "partition": 0, "timestamp": "x" }] }),
            (400, 400),
        ),
        (json!({ "offsets": [good], "timestamps": [{ "topic": topic, "partition": 0, "timestamp": -1 }] }), (400, 400)),
        (
            json!({ "offsets": [good], "timestamps": [{ "topic": topic, "partition": 1, "timestamp": 0 }] }),
            (409, 40903),
        ),
        (json!({ "partitions": [] }), (422, 422)),
        (json!([]), (400, 400)),
        (json!(null), (422, 422)),
    ];
    for (body, expected) in cases {
        let answer = instance.post("/positions", body.clone()).await;
        assert_eq!((answer.error(), answer.media()), (expected, Some(V2)), "{body}: {}", answer.message());
    }
    for edge in ["beginning", "end"] {
        let cases = [
            (json!(null), (422, 422)),
            (json!({}), (422, 422)),
            (json!({ "partitions": "all" }), (400, 400)),
            (partitions_of(&[(&topic, 0), (&topic, 1)]), (409, 40903)),
            (json!({ "partitions": [{ "topic": topic, "partition": 0, "offset": 1 }] }), (422, 422)),
        ];
        for (body, expected) in cases {
            let answer = instance.post(&format!("/positions/{edge}"), body.clone()).await;
            assert_eq!(answer.error(), expected, "{edge} {body}");
        }
    }
    assert_eq!(offsets(&instance.collect(3).await), [2, 3, 4]);
}

#[tokio::test]
async fn a_partition_that_is_not_assigned_is_named() {
    let topic = topic_of(1, 0..1);
    let instance = Instance::create(app::shared(), &unique("group"), json!({})).await;
    let answer = instance.post("/positions/beginning", partitions_of(&[(&topic, 0)])).await;
    assert_eq!(answer.error(), (409, 40903));
    assert_eq!(answer.message(), format!("Illegal state: No current assignment for partition {topic}-0"));
}

#[tokio::test]
async fn the_share_of_a_group_can_be_moved_too() {
    let topic = topic_of(1, 0..5);
    let instance = Instance::of_topic(app::shared(), &topic).await;
    instance.assigned(1).await;
    instance.seek(&topic, 0, 3).await;
    assert_eq!(values(&instance.collect(2).await), [3, 4]);
}

#[tokio::test]
async fn a_read_that_waits_goes_on_at_the_new_position() {
    let topic = topic_of(1, 0..3);
    let instance = of(&topic).await;
    instance.collect(3).await;
    let mut waiting = instance.start_read(app::shared(), "?timeout=30000").await;
    instance.seek(&topic, 0, 1).await;
    assert_eq!(offsets(&crate::consume::records(&waiting.answer().await))[0], 1);
}
