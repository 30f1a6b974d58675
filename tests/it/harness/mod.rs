//! What the tests stand on: a real Kafka, Connect workers real and scripted, the proxy inside this process or as a child,
//! and waiting that has a deadline.

// Each helper has users in some tests only; which ones changes with every test written.
#![allow(dead_code)]

pub mod app;
pub mod binary;
pub mod certificates;
pub mod connect;
pub mod http;
pub mod java;
pub mod kafka;
pub mod ports;
pub mod process;
pub mod registry;
pub mod script;
pub mod tls;
pub mod waiting;
pub mod wire;

use uuid::Uuid;

pub use ports::free_port;
pub use waiting::{PATIENCE, eventually, eventually_blocking};

/// Returns a name that no other test, run or version of the test has: all share the broker.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::new_v4().simple())
}
