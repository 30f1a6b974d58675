//! The rules, free of HTTP and of API versions.

pub mod admin;
pub mod connect;
pub mod consume;
mod flow;
pub mod produce;

pub use flow::{Flow, Handed};
