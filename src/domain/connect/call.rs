use std::time::Duration;

use bytes::Bytes;

use crate::domain::connect::operation::Operation;
use crate::domain::connect::shown::Shown;
use crate::error::{Kind, Result};
use crate::model::{decode_segment, encode_segment};
use crate::upstream::Request;

/// A request for a Connect cluster.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked.
    pub operation: Operation,
    /// The names in the path as they are sent: encoded.
    pub names: Vec<String>,
    /// The parameters that are passed on, as they are sent, without the question mark.
    pub query: String,
    /// As the client wrote it.
    pub content_type: Option<String>,
    /// As the client wrote it.
    pub body: Bytes,
    /// What the client wishes beside.
    pub wishes: Wishes,
    /// The connectors that a list may have in it.
    pub shown: Shown,
}

/// What a client may ask of this proxy and not of a worker.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Takes the first answer of a worker, whatever it is.
    pub no_retry: bool,
    /// Does not wait for longer than this (`Prefer: wait=`).
    pub within: Option<Duration>,
    /// The worker to ask, as `HOST:PORT` or by its URL.
    pub worker: Option<String>,
    /// Answers when the connector and its tasks are so.
    pub settle: Option<Settle>,
}

/// The state to wait for after a change.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    /// `RUNNING`, `PAUSED` or `STOPPED`.
    pub state: &'static str,
    /// How long to wait for it.
    pub within: Duration,
}

impl Call {
    /// Returns a call of this proxy's own, with these names in the path as they are.
    pub fn new(operation: Operation, names: &[&str]) -> Call {
        let names = names.iter().map(|name| encode_segment(name)).collect();
        Call {
            operation,
            names,
            query: String::new(),
            content_type: None,
            body: Bytes::new(),
            wishes: Wishes::default(),
            shown: Shown::default(),
        }
    }

    /// Adds a query.
    pub fn query(mut self, query: &str) -> Call {
        self.query = query.to_owned();
        self
    }

    /// Adds a body of JSON.
    pub fn json(mut self, body: impl Into<Bytes>) -> Call {
        self.content_type = Some("application/json".to_owned());
        self.body = body.into();
        self
    }

    /// Returns the name of the connector, the plugin or the logger that the path has, decoded; empty where it has none.
    pub fn name(&self) -> String {
        self.names.first().map(|name| decoded(name)).unwrap_or_default()
    }

    /// Returns the name that a worker reads in a segment of a path.
    pub fn name_in(segment: &str) -> String {
        decoded(segment)
    }

    /// Returns the number of the task in the path.
    pub fn task(&self) -> Option<i32> {
        self.names.get(1)?.parse().ok()
    }

    /// Returns a call about the same connector.
    pub fn beside(&self, operation: Operation) -> Call {
        Call { names: self.names.iter().take(1).cloned().collect(), ..Call::new(operation, &[]) }
    }

    pub(super) fn request(&self) -> Request {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let path = match self.operation.path(&names) {
            path if path.is_empty() => "/".to_owned(),
            path => path,
        };
        let path = if self.query.is_empty() { path } else { format!("{path}?{}", self.query) };
        let method = self.operation.row().method;
        Request { method, path, content_type: self.content_type.clone(), body: self.body.clone() }
    }
}

/// Returns a segment of a path as the worker reads it: without what follows a semicolon, and decoded.
fn decoded(segment: &str) -> String {
    let name = segment.split(';').next().unwrap_or(segment);
    decode_segment(name)
}

/// Refuses a segment of a path that no worker takes, or that would be another path.
///
/// Jetty 12 answers 400 for an escaped percent sign, slash, backslash, dot and NUL, and for a broken escape.
pub fn check_segment(segment: &str) -> Result<()> {
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        let escape = rest.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let escape = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape {
            Some(b'%' | b'/' | b'\\' | 0) | None => {
                return Err(Kind::ConnectName.because(
                    "HTTP 400 Bad Request: a name in the path has %, /, \\ or a broken escape, which no Kafka Connect \
                     worker takes there.",
                ));
            }
            Some(_) => rest = &rest[at + 3..],
        }
    }
    let name = segment.split(';').next().unwrap_or(segment);
    let is_dots = matches!(decoded(name).as_str(), "." | "..");
    if name.is_empty() || segment.contains('\\') || is_dots && name.contains('%') {
        return Err(Kind::ConnectName
            .because("HTTP 400 Bad Request: a name in the path is empty, an escaped dot, or has a backslash."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_worker_takes_are_refused() {
        for bad in
            ["a%25b", "a%2Fb", "a%2fb", "a%5Cb", "%", "%zz", "%1", "a%00b", "%2e%2e", "%2E", "a\\b", "", ";a=b", "%+1"]
        {
            assert!(check_segment(bad).is_err(), "{bad}");
        }
        for good in ["a%20b", "a%3Fb%23", "a+b%3B%22", "..", ".", "é", "%C3%A9", "a;b=c", "a%2eb"] {
            assert!(check_segment(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_call_of_our_own_encodes_its_names() {
        let call = Call::new(Operation::Config, &["a b/é"]);
        assert_eq!(call.request().path, "/connectors/a%20b%2F%C3%A9/config");
        assert_eq!(call.name(), "a b/é");
    }

    #[test]
    fn matrix_parameters_are_no_part_of_a_name() {
        let call = Call { names: vec!["a%20b;c=d".to_owned()], ..Call::new(Operation::Config, &[]) };
        assert_eq!(call.name(), "a b");
        assert_eq!(call.request().path, "/connectors/a%20b;c=d/config");
    }
}
