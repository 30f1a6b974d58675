use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout_at;

use crate::error::{Kind, Result};

/// The changes of one cluster: so many at a time, in the order in which they came, and so many that wait.
pub struct Queue {
    turns: Semaphore,
    waiting: Arc<AtomicUsize>,
    most_waiting: usize,
}

/// One of the changes that are carried out.
pub struct Turn<'a>(#[expect(dead_code, reason = "given back when dropped")] SemaphorePermit<'a>);

struct Waiting(Arc<AtomicUsize>);

impl Queue {
    pub(super) fn new(at_a_time: usize, most_waiting: usize) -> Queue {
        Queue { turns: Semaphore::new(at_a_time), waiting: Arc::default(), most_waiting }
    }

    /// Waits for a turn until the deadline; 429 where too many wait, or where it took too long.
    pub(super) async fn turn(&self, deadline: Instant) -> Result<Turn<'_>> {
        if let Ok(permit) = self.turns.try_acquire() {
            return Ok(Turn(permit));
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(Arc::clone(&self.waiting));
        if before >= self.most_waiting {
            return Err(Kind::ConnectBusy.into());
        }
        let permit = timeout_at(deadline.into(), self.turns.acquire()).await;
        drop(waiting);
        match permit {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            Ok(Err(_)) | Err(_) => Err(Kind::ConnectBusy.into()),
        }
    }

    /// Returns how many changes wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn who_finds_too_many_waiting_is_sent_away() {
        let queue = Queue::new(1, 0);
        let first = queue.turn(soon()).await;
        assert!(first.is_ok());
        assert_eq!(queue.turn(soon()).await.err().map(|error| error.kind()), Some(Kind::ConnectBusy));
        drop(first);
        assert!(queue.turn(soon()).await.is_ok());
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test]
    async fn turns_come_in_the_order_of_those_who_wait() {
        let queue = Queue::new(1, 10);
        let first = queue.turn(later()).await;
        let order = std::sync::Mutex::new(Vec::new());
        let wait = async |index: usize| {
            let turn = queue.turn(later()).await;
            assert!(turn.is_ok());
            order.lock().expect("nobody panicked").push(index);
            // Who comes now does not overtake those who wait.
            tokio::task::yield_now().await;
        };
        tokio::join!(wait(0), wait(1), wait(2), wait(3), async { drop(first) });
        assert_eq!(*order.lock().expect("nobody panicked"), [0, 1, 2, 3]);
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test]
    async fn who_goes_away_counts_no_more() {
        let queue = Queue::new(1, 1);
        let _first = queue.turn(later()).await;
        let waiting = tokio::time::timeout(Duration::from_millis(10), queue.turn(later())).await;
        assert!(waiting.is_err());
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test]
    async fn who_waits_for_too_long_is_sent_away_and_counts_no_more() {
        let queue = Queue::new(1, 5);
        let _first = queue.turn(soon()).await;
        assert!(queue.turn(soon()).await.is_err());
        assert_eq!(queue.waiting(), 0);
    }
}
