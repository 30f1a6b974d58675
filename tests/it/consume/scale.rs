//! Many instances: what they cost while they do nothing, and what is left when they are gone.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::consume::{Instance, topic_of, values};
use crate::harness::app;
use crate::harness::binary::Proxy;
use crate::harness::kafka;
use crate::harness::{PATIENCE, eventually, unique};

/// A proxy as a process, and what the kernel says of it.
struct Measured {
    proxy: Proxy,
    process: String,
}

impl Measured {
    fn start() -> Measured {
        let marker = format!("kafka.client_id={}", unique("client"));
        let proxy = Proxy::start(&["--bootstrap-servers", &kafka::shared().bootstrap, "--set", &marker], &[]);
        let processes = fs::read_dir("/proc").expect("it is Linux").filter_map(Result::ok);
        let is_it = |path: &std::path::PathBuf| {
            let line = fs::read(path.join("cmdline")).unwrap_or_default();
            line.starts_with(env!("CARGO_BIN_EXE_kafka-rest-proxy").as_bytes())
                && String::from_utf8_lossy(&line).contains(&marker)
        };
        let process = processes.map(|entry| entry.path()).find(is_it).expect("it runs");
        Measured { proxy, process: process.to_str().expect("a number").to_owned() }
    }

    fn threads(&self) -> usize {
        fs::read_dir(format!("{}/task", self.process)).expect("it runs").count()
    }

    fn resident_mb(&self) -> u64 {
        self.proxy.memory_bytes() >> 20
    }

    /// Returns the hundredths of seconds that it has computed for.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("{}/stat", self.process)).expect("it runs");
        let (_, fields) = stat.rsplit_once(") ").expect("the name is in parentheses");
        let field = |index: usize| fields.split(' ').nth(index).and_then(|field| field.parse::<u64>().ok());
        field(11).expect("utime") + field(12).expect("stime")
    }
}

/// Does something for each number below `count`, a dozen at a time.
async fn for_each<F: Future<Output = ()> + Send>(count: usize, work: impl Fn(usize) -> F + Send + Sync + 'static) {
    let (next, work) = (Arc::new(AtomicUsize::new(0)), Arc::new(work));
    let mut workers = JoinSet::new();
    for _ in 0..12 {
        let (next, work) = (Arc::clone(&next), Arc::clone(&work));
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                work(number).await;
            }
        });
    }
    workers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_idle_instances_cost_little() {
    let proxy = Measured::start();
    let topic = app::topic(20);
    let (url, groups) = (proxy.proxy.url(""), unique("group"));
    let instances = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (kept, topic_name) = (Arc::clone(&instances), topic.clone());
    for_each(500, move |number| {
        let (url, groups, topic, kept) = (url.clone(), groups.clone(), topic_name.clone(), Arc::clone(&kept));
        async move {
            // Twenty members a group, each with one of its partitions.
            let instance = Instance::create_at(&url, &format!("{groups}-{}", number % 25), json!({})).await;
            instance.subscribe(&[&topic]).await;
            kept.lock().expect("no panic").push(instance);
        }
    })
    .await;
    let instances = std::mem::take(&mut *instances.lock().expect("no panic"));
    for instance in &instances {
        instance.assigned(1).await;
    }

    let before = proxy.ticks();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let busy = proxy.ticks() - before;

    let (memory, threads) = (proxy.resident_mb(), proxy.threads());
    println!("500 idle instances: {memory} MB, {threads} threads, {}.{:02} s of CPU in 5 s", busy / 100, busy % 100);
    assert!(memory < 400, "{memory} MB");
    assert!(busy < 250, "{busy} hundredths of a second in 5 s");
    for partition in 0..20 {
        crate::consume::write(&topic, partition, 0..1);
    }
    for instance in &instances {
        assert_eq!(values(&instance.collect(1).await), [0], "each has its share");
    }
    // They go with the proxy, which is faster than one by one.
    drop(proxy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_instances_that_came_and_went_leave_nothing() {
    let proxy = Measured::start();
    let topic = topic_of(1, 0..1);
    let url = proxy.proxy.url("");
    let come_and_go = async |count: usize| {
        let (url, topic) = (url.clone(), topic.clone());
        for_each(count, move |_| {
            let (url, topic) = (url.clone(), topic.clone());
            async move {
                let instance = Instance::create_at(&url, &unique("group"), json!({})).await;
                instance.subscribe(&[&topic]).await;
                assert_eq!(values(&instance.read("?timeout=30000").await), [0]);
                instance.delete().await;
                instance.forget();
            }
        })
        .await;
        settled(&proxy).await
    };

    let (memory, threads) = come_and_go(200).await;
    let (memory_at_end, threads_at_end) = come_and_go(1800).await;

    println!("after 200 instances: {memory} MB, {threads} threads; after 2,000: {memory_at_end} MB, {threads_at_end}");
    assert!(memory_at_end <= memory + 40, "{memory} MB, then {memory_at_end} MB");
    assert!(threads_at_end <= threads + 4, "{threads} threads, then {threads_at_end}");
}

/// Waits until idle threads have ended, and returns memory and threads.
async fn settled(proxy: &Measured) -> (u64, usize) {
    let mut last = proxy.threads();
    let mut same = 0;
    eventually("the number of threads stays the same", PATIENCE, async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = proxy.threads();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        // Threads for what blocks end after ten seconds without work.
        (same >= 24).then_some((proxy.resident_mb(), now))
    })
    .await
}
