//! Who can be asked: the workers of a cluster, how they are, and who leads.
//!
//! `discovery` and `group` find them, `health` looks after each, `leader` asks who leads where Kafka does not tell,
//! `choosing` picks one for a request, and `written` lets reads see what was written before.

mod choosing;
mod discovery;
mod group;
mod health;
mod leader;
mod view;
mod watch;
mod worker;
mod written;

pub use view::{GroupView, View, WorkerView};
pub use worker::{Health, Seen, Worker};

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::admin::Admin;
use crate::config::ConnectCluster;
use crate::domain::connect::operation::Route;
use crate::domain::connect::workers::choosing::{Candidate, choose};
use crate::domain::connect::workers::discovery::{Place, places};
use crate::domain::connect::workers::written::Written;
use crate::model::{ConnectGroup, ConnectMember, GroupState};
use crate::upstream::Client;

/// The workers of one cluster.
pub struct Workers {
    cluster: String,
    settings: ConnectCluster,
    admin: Arc<Admin>,
    clients: Clients,
    known: RwLock<Arc<Known>>,
    written: Written,
    turn: AtomicUsize,
    /// Wakes who looks for workers and the leader.
    hint: Notify,
    /// Wakes who waits for a worker that can be asked.
    changed: Notify,
}

/// What is known at a time.
#[derive(Clone, Default)]
struct Known {
    /// By URL.
    members: Vec<Arc<Worker>>,
    /// Configured ones that Kafka does not list.
    spares: Vec<Arc<Worker>>,
    leader: Option<Arc<Worker>>,
    /// The group as it was when it was stable last.
    group: Option<Arc<ConnectGroup>>,
    /// What the group is doing.
    group_state: Option<GroupState>,
}

/// What is asked of whom.
pub struct Wish<'a> {
    /// Which kind of worker.
    pub route: Route,
    /// The connector in question, and its task; empty is all.
    pub connector: &'a str,
    pub task: Option<i32>,
    /// Whether it is about a worker itself, which can tell before it is ready.
    pub of_worker: bool,
}

impl Workers {
    /// Reads the certificates; connects to nobody. The error is a sentence for the operator.
    pub(super) fn new(name: &str, settings: &ConnectCluster, admin: &Arc<Admin>) -> Result<Workers, String> {
        let workers = Workers {
            cluster: name.to_owned(),
            settings: settings.clone(),
            admin: Arc::clone(admin),
            clients: Clients::new(settings)?,
            known: RwLock::default(),
            written: Written::default(),
            turn: AtomicUsize::new(0),
            hint: Notify::new(),
            changed: Notify::new(),
        };
        workers.take(places(&settings.remote.urls), Vec::new());
        Ok(workers)
    }

    /// Returns the worker to ask next, or waits until there is one.
    pub async fn next(&self, wish: &Wish<'_>, tried: &[Arc<Worker>], until: Instant) -> Option<Arc<Worker>> {
        loop {
            let changed = self.changed.notified();
            if let Some(worker) = self.choose(wish, tried) {
                return Some(worker);
            }
            timeout_at(until.into(), changed).await.ok()?;
        }
    }

    fn choose(&self, wish: &Wish<'_>, tried: &[Arc<Worker>]) -> Option<Arc<Worker>> {
        let known = self.known();
        let preferred = self.preferred(&known, wish);
        let preferred: Vec<&str> = preferred.iter().map(|worker| worker.url.as_str()).collect();
        let start = match wish.route {
            Route::Same => 0,
            Route::Any | Route::Leader | Route::Owner => self.turn.fetch_add(1, Ordering::Relaxed),
        };
        let count = known.members.len();
        let turned = (0..count).map(|at| (&known.members[(start + at) % count], false));
        let all: Vec<_> = turned.chain(known.spares.iter().map(|spare| (spare, true))).collect();
        let candidates: Vec<_> = all
            .iter()
            .map(|(worker, is_spare)| Candidate {
                url: &worker.url,
                health: worker.health(),
                tried: tried.iter().filter(|one| one.url == worker.url).count(),
                is_spare: *is_spare,
            })
            .collect();
        choose(&candidates, &preferred, wish.of_worker).map(|place| Arc::clone(all[place].0))
    }

    fn preferred(&self, known: &Known, wish: &Wish<'_>) -> Vec<Arc<Worker>> {
        let leader = known.leader.clone();
        match wish.route {
            Route::Same => Vec::new(),
            Route::Leader => leader.into_iter().collect(),
            Route::Owner => known.owner(wish).into_iter().chain(leader).collect(),
            // Who was asked has asked the leader, and may itself see a moment later what that wrote.
            Route::Any => match self.written.holder(wish.connector) {
                Some(holder) => leader.into_iter().chain([holder]).collect(),
                None => Vec::new(),
            },
        }
    }

    /// Tells whether only one worker is sure to know what is asked for.
    pub fn is_just_written(&self, wish: &Wish<'_>) -> bool {
        wish.route == Route::Any && self.written.holder(wish.connector).is_some()
    }

    /// Remembers that a connector is changed through a worker.
    pub fn note_write(&self, connector: &str, worker: &Arc<Worker>) {
        self.written.note(connector, worker);
    }

    /// Says that who leads may have changed.
    pub fn doubt_leader(&self) {
        self.hint.notify_one();
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.known().members.len()
    }

    /// Returns the worker that a client names, as `HOST:PORT` or by its URL.
    pub fn named(&self, name: &str) -> Option<Arc<Worker>> {
        let known = self.known();
        let mut all = known.members.iter().chain(&known.spares);
        all.find(|worker| worker.url == name || worker.id() == name).cloned()
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn update(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut known));
    }

    /// Takes over where workers are; those that are known stay as they are.
    fn take(&self, members: Vec<Place>, spares: Vec<Place>) {
        let old = self.known();
        let worker = |place: Place| {
            let mut known = old.members.iter().chain(&old.spares);
            let made = || Arc::new(Worker::new(place.url.clone(), self.clients.for_host(place.host.as_deref())));
            known.find(|worker| worker.url == place.url).cloned().unwrap_or_else(made)
        };
        let all = |mut places: Vec<Place>| {
            places.sort_unstable();
            places.dedup_by(|one, other| one.url == other.url);
            places.truncate(discovery::MOST_WORKERS);
            places.into_iter().map(worker).collect()
        };
        let (members, spares) = (all(members), all(spares));
        self.update(|known| (known.members, known.spares) = (members, spares));
        self.changed.notify_waiters();
    }
}

impl Known {
    fn member(&self, url: &str) -> Option<Arc<Worker>> {
        self.members.iter().find(|worker| worker.url == url).cloned()
    }

    /// Returns who runs the connector or the task of a wish.
    fn owner(&self, wish: &Wish<'_>) -> Option<Arc<Worker>> {
        let group = self.group.as_ref()?;
        let owner: Option<&ConnectMember> = match wish.task {
            Some(task) => group.worker_of_task(wish.connector, task),
            None => group.worker_of_connector(wish.connector),
        };
        self.member(&owner?.url)
    }
}

/// The HTTP clients: one, and one for each host whose addresses are used in its place.
struct Clients {
    plain: Client,
    by_host: BTreeMap<String, Client>,
}

impl Clients {
    fn new(settings: &ConnectCluster) -> Result<Clients, String> {
        let client = |host: Option<&str>| Client::new(&settings.remote, settings.connect_timeout, host);
        let hosts = match settings.discovery {
            crate::config::Discovery::Dns => settings.remote.urls.as_slice(),
            crate::config::Discovery::Urls | crate::config::Discovery::Kafka => &[],
        };
        let authority = |url: &String| url.split('/').nth(2).map(str::to_owned);
        let by_host = hosts.iter().filter_map(authority).map(|host| Ok((host.clone(), client(Some(&host))?)));
        Ok(Clients { plain: client(None)?, by_host: by_host.collect::<Result<_, String>>()? })
    }

    fn for_host(&self, host: Option<&str>) -> Client {
        host.and_then(|host| self.by_host.get(host)).unwrap_or(&self.plain).clone()
    }
}
