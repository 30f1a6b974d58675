//! What the workers of one cluster know: their connectors and who leads.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::harness::connect::fake::plugins;

pub(super) struct State {
    pub(super) connectors: BTreeMap<String, Connector>,
    pub(super) leader: Option<usize>,
    /// What each worker is called.
    pub(super) ids: Vec<String>,
    /// Whether each worker can be reached by the others.
    pub(super) is_up: Vec<bool>,
    assigned: usize,
}

pub(super) struct Connector {
    pub(super) config: Map<String, Value>,
    pub(super) state: String,
    pub(super) trace: Option<String>,
    /// The index of the worker that runs it.
    pub(super) worker: usize,
    pub(super) tasks: Vec<Task>,
    pub(super) offsets: Vec<Value>,
    pub(super) topics: Vec<String>,
    pub(super) is_curable: bool,
}

pub(super) struct Task {
    pub(super) state: String,
    pub(super) trace: Option<String>,
    pub(super) worker: usize,
}

impl State {
    pub(super) fn new(workers: usize) -> State {
        let ids = vec![String::new(); workers];
        State { connectors: BTreeMap::new(), leader: Some(0), ids, is_up: vec![true; workers], assigned: 0 }
    }

    /// Makes a connector, or replaces the config of one and lets it run anew.
    pub(super) fn put(&mut self, name: &str, mut config: Map<String, Value>) {
        config.insert("name".to_owned(), json!(name));
        let worker = self.next_worker();
        let connector = self.connectors.entry(name.to_owned()).or_insert_with(|| Connector::on(worker));
        connector.config = config;
        if connector.state == "FAILED" {
            connector.set_state("RUNNING");
        }
        self.assign_tasks(name);
    }

    /// Panics if there is none.
    #[track_caller]
    pub(super) fn connector(&mut self, name: &str) -> &mut Connector {
        self.connectors.get_mut(name).unwrap_or_else(|| panic!("no connector {name}"))
    }

    /// Gives a connector the tasks that its config and state ask for, all new.
    pub(super) fn assign_tasks(&mut self, name: &str) {
        let Some(connector) = self.connectors.get(name) else { return };
        let asked = connector.config.get("tasks.max").and_then(Value::as_str).and_then(|count| count.parse().ok());
        let count = match connector.state.as_str() {
            "STOPPED" => 0,
            "PAUSED" => connector.tasks.len(),
            _ => asked.unwrap_or(1),
        };
        let state = connector.state.clone();
        let new_task = |worker| Task { state: state.clone(), trace: None, worker };
        let tasks = (0..count).map(|_| new_task(self.next_worker())).collect();
        self.connector(name).tasks = tasks;
    }

    pub(super) fn info(&self, name: &str) -> Option<Value> {
        let connector = self.connectors.get(name)?;
        let task = |(task, _)| json!({"connector": name, "task": task});
        let tasks: Vec<Value> = connector.tasks.iter().enumerate().map(task).collect();
        Some(json!({"name": name, "config": connector.config, "tasks": tasks, "type": connector.kind()}))
    }

    pub(super) fn status(&self, name: &str) -> Option<Value> {
        let connector = self.connectors.get(name)?;
        let tasks: Vec<Value> = (0..connector.tasks.len()).filter_map(|task| self.task_status(name, task)).collect();
        let own = self.one_status(&connector.state, &connector.trace, connector.worker);
        Some(json!({"name": name, "connector": own, "tasks": tasks, "type": connector.kind()}))
    }

    pub(super) fn task_status(&self, name: &str, task: usize) -> Option<Value> {
        let found = self.connectors.get(name)?.tasks.get(task)?;
        let mut status = self.one_status(&found.state, &found.trace, found.worker);
        status["id"] = json!(task);
        Some(status)
    }

    fn one_status(&self, state: &str, trace: &Option<String>, worker: usize) -> Value {
        let mut status = json!({"state": state, "worker_id": self.ids[worker], "version": plugins::VERSION});
        if let Some(trace) = trace {
            status["trace"] = json!(trace);
        }
        status
    }

    fn next_worker(&mut self) -> usize {
        self.assigned += 1;
        self.assigned % self.ids.len()
    }
}

impl Connector {
    fn on(worker: usize) -> Connector {
        Connector {
            config: Map::new(),
            state: "RUNNING".to_owned(),
            trace: None,
            worker,
            tasks: Vec::new(),
            offsets: Vec::new(),
            topics: Vec::new(),
            is_curable: true,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        let class = self.config.get("connector.class").and_then(Value::as_str).unwrap_or_default();
        plugins::find(class).map_or("unknown", |plugin| plugin.kind)
    }

    pub(super) fn set_state(&mut self, state: &str) {
        state.clone_into(&mut self.state);
        self.trace = None;
    }

    pub(super) fn fail(&mut self, trace: &str) {
        self.state = "FAILED".to_owned();
        self.trace = Some(trace.to_owned());
    }

    /// Starts the connector anew if it failed.
    pub(super) fn heal(&mut self) {
        if self.is_curable && self.state == "FAILED" {
            self.set_state("RUNNING");
        }
    }

    /// Starts a task anew if it failed.
    pub(super) fn heal_task(&mut self, task: usize) {
        if self.is_curable && self.tasks[task].state == "FAILED" {
            self.tasks[task].state = "RUNNING".to_owned();
            self.tasks[task].trace = None;
        }
    }
}

impl Task {
    pub(super) fn fail(&mut self, trace: &str) {
        self.state = "FAILED".to_owned();
        self.trace = Some(trace.to_owned());
    }
}
