//! Who calls: what a request shows of its sender is checked here; knows nothing of HTTP beyond the text of a header.
//!
//! Credentials are neither logged nor kept: what is remembered of them is a keyed hash.

mod authenticator;
mod refusal;
mod shown;

mod basic;
mod certificate;
mod jwt;

mod failures;
mod fingerprint;
mod generations;
mod known;
mod names;

pub use authenticator::{Attempt, Authenticator, Verdict};
pub use refusal::Refusal;
pub use shown::{Evidence, Shown};
