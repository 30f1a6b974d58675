//! The queue of records that wait for Kafka.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::JSON_V2;
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::{PATIENCE, eventually};
use kafka_rest_proxy::config::Config;

/// Returns a broker and a proxy whose queue holds five records or 16 KiB.
async fn small_queue() -> (Broker, App, String) {
    let broker = Broker::start(OwnOptions::default());
    let mut config = Config::for_bootstrap(&broker.kafka().bootstrap);
    config.producer.queue_records = 5;
    config.producer.queue_bytes = 16 * 1024;
    config.producer.queue_wait = Duration::from_millis(100);
    // The broker is paused for as long as the test needs.
    config.producer.delivery_timeout = Duration::from_secs(300);
    config.kafka.metadata_max_age = Duration::from_secs(300);
    let app = app::spawn_app(config);
    let topic = app::topic_on(broker.kafka(), 1);
    let path = format!("/topics/{topic}");
    // What is known of the topic is kept while the broker says nothing.
    assert_eq!(app.post(&path).body(JSON_V2, request(1, 1)).send().await.placed(), [(0, 0)]);
    (broker, app, path)
}

fn request(records: usize, bytes: usize) -> String {
    let records: Vec<Value> = (0..records).map(|_| json!({ "value": "x".repeat(bytes) })).collect();
    json!({ "records": records }).to_string()
}

#[tokio::test]
async fn a_full_queue_is_a_short_wait_and_then_429() {
    let (broker, app, path) = small_queue().await;
    for filling in [request(5, 1), request(1, 15_000)] {
        broker.pause();
        let mut queued = vec![app.wire().await];
        queued[0].send_head(&path, JSON_V2, filling.len()).await;
        queued[0].send(&filling).await;

        let refused = loop {
            let mut wire = app.wire().await;
            let small = request(1, 2000);
            wire.send_head(&path, JSON_V2, small.len()).await;
            wire.send(&small).await;
            // No answer is a record that was faster than the one that fills the queue.
            if wire.has_answer_within(Duration::from_secs(2)).await {
                break wire.answer().await;
            }
            queued.push(wire);
            assert!(queued.len() < 10, "the queue is never full");
        };

        assert_eq!((refused.error(), refused.header("retry-after")), ((429, 429), Some("1")));
        assert_eq!(app.get("/").send().await.status, 200, "what needs no queue is served");
        broker.resume();
        let mut statuses = Vec::new();
        for wire in &mut queued {
            statuses.push(wire.answer().await.status);
        }
        assert!(statuses.contains(&200) && statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
        let again = eventually("there is room again", PATIENCE, async || {
            let answer = app.post(&path).body(JSON_V2, request(1, 1)).send().await;
            (answer.status == 200).then_some(answer)
        });
        assert_eq!(again.await.record_codes(), [0]);
    }
}

#[tokio::test]
async fn a_request_larger_than_the_queue_gets_all_of_it() {
    let (_broker, app, path) = small_queue().await;
    assert_eq!(app.post(&path).body(JSON_V2, request(50, 1)).send().await.placed().len(), 50);
    assert_eq!(app.post(&path).body(JSON_V2, request(2, 100_000)).send().await.placed().len(), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_make_room_for_more() {
    let (broker, app, path) = small_queue().await;
    broker.pause();
    let filling = request(5, 1);
    let mut gone = app.wire().await;
    gone.send_head(&path, JSON_V2, filling.len()).await;
    gone.send(&filling).await;
    let refused = async || {
        let call = app.post(&path).body(JSON_V2, request(5, 1));
        tokio::time::timeout(Duration::from_secs(2), call.send()).await.is_ok_and(|answer| answer.status == 429)
    };
    eventually("the queue is full", PATIENCE, async || refused().await.then_some(())).await;

    drop(gone);

    for _ in 0..3 {
        assert!(refused().await, "librdkafka still holds the records");
    }
    broker.resume();
    eventually("there is room again", PATIENCE, async || {
        let answer = app.post(&path).body(JSON_V2, request(5, 1)).send().await;
        (answer.status == 200).then_some(())
    })
    .await;
}
