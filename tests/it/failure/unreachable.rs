//! A cluster that is not there when the proxy starts.

use std::time::Duration;

use serde_json::json;

use crate::harness::app;
use crate::harness::http::{JSON_V1, JSON_V2};
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::{PATIENCE, eventually};
use kafka_rest_proxy::config::Config;

#[tokio::test]
async fn a_proxy_without_kafka_starts_answers_errors_and_works_once_kafka_is_there() {
    let mut broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    broker.stop();

    let mut config = Config::for_bootstrap(&broker.kafka().bootstrap);
    config.kafka.request_timeout = Duration::from_millis(500);
    config.producer.delivery_timeout = Duration::from_secs(1);
    let app = app::spawn_app(config);
    let path = format!("/topics/{topic}");
    let body = json!({ "records": [{ "value": 1 }] });

    assert_eq!(app.get("/").send().await.text(), "{}");
    assert_eq!(app.post(&path).document(JSON_V2, &body).send().await.error(), (500, 50003));
    assert_eq!(app.post(&path).document(JSON_V1, &body).send().await.error(), (500, 50001));
    for read in ["/topics", "/brokers", &path, &format!("{path}/partitions/0/offsets")] {
        assert_eq!(app.get(read).send().await.error(), (500, 50003), "{read}");
    }

    broker.restart();

    let answer = eventually("the proxy finds the broker", PATIENCE, async || {
        let answer = app.post(&path).document(JSON_V2, &body).send().await;
        (answer.status == 200 && answer.record_codes() == [0]).then_some(answer)
    });
    let place = answer.await.placed()[0];
    let log = broker.kafka().read_topic(&topic);
    assert!(log.iter().any(|record| (record.partition, record.offset) == place));
    assert_eq!(app.get("/brokers").send().await.ok(), json!({ "brokers": [1] }));
}

#[tokio::test]
async fn many_requests_without_kafka_are_all_answered_in_time() {
    let mut config = Config::for_bootstrap("127.0.0.1:1");
    config.kafka.request_timeout = Duration::from_millis(500);
    let app = app::spawn_app(config);
    let body = json!({ "records": [{ "value": 1 }] });
    let calls = (0..50).map(|number| app.post(&format!("/topics/topic-{number}")).document(JSON_V2, &body).send());
    // Look-ups wait for their turn no longer than they may take themselves.
    let answers = tokio::time::timeout(Duration::from_secs(20), futures_util::future::join_all(calls)).await;
    for answer in answers.expect("all are answered") {
        assert_eq!(answer.error(), (500, 50003));
    }
    assert_eq!(app.get("/").send().await.status, 200);
}
