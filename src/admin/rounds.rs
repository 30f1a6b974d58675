use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

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

impl Operation<'_> {
    /// Makes rounds, each for what another one may help, and returns what became of `keys`, in their order.
    pub(super) async fn rounds<K: Clone + Eq + Hash, T>(
        &self,
        keys: &[K],
        repeat: Repeat,
        round: impl AsyncFn(&[K]) -> Result<Outcomes<K, T>>,
    ) -> Result<Vec<(K, Result<T>)>> {
        let mut outcomes = Outcomes::new();
        let mut open = keys.to_vec();
        let mut wait = FIRST_WAIT;
        while !open.is_empty() {
            match round(&open).await {
                Ok(found) => outcomes.extend(found),
                Err(error) if outcomes.is_empty() => return Err(error),
                // What is known already is worth more than that nobody tells who has the rest.
                Err(_) => break,
            }
            open.retain(|key| matches!(outcomes.get(key), Some(Err(failure)) if may_move(failure, repeat)));
            if Instant::now() + wait >= self.deadline() {
                break;
            }
            if !open.is_empty() {
                sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        let ended = |key: &K| {
            let outcome =
                outcomes.remove(key).unwrap_or_else(|| Err(Failure::Final(missing("part for what was asked"))));
            (key.clone(), outcome.map_err(|why| why.into_error(repeat, self.patience())))
        };
        Ok(keys.iter().map(ended).collect())
    }

    /// Asks each broker once for its part of `keys`.
    pub(super) async fn ask_each<K: Clone + Eq + Hash, R: Request, T>(
        &self,
        keys: BTreeMap<i32, Vec<K>>,
        build: &impl Fn(&[K], i16) -> R,
        read: &impl Fn(R::Response) -> Vec<Part<K, T>>,
    ) -> Outcomes<K, T>
    where
        R::Response: Answer,
    {
        let asked = keys.into_iter().map(|(broker, keys)| async move {
            let answer = self.attempt(Route::Broker(broker), &|version| build(&keys, version)).await;
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
