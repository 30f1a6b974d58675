use std::time::Duration;

use crate::error::{Error, Kind};

/// Why a request is not served; never says what was wrong with the credentials.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It shows nothing.
    Missing,
    /// What it shows is not right.
    Wrong,
    /// Too much that was wrong came from its address or for its name; may be tried again after this time.
    Limited(Duration),
    /// Too many passwords wait to be checked.
    Busy,
    /// What is needed to check it cannot be had.
    Unavailable,
}

impl Refusal {
    /// Returns what the client is told.
    pub fn error(&self) -> Error {
        Error::from(match self {
            Refusal::Missing => Kind::CredentialsMissing,
            Refusal::Wrong => Kind::CredentialsWrong,
            Refusal::Limited(_) => Kind::TooManyFailures,
            Refusal::Busy => Kind::AuthBusy,
            Refusal::Unavailable => Kind::AuthUnavailable,
        })
    }
}
