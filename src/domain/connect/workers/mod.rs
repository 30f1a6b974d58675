//! Who can be asked: the workers of a cluster, how they are, and who leads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::connect::operation::Route;

/// How long a worker that could not be reached is asked last.
const AVOIDED_FOR: Duration = Duration::from_secs(5);

/// The workers of one cluster.
pub struct Workers {
    known: Vec<Arc<Worker>>,
    next: AtomicUsize,
}

/// A worker.
pub struct Worker {
    /// Without a slash at its end.
    pub url: String,
    failed: Mutex<Option<Instant>>,
}

/// What a request says about the worker that it was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It answered as a worker does.
    Answering,
    /// It did not.
    Failing,
}

/// What is asked of whom.
pub struct Wish<'a> {
    /// Which kind of worker.
    pub route: Route,
    /// The connector in question, and its task.
    pub connector: &'a str,
    pub task: Option<i32>,
}

impl Workers {
    pub(super) fn new(urls: &[String]) -> Workers {
        let worker = |url: &String| Arc::new(Worker { url: url.clone(), failed: Mutex::default() });
        Workers { known: urls.iter().map(worker).collect(), next: AtomicUsize::new(0) }
    }

    /// Returns the worker to ask next: one that was not tried, then one that was; healthy ones first.
    pub fn choose(&self, wish: &Wish<'_>, tried: &[Arc<Worker>]) -> Option<Arc<Worker>> {
        let start = match wish.route {
            Route::Same => 0,
            Route::Any | Route::Leader | Route::Owner => self.next.fetch_add(1, Ordering::Relaxed),
        };
        let count = self.known.len();
        let rank = |worker: &&Arc<Worker>| {
            let times = tried.iter().filter(|one| one.url == worker.url).count();
            (times, worker.is_avoided())
        };
        let turned = (0..count).map(|at| &self.known[(start + at) % count]);
        turned.min_by_key(rank).cloned()
    }

    /// Looks after the workers for as long as it is polled.
    pub(super) async fn watch(self: Arc<Self>) {
        std::future::pending::<()>().await;
    }

    /// Returns all of them.
    pub fn all(&self) -> Vec<Arc<Worker>> {
        self.known.clone()
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// Returns the worker that a client names, as `HOST:PORT` or by its URL.
    pub fn named(&self, name: &str) -> Option<Arc<Worker>> {
        self.known.iter().find(|worker| worker.url == name || worker.id() == name).cloned()
    }

    /// Takes notice of what came of a request.
    pub fn note(&self, worker: &Worker, seen: Seen) {
        let failed = match seen {
            Seen::Answering => None,
            Seen::Failing => Some(Instant::now()),
        };
        *worker.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }
}

impl Worker {
    /// Returns `HOST:PORT`.
    pub fn id(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Tells whether it could not be reached just now.
    pub fn is_avoided(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|at| at.elapsed() < AVOIDED_FOR)
    }
}
