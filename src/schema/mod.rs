//! The registry of schemas: look-ups and registration on Confluent's API, kept for a while.

mod api;
mod failure;
mod references;
mod registry;
mod subject;

pub use failure::Failure;
pub use registry::{Registered, Registry, Versioned};
pub use subject::{Part, Strategy, subject};
