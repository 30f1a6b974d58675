use std::sync::{Mutex, PoisonError};

use log::error;
use tokio::task::{JoinError, JoinSet};

use crate::domain::{Stopper, Stopping};

/// What runs beside requests; it ends with the process at the latest.
pub struct Background {
    tasks: Mutex<JoinSet<()>>,
    stopper: Stopper,
    stopping: Stopping,
}

impl Background {
    pub(super) fn new() -> Background {
        let (stopper, stopping) = Stopper::new();
        Background { tasks: Mutex::default(), stopper, stopping }
    }

    /// Starts a task that ends by itself soon after [`Background::stopping`] says so; needs a runtime.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }

    /// Returns what tells a task to end: it may have something to give back.
    pub(super) fn stopping(&self) -> Stopping {
        self.stopping.clone()
    }

    /// Asks all tasks to end and waits until they have.
    pub(super) async fn stop(&self) {
        self.stopper.stop();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(ended) = tasks.join_next().await {
            if let Some(problem) = ended.err().filter(JoinError::is_panic) {
                error!("a task beside the requests for kafka connect failed: {problem}");
            }
        }
    }
}
