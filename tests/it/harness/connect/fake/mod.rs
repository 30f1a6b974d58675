//! Scripted Connect workers inside the test process, for what a real worker does not do when it is asked to: answering
//! late or half, breaking connections, refusing for a while.
//!
//! Without a script they behave as workers do, with connectors that exist in memory only. They run on a runtime of
//! their own, so a test may block.

mod action;
mod behavior;
mod connectors;
mod offsets;
mod plugins;
pub(in crate::harness) mod request;
mod server;

use std::ops::Index;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::harness::waiting::{PATIENCE, eventually};

pub use action::{Action, Gate, Reply};
pub use request::Request;
pub use server::{FakeWorker, Mode};

use action::Rules;
use connectors::{State, stored};

/// Workers that share their connectors, by their index; the first one leads. They are gone when dropped.
pub struct FakeWorkers {
    cluster: Arc<Cluster>,
    workers: Vec<FakeWorker>,
    runtime: Option<Runtime>,
}

/// What the workers share.
struct Cluster {
    state: Mutex<State>,
    rules: Mutex<Rules>,
    requests: Mutex<Vec<Request>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeWorkers {
    /// Starts `count` workers, each on a port of its own.
    pub fn start(count: usize) -> FakeWorkers {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
        let cluster = Arc::new(Cluster {
            state: Mutex::new(State::new(count)),
            rules: Mutex::default(),
            requests: Mutex::default(),
        });
        let workers = (0..count).map(|index| FakeWorker::start(index, &cluster, runtime.handle())).collect();
        FakeWorkers { cluster, workers, runtime: Some(runtime) }
    }

    /// Returns the URLs of all workers with commas between them, as the proxy takes them.
    pub fn urls(&self) -> String {
        self.workers.iter().map(FakeWorker::url).collect::<Vec<_>>().join(",")
    }

    pub fn len(&self) -> usize {
        self.workers.len()
    }

    /// Does these actions for the next requests that match, whichever worker gets them; then workers behave again. A
    /// worker's own actions go before. In a pattern `*` is any text, slashes too; a method `*` is any.
    pub fn on(&self, method: &str, pattern: &str, actions: impl IntoIterator<Item = Action>) {
        lock(&self.cluster.rules).add(method, pattern, actions);
    }

    /// Does the same for every request that matches, after what [`FakeWorkers::on`] queued for them.
    pub fn always(&self, method: &str, pattern: &str, action: Action) {
        lock(&self.cluster.rules).add_lasting(method, pattern, action);
    }

    /// Forgets what [`FakeWorkers::on`] and [`FakeWorkers::always`] said.
    pub fn behave(&self) {
        lock(&self.cluster.rules).clear();
    }

    /// Makes a worker the leader. Without one, what only it may do answers 409 everywhere.
    pub fn set_leader(&self, leader: Option<usize>) {
        self.state().leader = leader;
    }

    /// Returns every request that any worker got, in their order, those to `/health` included.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.cluster.requests).clone()
    }

    /// Returns those that match, patterns as for [`FakeWorkers::on`]. The query does not count.
    pub fn requests_to(&self, method: &str, pattern: &str) -> Vec<Request> {
        lock(&self.cluster.requests).iter().filter(|request| request.matches(method, pattern)).cloned().collect()
    }

    /// Waits until `count` requests that match have come.
    pub async fn wait_for(&self, count: usize, method: &str, pattern: &str) -> Vec<Request> {
        eventually(&format!("{count} times {method} {pattern}"), PATIENCE, async || {
            Some(self.requests_to(method, pattern)).filter(|requests| requests.len() >= count)
        })
        .await
    }

    pub fn forget_requests(&self) {
        lock(&self.cluster.requests).clear();
    }

    /// Makes or replaces a connector behind the back of every client; its tasks run.
    #[track_caller]
    pub fn put(&self, name: &str, config: Value) {
        self.state().put(name, stored(&config).expect("a config is a flat object"));
    }

    /// Deletes a connector in the same way.
    pub fn remove(&self, name: &str) {
        self.state().connectors.remove(name);
    }

    /// Returns the config of a connector as it is stored.
    pub fn config(&self, name: &str) -> Option<Value> {
        self.state().connectors.get(name).map(|connector| Value::Object(connector.config.clone()))
    }

    /// Returns `RUNNING`, `PAUSED`, `STOPPED` or `FAILED`.
    pub fn connector_state(&self, name: &str) -> Option<String> {
        self.state().connectors.get(name).map(|connector| connector.state.clone())
    }

    pub fn task_states(&self, name: &str) -> Vec<String> {
        let state = self.state();
        let tasks = state.connectors.get(name).map(|connector| connector.tasks.as_slice());
        tasks.unwrap_or_default().iter().map(|task| task.state.clone()).collect()
    }

    /// Returns the names of all connectors.
    pub fn names(&self) -> Vec<String> {
        self.state().connectors.keys().cloned().collect()
    }

    /// Lets a connector fail with a stack trace; a restart heals it.
    #[track_caller]
    pub fn fail_connector(&self, name: &str, trace: &str) {
        self.state().connector(name).fail(trace);
    }

    /// Lets a task fail in the same way.
    #[track_caller]
    pub fn fail_task(&self, name: &str, task: usize, trace: &str) {
        self.state().connector(name).tasks[task].fail(trace);
    }

    /// Lets restarts heal the connector and its tasks, or not.
    #[track_caller]
    pub fn set_curable(&self, name: &str, is_curable: bool) {
        self.state().connector(name).is_curable = is_curable;
    }

    /// Sets what `GET /connectors/{name}/offsets` lists.
    #[track_caller]
    pub fn set_offsets(&self, name: &str, offsets: Vec<Value>) {
        self.state().connector(name).offsets = offsets;
    }

    /// Sets what `GET /connectors/{name}/topics` lists.
    #[track_caller]
    pub fn set_topics(&self, name: &str, topics: &[&str]) {
        self.state().connector(name).topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.cluster.state)
    }
}

impl Index<usize> for FakeWorkers {
    type Output = FakeWorker;

    fn index(&self, index: usize) -> &FakeWorker {
        &self.workers[index]
    }
}

impl Drop for FakeWorkers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Also within a runtime, as async tests end in theirs.
            runtime.shutdown_background();
        }
    }
}

/// Returns `count` times the same action.
pub fn times(count: usize, action: Action) -> Vec<Action> {
    vec![action; count]
}

/// The time between two pieces of an answer that drips.
const DRIP: Duration = Duration::from_millis(20);
