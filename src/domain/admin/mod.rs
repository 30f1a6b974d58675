//! Administration: what has rules beyond one call of the administrative client.

pub mod brokers;
pub mod configs;
pub mod elections;
pub mod log_dirs;
pub mod partitions;
pub mod reassignments;
pub mod topics;
