use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use futures_util::future::join_all;
use kafka_protocol::protocol::Request;
use tokio::time::{Instant, sleep};

use crate::admin::answer::Answer;
use crate::admin::code::Code;
use crate::admin::convert::missing;
use crate::admin::failure::{Failure, Repeat};
use crate::admin::operation::{FIRST_WAIT, LONGEST_WAIT, Operation, Route};
use crate::error::{Kind, Result};

/// What became of each of many, such as partitions or groups.
pub(super) type Outcomes<K, T> = HashMap<K, Result<T, Failure>>;

/// What a broker answered for one of many.
pub(super) struct Part<K, T> {
    pub(super) key: K,
    pub(super) code: Code,
    pub(super) message: Option<String>,
    pub(super) value: T,
}

impl<K, T> Part<K, T> {
    fn outcome(self) -> (K, Result<T, Failure>) {
        let outcome = match self.code {
            Code::NONE => Ok(self.value),
            code => Err(Failure::Refused { code, message: self.message }),
        };
        (self.key, outcome)
    }
}

/// Rounds over many, each for what another one may help.
pub(super) struct Rounds<K, T> {
    keys: Vec<K>,
    open: Vec<K>,
    repeat: Repeat,
    wait: Duration,
    outcomes: Outcomes<K, T>,
}

impl<K: Clone + Eq + Hash, T> Rounds<K, T> {
    pub(super) fn over(keys: &[K], repeat: Repeat) -> Rounds<K, T> {
        Rounds { keys: keys.to_vec(), open: keys.to_vec(), repeat, wait: Duration::ZERO, outcomes: Outcomes::new() }
    }

    /// Returns what the next round is for, after a wait; `None` where there is nothing, or no time.
    pub(super) async fn next(&mut self, operation: &Operation<'_>) -> Option<Vec<K>> {
        if self.open.is_empty() || Instant::now() + self.wait >= operation.deadline() {
            return None;
        }
        if !self.wait.is_zero() {
            sleep(self.wait).await;
            operation.look_again().await;
        }
        self.wait = (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        Some(self.open.clone())
    }

    /// Takes what became of a round; an error is one of the whole while nothing else is known.
    pub(super) fn take(&mut self, round: Result<Outcomes<K, T>>) -> Result<()> {
        match round {
            Ok(found) => self.outcomes.extend(found),
            Err(error) if self.outcomes.is_empty() => return Err(error),
            // What is known already is worth more than that nobody tells who has the rest.
            Err(_) => self.open.clear(),
        }
        let (outcomes, repeat) = (&self.outcomes, self.repeat);
        self.open.retain(|key| matches!(outcomes.get(key), Some(Err(failure)) if may_move(failure, repeat)));
        Ok(())
    }

    /// Returns what became of each, in the order in which they were given.
    pub(super) fn end(mut self, operation: &Operation<'_>) -> Vec<(K, Result<T>)> {
        let ended = |key: K| {
            let outcome =
                self.outcomes.remove(&key).unwrap_or_else(|| Err(Failure::Final(missing("part of what was asked"))));
            (key, outcome.map_err(|why| why.into_error(self.repeat, operation.patience())))
        };
        self.keys.into_iter().map(ended).collect()
    }
}

impl Operation<'_> {
    /// Asks each broker once for its part of `keys`.
    pub(super) async fn ask_each<K: Clone + Eq + Hash, R: Request, T>(
        &self,
        keys: BTreeMap<i32, Vec<K>>,
        repeat: Repeat,
        build: &impl Fn(&[K], i16) -> R,
        read: &impl Fn(R::Response) -> Vec<Part<K, T>>,
    ) -> Outcomes<K, T>
    where
        R::Response: Answer,
    {
        let asked = keys.into_iter().map(|(broker, keys)| async move {
            let answer = self.attempt(Route::Broker(broker), repeat, &|version| build(&keys, version)).await;
            (keys, answer)
        });
        let mut outcomes = Outcomes::new();
        for (keys, answer) in join_all(asked).await {
            match answer {
                Ok(answer) => outcomes.extend(read(answer).into_iter().map(Part::outcome)),
                Err(failure) => outcomes.extend(keys.into_iter().map(|key| (key, Err(failure.copy())))),
            }
        }
        outcomes
    }
}

/// Tells whether another round may help.
fn may_move(failure: &Failure, repeat: Repeat) -> bool {
    match failure {
        // Metadata knows the partition; the leader may not have heard yet that it is one.
        Failure::Refused { code: Code::UNKNOWN_TOPIC_OR_PARTITION, .. } => true,
        // The broker has left the cluster since somebody said that it has the part.
        Failure::Final(error) => error.kind() == Kind::BrokerNotAvailable && Code::of(error).is_none(),
        Failure::Refused { .. } | Failure::Unreachable(_) | Failure::Unanswered(_) => failure.may_pass(repeat),
    }
}
