//! A Kafka REST proxy: produce, consume and administer Apache Kafka over HTTP.
//!
//! `docs/ARCHITECTURE.md` walks through one produce request.

pub mod http;

pub mod domain;

pub mod admin;
pub mod auth;
pub mod kafka;
pub mod schema;
pub mod upstream;

pub mod format;

pub mod cache;
pub mod config;
pub mod error;
pub mod logging;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod rates;
pub mod reload;
pub mod rules;
pub mod spans;
pub mod state;
pub mod tls;
pub mod trace;
