use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::metrics::Histogram;

/// Calls of one Kafka Connect cluster. They take milliseconds and more, so a lock for a moment is nothing to them.
#[derive(Debug, Default)]
pub struct ConnectCalls {
    counts: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    pub(super) took: Histogram,
}

/// A call that is under way.
#[derive(Debug)]
pub struct ConnectCall<'a> {
    calls: &'a ConnectCalls,
    began: Instant,
    is_over: bool,
}

impl ConnectCalls {
    /// Begins a call; one that is dropped before its end was given up by its client.
    pub fn begin(&self) -> ConnectCall<'_> {
        ConnectCall { calls: self, began: Instant::now(), is_over: false }
    }

    /// Returns outcome, class of the status, and count.
    pub(super) fn read(&self) -> Vec<(&'static str, &'static str, u64)> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((outcome, class), count)| (*outcome, *class, *count)).collect()
    }
}

impl ConnectCall<'_> {
    /// Ends it: `outcome` is one of a few names.
    pub fn end(mut self, outcome: &'static str, status: u16) {
        self.is_over = true;
        self.count(outcome, class(status));
    }

    fn count(&self, outcome: &'static str, class: &'static str) {
        let mut counts = self.calls.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((outcome, class)).or_default() += 1;
        self.calls.took.observe(self.began.elapsed());
    }
}

impl Drop for ConnectCall<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.count("gone", "none");
        }
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_once_however_it_ends() {
        let calls = ConnectCalls::default();
        calls.begin().end("answered", 201);
        calls.begin().end("answered", 200);
        drop(calls.begin());
        assert_eq!(calls.read(), [("answered", "2xx", 2), ("gone", "none", 1)]);
        assert_eq!(calls.took.read().1, 3);
    }
}
