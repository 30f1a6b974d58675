/// What can be asked of a Connect cluster: every endpoint that a worker has for its users, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their rows say it")]
pub enum Operation {
    Root,
    Health,
    List,
    Create,
    Connector,
    Delete,
    Config,
    PutConfig,
    PatchConfig,
    Status,
    Restart,
    Pause,
    Resume,
    Stop,
    Topics,
    ResetTopics,
    Offsets,
    PatchOffsets,
    DeleteOffsets,
    Tasks,
    TasksConfig,
    TaskStatus,
    RestartTask,
    Plugins,
    PluginConfig,
    Validate,
    Loggers,
    Logger,
    SetLogger,
}

/// What sending a request twice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It reads what every worker has at hand, at once.
    Snapshot,
    /// It reads through the one thread of a worker that a rebalance blocks.
    Read,
    /// It leaves the same state as sending it once.
    Repeatable,
    /// It creates or deletes: the second time finds the work done and is an error.
    Once,
    /// It interrupts what runs each time, and no state tells whether it was carried out.
    Disruptive,
}

/// Which worker is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Any that is healthy.
    Any,
    /// The leader, where it is known: others would forward.
    Leader,
    /// The one that runs the connector or the task, where it is known.
    Owner,
    /// Always the same one, or the one that the client names: workers have levels of their own.
    Same,
}

/// A row of the table of operations.
pub struct Row {
    /// The HTTP method; GET is also HEAD.
    pub method: &'static str,
    /// Below the cluster; `{..}` is a segment.
    pub path: &'static str,
    /// The parameters that are passed on.
    pub query: &'static [&'static str],
    /// What sending it twice does.
    pub effect: Effect,
    /// Which worker is asked.
    pub route: Route,
    /// For people.
    pub summary: &'static str,
}

use Effect::{Disruptive, Once, Read, Repeatable, Snapshot};
use Route::{Any, Leader, Owner, Same};

impl Operation {
    /// Every operation, in the order of the table.
    pub const ALL: [Operation; 29] = [
        Operation::Root,
        Operation::Health,
        Operation::List,
        Operation::Create,
        Operation::Connector,
        Operation::Delete,
        Operation::Config,
        Operation::PutConfig,
        Operation::PatchConfig,
        Operation::Status,
        Operation::Restart,
        Operation::Pause,
        Operation::Resume,
        Operation::Stop,
        Operation::Topics,
        Operation::ResetTopics,
        Operation::Offsets,
        Operation::PatchOffsets,
        Operation::DeleteOffsets,
        Operation::Tasks,
        Operation::TasksConfig,
        Operation::TaskStatus,
        Operation::RestartTask,
        Operation::Plugins,
        Operation::PluginConfig,
        Operation::Validate,
        Operation::Loggers,
        Operation::Logger,
        Operation::SetLogger,
    ];

    /// Returns what is known about it.
    #[rustfmt::skip]
    pub fn row(self) -> Row {
        let row = |method, path, query, effect, route, summary| Row { method, path, query, effect, route, summary };
        let connector = "/connectors/{connector}";
        match self {
            Operation::Root => row("GET", "", &[], Snapshot, Any, "Get the version of the workers and the id of their Kafka cluster"),
            Operation::Health => row("GET", "/health", &[], Snapshot, Any, "Tell how a worker is"),
            Operation::List => row("GET", "/connectors", &["expand"], Snapshot, Any, "List the connectors"),
            Operation::Create => row("POST", "/connectors", &[], Once, Leader, "Create a connector"),
            Operation::Connector => row("GET", connector, &[], Read, Any, "Get a connector"),
            Operation::Delete => row("DELETE", connector, &[], Once, Leader, "Delete a connector"),
            Operation::Config => row("GET", "/connectors/{connector}/config", &[], Read, Any, "Get the configuration of a connector"),
            Operation::PutConfig => row("PUT", "/connectors/{connector}/config", &[], Repeatable, Leader, "Create a connector, or replace its configuration"),
            Operation::PatchConfig => row("PATCH", "/connectors/{connector}/config", &[], Repeatable, Leader, "Change single keys of a configuration"),
            Operation::Status => row("GET", "/connectors/{connector}/status", &[], Snapshot, Any, "Get the state of a connector and its tasks"),
            Operation::Restart => row("POST", "/connectors/{connector}/restart", &["includeTasks", "onlyFailed"], Disruptive, Owner, "Restart a connector, with its tasks if asked"),
            Operation::Pause => row("PUT", "/connectors/{connector}/pause", &[], Repeatable, Any, "Pause a connector and its tasks"),
            Operation::Resume => row("PUT", "/connectors/{connector}/resume", &[], Repeatable, Any, "Resume a connector that is paused or stopped"),
            Operation::Stop => row("PUT", "/connectors/{connector}/stop", &[], Repeatable, Leader, "Stop a connector: its tasks end"),
            Operation::Topics => row("GET", "/connectors/{connector}/topics", &[], Snapshot, Any, "List the topics that a connector has used"),
            Operation::ResetTopics => row("PUT", "/connectors/{connector}/topics/reset", &[], Repeatable, Any, "Forget the topics that a connector has used"),
            Operation::Offsets => row("GET", "/connectors/{connector}/offsets", &[], Read, Any, "Get the offsets of a connector"),
            Operation::PatchOffsets => row("PATCH", "/connectors/{connector}/offsets", &[], Repeatable, Leader, "Change offsets of a stopped connector"),
            Operation::DeleteOffsets => row("DELETE", "/connectors/{connector}/offsets", &[], Repeatable, Leader, "Forget the offsets of a stopped connector"),
            Operation::Tasks => row("GET", "/connectors/{connector}/tasks", &[], Read, Any, "List the tasks of a connector with their configurations"),
            Operation::TasksConfig => row("GET", "/connectors/{connector}/tasks-config", &[], Read, Any, "Get the configurations of all tasks (workers before 4.0)"),
            Operation::TaskStatus => row("GET", "/connectors/{connector}/tasks/{task}/status", &[], Snapshot, Any, "Get the state of a task"),
            Operation::RestartTask => row("POST", "/connectors/{connector}/tasks/{task}/restart", &[], Disruptive, Owner, "Restart a task"),
            Operation::Plugins => row("GET", "/connector-plugins", &["connectorsOnly"], Snapshot, Any, "List the plugins of the workers"),
            Operation::PluginConfig => row("GET", "/connector-plugins/{plugin}/config", &["version"], Snapshot, Any, "Get the definition of a plugin's configuration"),
            Operation::Validate => row("PUT", "/connector-plugins/{plugin}/config/validate", &[], Read, Any, "Validate a configuration"),
            Operation::Loggers => row("GET", "/admin/loggers", &[], Snapshot, Same, "List the loggers of a worker"),
            Operation::Logger => row("GET", "/admin/loggers/{logger}", &[], Snapshot, Same, "Get the level of a logger"),
            Operation::SetLogger => row("PUT", "/admin/loggers/{logger}", &["scope"], Repeatable, Same, "Set the level of a logger"),
        }
    }

    /// Tells whether it changes something.
    pub fn is_write(self) -> bool {
        match self.row().effect {
            Snapshot | Read => false,
            Repeatable | Once | Disruptive => true,
        }
    }

    /// Tells whether it is about what workers log.
    pub fn is_about_loggers(self) -> bool {
        matches!(self, Operation::Loggers | Operation::Logger | Operation::SetLogger)
    }

    /// Tells whether it has a body that a worker reads, which has to be JSON.
    pub fn takes_body(self) -> bool {
        matches!(
            self,
            Operation::Create
                | Operation::PutConfig
                | Operation::PatchConfig
                | Operation::PatchOffsets
                | Operation::Validate
                | Operation::SetLogger
        )
    }

    /// Returns the path with `names` in the place of its parameters, in their order; they have to be encoded.
    pub fn path(self, names: &[&str]) -> String {
        let mut names = names.iter();
        let segments = self.row().path.split('/').map(|segment| match segment.starts_with('{') {
            true => names.next().copied().unwrap_or_default(),
            false => segment,
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_names_as_they_are() {
        assert_eq!(Operation::Root.path(&[]), "");
        assert_eq!(Operation::TaskStatus.path(&["a%20b", "0"]), "/connectors/a%20b/tasks/0/status");
        assert_eq!(Operation::Logger.path(&["org.x"]), "/admin/loggers/org.x");
    }

    #[test]
    fn internal_endpoints_are_no_operations() {
        let is_internal = |row: &Row| {
            row.path.ends_with("/fence")
                || row.method == "POST" && row.path.ends_with("/tasks")
                || row.query.contains(&"forward")
        };
        assert!(!Operation::ALL.iter().any(|operation| is_internal(&operation.row())));
    }

    #[test]
    fn no_two_operations_are_the_same_request() {
        let mut requests: Vec<_> = Operation::ALL.iter().map(|one| (one.row().method, one.row().path)).collect();
        requests.sort_unstable();
        requests.dedup();
        assert_eq!(requests.len(), Operation::ALL.len());
    }
}
