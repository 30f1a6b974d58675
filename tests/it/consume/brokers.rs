//! Brokers that come, go and say nothing, under instances that go on.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientContext, Message};
use serde_json::{Value, json};

use crate::consume::{Instance, native, records, values, write_to};
use crate::harness::app::{self, App};
use crate::harness::kafka::{Broker, Kafka, OwnOptions};
use crate::harness::{PATIENCE, eventually, unique};
use kafka_rest_proxy::config::Config;

fn app_of(broker: &Broker) -> App {
    app::spawn_app(Config::for_bootstrap(&broker.kafka().bootstrap))
}

#[tokio::test]
async fn the_first_reads_of_a_new_cluster_find_their_coordinator() {
    // While it makes the topic of its groups a broker says that it is not the coordinator:
    // https://github.com/confluentinc/librdkafka/issues/5586
    let broker = Broker::start(OwnOptions::default());
    let app = app_of(&broker);
    let topic = app::topic_on(broker.kafka(), 1);
    write_to(broker.kafka(), &topic, 0, 0..1);
    let mut instances = Vec::new();
    for _ in 0..8 {
        instances.push(Instance::of_partition(&app, &topic, json!({})).await);
    }
    for instance in &instances {
        assert_eq!(values(&instance.collect(1).await), [0]);
    }
}

/// The numbers that Kafka has acknowledged.
#[derive(Clone, Default)]
struct Acknowledged(Arc<Mutex<BTreeSet<i64>>>);

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Ok(message) = result {
            let text = message.payload().and_then(|text| std::str::from_utf8(text).ok()).expect("a number");
            self.0.lock().expect("no panic").insert(text.parse().expect("a number"));
        }
    }
}

impl Acknowledged {
    fn count(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }
}

/// Writes one number after the other until told to stop.
fn produce_until_stopped(
    kafka: &Kafka,
    topic: &str,
    stop: Arc<AtomicBool>,
) -> (Acknowledged, std::thread::JoinHandle<()>) {
    let acknowledged = Acknowledged::default();
    let producer: BaseProducer<Acknowledged> = kafka
        .client()
        .set("enable.idempotence", "true")
        .create_with_context(acknowledged.clone())
        .expect("a producer needs no connection");
    let topic = topic.to_owned();
    let thread = std::thread::spawn(move || {
        for number in 0_i64.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let text = number.to_string();
            let partition = i32::try_from(number % 2).expect("0 or 1");
            // A full queue leaves a number out; it is not acknowledged then.
            let _ = producer.send(BaseRecord::<[u8], [u8]>::to(&topic).partition(partition).payload(text.as_bytes()));
            producer.poll(Duration::from_millis(2));
        }
        producer.flush(PATIENCE).expect("Kafka takes what is left");
    });
    (acknowledged, thread)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_record_is_read_though_the_broker_was_killed_and_stopped() {
    let mut broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 2);
    let app = app_of(&broker);
    let instance = Arc::new(Instance::of_topic(&app, &topic).await);
    let stop = Arc::new(AtomicBool::new(false));
    let (acknowledged, producer) = produce_until_stopped(broker.kafka(), &topic, Arc::clone(&stop));
    let read = Arc::new(Mutex::new(BTreeSet::new()));
    let reads = Arc::new(AtomicI64::new(0));
    let reader = {
        let (instance, read, reads) = (Arc::clone(&instance), Arc::clone(&read), Arc::clone(&reads));
        tokio::spawn(async move {
            loop {
                let answer = instance.get("/records?timeout=1000&max_bytes=2000").send().await;
                if answer.status == 200 {
                    let now = values(&records(&answer));
                    read.lock().expect("no panic").extend(now.iter().filter_map(Value::as_i64));
                    reads.fetch_add(1, Ordering::Relaxed);
                    let committed = instance.call("POST", "/offsets").send().await;
                    assert!(matches!(committed.status, 200 | 500), "{}", committed.text());
                } else {
                    assert!(matches!(answer.error(), (500, 50002 | 50003)), "{}", answer.text());
                }
            }
        })
    };
    let more = async |what: &str, count: usize| {
        let enough = acknowledged.count() + count;
        eventually(what, PATIENCE, async || (acknowledged.count() >= enough).then_some(())).await;
        let seen = read.lock().expect("no panic").len();
        let is_read = async || (read.lock().expect("no panic").len() > seen).then_some(());
        eventually(&format!("{what} and read"), PATIENCE, is_read).await;
    };

    more("records are acknowledged", 300).await;
    for end in ["kill", "stop"] {
        match end {
            "kill" => broker.kill(),
            _ => broker.stop(),
        }
        // Long enough to be noticed by reads and commits.
        let before = reads.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(reader.is_finished() || reads.load(Ordering::Relaxed) >= before);
        broker.restart();
        more(&format!("records are acknowledged after a {end}"), 300).await;
    }
    stop.store(true, Ordering::Relaxed);
    producer.join().expect("the producer does not panic");

    let missing = async || {
        let read = read.lock().expect("no panic");
        let left = acknowledged.0.lock().expect("no panic").difference(&read).copied().collect::<Vec<_>>();
        assert!(!reader.is_finished(), "the reader has panicked");
        left.is_empty().then_some(())
    };
    eventually("every acknowledged record is read", PATIENCE, missing).await;
    reader.abort();
    // The group goes on where it committed, and that is not past anything that was not read.
    instance.delete().await;
    let next = Instance::create(&app, &instance.group, json!({})).await;
    next.subscribe(&[&topic]).await;
    write_to(broker.kafka(), &topic, 0, -1..0);
    let mut rest = Vec::new();
    while rest.last() != Some(&json!(-1)) {
        rest.extend(values(&next.collect(1).await));
    }
}

#[tokio::test]
async fn what_needs_a_broker_that_is_gone_is_refused_in_time_and_works_again_later() {
    let mut broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    write_to(broker.kafka(), &topic, 0, 0..3);
    let mut config = Config::for_bootstrap(&broker.kafka().bootstrap);
    config.kafka.request_timeout = Duration::from_secs(2);
    config.kafka.metadata_max_age = Duration::from_secs(3600);
    let app = app::spawn_app(config);
    let instance = Instance::of_topic(&app, &topic).await;
    instance.collect(3).await;
    instance.commit(&topic, 0, 0).await;
    broker.kill();

    let start = Instant::now();
    let place = json!({ "topic": topic, "partition": 0 });
    let calls = [
        ("POST", "/offsets", None),
        ("POST", "/offsets", Some(json!({ "offsets": [{ "topic": topic, "partition": 0, "offset": 1 }] }))),
        ("GET", "/offsets", Some(json!({ "partitions": [&place] }))),
        ("POST", "/positions/end", Some(json!({ "partitions": [&place] }))),
    ];
    for (method, path, body) in calls {
        let call = instance.call(method, path);
        let call = match &body {
            Some(body) => call.document(crate::harness::http::V2, body),
            None => call,
        };
        let answer = call.send().await;
        // After its session has ended a member has no share any more.
        let told = matches!(answer.error(), (500, 50002 | 50003) | (409, 40903));
        assert!(told, "{method} {path}: {}", answer.text());
    }
    assert_eq!(instance.get("/subscription").send().await.status, 200);
    assert_eq!(instance.read("?timeout=500").await, Vec::<Value>::new());
    // Each of them may take some seconds; none the minute of librdkafka.
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());

    broker.restart();
    write_to(broker.kafka(), &topic, 0, 3..4);
    let mut read = Vec::new();
    while read.last() != Some(&json!(3)) {
        read.extend(values(&instance.collect(1).await));
    }
    eventually("commits work again", PATIENCE, async || {
        (instance.call("POST", "/offsets").send().await.status == 200).then_some(())
    })
    .await;
    assert_eq!(native::committed(broker.kafka(), &instance.group, &topic, 0), Some(4));
}

#[tokio::test]
async fn an_instance_can_be_deleted_while_its_broker_is_gone_or_says_nothing() {
    let mut broker = Broker::start(OwnOptions::default());
    let topic = app::topic_on(broker.kafka(), 1);
    write_to(broker.kafka(), &topic, 0, 0..3);
    let app = app_of(&broker);
    for way in ["paused", "gone"] {
        let group = unique("group");
        let instance = Instance::create(&app, &group, json!({ "auto.commit.enable": true })).await;
        instance.subscribe(&[&topic]).await;
        instance.collect(3).await;
        match way {
            "paused" => broker.pause(),
            _ => broker.kill(),
        }
        let start = Instant::now();
        instance.delete().await;
        assert!(start.elapsed() < Duration::from_secs(50), "{way}: {:?}", start.elapsed());
        assert_eq!(instance.get("/subscription").send().await.error(), (404, 40403));
        match way {
            "paused" => broker.resume(),
            _ => broker.restart(),
        }
    }
}
