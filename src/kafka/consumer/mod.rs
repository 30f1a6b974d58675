//! Consumers without rebalance callbacks and without polling: librdkafka assigns, fetches and beats by itself, and
//! tells when there is something to take. That is what lets an instance sleep while its client is away.

// The calls of librdkafka that rdkafka has no safe form of; every block says why it is sound.
#![allow(unsafe_code)]

mod group;
mod list;
mod message;
mod native;
mod reader;

pub use group::GroupConsumer;
pub use message::FetchedRecord;
pub use reader::{Next, Readers, Reading};
