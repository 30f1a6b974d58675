//! Random requests: no answer is a failure without a name, nothing panics, hangs, or grows.

mod exchange;
mod grammar;
mod random;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_rest_proxy::error::Kind;

use crate::fuzz::exchange::{Seen, exchange};
use crate::fuzz::grammar::Grammar;
use crate::fuzz::random::Random;
use crate::harness::binary::Proxy;
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::http;
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::registry::Registry;

/// Requests that are under way at a time.
const CLIENTS: usize = 16;

/// What the proxy may have more of, after many requests than after some.
const GROWTH: u64 = 64 << 20;

/// Returns how many requests are made; the environment may want more.
fn requests() -> usize {
    std::env::var("FUZZ_REQUESTS").ok().map_or(10_000, |text| text.parse().expect("FUZZ_REQUESTS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_requests_get_answers_with_names_and_leave_nothing_behind() {
    // Of its own: what is made up may well be a change of the broker.
    let broker = Broker::start(OwnOptions::default().set("auto.create.topics.enable", "false"));
    let (workers, registry) = (FakeWorkers::start(2), Registry::start());
    let proxy = start(&broker.kafka().bootstrap, &workers.urls(), registry.url());
    broker.kafka().create_topic("fuzz", 3);
    let seed = Random::seed();
    let document = http::get(&proxy.url("/openapi.json")).send().await.ok();
    let clusters = http::get(&proxy.url("/v3/clusters")).send().await.ok();
    let cluster = clusters["data"][0]["cluster_id"].as_str().expect("an id");
    let grammar = Arc::new(Grammar::new(&document, cluster, "fuzz"));

    let part = requests() / 4;
    let mut statuses = run(&proxy, &grammar, seed, part).await;
    let memory = proxy.memory_bytes();
    for (status, count) in run(&proxy, &grammar, seed.wrapping_add(1), requests() - part).await {
        *statuses.entry(status).or_default() += count;
    }
    let grown = proxy.memory_bytes().saturating_sub(memory);

    println!("seed {seed}: {statuses:?}; {} MB, {} kB of it in the last three quarters", memory >> 20, grown >> 10);
    assert!(grown < GROWTH, "seed {seed}: {grown} bytes more");
    // A fuzzer that only ever meets the door tests the door.
    let good: usize = statuses.iter().filter(|(status, _)| (200..300).contains(*status)).map(|(_, count)| count).sum();
    assert!(good * 20 > requests(), "seed {seed}: {statuses:?}");
    assert_eq!(http::get(&proxy.url("/health")).send().await.status, 200);
    let log = proxy.log();
    let bad: Vec<_> = log.lines().filter(|line| line.contains("panicked") || line.contains(": internal")).collect();
    assert!(bad.is_empty(), "seed {seed}: {bad:#?}");
}

/// Starts the proxy with everything that it can serve, short waits, and little room for instances.
fn start(bootstrap: &str, workers: &str, registry: &str) -> Proxy {
    let settings = [
        "consumer.request_timeout=50ms",
        "consumer.max_poll_wait=200ms",
        "consumer.max_instances=12",
        "consumer.instance_timeout=5s",
        "kafka.request_timeout=5s",
        "producer.delivery_timeout=5s",
        "server.body_timeout=1s",
        "server.header_timeout=1s",
        "server.stream_idle_timeout=1s",
        "server.keep_alive=1s",
        "connect.default.request_timeout=8s",
    ];
    let connect = format!("connect.default.urls={workers}");
    let sets = settings.iter().copied().chain([connect.as_str()]).flat_map(|setting| ["--set", setting]);
    let fixed = ["--bootstrap-servers", bootstrap, "--schema-registry-url", registry];
    Proxy::start(&fixed.into_iter().chain(sets).collect::<Vec<_>>(), &[])
}

/// Sends so many requests and returns how many answers had which status; 0 is none.
async fn run(proxy: &Proxy, grammar: &Arc<Grammar>, seed: u64, count: usize) -> BTreeMap<u16, usize> {
    let address = proxy.address();
    let clients = (0..CLIENTS).map(|client| {
        let grammar = Arc::clone(grammar);
        tokio::spawn(async move {
            let mut random = Random::new(seed.wrapping_mul(1000).wrapping_add(client as u64));
            let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
            for _ in 0..count / CLIENTS {
                let request = grammar.request(&mut random);
                let shown =
                    || format!("seed {seed}: {:?}", String::from_utf8_lossy(&request[..request.len().min(1500)]));
                let seen = exchange(address, &request).await.unwrap_or_else(|why| panic!("{why}: {}", shown()));
                if let Some(seen) = &seen {
                    judge(seen).unwrap_or_else(|why| panic!("{why}: {}\n{}\n{}", seen.status, shown(), text(seen)));
                }
                *statuses.entry(seen.map_or(0, |seen| seen.status)).or_default() += 1;
            }
            statuses
        })
    });
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for client in clients.collect::<Vec<_>>() {
        for (status, count) in client.await.expect("no client finds fault") {
            *statuses.entry(status).or_default() += count;
        }
    }
    // What went on beside the answers has ended when the proxy answers again at once.
    http::get(&proxy.url("/health")).patience(Duration::from_secs(10)).send().await;
    statuses
}

/// Says what is wrong with an answer: a failure of the proxy has to be one of the table, and not the one that says nothing.
fn judge(seen: &Seen) -> Result<(), &'static str> {
    let named = |code: u64| Kind::ALL.iter().any(|kind| kind.status() == seen.status && u64::from(kind.code()) == code);
    match seen.error_code() {
        _ if seen.status < 500 => Ok(()),
        // What a worker itself makes of a bad body is passed on as it is.
        _ if seen.head.contains("x-connect-worker: ") => Ok(()),
        Some(500) if seen.status == 500 => Err("a failure without a name"),
        Some(code) if named(code) => Ok(()),
        // Records that could not be written are told one by one, under strict.
        None if seen.body.windows(9).any(|window| window == b"\"offsets\"") => Ok(()),
        // HEAD has no body.
        None if seen.body.is_empty() => Ok(()),
        Some(_) | None => Err("a failure that is not of the table"),
    }
}

fn text(seen: &Seen) -> String {
    format!("{}\n{}", seen.head, String::from_utf8_lossy(&seen.body[..seen.body.len().min(1500)]))
}
