//! How a connection proves who is at its ends.

mod oauth;
mod sasl;
mod scram;

pub(super) use oauth::Unsecured;
pub(super) use sasl::{Mechanism, Sasl};
pub(super) use scram::{MAX_ITERATIONS, ScramHash, random_salt, salted_password};
