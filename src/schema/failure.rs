use std::fmt;

/// Why a schema cannot be had; the text is a sentence for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The registry has no such schema, subject or version.
    Missing(String),
    /// The schema, or one that it refers to, cannot be read.
    Unreadable(String),
    /// The registry refuses it: it is not compatible, not valid, or not allowed.
    Refused(String),
    /// The registry does not let this proxy do that.
    Forbidden(String),
    /// The registry did not answer, or with an error of its own.
    Unavailable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Missing(text)
            | Failure::Unreadable(text)
            | Failure::Refused(text)
            | Failure::Forbidden(text)
            | Failure::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}
