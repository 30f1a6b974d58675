//! Administration: what has rules beyond one call of the administrative client.

pub mod groups;
pub mod lags;
pub mod offset_reset;
pub mod offsets;
pub mod scram;
pub mod transactions;
