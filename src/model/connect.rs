use crate::model::GroupState;

/// A Connect cluster, as the group of its workers in Kafka shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectGroup {
    /// The id of the group: `group.id` of the workers.
    pub id: String,
    /// What the group is doing.
    pub state: GroupState,
    /// The URL that the leader advertises; while the group rebalances that of the last leader, or `None`.
    pub leader_url: Option<String>,
    /// The workers, by URL; none while the group rebalances, as brokers then do not tell.
    pub workers: Vec<ConnectMember>,
}

impl ConnectGroup {
    /// Tells whether connectors and tasks are just being shared out: what was known before is then better than this.
    pub fn is_rebalancing(&self) -> bool {
        match self.state {
            GroupState::PreparingRebalance
            | GroupState::CompletingRebalance
            | GroupState::Assigning
            | GroupState::Reconciling => true,
            GroupState::Unknown | GroupState::Stable | GroupState::Dead | GroupState::Empty | GroupState::NotReady => {
                false
            }
        }
    }

    /// Returns the worker that runs the connector itself; its tasks may be elsewhere.
    pub fn worker_of_connector(&self, connector: &str) -> Option<&ConnectMember> {
        self.workers.iter().find(|worker| worker.connectors.iter().any(|run| run == connector))
    }

    /// Returns the worker that runs a task.
    pub fn worker_of_task(&self, connector: &str, task: i32) -> Option<&ConnectMember> {
        let is_meant = |run: &(String, i32)| run.0 == connector && run.1 == task;
        self.workers.iter().find(|worker| worker.tasks.iter().any(is_meant))
    }
}

/// A Connect worker and what it was given to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectMember {
    /// The URL that it advertises, which ends with a slash where the worker made it.
    pub url: String,
    /// The connectors that it runs, sorted.
    pub connectors: Vec<String>,
    /// The tasks that it runs, each as connector and number, sorted.
    pub tasks: Vec<(String, i32)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_what_is_found() {
        let worker = |url: &str, connectors: &[&str], tasks: &[(&str, i32)]| ConnectMember {
            url: url.to_owned(),
            connectors: connectors.iter().map(|&name| name.to_owned()).collect(),
            tasks: tasks.iter().map(|(name, task)| (name.to_string(), *task)).collect(),
        };
        let group = ConnectGroup {
            id: "connect".to_owned(),
            state: GroupState::Stable,
            leader_url: None,
            workers: vec![worker("http://a/", &["x"], &[("x", 1)]), worker("http://b/", &[], &[("x", 0)])],
        };
        let url = |found: Option<&ConnectMember>| found.map(|worker| worker.url.clone());
        assert_eq!(url(group.worker_of_connector("x")).as_deref(), Some("http://a/"));
        assert_eq!(url(group.worker_of_task("x", 0)).as_deref(), Some("http://b/"));
        assert_eq!(url(group.worker_of_task("x", 2)), None);
        assert_eq!(url(group.worker_of_connector("y")), None);
    }
}
