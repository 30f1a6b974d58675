//! Nouns that no API version owns.

mod format;
mod metadata;
mod names;
mod record;

pub use format::Format;
pub use metadata::{Partition, Replica, Topic, Watermarks};
pub use names::{PartitionId, TopicName};
pub use record::{Delivery, Header, Placed, Record, RecordError};
