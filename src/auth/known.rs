use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::auth::fingerprint::Fingerprint;
use crate::auth::generations::Generations;

/// Credentials that were right, by their fingerprints: bounded, and not for ever.
pub struct Known<T>(Mutex<Generations<Fingerprint, Entry<T>>>);

struct Entry<T> {
    value: T,
    until: Instant,
}

/// What is known of credentials.
#[derive(Debug, PartialEq, Eq)]
pub enum Memory<T> {
    /// They were right a moment ago.
    Fresh(T),
    /// They were right once, so that whoever shows them does not guess.
    Stale,
    /// They are new, or were wrong.
    Nothing,
}

impl<T: Clone> Known<T> {
    /// Returns a memory of at most `max` credentials.
    pub fn new(max: usize) -> Known<T> {
        Known(Mutex::new(Generations::new(max)))
    }

    /// Returns what is known; `holds` tells whether it can still be right.
    pub fn look(&self, shown: &Fingerprint, now: Instant, holds: impl Fn(&T) -> bool) -> Memory<T> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(shown) {
            Some(entry) if now < entry.until && holds(&entry.value) => Memory::Fresh(entry.value.clone()),
            Some(_) => Memory::Stale,
            None => Memory::Nothing,
        }
    }

    /// Remembers that credentials are right.
    pub fn keep(&self, shown: Fingerprint, value: T, until: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shown, Entry { value, until });
    }

    /// Forgets credentials that are not right any more.
    pub fn forget(&self, shown: &Fingerprint) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(shown);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::fingerprint::Fingerprints;

    #[test]
    fn what_was_right_is_fresh_then_stale_and_then_forgotten() {
        let (known, now) = (Known::new(10), Instant::now());
        let shown = Fingerprints::new().unwrap().of(&["a", "b"]);
        assert_eq!(known.look(&shown, now, |_| true), Memory::Nothing);
        known.keep(shown, "alice", now + Duration::from_secs(1));
        assert_eq!(known.look(&shown, now, |_| true), Memory::Fresh("alice"));
        assert_eq!(known.look(&shown, now, |_| false), Memory::Stale);
        assert_eq!(known.look(&shown, now + Duration::from_secs(1), |_| true), Memory::Stale);
        known.forget(&shown);
        assert_eq!(known.look(&shown, now, |_| true), Memory::Nothing);
    }
}
