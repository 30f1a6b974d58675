//! The end of the proxy: its instances leave their groups.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::consume::{Instance, native, topic_of};
use crate::harness::binary::Proxy;
use crate::harness::kafka;
use crate::harness::wire::Wire;
use crate::harness::{PATIENCE, unique};

/// Less than a session of a group lasts, so that who is gone by then has left, and was not thrown out.
const SOON: Duration = Duration::from_secs(15);

fn start(settings: &[&str]) -> Proxy {
    Proxy::start(&[&["--bootstrap-servers", kafka::shared().bootstrap.as_str()], settings].concat(), &[])
}

#[tokio::test]
async fn all_instances_leave_their_groups_and_commit_what_they_should() {
    let topic = topic_of(1, 0..5);
    let mut proxy = start(&[]);
    let mut instances = Vec::new();
    for number in 0..40 {
        let fields = json!({ "auto.commit.enable": number % 2 == 0 });
        let instance = Instance::create_at(&proxy.url(""), &unique("group"), fields).await;
        instance.subscribe(&[&topic]).await;
        instances.push(instance);
    }
    for instance in &instances {
        instance.collect(5).await;
    }

    let start = Instant::now();
    proxy.signal("TERM");

    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(start.elapsed() < SOON, "{:?}:\n{}", start.elapsed(), proxy.log());
    assert!(proxy.log().contains("closing 40 consumers"), "{}", proxy.log());
    for (number, instance) in instances.iter().enumerate() {
        assert_eq!(native::members(kafka::shared(), &instance.group), 0, "{}", proxy.log());
        let committed = native::committed(kafka::shared(), &instance.group, &topic, 0);
        assert_eq!(committed, (number % 2 == 0).then_some(5));
    }
}

#[tokio::test]
async fn reads_that_wait_do_not_hold_it_up() {
    let topic = topic_of(1, 0..1);
    let mut proxy = start(&[]);
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let instance = Instance::create_at(&proxy.url(""), &unique("group"), json!({})).await;
        instance.subscribe(&[&topic]).await;
        instance.collect(1).await;
        let mut wire = Wire::connect(proxy.address()).await;
        wire.send(format!("GET {}/records?timeout=30000 HTTP/1.1\r\nHost: proxy\r\n\r\n", instance.path)).await;
        assert!(!wire.has_answer_within(Duration::from_millis(500)).await);
        waiting.push((instance, wire));
    }

    let start = Instant::now();
    proxy.signal("TERM");

    assert_eq!(proxy.wait(2 * PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(start.elapsed() < SOON, "{:?}:\n{}", start.elapsed(), proxy.log());
    for (instance, mut wire) in waiting {
        assert_eq!(native::members(kafka::shared(), &instance.group), 0);
        assert!(matches!(wire.answer().await.status, 200 | 404 | 503), "and they are answered");
    }
}

#[tokio::test]
async fn instances_leave_within_the_deadline_though_a_read_is_cut_off() {
    let topic = topic_of(1, 0..1);
    let mut proxy = start(&["--set", "server.shutdown_timeout=3s"]);
    let instance = Instance::create_at(&proxy.url(""), &unique("group"), json!({})).await;
    instance.subscribe(&[&topic]).await;
    instance.collect(1).await;
    let mut wire = Wire::connect(proxy.address()).await;
    wire.send(format!("GET {}/records?timeout=30000 HTTP/1.1\r\nHost: proxy\r\n\r\n", instance.path)).await;
    assert!(!wire.has_answer_within(Duration::from_millis(500)).await);
    let start = Instant::now();
    proxy.signal("TERM");
    assert!(proxy.wait(PATIENCE).code().is_some(), "{}", proxy.log());
    assert!(start.elapsed() < SOON, "{:?}:\n{}", start.elapsed(), proxy.log());
    assert_eq!(native::members(kafka::shared(), &instance.group), 0);
}
