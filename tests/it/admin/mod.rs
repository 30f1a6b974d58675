//! The administrative client by itself, without HTTP.

mod acls;
mod brokers;
mod cluster;
mod configs;
mod connect_group;
pub mod groups;
mod lease;
mod offsets;
mod partitions;
mod quotas;
mod scram;
pub mod security;
mod topics;
mod transactions;

use kafka_rest_proxy::admin::Admin;

use crate::harness::app;

/// Returns a client of the shared Kafka.
fn admin() -> Admin {
    Admin::new(&app::config())
}
