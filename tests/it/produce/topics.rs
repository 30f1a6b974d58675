//! Topics that are not there, not there yet, or there again.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::app::{self, App};
use crate::harness::http::{BINARY_V2, JSON_V2};
use crate::harness::kafka::{self, Broker, OwnOptions};
use crate::harness::{PATIENCE, eventually, unique};
use crate::produce::{produce, produce_to};
use kafka_rest_proxy::config::Config;

#[tokio::test]
async fn an_unknown_topic_is_told_at_once_and_not_created() {
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let topic = unique("unknown");
        let start = Instant::now();
        assert_eq!(produce(app::shared(), &topic, JSON_V2, json!([{ "value": 1 }])).await.error(), (404, 40401));
        assert_eq!(produce_to(app::shared(), &topic, 0, JSON_V2, json!([{ "value": 1 }])).await.error(), (404, 40401));
        fastest = fastest.min(start.elapsed());
        let names = app::shared().get("/topics").send().await.ok();
        assert!(!names.as_array().expect("a list").contains(&json!(topic)));
    }
    // The reference waits for a minute. The fastest, as this machine may be busy with other tests.
    assert!(fastest < Duration::from_secs(3), "{fastest:?}");
}

#[tokio::test]
async fn a_topic_is_created_where_the_brokers_do_so() {
    let (broker, app) = creating();
    let topic = unique("created");
    let answer = produce(app, &topic, BINARY_V2, json!([{ "value": "YQ==" }, { "value": "Yg==" }])).await;
    assert_eq!(answer.placed().len(), 2);
    assert_eq!(broker.kafka().partition_count(&topic), 2);
    assert_eq!(broker.kafka().read_topic(&topic).len(), 2);
}

#[tokio::test]
async fn many_first_requests_for_one_new_topic_all_land() {
    let (broker, app) = creating();
    let topic = unique("created");
    let calls = (0..20).map(|_| produce(app, &topic, BINARY_V2, json!([{ "value": "YQ==" }])));
    let mut placed = Vec::new();
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.placed().len(), 1);
        placed.extend(answer.placed());
    }
    placed.sort_unstable();
    // A partition that has just been made may be read as empty for a moment.
    eventually(&format!("{placed:?} are on the log"), PATIENCE, async || {
        let log = broker.kafka().read_topic(&topic);
        let mut log: Vec<_> = log.iter().map(|record| (record.partition, record.offset)).collect();
        log.sort_unstable();
        (log == placed).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_unknown_partition_of_a_new_topic_is_not_found() {
    let (_, app) = creating();
    let topic = unique("created");
    assert_eq!(produce_to(app, &topic, 2, BINARY_V2, json!([{ "value": "" }])).await.error(), (404, 40402));
}

#[tokio::test]
async fn looking_at_a_topic_does_not_create_it() {
    let (_, app) = creating();
    let topic = unique("looked-at");
    for path in ["", "/partitions", "/partitions/0", "/partitions/0/offsets"] {
        assert_eq!(app.get(&format!("/topics/{topic}{path}")).send().await.error(), (404, 40401), "{path}");
    }
    let names = app.get("/topics").send().await.ok();
    assert!(!names.as_array().expect("a list").contains(&json!(topic)));
}

#[tokio::test]
async fn a_partition_that_is_added_later_is_found() {
    let topic = app::topic(1);
    let record = || json!([{ "value": 1 }]);
    assert_eq!(produce_to(app::shared(), &topic, 0, JSON_V2, record()).await.placed(), [(0, 0)]);
    assert_eq!(produce_to(app::shared(), &topic, 2, JSON_V2, record()).await.error(), (404, 40402));

    kafka::shared().grow(&topic, 3);

    let found = eventually("partition 2 is found", PATIENCE, async || {
        let answer = produce_to(app::shared(), &topic, 2, JSON_V2, record()).await;
        (answer.status == 200 && answer.record_codes() == [0]).then_some(answer)
    });
    assert_eq!(found.await.placed(), [(2, 0)]);
}

#[tokio::test]
async fn a_topic_that_is_created_later_is_found_at_once() {
    let topic = unique("later");
    assert_eq!(produce(app::shared(), &topic, JSON_V2, json!([{ "value": 1 }])).await.error(), (404, 40401));
    kafka::shared().create_topic(&topic, 1);
    assert_eq!(produce(app::shared(), &topic, JSON_V2, json!([{ "value": 1 }])).await.placed(), [(0, 0)]);
}

#[tokio::test]
async fn a_topic_that_is_deleted_and_created_again_works_again() {
    let topic = app::topic(2);
    let records = || json!([{ "value": 1, "partition": 0 }, { "value": 2, "partition": 1 }]);
    for _ in 0..3 {
        assert_eq!(produce(app::shared(), &topic, JSON_V2, records()).await.record_codes(), [0, 0]);
    }
    kafka::shared().delete_topic(&topic);
    kafka::shared().create_topic(&topic, 2);

    let places = eventually("the new topic takes records", PATIENCE, async || {
        let answer = produce(app::shared(), &topic, JSON_V2, records()).await;
        (answer.status == 200 && answer.record_codes() == [0, 0]).then(|| answer.placed())
    });

    let places = places.await;
    let log: Vec<_> =
        kafka::shared().read_topic(&topic).iter().map(|record| (record.partition, record.offset)).collect();
    assert!(places.iter().all(|place| log.contains(place)), "{places:?} in {log:?}");
}

#[tokio::test]
async fn a_deleted_topic_is_not_found_again_soon() {
    let mut config = app::config();
    config.kafka.metadata_max_age = Duration::from_millis(500);
    config.producer.delivery_timeout = Duration::from_secs(2);
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    assert_eq!(produce(&app, &topic, JSON_V2, json!([{ "value": 1 }])).await.placed(), [(0, 0)]);
    kafka::shared().delete_topic(&topic);
    eventually("the deleted topic is 40401", PATIENCE, async || {
        let answer = produce(&app, &topic, JSON_V2, json!([{ "value": 1 }])).await;
        if answer.status == 404 {
            assert_eq!(answer.error(), (404, 40401));
            return Some(());
        }
        assert_eq!((answer.status, answer.record_codes()), (200, vec![50003]), "until the cache knows");
        None
    })
    .await;
}

/// Returns a broker that creates topics with two partitions, and a proxy for it.
fn creating() -> (&'static Broker, &'static App) {
    static CREATING: OnceLock<(Broker, App)> = OnceLock::new();
    let (broker, app) = CREATING.get_or_init(|| {
        let options = OwnOptions::default().set("auto.create.topics.enable", "true").set("num.partitions", "2");
        let broker = Broker::start(options);
        let app = app::spawn_app(Config::for_bootstrap(&broker.kafka().bootstrap));
        (broker, app)
    });
    (broker, app)
}
