//! Kafka Connect: what the gateway adds to the REST API of its workers.

pub mod entries;
pub mod policy;
pub mod secrets;
