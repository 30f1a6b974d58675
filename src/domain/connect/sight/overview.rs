use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::listed::Listed;
use crate::domain::connect::restarts::RestartsSeen;
use crate::domain::connect::shown::Shown;
use crate::domain::connect::sight::EVERYTHING;
use crate::domain::connect::sight::states::{State, States};
use crate::domain::connect::status::PartStatus;
use crate::domain::connect::survey::survey;
use crate::error::Result;

/// The most failures that are listed.
const MOST_FAILURES: usize = 100;

/// The longest line of a trace that is looked at for secrets; what follows is not shown.
const MOST_READ_CHARS: usize = 16 << 10;

/// What is shown of a line.
const MOST_SHOWN_CHARS: usize = 500;

/// A cluster in figures.
#[derive(Debug)]
pub struct Overview {
    /// Its connectors by state.
    pub connectors: States,
    /// Their tasks by state.
    pub tasks: States,
    /// Its connectors by type.
    pub types: Types,
    /// What has failed, by name, up to a hundred.
    pub failed: Vec<Failure>,
    /// How much more has failed.
    pub more_failed: u64,
    /// Changes that wait for their turn in this proxy.
    pub waiting_changes: usize,
    /// What is done about it.
    pub restarts: RestartsSeen,
}

/// How many connectors are of each type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the words of Kafka Connect")]
pub struct Types {
    pub source: u64,
    pub sink: u64,
    pub unknown: u64,
}

/// A connector or a task that has failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name of the connector.
    pub connector: String,
    /// The number of the task; `None` is the connector itself.
    pub task: Option<i32>,
    /// Where it ran.
    pub worker_id: String,
    /// The first line of its trace, without secrets.
    pub error: String,
}

/// Counts the connectors of a cluster that are `shown`, and their tasks.
///
/// A connector that was created a moment ago and has no state yet is not counted.
pub async fn overview(cluster: &Cluster, shown: &Shown) -> Result<Overview> {
    let deadline = Instant::now() + cluster.settings.request_timeout;
    let add = |count: &mut Count, name: String, json: &[u8]| {
        if shown.shows(&name) { count.add(name, &Listed::read(json)?) } else { Some(()) }
    };
    let count = survey(cluster, EVERYTHING, deadline, Count::default, add).await?;
    let mut failed = Vec::new();
    for ((connector, task), raw) in count.failed {
        let error = raw.shown(cluster, deadline).await;
        // Looking for secrets takes a while, and nothing of it waits.
        tokio::task::yield_now().await;
        failed.push(Failure { connector, task, worker_id: raw.worker_id, error });
    }
    let mut restarts = cluster.restarts_seen();
    restarts.connectors.retain(|restart| shown.shows(&restart.name));
    Ok(Overview {
        connectors: count.connectors,
        tasks: count.tasks,
        types: count.types,
        failed,
        more_failed: count.more_failed,
        waiting_changes: cluster.queue.waiting(),
        restarts,
    })
}

/// What is counted while connectors pass by.
#[derive(Default)]
struct Count {
    connectors: States,
    tasks: States,
    types: Types,
    failed: BTreeMap<(String, Option<i32>), RawFailure>,
    more_failed: u64,
}

/// A failure as the worker tells it.
struct RawFailure {
    worker_id: String,
    line: String,
    /// The configuration that secrets in the line may come from.
    config: Arc<[u8]>,
}

impl Count {
    fn add(&mut self, name: String, listed: &Listed<'_>) -> Option<()> {
        let (status, config) = (listed.status.as_ref()?, listed.config()?);
        self.connectors.add(State::of(&status.connector.state));
        match status.connector_type.as_str() {
            "source" => self.types.source += 1,
            "sink" => self.types.sink += 1,
            _ => self.types.unknown += 1,
        }
        status.tasks.iter().for_each(|task| self.tasks.add(State::of(&task.part.state)));
        if !status.has_failed() {
            return Some(());
        }
        let config: Arc<[u8]> = config.into();
        let tasks = status.tasks.iter().map(|task| (Some(task.id), &task.part));
        let parts = std::iter::once((None, &status.connector)).chain(tasks);
        for (task, part) in parts.filter(|(_, part)| State::of(&part.state) == State::Failed) {
            self.failed.insert((name.clone(), task), RawFailure::of(part, &config));
            if self.failed.len() > MOST_FAILURES {
                self.failed.pop_last();
                self.more_failed += 1;
            }
        }
        Some(())
    }
}

impl RawFailure {
    fn of(part: &PartStatus, config: &Arc<[u8]>) -> RawFailure {
        let line = part.trace.as_deref().unwrap_or_default().trim_start().lines().next().unwrap_or_default();
        RawFailure {
            worker_id: part.worker_id.clone(),
            line: line.chars().take(MOST_READ_CHARS).collect(),
            config: Arc::clone(config),
        }
    }

    async fn shown(&self, cluster: &Cluster, deadline: Instant) -> String {
        let line = cluster.redacted(&self.line, &self.config, deadline).await;
        line.chars().take(MOST_SHOWN_CHARS).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn add(count: &mut Count, name: &str, connector: &str, tasks: &[&str]) {
        let part = |id: usize, state: &str| json!({ "id": id, "state": state, "worker_id": "w:1", "trace": "\nfirst\nsecond" });
        let tasks: Vec<_> = tasks.iter().enumerate().map(|(id, state)| part(id, state)).collect();
        let status = json!({ "connector": part(0, connector), "tasks": tasks, "type": "sink" });
        let json = json!({ "info": { "config": {} }, "status": status }).to_string();
        Listed::read(json.as_bytes()).and_then(|listed| count.add(name.to_owned(), &listed)).expect("a connector");
    }

    #[test]
    fn connectors_and_tasks_are_counted_apart() {
        let mut count = Count::default();
        add(&mut count, "b", "FAILED", &[]);
        add(&mut count, "a", "RUNNING", &["FAILED", "RUNNING", "FAILED"]);
        assert_eq!((count.connectors.total(), count.tasks.total(), count.types.sink), (2, 3, 2));
        assert_eq!((count.connectors.count(State::Failed), count.tasks.count(State::Failed)), (1, 2));
        let failed: Vec<_> =
            count.failed.iter().map(|((name, task), raw)| (name.as_str(), *task, raw.line.as_str())).collect();
        assert_eq!(failed, [("a", Some(0), "first"), ("a", Some(2), "first"), ("b", None, "first")]);
    }

    #[test]
    fn of_too_many_failures_the_first_by_name_are_kept() {
        let mut count = Count::default();
        for number in (0..MOST_FAILURES + 7).rev() {
            add(&mut count, &format!("{number:04}"), "FAILED", &[]);
        }
        assert_eq!((count.failed.len(), count.more_failed), (MOST_FAILURES, 7));
        assert_eq!(count.failed.keys().next().map(|(name, _)| name.as_str()), Some("0000"));
    }
}
