use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::domain::connect::workers::worker::{Health, Worker};
use crate::upstream::{Failure, Held, Request};

/// A worker that is well says so within this time; one that a rebalance holds up takes ten seconds.
const AT_ONCE: Duration = Duration::from_millis(500);
/// How long the endpoint may take that needs no work of the worker.
const ALIVE_LIMIT: Duration = Duration::from_secs(2);
/// Longer than a worker tries to find out how it is: 10 s.
const HEALTH_LIMIT: Duration = Duration::from_secs(12);
/// A worker that is not well is looked at as often as this, so that it is soon asked again.
const UNWELL_INTERVAL: Duration = Duration::from_secs(1);

/// Looks at a worker again and again, and calls `changed` with how it was and is when that differs.
pub(super) async fn look_after(worker: Arc<Worker>, interval: Duration, changed: impl Fn(&Worker, Health, Health)) {
    let mut held: Option<Held> = None;
    loop {
        let (before, failures) = (worker.health(), worker.failures());
        // As long as its connection holds, what does not answer at once is not a new process that starts.
        let is_same = held.is_some() && before.is_usable();
        let health = check(&worker, is_same).await;
        if !worker.found(health, failures) {
            held = None;
            continue;
        }
        if health != before {
            changed(&worker, before, health);
        }
        held = match held.filter(|_| is_same && health.is_usable()) {
            None if health.is_usable() => Held::open(&worker.url, ALIVE_LIMIT).await,
            kept => kept,
        };
        let is_well = health == Health::Healthy && held.is_some();
        let pause = if is_well { interval } else { interval.min(UNWELL_INTERVAL) };
        if wait(&worker, pause, held.as_mut()).await {
            held = None;
        }
    }
}

/// Waits for the next time to look and tells whether the connection ended.
async fn wait(worker: &Worker, pause: Duration, held: Option<&mut Held>) -> bool {
    let ended = async {
        match held {
            Some(held) => held.ended().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ended => true,
        () = sleep(pause) => false,
        () = worker.hurried() => false,
    }
}

async fn check(worker: &Worker, is_same: bool) -> Health {
    let health = told(worker, is_same);
    if !is_same {
        return health.await;
    }
    match timeout(AT_ONCE, health).await {
        Ok(health) => health,
        Err(_) => match get(worker, "/", ALIVE_LIMIT).await {
            Ok(answer) if answer.is_alive() => Health::Busy,
            Ok(_) => Health::Down,
            Err(failure) => without_answer(&failure, is_same),
        },
    }
}

/// Returns how a worker says that it is.
async fn told(worker: &Worker, is_same: bool) -> Health {
    let answer = match get(worker, "/health", HEALTH_LIMIT).await {
        Ok(answer) => answer,
        Err(failure) => return without_answer(&failure, is_same),
    };
    match (answer.status, answer.text("status")) {
        (200, Some(_)) => Health::Healthy,
        (503, Some(_)) => Health::Starting,
        (500, Some(_)) => Health::Busy,
        // Requests will tell what is wrong with the credentials.
        (401 | 403, _) => Health::Healthy,
        _ => older(worker, is_same).await,
    }
}

/// Returns how a worker is that does not know it itself, as those before Kafka 3.9, or whose `/health` is kept from us.
///
/// What does not exist is searched by the thread that does the work, so the answer says that it is ready.
async fn older(worker: &Worker, is_same: bool) -> Health {
    let name = Uuid::new_v4().to_string();
    let answer = match get(worker, &format!("/connectors/{name}"), HEALTH_LIMIT).await {
        Ok(answer) => answer,
        Err(Failure::TimedOut(_)) if !is_same => return Health::Starting,
        Err(failure) => return without_answer(&failure, is_same),
    };
    match answer.text("message") {
        Some(message) if answer.status == 404 && message.contains(&name) => Health::Healthy,
        Some(message) if message.starts_with("HTTP 404") => Health::Starting,
        Some(_) => Health::Busy,
        None => Health::Down,
    }
}

fn without_answer(failure: &Failure, is_same: bool) -> Health {
    match failure {
        Failure::TimedOut(_) if is_same => Health::Hung,
        Failure::TimedOut(_) | Failure::NotSent(_) | Failure::Lost(_) | Failure::TooLarge(_) => Health::Down,
    }
}

/// A short answer.
pub(super) struct Told {
    pub status: u16,
    /// `None` if it is no JSON.
    pub body: Option<Value>,
}

impl Told {
    fn text(&self, key: &str) -> Option<&str> {
        self.body.as_ref()?.get(key)?.as_str()
    }

    fn is_alive(&self) -> bool {
        self.status == 200 && self.text("version").is_some()
    }
}

async fn get(worker: &Worker, path: &str, limit: Duration) -> Result<Told, Failure> {
    ask(worker, &Request::get(path), limit).await
}

/// Sends a request whose answer is short.
pub(super) async fn ask(worker: &Worker, request: &Request, limit: Duration) -> Result<Told, Failure> {
    const MOST_BYTES: u64 = 1 << 16;
    let end = Instant::now() + limit;
    let answer = worker.client.send(&worker.url, request, limit).await?;
    let status = answer.status();
    let left = end.saturating_duration_since(Instant::now());
    let body = timeout(left, answer.whole(MOST_BYTES)).await.unwrap_or(Err(Failure::TimedOut(limit)))?;
    Ok(Told { status, body: serde_json::from_slice(&body).ok() })
}
