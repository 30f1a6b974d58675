use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use log::{Level, info, log, warn};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::config::Discovery;
use crate::domain::connect::workers::discovery::{Names, Place, places};
use crate::domain::connect::workers::group::Group;
use crate::domain::connect::workers::health::look_after;
use crate::domain::connect::workers::worker::{Health, Worker};
use crate::domain::connect::workers::{Workers, leader};
use crate::model::ConnectGroup;

/// How often workers and the leader are looked for: Kafka and name servers are not asked more often for a shorter
/// `health_interval`, nor less often for a long one.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(30);
/// The least time between two looks, however many have doubts.
const LEAST_PAUSE: Duration = Duration::from_millis(200);

impl Workers {
    /// Looks after the workers for as long as it is polled.
    pub(in crate::domain::connect) async fn watch(self: Arc<Self>) {
        let interval = self.settings.health_interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
        let mut sources = Sources::new(&self);
        let mut watched = Watched::default();
        watched.follow(&self);
        loop {
            self.discover(&mut sources).await;
            watched.follow(&self);
            self.find_leader(&sources).await;
            sleep(LEAST_PAUSE).await;
            // An error is that nobody had doubts.
            let _ = timeout(interval, self.hint.notified()).await;
        }
    }

    async fn discover(&self, sources: &mut Sources) {
        let mut problem = None;
        if let Some(names) = &mut sources.names {
            let (found, trouble) = names.look_up().await;
            problem = trouble;
            if !found.is_empty() {
                self.take(found, Vec::new());
            }
        }
        if let Some(group) = &mut sources.group {
            match group.ask().await {
                Ok(group) => self.take_group(group),
                Err(trouble) => problem = Some(trouble),
            }
        }
        sources.tell(&self.cluster, problem);
    }

    /// Takes over what Kafka tells; while it does not, what it told before is better than nothing.
    fn take_group(&self, group: ConnectGroup) {
        let state = group.state;
        if group.is_rebalancing() || group.workers.is_empty() {
            self.update(|known| known.group_state = Some(state));
            return;
        }
        if self.settings.discovery == Discovery::Kafka {
            let is_member = |url: &String| group.workers.iter().any(|worker| worker.url == *url);
            let spares: Vec<_> = self.settings.remote.urls.iter().filter(|url| !is_member(url)).cloned().collect();
            let members = group.workers.iter().map(|worker| Place { url: worker.url.clone(), host: None });
            self.take(members.collect(), places(&spares));
        }
        self.update(|known| (known.group, known.group_state) = (Some(Arc::new(group)), Some(state)));
    }

    async fn find_leader(&self, sources: &Sources) {
        let known = self.known();
        let told = known.group.as_ref().filter(|_| sources.group.is_some()).and_then(|group| group.leader_url.as_ref());
        let leader = match told.and_then(|url| known.member(url)) {
            Some(leader) => Some(leader),
            None => leader::find(&known.members, known.leader.as_ref()).await,
        };
        let url = |leader: &Option<Arc<Worker>>| leader.as_ref().map(|leader| leader.url.clone());
        if url(&leader) != url(&known.leader) {
            match &leader {
                Some(leader) => info!("connect {}: worker {} leads", self.cluster, leader.id()),
                None => info!("connect {}: no worker is known to lead", self.cluster),
            }
            self.update(|known| known.leader = leader);
        }
    }

    fn health_changed(&self, worker: &Worker, before: Health, health: Health) {
        let level = match (before, health) {
            // Every rebalance does that.
            (Health::Healthy, Health::Busy) | (Health::Busy, Health::Healthy) => Level::Debug,
            (_, Health::Hung | Health::Down) => Level::Warn,
            (_, Health::Unknown | Health::Healthy | Health::Busy | Health::Starting) => Level::Info,
        };
        log!(level, "connect {}: worker {} is {health}", self.cluster, worker.id());
        self.changed.notify_waiters();
        self.hint.notify_one();
    }
}

/// Who is asked where workers are.
struct Sources {
    names: Option<Names>,
    group: Option<Group>,
    /// What was said last that goes wrong.
    problem: Option<String>,
}

impl Sources {
    fn new(workers: &Workers) -> Sources {
        let settings = &workers.settings;
        let names = (settings.discovery == Discovery::Dns).then(|| Names::new(&settings.remote.urls));
        let asks_kafka = settings.discovery == Discovery::Kafka || !settings.group_id.is_empty();
        Sources { names, group: asks_kafka.then(|| Group::new(&workers.admin, settings)), problem: None }
    }

    /// Says each problem once.
    fn tell(&mut self, cluster: &str, problem: Option<String>) {
        if let Some(problem) = problem.as_ref().filter(|problem| self.problem.as_ref() != Some(problem)) {
            warn!("connect {cluster}: {problem}");
        }
        self.problem = problem;
    }
}

/// The tasks that look after one worker each; they end with this.
#[derive(Default)]
struct Watched {
    tasks: JoinSet<()>,
    by_url: BTreeMap<String, AbortHandle>,
}

impl Watched {
    /// Starts for workers that are new, and ends for those that are no more.
    fn follow(&mut self, workers: &Arc<Workers>) {
        while self.tasks.try_join_next().is_some() {}
        let known = workers.known();
        let all: Vec<_> = known.members.iter().chain(&known.spares).collect();
        self.by_url.retain(|url, task| {
            let stays = all.iter().any(|worker| worker.url == *url);
            if !stays {
                task.abort();
            }
            stays
        });
        for worker in all {
            if !self.by_url.contains_key(&worker.url) {
                let (own, interval) = (Arc::clone(workers), workers.settings.health_interval);
                let changed = move |worker: &Worker, before, health| own.health_changed(worker, before, health);
                let task = self.tasks.spawn(look_after(Arc::clone(worker), interval, changed));
                self.by_url.insert(worker.url.clone(), task);
            }
        }
    }
}
