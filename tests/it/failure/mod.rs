//! Kafka goes away, comes back, or does not let us in.

mod credentials;
mod load;
mod unreachable;
