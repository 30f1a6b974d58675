//! Kafka's quotas of a user slow down that user, and nobody else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka_rest_proxy::model::QuotaChange;

use crate::harness::app::App;
use crate::harness::http::{Answer, BINARY_V2};
use crate::harness::waiting::{PATIENCE, eventually};
use crate::passthrough::{As, User, produce_until_allowed, secured};

/// Writes some kilobytes and returns how long that took.
async fn write(app: &App, topic: &str, user: &User) -> Duration {
    let value = "QUJD".repeat(8 * 1024);
    let body = serde_json::json!({ "records": [{ "value": value }, { "value": value }] });
    let start = Instant::now();
    let call = app.post(&format!("/topics/{topic}")).document(BINARY_V2, &body).by(user).patience(PATIENCE);
    let answer: Answer = call.send().await;
    assert_eq!(answer.placed().len(), 2);
    start.elapsed()
}

#[tokio::test]
async fn a_quota_of_one_user_does_not_slow_down_another() {
    let app = secured().proxy("SCRAM-SHA-256", &[]);
    let (slow, free) = (secured().user().await, secured().user().await);
    let topics = [secured().topic_of(&slow.name).await, secured().topic_of(&free.name).await];
    produce_until_allowed(&app, &topics[0], |call| call.by(&slow)).await;
    produce_until_allowed(&app, &topics[1], |call| call.by(&free)).await;
    let entity = BTreeMap::from([("user".to_owned(), Some(slow.name.clone()))]);
    let values = BTreeMap::from([("producer_byte_rate".to_owned(), Some(10_000.0))]);
    let altered = secured().owner.alter_quotas(&[QuotaChange { entity, values }], false).await.unwrap();
    assert!(altered[0].1.is_ok());
    // 48 kB at 10 kB a second, of which a window of some seconds is forgiven.
    eventually("the slow one is slowed down", PATIENCE, async || {
        let took = write(&app, &topics[0], &slow).await;
        (took > Duration::from_millis(500)).then_some(())
    })
    .await;
    // Kafka lets a short burst pass and makes up for it with the next write, so single writes say little.
    let (slowed, unhindered) = tokio::join!(write_all(&app, &topics[0], &slow), write_all(&app, &topics[1], &free));
    assert!(slowed > Duration::from_millis(1500), "{slowed:?}");
    assert!(unhindered < slowed / 2, "{unhindered:?} of {slowed:?}");
}

async fn write_all(app: &App, topic: &str, user: &User) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..10 {
        took += write(app, topic, user).await;
    }
    took
}
