use serde::Deserialize;

/// The state of a connector and its tasks.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// The connector itself.
    pub connector: PartStatus,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<TaskStatus>,
    /// `source`, `sink` or `unknown`.
    #[serde(default, rename = "type")]
    pub connector_type: String,
}

/// The state of a connector without its tasks.
#[derive(Clone, Debug, Deserialize)]
pub struct PartStatus {
    /// RUNNING, FAILED ..
    pub state: String,
    /// `HOST:PORT`.
    #[serde(default)]
    pub worker_id: String,
    /// The stack trace of a failure.
    #[serde(default)]
    pub trace: Option<String>,
}

/// The state of a task.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskStatus {
    /// Its number.
    pub id: i32,
    /// How it is.
    #[serde(flatten)]
    pub part: PartStatus,
}

/// What a part that failed is called.
pub const FAILED: &str = "FAILED";

impl Status {
    /// Reads the answer of a worker.
    pub fn read(body: &[u8]) -> Option<Status> {
        serde_json::from_slice(body).ok()
    }

    /// Tells whether the connector and its tasks are in a state; one that runs has tasks, one that is stopped has none.
    pub fn is_all(&self, state: &str) -> bool {
        let has_its_tasks = match state {
            "STOPPED" => self.tasks.is_empty(),
            "RUNNING" => !self.tasks.is_empty(),
            _ => true,
        };
        has_its_tasks && self.parts().all(|part| part.state == state)
    }

    /// Tells whether the connector or one of its tasks has failed.
    pub fn has_failed(&self) -> bool {
        self.parts().any(|part| part.state == FAILED)
    }

    /// Returns the connector and its tasks.
    pub(super) fn parts(&self) -> impl Iterator<Item = &PartStatus> {
        std::iter::once(&self.connector).chain(self.tasks.iter().map(|task| &task.part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(json: serde_json::Value) -> Status {
        Status::read(json.to_string().as_bytes()).expect("a status")
    }

    #[test]
    fn a_connector_runs_when_it_has_tasks_and_all_of_them_run() {
        let task = |state: &str| serde_json::json!({"id": 0, "state": state, "worker_id": "w:1"});
        let of = |tasks: Vec<serde_json::Value>| {
            status(
                serde_json::json!({"name": "a", "connector": {"state": "RUNNING", "worker_id": "w:1"}, "tasks": tasks, "type": "source"}),
            )
        };
        assert!(!of(vec![]).is_all("RUNNING"));
        assert!(of(vec![task("RUNNING")]).is_all("RUNNING"));
        assert!(!of(vec![task("RUNNING"), task("FAILED")]).is_all("RUNNING"));
        assert!(of(vec![task("FAILED")]).has_failed());
    }
}
