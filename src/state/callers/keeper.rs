use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use log::{debug, error, info};
use tokio::runtime::Builder;

use crate::error::Kind;
use crate::state::State;
use crate::state::callers::Passing;
use crate::state::callers::table::Due;

/// How often it is looked after the table.
const TICK: Duration = Duration::from_millis(500);

/// Clients that are closed at one time; each takes a thread for up to a few seconds.
const PARALLEL_CLOSES: usize = 8;

/// The same when the process ends.
const LAST_CLOSES: usize = 32;

/// How long records may take that are still on their way.
const FLUSH: Duration = Duration::from_secs(5);

/// When Kafka is asked again that could not be asked.
const RETRY: Duration = Duration::from_secs(5);

/// Starts the thread that looks after the table, unless it runs; it ends with the table.
pub(super) fn start(passing: &Arc<Passing>) {
    if passing.is_kept.swap(true, Ordering::Relaxed) {
        return;
    }
    let kept = Arc::downgrade(passing);
    let started = std::thread::Builder::new().name("kafka-callers".to_owned()).spawn(move || run(&kept));
    if let Err(why) = started {
        passing.is_kept.store(false, Ordering::Relaxed);
        error!("the kafka clients of callers will not expire until there is a thread for it: {why}");
    }
}

fn run(passing: &Weak<Passing>) {
    let runtime = match Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(why) => {
            if let Some(passing) = passing.upgrade() {
                passing.is_kept.store(false, Ordering::Relaxed);
            }
            return error!("the kafka clients of callers will not expire: {why}");
        }
    };
    runtime.block_on(async {
        while let Some(passing) = passing.upgrade() {
            look_after(&passing);
            drop(passing);
            tokio::time::sleep(TICK).await;
        }
    });
}

fn look_after(passing: &Arc<Passing>) {
    for state in passing.table.sweep(passing.settings.idle_timeout) {
        close(passing, state);
    }
    for due in passing.table.due(passing.settings.recheck) {
        tokio::spawn(ask_again(Arc::clone(passing), due));
    }
}

/// Asks Kafka whether credentials are still good.
async fn ask_again(passing: Arc<Passing>, due: Due) {
    match passing.checked(&due.login).await {
        Ok(_) => {}
        Err(refused) if refused.kind() == Kind::KafkaAuthentication => {
            info!("kafka does not accept the credentials of {} any more", due.principal);
            passing.table.refused(&due);
        }
        Err(why) => {
            debug!("kafka cannot be asked about the credentials of {}: {}", due.principal, why.log_line());
            passing.table.not_asked(&due, passing.settings.recheck, RETRY);
        }
    }
}

/// Closes clients that nobody has any more, on a thread of their own: that takes a while.
fn close(passing: &Arc<Passing>, state: Arc<State>) {
    if passing.closing.fetch_add(1, Ordering::Relaxed) >= PARALLEL_CLOSES {
        passing.closing.fetch_sub(1, Ordering::Relaxed);
        return passing.table.keep(state);
    }
    let counted = Arc::clone(passing);
    let work = move || {
        state.kafka.producers.flush(FLUSH);
        drop(state);
        counted.closing.fetch_sub(1, Ordering::Relaxed);
    };
    if let Err(why) = std::thread::Builder::new().name("kafka-closing".to_owned()).spawn(work) {
        // The clients were closed without it, on this thread.
        passing.closing.fetch_sub(1, Ordering::Relaxed);
        error!("no thread to close kafka clients: {why}");
    }
}

/// Writes what producers still have and closes all; blocks for up to `timeout`.
pub(super) fn close_all(states: Vec<Arc<State>>, timeout: Duration) {
    let deadline = Instant::now() + timeout;
    let threads = states.len().min(LAST_CLOSES);
    let queue = Mutex::new(states);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(state) = next() {
                    state.kafka.producers.flush(deadline.saturating_duration_since(Instant::now()));
                }
            });
        }
    });
}
