use std::collections::BTreeMap;
use std::time::Instant;

use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::listed::Listed;
use crate::domain::connect::policy::is_alias;
use crate::domain::connect::shown::Shown;
use crate::domain::connect::sight::EVERYTHING;
use crate::domain::connect::sight::states::{State, States};
use crate::domain::connect::survey::survey;
use crate::error::Result;

/// Which connectors are listed; what is `None` limits nothing.
#[derive(Debug, Default)]
pub struct Filter {
    /// In this state; a connector counts as failed when one of its tasks has failed.
    pub state: Option<State>,
    /// `source`, `sink` or `unknown`.
    pub connector_type: Option<String>,
    /// Of this class: the full name, the end of it that begins behind a dot, or an alias.
    pub class: Option<String>,
    /// With names that begin so.
    pub prefix: Option<String>,
    /// Only those whose names come after this one.
    pub after: Option<String>,
    /// Only those that the client may see.
    pub shown: Shown,
}

/// Some of the connectors, by name.
#[derive(Debug, Default)]
pub struct Page {
    /// Those that fit.
    pub connectors: Vec<ConnectorSeen>,
    /// Whether there are more after the last of them.
    pub has_more: bool,
}

/// A connector without its configuration.
#[derive(Debug)]
pub struct ConnectorSeen {
    /// What it is called.
    pub name: String,
    /// `source`, `sink` or `unknown`.
    pub connector_type: String,
    /// As in its configuration: the full name or an alias.
    pub class: String,
    /// Of the connector itself.
    pub state: State,
    /// Where it runs; the tasks may be elsewhere.
    pub worker_id: String,
    /// Of its tasks.
    pub tasks: States,
}

/// Returns the first `limit` connectors that fit, by name.
///
/// One that was created a moment ago and has no state yet is not among them.
pub async fn connectors(cluster: &Cluster, filter: &Filter, limit: usize) -> Result<Page> {
    let deadline = Instant::now() + cluster.settings.request_timeout;
    let first = survey(cluster, EVERYTHING, deadline, BTreeMap::new, |first, name, json| {
        if filter.allows_name(&name) {
            let seen = ConnectorSeen::of(&name, &Listed::read(json)?)?;
            if filter.allows(&seen) {
                first.insert(name, seen);
                // One more than the limit tells that there are more.
                if first.len() > limit + 1 {
                    first.pop_last();
                }
            }
        }
        Some(())
    });
    let mut connectors: Vec<ConnectorSeen> = first.await?.into_values().collect();
    let has_more = connectors.len() > limit;
    connectors.truncate(limit);
    Ok(Page { connectors, has_more })
}

impl Filter {
    fn allows_name(&self, name: &str) -> bool {
        self.shown.shows(name)
            && self.prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && self.after.as_ref().is_none_or(|after| name > after.as_str())
    }

    fn allows(&self, seen: &ConnectorSeen) -> bool {
        let in_state = |state| seen.state == state || state == State::Failed && seen.tasks.count(State::Failed) > 0;
        self.state.is_none_or(in_state)
            && self.connector_type.as_ref().is_none_or(|wanted| *wanted == seen.connector_type)
            && self.class.as_ref().is_none_or(|wanted| is_of_class(&seen.class, wanted))
    }
}

impl ConnectorSeen {
    fn of(name: &str, listed: &Listed<'_>) -> Option<ConnectorSeen> {
        let status = listed.status.as_ref()?;
        let mut tasks = States::default();
        status.tasks.iter().for_each(|task| tasks.add(State::of(&task.part.state)));
        Some(ConnectorSeen {
            name: name.to_owned(),
            connector_type: status.connector_type.clone(),
            class: listed.class()?,
            state: State::of(&status.connector.state),
            worker_id: status.connector.worker_id.clone(),
            tasks,
        })
    }
}

/// Tells whether a class that a configuration names, in full or by an alias, is the one that is wanted.
fn is_of_class(class: &str, wanted: &str) -> bool {
    let is_end = class.strip_suffix(wanted).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    is_end || is_alias(wanted, class) || is_alias(class, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(state: &str, tasks: &[&str]) -> ConnectorSeen {
        let part = |state: &str| serde_json::json!({ "id": 0, "state": state, "worker_id": "w:1" });
        let tasks: Vec<_> = tasks.iter().map(|state| part(state)).collect();
        let json = serde_json::json!({
            "info": { "config": { "connector.class": "FileStreamSource", "x": "y" } },
            "status": { "connector": part(state), "tasks": tasks, "type": "source" },
        });
        Listed::read(json.to_string().as_bytes())
            .and_then(|listed| ConnectorSeen::of("a", &listed))
            .expect("a connector")
    }

    #[test]
    fn a_connector_has_failed_when_one_of_its_tasks_has() {
        let filter = |state| Filter { state: Some(state), ..Filter::default() };
        let half = seen("RUNNING", &["RUNNING", "FAILED"]);
        assert!(filter(State::Failed).allows(&half) && filter(State::Running).allows(&half));
        assert!(filter(State::Failed).allows(&seen("FAILED", &[])));
        assert!(!filter(State::Failed).allows(&seen("RUNNING", &["PAUSED"])));
        assert!(!filter(State::Paused).allows(&seen("RUNNING", &["PAUSED"])));
    }

    #[test]
    fn a_class_is_found_by_every_name_that_it_has() {
        let full = "org.apache.kafka.connect.file.FileStreamSourceConnector";
        for wanted in [full, "file.FileStreamSourceConnector", "FileStreamSourceConnector", "FileStreamSource"] {
            assert!(is_of_class(full, wanted), "{wanted}");
        }
        assert!(is_of_class("FileStreamSource", full));
        assert!(is_of_class("FileStreamSource", "FileStreamSourceConnector"));
        for wanted in ["StreamSourceConnector", "FileStreamSink", "Connector", "org.apache"] {
            assert!(!is_of_class(full, wanted), "{wanted}");
        }
    }

    #[test]
    fn names_come_after_the_last_one_and_begin_as_wanted() {
        let filter = Filter { prefix: Some("b".to_owned()), after: Some("bb".to_owned()), ..Filter::default() };
        let allowed: Vec<_> =
            ["a", "b", "bb", "bba", "bc", "c"].into_iter().filter(|name| filter.allows_name(name)).collect();
        assert_eq!(allowed, ["bba", "bc"]);
    }
}
