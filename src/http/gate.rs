use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::config::Limits;
use crate::error::{Kind, Result};

/// Counts what is under way in the whole process: requests, and bytes of request bodies.
#[derive(Clone)]
pub struct Gate {
    requests: Counter,
    bytes: Counter,
    closing: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Counter {
    used: Arc<AtomicU64>,
    limit: u64,
}

/// A part of a limit; dropping it gives it back.
pub struct Share {
    used: Arc<AtomicU64>,
    amount: u64,
}

impl Gate {
    /// Counts bytes in `bytes_in_flight`, which others look at.
    pub(super) fn new(limits: &Limits, bytes_in_flight: &Arc<AtomicU64>) -> Gate {
        let bytes = Counter { used: Arc::clone(bytes_in_flight), limit: limits.bytes_in_flight };
        Gate { requests: Counter::new(limits.concurrent_requests as u64), bytes, closing: Arc::default() }
    }

    /// Asks clients from now on to go elsewhere; still serves them.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Tells whether clients are asked to go elsewhere.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Returns how many requests are under way.
    pub(super) fn requests(&self) -> u64 {
        self.requests.used.load(Ordering::Relaxed)
    }

    /// Admits one request; `None` where as many as allowed are under way.
    pub(super) fn enter(&self) -> Option<Share> {
        self.requests.take(1)
    }

    /// Returns an empty share that grows with a body.
    pub(super) fn body(&self) -> Share {
        Share { used: Arc::clone(&self.bytes.used), amount: 0 }
    }

    /// Adds bytes to a share; 503 where all bodies together would be larger than allowed.
    pub(super) fn grow(&self, share: &mut Share, bytes: usize) -> Result<()> {
        let bytes = bytes as u64;
        share.used.fetch_add(bytes, Ordering::Relaxed);
        share.amount += bytes;
        if share.used.load(Ordering::Relaxed) > self.bytes.limit {
            return Err(
                Kind::Overloaded.because("This proxy has too many bytes under way; send the request again later.")
            );
        }
        Ok(())
    }
}

impl Share {
    /// Returns how large it is.
    pub(super) fn bytes(&self) -> u64 {
        self.amount
    }
}

impl Counter {
    fn new(limit: u64) -> Counter {
        Counter { used: Arc::default(), limit }
    }

    fn take(&self, amount: u64) -> Option<Share> {
        let share = Share { used: Arc::clone(&self.used), amount };
        let before = self.used.fetch_add(amount, Ordering::Relaxed);
        (before + amount <= self.limit).then_some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.used.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(requests: u64, bytes: u64) -> Gate {
        Gate { requests: Counter::new(requests), bytes: Counter::new(bytes), closing: Arc::default() }
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let gate = gate(1, 10);
        let first = gate.enter();
        assert!(first.is_some());
        assert!(gate.enter().is_none());
        drop(first);
        assert!(gate.enter().is_some());
    }

    #[test]
    fn bodies_share_one_limit() {
        let gate = gate(1, 10);
        let (mut one, mut two) = (gate.body(), gate.body());
        assert!(gate.grow(&mut one, 6).is_ok());
        assert_eq!(gate.grow(&mut two, 6).unwrap_err().kind(), Kind::Overloaded);
        drop((one, two));
        assert!(gate.grow(&mut gate.body(), 10).is_ok());
    }
}
