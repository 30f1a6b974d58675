//! Consuming: instances that live in this process, and reads without an instance.

mod collected;
mod decoding;
mod instance;
mod pattern;
mod registry;
mod stateless;

pub use collected::{Collected, Include, Limits, Receipt};
pub use decoding::Decoding;
pub use instance::{Instance, Position, ReadRequest, Settings, Target};
pub use pattern::TopicPattern;
pub use registry::Instances;
pub use stateless::{Start, StatelessRead, read};

pub use crate::kafka::check_property;
