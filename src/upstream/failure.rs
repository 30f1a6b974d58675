use std::fmt;
use std::time::Duration;

/// Why there is no answer, or not all of it.
#[derive(Debug)]
pub enum Failure {
    /// No byte of the request reached the server.
    NotSent(String),
    /// The connection ended after the request, or a part of it, was sent: the server may have carried it out.
    Lost(String),
    /// There was no answer in this time: the server may have carried it out, or may do so later.
    TimedOut(Duration),
    /// The answer has more bytes than are read.
    TooLarge(u64),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotSent(why) => write!(f, "no connection: {why}"),
            Failure::Lost(why) => write!(f, "the connection was lost: {why}"),
            Failure::TimedOut(limit) => write!(f, "no answer within {limit:?}"),
            Failure::TooLarge(limit) => write!(f, "the answer is larger than {limit} bytes"),
        }
    }
}

impl std::error::Error for Failure {}

/// Returns what an error says with all that caused it; the errors of the client quote no request.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
