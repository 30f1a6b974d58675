//! Administration: what has rules beyond one call of the administrative client.

pub mod brokers;
pub mod configs;
pub mod partitions;
pub mod topics;
