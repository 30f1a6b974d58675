//! Kafka Connect: real workers, and scripted ones for what real ones do not do when asked.

pub mod fake;
mod workers;

use std::sync::OnceLock;

use crate::harness::kafka;

pub use workers::{WorkerOptions, Workers};

/// Returns the cluster of two workers that most tests share, on the shared Kafka, started by the first who asks.
///
/// Its workers end with the process. Tests keep apart by the names of connectors, and stop none of the workers.
pub fn shared() -> &'static Workers {
    static SHARED: OnceLock<Result<Workers, String>> = OnceLock::new();
    match SHARED.get_or_init(|| Workers::launch(kafka::shared(), 2, &WorkerOptions::default())) {
        Ok(workers) => workers,
        Err(why) => panic!("{why}"),
    }
}
