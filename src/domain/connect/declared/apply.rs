use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::declared::plan::{Action, Planned, plan};
use crate::domain::connect::declared::{Declared, Target};
use crate::domain::connect::operation::Operation;
use crate::domain::connect::reply::{Outcome, Reply};
use crate::domain::connect::verdict::WorkerError;
use crate::error::{Error, Kind, Result};

/// Connectors at a time: they share the wait for a rebalance, and leave room for other clients.
const AT_A_TIME: usize = 4;

/// When nothing more is begun.
const LIMIT: Duration = Duration::from_secs(600);

/// The most invalid connectors that a refusal names.
const MOST_NAMED: usize = 10;

/// A connector of a set, and what became of it.
#[derive(Debug)]
pub struct Applied {
    /// What was to be done.
    pub planned: Planned,
    /// What was done.
    pub done: Done,
}

/// What became of a connector.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// It was as it should be.
    Unchanged,
    /// Everything was done.
    Applied,
    /// Something failed, and what came after it was not tried.
    Failed {
        /// As of an HTTP answer.
        status: u16,
        /// Why, without secrets.
        message: String,
    },
    /// Nothing was tried, as workers were lost before, or something failed before a deletion.
    NotTried,
}

/// Lets a cluster have the connectors of a set as they are wanted; one that is invalid refuses the whole set.
///
/// Deletions come last, and only if everything before them succeeded. Where this future is dropped, as a client hangs
/// up, nothing more is begun; applied again, a set goes on where it was.
pub async fn apply(cluster: &Arc<Cluster>, declared: &Declared) -> Result<Vec<Applied>> {
    let planned = plan(cluster, declared).await?;
    refuse_invalid(&planned)?;
    let (deletions, others): (Vec<_>, Vec<_>) =
        planned.into_iter().partition(|one| one.actions.contains(&Action::Delete));
    let work = Work { cluster, end: Instant::now() + LIMIT, is_over: Cell::new(false) };
    let mut applied = work.all(others).await;
    if applied.iter().any(|one| matches!(one.done, Done::Failed { .. })) {
        work.is_over.set(true);
    }
    applied.extend(work.all(deletions).await);
    Ok(applied)
}

fn refuse_invalid(planned: &[Planned]) -> Result<()> {
    let invalid: Vec<&Planned> = planned.iter().filter(|one| !one.problems.is_empty()).collect();
    if invalid.is_empty() {
        return Ok(());
    }
    let named = invalid.iter().take(MOST_NAMED).flat_map(|one| one.problems.first().map(|problem| (one, problem)));
    let named = named.map(|(one, problem)| format!("{} ({}: {})", one.name, problem.key, problem.message));
    let named: Vec<_> = named.collect();
    Err(Kind::ConnectInvalid.because(format!(
        "{} of {} connectors are not valid, and nothing was changed; the plan says everything: {}",
        invalid.len(),
        planned.len(),
        named.join("; ")
    )))
}

struct Work<'a> {
    cluster: &'a Arc<Cluster>,
    end: Instant,
    /// Set where nothing more is to be begun.
    is_over: Cell<bool>,
}

impl Work<'_> {
    /// Carries out a part of a plan and returns it in its order.
    async fn all(&self, planned: Vec<Planned>) -> Vec<Applied> {
        let at_a_time = AT_A_TIME.min(self.cluster.settings.concurrent_writes);
        let one = |planned: Planned| async {
            let done = self.one(&planned).await;
            Applied { planned, done }
        };
        stream::iter(planned.into_iter().map(one)).buffered(at_a_time).collect().await
    }

    async fn one(&self, planned: &Planned) -> Done {
        if planned.actions.is_empty() {
            return Done::Unchanged;
        }
        for (place, action) in planned.actions.iter().enumerate() {
            if self.is_over.get() || Instant::now() >= self.end {
                return if place == 0 {
                    Done::NotTried
                } else {
                    Done::Failed { status: 503, message: PARTLY.to_owned() }
                };
            }
            match self.cluster.call(call(*action, planned)).await {
                Ok(reply) if reply.is_success() || *action == Action::Delete && reply.status == 404 => {}
                Ok(reply) => return self.failed(&reply),
                Err(error) => return self.lost(&error),
            }
        }
        Done::Applied
    }

    /// Says what a worker answered, which has no secrets in it; what lasted until the deadline is the cluster's trouble.
    fn failed(&self, reply: &Reply) -> Done {
        let error = WorkerError::read(reply.bytes());
        let said = error.as_ref().map_or("The worker does not say why.", WorkerError::message);
        let message = match reply.outcome {
            Some(Outcome::Unknown) => format!("{}: {said}", Kind::ConnectUnknown.title()),
            Some(Outcome::Applied | Outcome::NotApplied | Outcome::Unchanged) | None => said.to_owned(),
        };
        if matches!(reply.outcome, Some(Outcome::Unknown | Outcome::NotApplied)) {
            self.is_over.set(true);
        }
        Done::Failed { status: reply.status, message }
    }

    /// Says why there is no answer; what the cluster itself cannot do now it cannot do for others either.
    fn lost(&self, error: &Error) -> Done {
        let status = error.kind().status();
        if status == 429 || status >= 500 {
            self.is_over.set(true);
        }
        Done::Failed { status, message: error.message().to_owned() }
    }
}

/// What is said of a connector of which a part was done when everything ended.
const PARTLY: &str = "Not everything was done before the cluster was lost or the time was over: send the set again.";

fn call(action: Action, planned: &Planned) -> Call {
    let about = |operation| Call::new(operation, &[&planned.name]);
    match action {
        Action::Create => {
            let mut body = json!({ "name": planned.name, "config": planned.config.0 });
            if let Some(state @ (Target::Paused | Target::Stopped)) = planned.state {
                body["initial_state"] = json!(state.name());
            }
            Call::new(Operation::Create, &[]).json(body.to_string())
        }
        Action::Update => about(Operation::PutConfig).json(planned.config.to_json()),
        Action::Pause => about(Operation::Pause),
        Action::Resume => about(Operation::Resume),
        Action::Stop => about(Operation::Stop),
        Action::Delete => about(Operation::Delete),
    }
}
