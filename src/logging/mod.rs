//! The log of this process, and that of its requests.

mod access;
mod ordinary;

pub use access::{Access, AccessLog};
pub use ordinary::{init, reload};
