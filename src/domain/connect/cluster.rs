use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::debug;

use crate::admin::Admin;
use crate::config::ConnectCluster;
use crate::domain::connect::attempt::{Attempt, attempt, patience};
use crate::domain::connect::call::Call;
use crate::domain::connect::config::ConnectorConfig;
use crate::domain::connect::guard::Guard;
use crate::domain::connect::operation::{Effect, Operation, Route};
use crate::domain::connect::outcome::Seen as State;
use crate::domain::connect::queue::Queue;
use crate::domain::connect::reply::{Outcome, Reply, Settled};
use crate::domain::connect::workers::{Seen, Wish, Worker, Workers};
use crate::error::{Kind, Result};

/// A Kafka Connect cluster as its clients should find it.
pub struct Cluster {
    /// What it is called here.
    pub name: String,
    /// What is configured.
    pub settings: ConnectCluster,
    /// Who can be asked.
    pub workers: Arc<Workers>,
    pub(super) guard: Guard,
    queue: Queue,
}

/// How long workers that all refuse connections are tried: as long as one takes to start.
const UNREACHABLE_LIMIT: Duration = Duration::from_secs(20);

/// How long one is waited for who can be asked when only the first answer counts.
const FIRST_LOOK_LIMIT: Duration = Duration::from_secs(3);

/// The waits before a request is sent again.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(4);

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

impl Cluster {
    /// Reads the certificates; connects to nobody. The error is a sentence for the operator.
    pub(super) fn new(name: &str, settings: &ConnectCluster, admin: &Arc<Admin>) -> Result<Cluster, String> {
        let workers = Workers::new(name, settings, admin).map_err(|why| format!("connect.{name}: {why}"))?;
        Ok(Cluster {
            name: name.to_owned(),
            workers: Arc::new(workers),
            queue: Queue::new(settings.concurrent_writes, settings.queued_writes),
            guard: Guard::new(settings).map_err(|why| format!("connect.{name}.{why}"))?,
            settings: settings.clone(),
        })
    }

    /// Carries out the request of a client.
    pub async fn call(self: &Arc<Self>, call: Call) -> Result<Reply> {
        let limit = call.wishes.within.unwrap_or(self.settings.request_timeout).min(self.settings.request_timeout);
        let deadline = Instant::now() + limit;
        if call.body.len() as u64 > self.settings.max_body_bytes {
            let most = self.settings.max_body_bytes;
            return Err(
                Kind::PayloadTooLarge.because(format!("The request body is larger than {most} bytes: send less."))
            );
        }
        let call = self.admit(call, deadline).await?;
        let turn = if call.operation.is_write() { Some(self.queue.turn(deadline).await?) } else { None };
        let reply = self.carry_out(&call, deadline).await?;
        drop(turn);
        let settled = if reply.is_success() { self.settled(&call).await } else { None };
        let reply = match call.operation {
            Operation::List => self.veil_list(&call, reply).await.map_err(|why| Kind::ConnectAnswer.caused_by(why))?,
            _ => self.veil(&call, reply, deadline).await?,
        };
        Ok(Reply { settled, ..reply })
    }

    async fn settled(&self, call: &Call) -> Option<Settled> {
        let settle = call.wishes.settle?;
        let name = self.subject(call);
        Some(self.settle(&name, settle.state, Instant::now() + settle.within).await)
    }

    /// Returns the connector that a call is about.
    fn subject(&self, call: &Call) -> String {
        match call.operation {
            Operation::Create => ConnectorConfig::read_creation(&call.body).map(|(name, _)| name).unwrap_or_default(),
            _ => call.name(),
        }
    }

    async fn carry_out(&self, call: &Call, deadline: Instant) -> Result<Reply> {
        if self.settings.skip_unchanged
            && call.operation == Operation::PutConfig
            && let State::Applied(reply) = self.look(call, deadline).await
        {
            return Ok(Reply { outcome: Some(Outcome::Unchanged), ..reply });
        }
        if call.operation == Operation::List {
            let call = Call { query: self.list_query(call), ..call.clone() };
            return self.ask(&call, deadline).await;
        }
        self.ask(call, deadline).await
    }

    /// Sends a call to workers until one of them gives the answer, or the time is over.
    pub(super) async fn ask(&self, call: &Call, deadline: Instant) -> Result<Reply> {
        let effect = call.operation.row().effect;
        let began = Instant::now();
        let mut story = Story::default();
        let connector = self.subject(call);
        let wish = Wish {
            route: call.operation.row().route,
            connector: &connector,
            task: call.task(),
            of_worker: matches!(call.operation, Operation::Root | Operation::Health),
        };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(worker) = self.next(call, &wish, &story.tried, deadline).await?.filter(|_| !left.is_zero()) else {
                return story.end(call);
            };
            let before = story.tried.len() as u32;
            let limit = patience(effect, self.settings.read_timeout, self.settings.write_timeout, before).min(left);
            let came = self.try_at(&worker, call, &wish, limit).await;
            // Who knows of a change is asked again rather than one who does not.
            let is_bound = !call.operation.is_write() && self.workers.is_just_written(&wish);
            if !(is_bound && matches!(came, Attempt::NotNow(_))) {
                story.tried.push(worker);
            }
            match came {
                Attempt::Answered(reply) => return self.conclude(call, story.unclear, reply, deadline).await,
                Attempt::Unusable(why) => return Err(Kind::ConnectAnswer.because(why)),
                Attempt::NotNow(reply) => {
                    if Box::pin(self.is_lasting(call, reply.status, deadline)).await {
                        return Ok(reply);
                    }
                    // Of a change that may have been made before, it would say that it was not.
                    if !story.unclear || !call.operation.is_write() {
                        story.last = Some(reply);
                    }
                    match call.operation {
                        _ if call.wishes.no_retry => return story.end(call),
                        // It is an answer, which another worker may have a better one to.
                        Operation::Health if self.were_all_tried(&story) => return story.end(call),
                        Operation::Health => {}
                        _ => story.wait(deadline).await,
                    }
                }
                Attempt::NotDone(_) => {
                    if call.wishes.no_retry || began.elapsed() > UNREACHABLE_LIMIT {
                        return story.end(call);
                    }
                    if self.were_all_tried(&story) {
                        story.wait(deadline).await;
                    }
                }
                Attempt::Unclear(..) | Attempt::Late(_) => {
                    story.unclear = true;
                    story.last = came.reply();
                    match effect {
                        Effect::Snapshot | Effect::Read if call.wishes.no_retry => return story.end(call),
                        Effect::Snapshot | Effect::Read if self.were_all_tried(&story) => story.wait(deadline).await,
                        Effect::Snapshot | Effect::Read => {}
                        Effect::Disruptive => return story.end(call),
                        Effect::Repeatable | Effect::Once => {
                            // What was written a moment ago is seen by the others a moment later.
                            story.wait(deadline).await;
                            match Box::pin(self.look(call, deadline)).await {
                                State::Applied(reply) | State::Conflict(reply) => return Ok(reply),
                                State::NotApplied if !call.wishes.no_retry => {}
                                State::Unknown if effect == Effect::Repeatable && !call.wishes.no_retry => {}
                                State::NotApplied | State::Unknown => return story.end(call),
                            }
                        }
                    }
                }
            }
        }
    }

    async fn try_at(&self, worker: &Arc<Worker>, call: &Call, wish: &Wish<'_>, limit: Duration) -> Attempt {
        let changes = call.operation.is_write() && wish.route != Route::Same;
        if changes {
            self.workers.note_write(wish.connector, worker);
        }
        let came = attempt(worker, call, limit, self.settings.max_answer_bytes).await;
        if changes {
            // Again, as it may have taken long.
            self.workers.note_write(wish.connector, worker);
        }
        self.note(worker, &came, call);
        came
    }

    fn were_all_tried(&self, story: &Story) -> bool {
        story.tried.len() >= self.workers.count()
    }

    async fn next(
        &self,
        call: &Call,
        wish: &Wish<'_>,
        tried: &[Arc<Worker>],
        deadline: Instant,
    ) -> Result<Option<Arc<Worker>>> {
        if let Some(name) = &call.wishes.worker {
            let unknown =
                || Kind::NotFound.because(format!("No worker of this Kafka Connect cluster is called {name}."));
            return self.workers.named(name).map(Some).ok_or_else(unknown);
        }
        let limit = if call.wishes.no_retry { FIRST_LOOK_LIMIT } else { UNREACHABLE_LIMIT };
        Ok(self.workers.next(wish, tried, deadline.min(Instant::now() + limit)).await)
    }

    fn note(&self, worker: &Worker, came: &Attempt, call: &Call) {
        let seen = match came {
            Attempt::Answered(_) | Attempt::Unusable(_) => Seen::Answering,
            Attempt::NotNow(_) | Attempt::Unclear(_, Some(_)) => {
                if call.operation.is_write() {
                    self.workers.doubt_leader();
                }
                Seen::Answering
            }
            Attempt::NotDone(why) | Attempt::Unclear(why, None) | Attempt::Late(why) => {
                debug!("connect {}: {:?} at {}: {why}", self.name, call.operation, worker.id());
                if matches!(came, Attempt::Late(_)) { Seen::Late } else { Seen::Failing }
            }
        };
        self.workers.note(worker, seen);
    }

    /// Returns the answer to a call in view of what was tried before: the second time finds the work of the first.
    async fn conclude(&self, call: &Call, was_unclear: bool, reply: Reply, deadline: Instant) -> Result<Reply> {
        if !was_unclear || !call.operation.is_write() {
            return Ok(reply);
        }
        match (call.operation, reply.status) {
            (Operation::Delete, 404) => Ok(Reply::seen(204, "")),
            (Operation::Create, 409) => match Box::pin(self.look(call, deadline)).await {
                State::Applied(seen) => Ok(seen),
                State::Conflict(_) | State::NotApplied | State::Unknown => Ok(reply),
            },
            _ => Ok(reply),
        }
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
