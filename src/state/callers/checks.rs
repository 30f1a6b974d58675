use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::error::{Error, Kind, Result};
use crate::state::State;
use crate::state::callers::keys::Tag;

/// Different credentials that are looked at or wait for it.
const MAX_UNDER_WAY: usize = 256;

/// The credentials that are being looked at: those who show the same at once share one answer, also a refusal.
#[derive(Default)]
pub(super) struct Checks(Mutex<HashMap<Tag, Answer>>);

type Answer = Arc<OnceCell<Result<Arc<State>, Refusal>>>;

/// What is told to all who wait.
#[derive(Clone)]
struct Refusal {
    kind: Kind,
    message: String,
    cause: String,
}

/// One who waits; the last one to leave forgets the answer, so that nobody later gets it.
struct Waiting<'a> {
    checks: &'a Checks,
    proof: Tag,
    answer: Answer,
}

impl Checks {
    /// Runs `check`, or waits for what another one with this proof gets.
    pub(super) async fn once(&self, proof: Tag, check: impl Future<Output = Result<Arc<State>>>) -> Result<Arc<State>> {
        let waiting = self.join(proof)?;
        let run = async || check.await.map_err(Refusal::from);
        waiting.answer.get_or_init(run).await.clone().map_err(Error::from)
    }

    fn join(&self, proof: Tag) -> Result<Waiting<'_>> {
        let mut under_way = self.lock();
        if under_way.len() >= MAX_UNDER_WAY && !under_way.contains_key(&proof) {
            return Err(Kind::Overloaded.because("Too many callers log in to Kafka; send the request again later."));
        }
        let answer = Arc::clone(under_way.entry(proof).or_default());
        Ok(Waiting { checks: self, proof, answer })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Tag, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut under_way = self.checks.lock();
        // A check that has its answer is over; one that was given up by all is too.
        let is_over = self.answer.get().is_some() || Arc::strong_count(&self.answer) == 2;
        if is_over && under_way.get(&self.proof).is_some_and(|current| Arc::ptr_eq(current, &self.answer)) {
            under_way.remove(&self.proof);
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal { kind: error.kind(), message: error.message().to_owned(), cause: error.log_line() }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        refusal.kind.because(refusal.message).caused_by(std::io::Error::other(refusal.cause))
    }
}
