//! The rules, free of HTTP and of API versions.

pub mod admin;
pub mod connect;
pub mod consume;
mod flow;
pub mod produce;
pub mod schemas;
mod stopping;

pub use flow::{Flow, Handed};
pub use stopping::{Stopper, Stopping};
