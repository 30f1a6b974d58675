use std::time::Duration;

use crate::admin::code::Code;
use crate::error::{Error, Kind};

/// Why an attempt did not lead to an answer that can be used.
#[derive(Debug)]
pub(super) enum Failure {
    /// A broker answered with an error.
    Refused {
        code: Code,
        /// What the broker said to it.
        message: Option<String>,
    },
    /// Nothing was sent.
    Unreachable(String),
    /// The request was sent, as far as one can tell, and no answer came.
    Unanswered(String),
    /// Trying again would not change it.
    Final(Error),
}

/// Whether a request that may have been carried out may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It only reads, or doing it twice is doing it once.
    Harmless,
    /// It changes something: the second time would be another change, or an error that says nothing of the first.
    Never,
}

impl Failure {
    /// Tells whether another attempt is allowed and may help.
    pub(super) fn may_pass(&self, repeat: Repeat) -> bool {
        match self {
            Failure::Refused { code, .. } => is_elsewhere(*code) || (repeat == Repeat::Harmless && is_passing(*code)),
            Failure::Unreachable(_) => true,
            Failure::Unanswered(_) => repeat == Repeat::Harmless,
            Failure::Final(_) => false,
        }
    }

    /// Returns the same for a request that was to follow, and so was not sent.
    pub(super) fn before_sending(self) -> Failure {
        match self {
            Failure::Unanswered(why) => Failure::Unreachable(why),
            other => other,
        }
    }

    /// Returns the same for another part of what was attempted.
    pub(super) fn copy(&self) -> Failure {
        match self {
            Failure::Refused { code, message } => Failure::Refused { code: *code, message: message.clone() },
            Failure::Unreachable(why) => Failure::Unreachable(why.clone()),
            Failure::Unanswered(why) => Failure::Unanswered(why.clone()),
            Failure::Final(error) => Failure::Final(copy(error)),
        }
    }

    /// Returns the error for the client when there will be no other attempt.
    pub(super) fn into_error(self, repeat: Repeat, patience: Duration) -> Error {
        match self {
            Failure::Refused { code, message } => code.error(message.as_deref()),
            Failure::Unreachable(why) => Kind::KafkaRetriable
                .because(format!("No Kafka broker that can do it was reached within {}.", humantime(patience)))
                .caused_by(std::io::Error::other(why)),
            Failure::Unanswered(why) => {
                Kind::KafkaRetriable.because(unanswered(repeat)).caused_by(std::io::Error::other(why))
            }
            Failure::Final(error) => error,
        }
    }
}

/// Returns the same error for another part of what failed, with its code as far as a broker gave one.
pub(super) fn copy(error: &Error) -> Error {
    let copy = error.kind().because(error.message());
    match Code::of(error) {
        Some(code) => copy.caused_by(code),
        None => copy,
    }
}

fn unanswered(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Harmless => "Kafka did not answer in time; send the request again.",
        Repeat::Never => {
            "Kafka took the request but its answer did not arrive: the outcome is unknown. Look whether it was done \
             before you send it again."
        }
    }
}

fn humantime(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

/// Tells whether the broker did nothing, as another one has to do it, or it will be able to soon.
pub(super) fn is_elsewhere(code: Code) -> bool {
    matches!(
        code,
        Code::NOT_CONTROLLER
            | Code::NOT_COORDINATOR
            | Code::COORDINATOR_NOT_AVAILABLE
            | Code::COORDINATOR_LOAD_IN_PROGRESS
            | Code::NOT_LEADER_OR_FOLLOWER
            | Code::LEADER_NOT_AVAILABLE
            | Code::FENCED_LEADER_EPOCH
            | Code::UNKNOWN_LEADER_EPOCH
            | Code::LISTENER_NOT_FOUND
    )
}

/// Tells whether a read may succeed when it is sent again.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::NETWORK_EXCEPTION
            | Code::REQUEST_TIMED_OUT
            | Code::REPLICA_NOT_AVAILABLE
            | Code::KAFKA_STORAGE_ERROR
            | Code::OFFSET_NOT_AVAILABLE
            | Code::UNSTABLE_OFFSET_COMMIT
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: Code) -> Failure {
        Failure::Refused { code, message: None }
    }

    #[test]
    fn a_change_is_repeated_only_where_nothing_was_done() {
        assert!(refused(Code::NOT_CONTROLLER).may_pass(Repeat::Never));
        assert!(!refused(Code::REQUEST_TIMED_OUT).may_pass(Repeat::Never));
        assert!(Failure::Unreachable(String::new()).may_pass(Repeat::Never));
        assert!(!Failure::Unanswered(String::new()).may_pass(Repeat::Never));
    }

    #[test]
    fn a_read_is_repeated_unless_the_answer_is_final() {
        assert!(refused(Code::REQUEST_TIMED_OUT).may_pass(Repeat::Harmless));
        assert!(Failure::Unanswered(String::new()).may_pass(Repeat::Harmless));
        assert!(!refused(Code::TOPIC_AUTHORIZATION_FAILED).may_pass(Repeat::Harmless));
        assert!(!Failure::Final(Kind::Unsupported.into()).may_pass(Repeat::Harmless));
    }

    #[test]
    fn an_unknown_outcome_says_so() {
        let error = Failure::Unanswered(String::new()).into_error(Repeat::Never, Duration::from_secs(10));
        assert_eq!(error.kind(), Kind::KafkaRetriable);
        assert!(error.message().contains("outcome is unknown"));
    }
}
