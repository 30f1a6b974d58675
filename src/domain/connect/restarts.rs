use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use log::{debug, info, warn};
use tokio::time::sleep;

use crate::admin::{Admin, Lease};
use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::listed::Listed;
use crate::domain::connect::operation::Operation;
use crate::domain::connect::reply::Outcome;
use crate::domain::connect::survey::survey;
use crate::error::{Kind, Result};

/// The most connectors that are remembered.
const MOST_CONNECTORS: usize = 10_000;

/// The most that the state of restarts lists.
const MOST_LISTED: usize = 100;

const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// How often the cluster is looked at; seldom enough for one with thousands of connectors.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(15));

/// What was started again in a cluster because it had failed.
pub(super) struct Restarts {
    admin: Arc<Admin>,
    memory: Mutex<Memory>,
    is_acting: AtomicBool,
}

/// The state of the restarts of a cluster.
#[derive(Debug)]
pub struct RestartsSeen {
    /// Whether they are configured.
    pub is_enabled: bool,
    /// Whether this instance is the one of its fleet that does it; only that one knows about connectors.
    pub is_acting: bool,
    /// The connectors that have failed, or did so not long ago; the first by name.
    pub connectors: Vec<RestartSeen>,
}

/// What was done about a connector.
#[derive(Debug, PartialEq, Eq)]
pub struct RestartSeen {
    /// The connector.
    pub name: String,
    /// How often it was started again.
    pub attempts: u32,
    /// When it will be again, if it is still failed then; `None` where it runs or is left to the operators.
    pub next_in: Option<Duration>,
    /// Whether it was started again as often as is allowed, and is still failed.
    pub is_given_up: bool,
}

impl Cluster {
    /// Starts again what fails, while this instance acts for its fleet, until `stop`.
    pub(super) async fn restart_failed(self: &Arc<Self>, stop: impl Future<Output = ()>) {
        let lease = Lease::new(Arc::clone(&self.restarts.admin), &self.restart_group());
        tokio::select! {
            () = lease.run(stop) => {}
            () = self.look_again_and_again(&lease) => {}
        }
    }

    /// Returns the group in which the instances of a fleet find out who acts.
    fn restart_group(&self) -> String {
        match self.settings.restart_group.as_str() {
            "" => format!("kafka-rest-proxy.{}.restarts", self.name),
            group => group.to_owned(),
        }
    }

    async fn look_again_and_again(self: &Arc<Self>, lease: &Lease) {
        let between = (self.settings.restart_backoff / 4).clamp(LOOKS.0, LOOKS.1);
        loop {
            sleep(between).await;
            let is_acting = lease.is_held();
            self.restarts.is_acting.store(is_acting, Ordering::Relaxed);
            if is_acting && let Err(error) = self.restart_due(lease).await {
                // Requests of clients fail too, and are logged.
                debug!("connect {}: nothing is started again: {}", self.name, error.log_line());
            }
        }
    }

    async fn restart_due(self: &Arc<Self>, lease: &Lease) -> Result<()> {
        let deadline = Instant::now() + self.settings.request_timeout;
        let failed = survey(self, "expand=status", deadline, BTreeSet::new, note_failed).await?;
        let due = self.restarts.memory().due(&Rules::of(self), &failed, Instant::now());
        if due.is_empty() || self.is_rebalancing() {
            return Ok(());
        }
        for name in due {
            if !lease.is_held() {
                return Ok(());
            }
            self.restart(&name).await;
        }
        Ok(())
    }

    /// Tells whether connectors are just being shared out among the workers, as far as Kafka tells.
    fn is_rebalancing(&self) -> bool {
        self.workers.view().group.is_some_and(|group| group.is_rebalancing)
    }

    async fn restart(self: &Arc<Self>, name: &str) {
        let call = Call::new(Operation::Restart, &[name]).query("includeTasks=true&onlyFailed=true");
        let outcome = match self.call(call).await {
            Ok(reply) if reply.outcome == Some(Outcome::NotApplied) => return,
            Ok(reply) => reply.status.to_string(),
            Err(error) if matches!(error.kind(), Kind::ConnectBusy | Kind::ConnectUnavailable) => return,
            Err(error) => error.kind().label().to_owned(),
        };
        let most = self.settings.restart_attempts;
        let attempt = self.restarts.memory().restarted(name, Instant::now());
        info!("connect {}: restart {attempt} of {most} of connector {name}: {outcome}", self.name);
        if attempt == most {
            warn!("connect {}: connector {name} is left to the operators if it fails again", self.name);
        }
    }

    /// Returns what is known of the restarts.
    pub(super) fn restarts_seen(&self) -> RestartsSeen {
        let is_enabled = self.settings.restart_failed;
        let is_acting = self.restarts.is_acting.load(Ordering::Relaxed);
        let connectors = self.restarts.memory().seen(&Rules::of(self), Instant::now());
        RestartsSeen { is_enabled, is_acting, connectors }
    }
}

/// Adds a connector that has failed and is not just being started or moved.
fn note_failed(failed: &mut BTreeSet<String>, name: String, json: &[u8]) -> Option<()> {
    let status = Listed::read(json)?.status?;
    let is_moving = status.parts().any(|part| matches!(part.state.as_str(), "UNASSIGNED" | "RESTARTING"));
    if status.has_failed() && !is_moving && failed.len() < MOST_CONNECTORS {
        failed.insert(name);
    }
    Some(())
}

impl Restarts {
    pub(super) fn new(admin: &Arc<Admin>) -> Restarts {
        Restarts { admin: Arc::clone(admin), memory: Mutex::default(), is_acting: AtomicBool::new(false) }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often, and how soon.
struct Rules {
    attempts: u32,
    backoff: Duration,
}

impl Rules {
    fn of(cluster: &Cluster) -> Rules {
        Rules { attempts: cluster.settings.restart_attempts, backoff: cluster.settings.restart_backoff }
    }

    /// Returns the wait before the next restart after `attempts` of them: 1, 2, 6, 12, 20 .. times the backoff.
    fn wait(&self, attempts: u32) -> Duration {
        let times = attempts.saturating_mul(attempts).saturating_add(attempts).max(1);
        self.backoff.saturating_mul(times).min(LONGEST_WAIT)
    }
}

/// The connectors that have failed, or did so not long ago.
#[derive(Default)]
struct Memory(BTreeMap<String, History>);

struct History {
    attempts: u32,
    /// When it was started again last, or seen failed first.
    since: Instant,
    /// Since when it is not failed any more.
    well_since: Option<Instant>,
}

impl Memory {
    /// Takes notice of what is failed at `now` and returns what is to be started again.
    ///
    /// A connector that has been well for as long as it would have to wait for its next restart is forgotten.
    fn due(&mut self, rules: &Rules, failed: &BTreeSet<String>, now: Instant) -> Vec<String> {
        for name in failed {
            if self.0.len() < MOST_CONNECTORS || self.0.contains_key(name) {
                self.0.entry(name.clone()).or_insert(History { attempts: 0, since: now, well_since: None });
            }
        }
        self.0.retain(|name, history| {
            history.well_since = if failed.contains(name) { None } else { history.well_since.or(Some(now)) };
            let is_well = |since| now.duration_since(since) >= rules.wait(history.attempts);
            history.well_since.is_none_or(|since| history.attempts > 0 && !is_well(since))
        });
        let is_due = |history: &History| history.wait(rules, now).is_some_and(|wait| wait.is_zero());
        self.0.iter().filter(|(_, history)| is_due(history)).map(|(name, _)| name.clone()).collect()
    }

    /// Takes notice of a restart and returns how many there were.
    fn restarted(&mut self, name: &str, now: Instant) -> u32 {
        let Some(history) = self.0.get_mut(name) else { return 0 };
        history.attempts += 1;
        history.since = now;
        history.attempts
    }

    fn seen(&self, rules: &Rules, now: Instant) -> Vec<RestartSeen> {
        let seen = |(name, history): (&String, &History)| RestartSeen {
            name: name.clone(),
            attempts: history.attempts,
            next_in: history.wait(rules, now),
            is_given_up: history.well_since.is_none() && history.attempts >= rules.attempts,
        };
        self.0.iter().take(MOST_LISTED).map(seen).collect()
    }
}

impl History {
    /// Returns how long it still has to wait for its next restart; `None` where there is to be none.
    fn wait(&self, rules: &Rules, now: Instant) -> Option<Duration> {
        let is_waiting = self.well_since.is_none() && self.attempts < rules.attempts;
        is_waiting.then(|| rules.wait(self.attempts).saturating_sub(now.duration_since(self.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { attempts: 3, backoff: Duration::from_secs(10) };

    fn failed(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// Lets a connector be failed at each of these seconds and returns those at which it is started again.
    fn restarts(seconds: impl Iterator<Item = u64>, is_failed: fn(u64) -> bool) -> Vec<u64> {
        let (mut memory, began, mut found) = (Memory::default(), Instant::now(), Vec::new());
        for second in seconds {
            let now = began + Duration::from_secs(second);
            let now_failed = if is_failed(second) { failed(&["a"]) } else { failed(&[]) };
            if !memory.due(&RULES, &now_failed, now).is_empty() {
                memory.restarted("a", now);
                found.push(second);
            }
        }
        found
    }

    #[test]
    fn waits_grow_and_end_at_the_ceiling() {
        assert_eq!(restarts((0..500).step_by(5), |_| true), [10, 30, 90]);
        let waits: Vec<_> = (0..5).map(|attempts| RULES.wait(attempts).as_secs()).collect();
        assert_eq!(waits, [10, 20, 60, 120, 200]);
        assert_eq!(RULES.wait(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn what_runs_for_a_moment_only_goes_on_counting() {
        // After the second restart it has to be well for 60 s.
        assert_eq!(restarts(0..500, |second| !(31..60).contains(&second)), [10, 30, 90]);
    }

    #[test]
    fn what_runs_for_long_enough_is_forgotten() {
        assert_eq!(restarts(0..200, |second| !(31..100).contains(&second)), [10, 30, 110, 130, 190]);
    }

    #[test]
    fn a_failure_that_passes_by_itself_is_forgotten_at_once() {
        let (mut memory, now) = (Memory::default(), Instant::now());
        memory.due(&RULES, &failed(&["a", "b"]), now);
        memory.due(&RULES, &failed(&["b"]), now);
        let seen = memory.seen(&RULES, now);
        let expected =
            RestartSeen { name: "b".to_owned(), attempts: 0, next_in: Some(RULES.backoff), is_given_up: false };
        assert_eq!(seen, [expected]);
    }

    #[test]
    fn memory_is_bounded() {
        let many: BTreeSet<String> = (0..MOST_CONNECTORS + 5).map(|number| number.to_string()).collect();
        let mut memory = Memory::default();
        memory.due(&RULES, &many, Instant::now());
        assert_eq!(memory.0.len(), MOST_CONNECTORS);
        assert_eq!(memory.seen(&RULES, Instant::now()).len(), MOST_LISTED);
    }

    #[test]
    fn what_is_being_moved_is_not_failed() {
        let mut found = BTreeSet::new();
        let mut add = |name: &str, task: &str| {
            let status =
                serde_json::json!({"status": {"connector": {"state": "FAILED"}, "tasks": [{"id": 0, "state": task}]}});
            note_failed(&mut found, name.to_owned(), status.to_string().as_bytes())
        };
        add("a", "UNASSIGNED");
        add("b", "RUNNING");
        add("c", "RESTARTING");
        assert_eq!(found, failed(&["b"]));
    }
}
