//! The rules, free of HTTP and of API versions.

pub mod admin;
pub mod consume;
pub mod produce;
