use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::connect::workers::worker::Worker;

/// How long the other workers may take to read what one has written.
const SEEN_BY_ALL_AFTER: Duration = Duration::from_secs(10);
/// Connectors that are remembered one by one.
const MOST_NAMES: usize = 1000;

/// Who carried out the changes of the last seconds: reads go there, as the others see them a moment later.
#[derive(Default)]
pub struct Written(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    by_name: HashMap<String, Change>,
    /// The last change of any connector, for lists.
    last: Option<Change>,
    /// The last change of one that is not remembered by its name.
    nameless: Option<Change>,
}

#[derive(Clone)]
struct Change {
    at: Instant,
    worker: Arc<Worker>,
}

impl Change {
    fn is_recent(&self) -> bool {
        self.at.elapsed() < SEEN_BY_ALL_AFTER
    }
}

impl Written {
    /// Remembers that a worker changes a connector.
    pub fn note(&self, connector: &str, worker: &Arc<Worker>) {
        let change = Change { at: Instant::now(), worker: Arc::clone(worker) };
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.by_name.len() >= MOST_NAMES {
            recent.by_name.retain(|_, change| change.is_recent());
        }
        recent.last = Some(change.clone());
        if recent.by_name.len() < MOST_NAMES || recent.by_name.contains_key(connector) {
            recent.by_name.insert(connector.to_owned(), change);
        } else {
            recent.nameless = Some(change);
        }
    }

    /// Returns who knows of the last change of a connector, or without a name of any, unless all know by now.
    pub fn holder(&self, connector: &str) -> Option<Arc<Worker>> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let change = match connector {
            "" => recent.last.as_ref(),
            name => recent.by_name.get(name).or(recent.nameless.as_ref()),
        };
        change.filter(|change| change.is_recent()).map(|change| Arc::clone(&change.worker))
    }
}
