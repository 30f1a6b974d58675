//! What is counted, and how Prometheus gets to read it.
//!
//! Counters are atomics in tables whose rows and columns are known when the process starts: counting takes no lock and
//! no memory, and no client can add a label. The text is written by the crate of the Prometheus project.

mod clients;
mod connect;
mod errors;
mod exposition;
mod histogram;
mod page;
mod process;
mod records;
mod registry;
mod requests;

pub use clients::{BrokerStatistics, Clients, Statistics};
pub use connect::{ConnectCall, ConnectCalls};
pub use errors::Errors;
pub use exposition::Exposition;
pub use histogram::Histogram;
pub use page::Readings;
pub use records::{Consumed, Produced};
pub use registry::{Lookup, RegistryCalls};
pub use requests::{GONE, InFlight, Requests};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Everything that this process counts.
#[derive(Debug)]
pub struct Metrics {
    /// Whether anybody is going to read it: what costs more than counting is left out otherwise.
    pub enabled: bool,
    /// Requests of clients.
    pub requests: Requests,
    /// Bytes of request bodies under way.
    pub body_bytes: Arc<AtomicU64>,
    /// Open connections.
    pub connections: Arc<AtomicU64>,
    /// Errors that were answered.
    pub errors: Errors,
    /// Records on their way to Kafka.
    pub produced: Produced,
    /// Records on their way from Kafka.
    pub consumed: Consumed,
    /// What Kafka's clients say of themselves.
    pub clients: Clients,
    /// Calls of Kafka Connect clusters, by the names that they are configured under.
    pub connect: BTreeMap<String, Arc<ConnectCalls>>,
    /// Calls of the schema registry.
    pub registry: RegistryCalls,
    /// Lines of the access log that were dropped.
    pub access_lines_dropped: Counter,
    /// Spans that were sent.
    pub spans_sent: Counter,
    /// Spans that were dropped.
    pub spans_dropped: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Returns it.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Something open that is counted while it is; dropping it ends that.
#[derive(Debug)]
pub struct Open(Arc<AtomicU64>);

impl Metrics {
    /// Returns all at zero, for the routes that are served and the Connect clusters that are configured.
    pub fn new<'a>(enabled: bool, connect: impl Iterator<Item = &'a String>) -> Metrics {
        process::Process::started();
        Metrics {
            enabled,
            requests: Requests::default(),
            body_bytes: Arc::default(),
            connections: Arc::default(),
            errors: Errors::default(),
            produced: Produced::default(),
            consumed: Consumed::default(),
            clients: Clients::default(),
            connect: connect.map(|name| (name.clone(), Arc::default())).collect(),
            registry: RegistryCalls::default(),
            access_lines_dropped: Counter::default(),
            spans_sent: Counter::default(),
            spans_dropped: Counter::default(),
        }
    }

    /// Counts a connection for as long as what this returns lives.
    pub fn connection(&self) -> Open {
        Open::new(&self.connections)
    }
}

impl Open {
    fn new(count: &Arc<AtomicU64>) -> Open {
        count.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
