//! Administration: what has rules beyond one call of the administrative client.

pub mod brokers;
pub mod configs;
pub mod elections;
pub mod groups;
pub mod lags;
pub mod log_dirs;
pub mod offset_reset;
pub mod offsets;
pub mod partitions;
pub mod reassignments;
pub mod scram;
pub mod topics;
pub mod transactions;
