//! Spans of requests, sent to a collector by OTLP over HTTP in JSON.
//!
//! The crates of OpenTelemetry would bring a second way to follow requests, a second HTTP client and some twenty crates
//! along; what is sent here is one document with one kind of span, over the client that is there already.

mod document;
mod sender;

pub use document::Span;
pub use sender::{SpanQueue, Spans};
