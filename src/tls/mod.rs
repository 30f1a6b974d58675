//! TLS on both ends: of a client, for brokers and for what lies upstream, and of the server.

mod client;
mod pem;
mod server;

pub use client::{Tls, trusting_nobody};
pub use server::Identity;
