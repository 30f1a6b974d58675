use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::debug;

use crate::domain::connect::attempt::{Attempt, attempt, patience};
use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::operation::{Effect, Operation, Route};
use crate::domain::connect::outcome::Seen as State;
use crate::domain::connect::reply::{Outcome, Reply};
use crate::domain::connect::workers::{Seen, Wish, Worker};
use crate::error::{Kind, Result};

/// How long workers that all refuse connections are tried: as long as one takes to start.
const UNREACHABLE_LIMIT: Duration = Duration::from_secs(20);

/// How long one is waited for who can be asked when only the first answer counts.
const FIRST_LOOK_LIMIT: Duration = Duration::from_secs(3);

/// The waits before a request is sent again.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What was tried for a call so far.
#[derive(Default)]
struct Story {
    tried: Vec<Arc<Worker>>,
    waits: u32,
    /// Whether a worker may have carried it out, or may have read it without an answer.
    unclear: bool,
    /// What a worker answered that may be different in a moment.
    last: Option<Reply>,
}

/// A call on its way through the workers.
struct Asking<'a> {
    cluster: &'a Cluster,
    call: &'a Call,
    wish: Wish<'a>,
    effect: Effect,
    began: Instant,
    deadline: Instant,
    story: Story,
}

/// Goes on, or ends with the answer.
type Next = ControlFlow<Result<Reply>>;

impl Cluster {
    /// Sends a call to workers until one of them gives the answer, or the time is over.
    pub(super) async fn ask(&self, call: &Call, deadline: Instant) -> Result<Reply> {
        let connector = self.subject(call);
        let row = call.operation.row();
        let wish = Wish {
            route: row.route,
            connector: &connector,
            task: call.task(),
            of_worker: matches!(call.operation, Operation::Root | Operation::Health),
        };
        let story = Story::default();
        let (effect, began) = (row.effect, Instant::now());
        Asking { cluster: self, call, wish, effect, began, deadline, story }.run().await
    }
}

impl Asking<'_> {
    async fn run(mut self) -> Result<Reply> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let Some(worker) = self.next().await?.filter(|_| !left.is_zero()) else {
                return self.story.end(self.call);
            };
            let came = self.try_at(&worker, left).await;
            // Who knows of a change is asked again rather than one who does not.
            let is_bound = !self.call.operation.is_write() && self.cluster.workers.is_just_written(&self.wish);
            if !(is_bound && matches!(came, Attempt::NotNow(_))) {
                self.story.tried.push(worker);
            }
            let next = match came {
                Attempt::Answered(reply) => return self.conclude(reply).await,
                Attempt::Unusable(why) => return Err(Kind::ConnectAnswer.because(why)),
                Attempt::NotNow(reply) => self.after_not_now(reply).await,
                Attempt::NotDone(_) => self.after_nothing().await,
                Attempt::Unclear(..) | Attempt::Late(_) => self.after_silence(came.reply()).await,
            };
            match next {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(answer) => return answer,
            }
        }
    }

    async fn next(&mut self) -> Result<Option<Arc<Worker>>> {
        let workers = &self.cluster.workers;
        if let Some(name) = &self.call.wishes.worker {
            let unknown =
                || Kind::NotFound.because(format!("No worker of this Kafka Connect cluster is called {name}."));
            return workers.named(name).map(Some).ok_or_else(unknown);
        }
        let limit = if self.call.wishes.no_retry { FIRST_LOOK_LIMIT } else { UNREACHABLE_LIMIT };
        Ok(workers.next(&self.wish, &self.story.tried, self.deadline.min(Instant::now() + limit)).await)
    }

    async fn try_at(&mut self, worker: &Arc<Worker>, left: Duration) -> Attempt {
        let (workers, settings) = (&self.cluster.workers, &self.cluster.settings);
        let before = self.story.tried.len() as u32;
        let limit = patience(self.effect, settings.read_timeout, settings.write_timeout, before).min(left);
        let changes = self.call.operation.is_write() && self.wish.route != Route::Same;
        if changes {
            workers.note_write(self.wish.connector, worker);
        }
        let came = attempt(worker, self.call, limit, settings.max_answer_bytes).await;
        if changes {
            // Again, as it may have taken long.
            workers.note_write(self.wish.connector, worker);
        }
        self.note(worker, &came);
        came
    }

    fn note(&self, worker: &Worker, came: &Attempt) {
        let operation = self.call.operation;
        let seen = match came {
            Attempt::Answered(_) | Attempt::Unusable(_) => Seen::Answering,
            Attempt::NotNow(_) | Attempt::Unclear(_, Some(_)) => {
                if operation.is_write() {
                    self.cluster.workers.doubt_leader();
                }
                Seen::Answering
            }
            Attempt::NotDone(why) | Attempt::Unclear(why, None) | Attempt::Late(why) => {
                debug!("connect {}: {operation:?} at {}: {why}", self.cluster.name, worker.id());
                if matches!(came, Attempt::Late(_)) { Seen::Late } else { Seen::Failing }
            }
        };
        worker.note(seen);
    }

    /// A worker could not do it just then.
    async fn after_not_now(&mut self, reply: Reply) -> Next {
        if Box::pin(self.cluster.is_lasting(self.call, reply.status, self.deadline)).await {
            return ControlFlow::Break(Ok(reply));
        }
        // Of a change that may have been made before, it would say that it was not.
        if !self.story.unclear || !self.call.operation.is_write() {
            self.story.last = Some(reply);
        }
        // How a worker is, is an answer, which another worker may have a better one to.
        let is_health = self.call.operation == Operation::Health;
        if self.call.wishes.no_retry || is_health && self.were_all_tried() {
            return self.end();
        }
        if !is_health {
            self.story.wait(self.deadline).await;
        }
        ControlFlow::Continue(())
    }

    /// The request did not reach a worker.
    async fn after_nothing(&mut self) -> Next {
        if self.call.wishes.no_retry || self.began.elapsed() > UNREACHABLE_LIMIT {
            return self.end();
        }
        if self.were_all_tried() {
            self.story.wait(self.deadline).await;
        }
        ControlFlow::Continue(())
    }

    /// A worker may have carried it out, and did not say so.
    async fn after_silence(&mut self, reply: Option<Reply>) -> Next {
        self.story.unclear = true;
        self.story.last = reply;
        let is_last = self.call.wishes.no_retry;
        match self.effect {
            Effect::Snapshot | Effect::Read if is_last => self.end(),
            Effect::Snapshot | Effect::Read => {
                if self.were_all_tried() {
                    self.story.wait(self.deadline).await;
                }
                ControlFlow::Continue(())
            }
            Effect::Disruptive => self.end(),
            Effect::Repeatable | Effect::Once => {
                // What was written a moment ago is seen by the others a moment later.
                self.story.wait(self.deadline).await;
                match Box::pin(self.cluster.look(self.call, self.deadline)).await {
                    State::Applied(reply) | State::Conflict(reply) => ControlFlow::Break(Ok(reply)),
                    State::NotApplied if !is_last => ControlFlow::Continue(()),
                    State::Unknown if self.effect == Effect::Repeatable && !is_last => ControlFlow::Continue(()),
                    State::NotApplied | State::Unknown => self.end(),
                }
            }
        }
    }

    /// Returns the answer in view of what was tried before: the second time finds the work of the first.
    async fn conclude(self, reply: Reply) -> Result<Reply> {
        if !self.story.unclear || !self.call.operation.is_write() {
            return Ok(reply);
        }
        match (self.call.operation, reply.status) {
            (Operation::Delete, 404) => Ok(Reply::seen(204, "")),
            (Operation::Create, 409) => match Box::pin(self.cluster.look(self.call, self.deadline)).await {
                State::Applied(seen) => Ok(seen),
                State::Conflict(_) | State::NotApplied | State::Unknown => Ok(reply),
            },
            _ => Ok(reply),
        }
    }

    fn were_all_tried(&self) -> bool {
        self.story.tried.len() >= self.cluster.workers.count()
    }

    fn end(&mut self) -> Next {
        ControlFlow::Break(std::mem::take(&mut self.story).end(self.call))
    }
}

impl Story {
    /// Waits a little longer each time.
    async fn wait(&mut self, deadline: Instant) {
        let longest = FIRST_WAIT.saturating_mul(1 << self.waits.min(10)).min(LONGEST_WAIT);
        self.waits += 1;
        let chance = RandomState::new().hash_one(self.waits) % 1000;
        let wait = longest / 2 + longest / 2 * chance as u32 / 1000;
        tokio::time::sleep(wait.min(deadline.saturating_duration_since(Instant::now()))).await;
    }

    /// Returns what is known when nothing more is tried.
    fn end(self, call: &Call) -> Result<Reply> {
        let is_write = call.operation.is_write();
        if let Some(reply) = self.last {
            let outcome = match (is_write, self.unclear) {
                (false, _) => None,
                (true, true) => Some(Outcome::Unknown),
                (true, false) => Some(Outcome::NotApplied),
            };
            return Ok(Reply { outcome, ..reply });
        }
        Err(match (is_write, self.unclear) {
            (true, true) => Kind::ConnectUnknown.into(),
            (false, true) => Kind::ConnectTimeout.into(),
            (_, false) => Kind::ConnectUnavailable.into(),
        })
    }
}
