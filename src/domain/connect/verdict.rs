use serde::Deserialize;

use crate::domain::connect::operation::{Effect, Operation};

/// The error of a worker.
#[derive(Debug, Deserialize)]
pub struct WorkerError {
    #[serde(rename = "error_code")]
    _code: i64,
    message: Option<String>,
}

/// What an error of a worker means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the answer.
    Final,
    /// Nothing was done, and the same may succeed in a moment.
    Transient,
    /// It may have been carried out, or may still be.
    Ambiguous,
}

/// What workers answer with 409 in a moment when they cannot do it. "already exists" is not among them.
///
/// A rebalance, a leader that is not known, a configuration that just changed, and tasks that are fenced out.
const MOMENTARY_CONFLICTS: [&str; 4] =
    ["Cannot complete request", "conflicting operation", "zombie fencing", "new task configurations"];

/// The same for 500: since Kafka 3.5 a read gets the first while a rebalance is pending; the second says it of itself.
const MOMENTARY_ERRORS: [&str; 2] = ["rebalance is expected", "can be safely retried"];

/// What a worker says with 500 when it does not know what became of the request: its 90 s are over, or the leader that
/// it asked did not answer it.
const AMBIGUOUS_ERRORS: [&str; 3] =
    ["Request timed out", "trying to forward REST request", "Error forwarding REST request"];

impl WorkerError {
    /// Reads the body of an error; `None` is no worker's.
    pub fn read(body: &[u8]) -> Option<WorkerError> {
        serde_json::from_slice(body).ok()
    }

    /// Returns the text; empty where there is none.
    pub fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// Returns what it means that this is the answer to `operation`.
    pub fn verdict(&self, operation: Operation, status: u16) -> Verdict {
        let says = |fragments: &[&str]| fragments.iter().any(|fragment| self.message().contains(fragment));
        match status {
            409 if says(&MOMENTARY_CONFLICTS) => Verdict::Transient,
            500 if says(&MOMENTARY_ERRORS) => Verdict::Transient,
            500 if says(&AMBIGUOUS_ERRORS) => match operation.row().effect {
                // It waited for as long as anybody would.
                Effect::Snapshot | Effect::Read => Verdict::Final,
                Effect::Repeatable | Effect::Once | Effect::Disruptive => Verdict::Ambiguous,
            },
            503 => Verdict::Transient,
            _ => Verdict::Final,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(operation: Operation, status: u16, message: &str) -> Verdict {
        let body = serde_json::json!({ "error_code": status, "message": message }).to_string();
        WorkerError::read(body.as_bytes()).expect("an error").verdict(operation, status)
    }

    #[test]
    fn the_two_meanings_of_409_are_told_apart() {
        let momentary = [
            "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
            "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.",
            "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)",
            "Failed to complete zombie fencing because a new set of task configs was generated",
        ];
        for message in momentary {
            assert_eq!(verdict(Operation::Create, 409, message), Verdict::Transient, "{message}");
        }
        assert_eq!(verdict(Operation::Create, 409, "Connector x already exists"), Verdict::Final);
    }

    #[test]
    fn only_known_errors_of_a_moment_are_tried_again() {
        let expected = "Request cannot be completed because a rebalance is expected";
        assert_eq!(verdict(Operation::Config, 500, expected), Verdict::Transient);
        assert_eq!(verdict(Operation::Config, 500, "Cannot deserialize value"), Verdict::Final);
        assert_eq!(verdict(Operation::Config, 404, expected), Verdict::Final);
    }

    #[test]
    fn a_change_that_timed_out_may_have_been_carried_out() {
        let timed_out = "Request timed out. The worker is currently polling the group coordinator";
        assert_eq!(verdict(Operation::Create, 500, timed_out), Verdict::Ambiguous);
        assert_eq!(verdict(Operation::Offsets, 500, timed_out), Verdict::Final);
    }

    #[test]
    fn what_is_not_the_json_of_an_error_is_no_workers() {
        for body in ["", "<html>", "{}", "[]", r#"{"message":"x"}"#, r#"{"error_code":"x"}"#] {
            assert!(WorkerError::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(WorkerError::read(br#"{"error_code":500,"message":null}"#).is_some());
    }
}
