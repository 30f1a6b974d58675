use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kafka_protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::Request;

use crate::admin::answer::Answer;
use crate::admin::brokers::Node;
use crate::admin::code::Code;
use crate::admin::convert::{text, wire};
use crate::admin::failure::{Failure, Repeat};
use crate::admin::operation::Operation;
use crate::admin::rounds::{Outcomes, Part, Rounds};
use crate::error::Result;

/// Coordinators beyond this number are asked for again.
const REMEMBERED: usize = 10_000;

/// More are asked for in several requests.
const ASKED_AT_ONCE: usize = 1_000;

/// What a coordinator coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CoordinatorKind {
    Group,
    Transaction,
}

impl CoordinatorKind {
    /// Returns its number in FindCoordinator.
    fn key_type(self) -> i8 {
        match self {
            CoordinatorKind::Group => 0,
            CoordinatorKind::Transaction => 1,
        }
    }
}

/// Which broker coordinates what, as it was last heard.
#[derive(Default)]
pub(super) struct Coordinators(Mutex<HashMap<(CoordinatorKind, String), i32>>);

impl Coordinators {
    pub(super) fn known(&self, kind: CoordinatorKind, key: &str) -> Option<i32> {
        self.lock().get(&(kind, key.to_owned())).copied()
    }

    fn learn(&self, kind: CoordinatorKind, key: &str, broker: i32) {
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert((kind, key.to_owned()), broker);
    }

    pub(super) fn forget(&self, kind: CoordinatorKind, key: &str) {
        self.lock().remove(&(kind, key.to_owned()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(CoordinatorKind, String), i32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operation<'_> {
    /// Returns who coordinates `key`, as far as that is known or can be asked for now.
    pub(super) async fn coordinator(&self, kind: CoordinatorKind, key: &str) -> Result<i32, Failure> {
        let key = key.to_owned();
        let mut found = self.find_coordinators(kind, std::slice::from_ref(&key)).await;
        found.remove(&key).unwrap_or_else(|| Err(unknown()))
    }

    /// Sends one request to each coordinator of `keys`, for those that it has, and again where they have moved.
    ///
    /// Returns what became of each key, in their order. `build` gets the keys of one coordinator and the version that
    /// it knows.
    pub(super) async fn at_coordinators<R: Request, T>(
        &self,
        kind: CoordinatorKind,
        keys: &[String],
        repeat: Repeat,
        build: impl Fn(&[String], i16) -> R,
        read: impl Fn(R::Response) -> Vec<Part<String, T>>,
    ) -> Result<Vec<(String, Result<T>)>>
    where
        R::Response: Answer,
    {
        let mut rounds = Rounds::over(keys, repeat);
        while let Some(open) = rounds.next(self).await {
            rounds.take(Ok(self.coordinators_round(kind, &open, repeat, &build, &read).await))?;
        }
        Ok(rounds.end(self))
    }

    async fn coordinators_round<R: Request, T>(
        &self,
        kind: CoordinatorKind,
        open: &[String],
        repeat: Repeat,
        build: &impl Fn(&[String], i16) -> R,
        read: &impl Fn(R::Response) -> Vec<Part<String, T>>,
    ) -> Outcomes<String, T>
    where
        R::Response: Answer,
    {
        let mut outcomes = Outcomes::new();
        let mut coordinated: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for (key, coordinator) in self.find_coordinators(kind, open).await {
            match coordinator {
                Ok(broker) => coordinated.entry(broker).or_default().push(key),
                Err(failure) => drop(outcomes.insert(key, Err(failure))),
            }
        }
        outcomes.extend(self.ask_each(coordinated, repeat, build, read).await);
        // Whatever went wrong, the next round asks anew.
        let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err());
        failed.for_each(|(key, _)| self.coordinators().forget(kind, key));
        outcomes
    }

    /// Returns who coordinates each of `keys`; asks for those that are not known.
    async fn find_coordinators(&self, kind: CoordinatorKind, keys: &[String]) -> Outcomes<String, i32> {
        let mut found = Outcomes::new();
        let mut unknown = Vec::new();
        for key in keys {
            match self.coordinators().known(kind, key) {
                Some(broker) => drop(found.insert(key.clone(), Ok(broker))),
                None => unknown.push(key.clone()),
            }
        }
        while !unknown.is_empty() {
            let asked = &unknown[..unknown.len().min(ASKED_AT_ONCE)];
            let told =
                match self.attempt_at(Node::Any, Repeat::Harmless, &|version| request(kind, asked, version)).await {
                    Ok(answer) => told(answer, asked),
                    Err(failure) => {
                        let failure = failure.before_sending();
                        found.extend(unknown.into_iter().map(|key| (key, Err(failure.copy()))));
                        break;
                    }
                };
            unknown.drain(..told.len());
            for (key, broker) in told {
                if let Ok(broker) = &broker {
                    self.coordinators().learn(kind, &key, *broker);
                }
                found.insert(key, broker);
            }
        }
        found
    }
}

fn unknown() -> Failure {
    Failure::Refused { code: Code::COORDINATOR_NOT_AVAILABLE, message: None }
}

/// Asks for all `keys`, or for the first of them where the broker takes only one.
fn request(kind: CoordinatorKind, keys: &[String], version: i16) -> FindCoordinatorRequest {
    let request = FindCoordinatorRequest::default().with_key_type(kind.key_type());
    if version < 4 {
        request.with_key(keys.first().map(|key| wire(key)).unwrap_or_default())
    } else {
        request.with_coordinator_keys(keys.iter().map(|key| wire(key)).collect())
    }
}

/// Returns what an answer says of the keys, in the order in which they were asked.
fn told(answer: FindCoordinatorResponse, keys: &[String]) -> Vec<(String, Result<i32, Failure>)> {
    if answer.coordinators.is_empty() {
        // Errors of the whole have been looked at.
        return keys.first().map(|key| (key.clone(), Ok(answer.node_id.0))).into_iter().collect();
    }
    let mut by_key = HashMap::new();
    for coordinator in answer.coordinators {
        let broker = match Code(coordinator.error_code) {
            Code::NONE => Ok(coordinator.node_id.0),
            code => Err(Failure::Refused { code, message: text(coordinator.error_message) }),
        };
        by_key.insert(coordinator.key.to_string(), broker);
    }
    keys.iter().map(|key| (key.clone(), by_key.remove(key).unwrap_or_else(|| Err(unknown())))).collect()
}
