//! Administration, where it is more than one operation of Kafka.

pub mod groups;
pub mod lags;
pub mod offset_reset;
pub mod offsets;
pub mod scram;
pub mod transactions;
