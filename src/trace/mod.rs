//! Trace context (W3C, <https://www.w3.org/TR/trace-context/>): whose request this is part of.
//!
//! It is a property of the task that serves a request, so that what asks others in between need not pass it along.

mod context;
mod ids;
mod state;

pub use context::{Context, current, scope};
pub use ids::{SpanId, TraceId, random};
pub use state::tracestate;
