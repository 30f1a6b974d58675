//! The HTTP client of what this proxy stands in front of: the only place that names hyper.
//!
//! A path goes out as it came in: nothing is decoded, encoded or shortened, as names may consist of anything.

mod answer;
mod ask;
mod client;
mod failure;
mod held;

pub use answer::Answer;
pub use ask::{Asked, ask};
pub use client::{Client, Request};
pub use failure::Failure;
pub use held::Held;
