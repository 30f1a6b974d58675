//! Administration: what has rules beyond one call of the administrative client.

pub mod brokers;
pub mod configs;
pub mod elections;
pub mod groups;
pub mod lags;
pub mod log_dirs;
pub mod offset_reset;
pub mod offsets;
pub mod partitions;
pub mod reassignments;
pub mod scram;
pub mod topics;
pub mod transactions;

use std::time::{Duration, Instant};

use crate::admin::Code;
use crate::error::{Error, Kind, Result};

/// Within this a broker has heard of what the controller did, unless it is in trouble.
const PROPAGATION: Duration = Duration::from_millis(100);

/// Asks again a moment later where a topic is not known: it may have been made just now, and not every broker knows.
async fn settled<T>(ask: impl AsyncFn() -> Result<T>) -> Result<T> {
    match ask().await {
        Err(error) if error.kind() == Kind::UnknownTopic => {
            tokio::time::sleep(PROPAGATION).await;
            ask().await
        }
        answer => answer,
    }
}

/// A change takes some milliseconds. One that took longer may have been given to two controllers: a broker that loses
/// the first gives it to the next, which finds it done and says so as if somebody else had.
const SLOW: Duration = Duration::from_millis(500);

/// A change that was not done yet when it was asked for.
struct Change {
    open: bool,
    since: Instant,
}

impl Change {
    /// Begins a change; `open` tells whether it is known that it has not been done.
    ///
    /// Fails where Kafka cannot be asked: nothing was sent then, which is more than the change itself could tell.
    fn begin(open: Result<bool>) -> Result<Change> {
        let open = match open {
            Err(error) if error.kind() == Kind::KafkaRetriable => return Err(error),
            // Who may not look may still change.
            Ok(_) | Err(_) => open.unwrap_or(false),
        };
        Ok(Change { open, since: Instant::now() })
    }

    /// Returns the error of a change that was refused; `done` is what Kafka calls it where it has been done already.
    fn refused(&self, error: Error, done: Code) -> Error {
        if !self.open || self.since.elapsed() < SLOW || Code::of(&error) != Some(done) {
            return error;
        }
        let why = format!(
            "The outcome is unknown. Kafka says: {} It was not so when the request came, so this request may have done \
             it, or another one: look before you send it again.",
            error.message()
        );
        Kind::KafkaRetriable.because(why).caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_topic_that_is_not_known_is_asked_for_twice() {
        for (fails, expected) in [(0, 1), (1, 2), (2, 2)] {
            let asked = Cell::new(0);
            let found = settled(async || {
                asked.set(asked.get() + 1);
                if asked.get() > fails { Ok(()) } else { Err(Kind::UnknownTopic.into()) }
            });
            assert_eq!((found.await.is_ok(), asked.get()), (fails < 2, expected));
        }
    }

    #[test]
    fn a_slow_change_that_was_done_already_is_in_doubt() {
        let (done, other) = (Code::TOPIC_ALREADY_EXISTS, Code::INVALID_CONFIG);
        let refused = |open, since, code| {
            Change { open, since }.refused(Kind::KafkaBadRequest.because("Why.").caused_by(code), done).kind()
        };
        let now = Instant::now();
        let Some(long_ago) = now.checked_sub(SLOW) else { return };
        assert_eq!(refused(true, long_ago, done), Kind::KafkaRetriable);
        assert_eq!(refused(false, long_ago, done), Kind::KafkaBadRequest);
        assert_eq!(refused(true, now, done), Kind::KafkaBadRequest);
        assert_eq!(refused(true, long_ago, other), Kind::KafkaBadRequest);
    }

    #[test]
    fn a_change_begins_unless_kafka_cannot_be_asked() {
        let begun = |open: Result<bool>| Change::begin(open).map(|change| change.open).ok();
        assert_eq!(begun(Ok(true)), Some(true));
        assert_eq!(begun(Err(Kind::KafkaAuthorization.into())), Some(false));
        assert_eq!(begun(Err(Kind::KafkaRetriable.into())), None);
    }
}
