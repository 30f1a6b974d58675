use std::fmt;
use std::time::Instant;

use tokio::sync::{Notify, watch};

use crate::upstream::Client;

/// A worker.
pub struct Worker {
    /// Without a slash at its end.
    pub url: String,
    pub(in crate::domain::connect) client: Client,
    standing: watch::Sender<Standing>,
    hurry: Notify,
}

/// How a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nobody has looked since it was found, or since a request to it failed.
    Unknown,
    /// It does what it is asked.
    Healthy,
    /// It is alive, but the one thread that does most of its work is not free: a rebalance, or a connector that blocks.
    Busy,
    /// It was well and does not answer any more; nothing says that its process has ended.
    Hung,
    /// It says that it is not ready.
    Starting,
    /// It cannot be reached, or what answers is no worker.
    Down,
}

/// What a request says about the worker that it was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It answered as a worker does.
    Answering,
    /// It took longer than the request could wait, which a worker in a rebalance does too.
    Late,
    /// It cannot be reached, broke off, or is none: maybe it just starts again.
    Failing,
}

#[derive(Clone, Copy)]
struct Standing {
    health: Health,
    since: Instant,
    /// Checks in a row that nothing answered.
    unanswered: u32,
    /// Requests that failed: a check that began before the last of them says nothing.
    failures: u64,
}

/// How many checks in a row have to be without an answer before requests that wait for one are given up.
const SILENT_CHECKS: u32 = 2;

impl Worker {
    pub(super) fn new(url: String, client: Client) -> Worker {
        let standing = Standing { health: Health::Unknown, since: Instant::now(), unanswered: 0, failures: 0 };
        Worker { url, client, standing: watch::Sender::new(standing), hurry: Notify::new() }
    }

    /// Returns `HOST:PORT`.
    pub fn id(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Returns how it was when somebody looked last.
    pub fn health(&self) -> Health {
        self.standing.borrow().health
    }

    /// Returns since when it is so.
    pub fn since(&self) -> Instant {
        self.standing.borrow().since
    }

    /// Waits until the worker is found dead or hung; one that is only busy is neither.
    pub async fn gone(&self) {
        let mut standing = self.standing.subscribe();
        while standing.changed().await.is_ok() {
            if standing.borrow_and_update().is_gone() {
                return;
            }
        }
    }

    /// Takes notice of what came of a request. One that failed makes the worker unusable until it has been looked at.
    pub fn note(&self, seen: Seen) {
        match seen {
            Seen::Answering => return,
            Seen::Late => {}
            Seen::Failing => self.standing.send_modify(|standing| {
                standing.failures += 1;
                standing.become_(Health::Unknown);
            }),
        }
        self.hurry.notify_one();
    }

    /// Waits until somebody should look at once.
    pub(super) async fn hurried(&self) {
        self.hurry.notified().await;
    }

    /// Returns a number that changes with each request that fails.
    pub(super) fn failures(&self) -> u64 {
        self.standing.borrow().failures
    }

    /// Takes what a check found that began when there were so many failures; `false` if it is outdated.
    pub(super) fn found(&self, health: Health, failures: u64) -> bool {
        let mut is_current = false;
        self.standing.send_if_modified(|standing| {
            is_current = standing.failures == failures;
            is_current && standing.found(health)
        });
        is_current
    }
}

impl Standing {
    fn become_(&mut self, health: Health) -> bool {
        let is_change = self.health != health;
        if is_change {
            (self.health, self.since) = (health, Instant::now());
        }
        is_change
    }

    /// Takes over what a check found and tells whether that is news.
    fn found(&mut self, health: Health) -> bool {
        self.unanswered = if health == Health::Hung { self.unanswered + 1 } else { 0 };
        self.become_(health) || self.unanswered == SILENT_CHECKS
    }

    fn is_gone(&self) -> bool {
        match self.health {
            Health::Down | Health::Starting => true,
            Health::Hung => self.unanswered >= SILENT_CHECKS,
            Health::Unknown | Health::Healthy | Health::Busy => false,
        }
    }
}

impl Health {
    /// Tells whether it can be asked: others might say what is not true, as if nothing existed.
    pub fn is_usable(self) -> bool {
        match self {
            Health::Healthy | Health::Busy | Health::Hung => true,
            Health::Unknown | Health::Starting | Health::Down => false,
        }
    }

    /// Returns what operators read.
    pub fn name(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Healthy => "healthy",
            Health::Busy => "busy",
            Health::Hung => "hung",
            Health::Starting => "starting",
            Health::Down => "down",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
