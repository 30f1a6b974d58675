use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A number of turns; those of a caller are part of everybody's, so that nobody takes them all.
#[derive(Clone)]
pub(super) struct Turns {
    own: Arc<Semaphore>,
    everybodys: Option<Arc<Semaphore>>,
}

/// A turn; dropping it lets the next one in.
pub(super) struct Turn {
    _own: OwnedSemaphorePermit,
    _everybodys: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new(count: usize) -> Turns {
        Turns { own: Arc::new(Semaphore::new(count)), everybodys: None }
    }

    /// Returns up to `count` of these turns, for one caller.
    pub(super) fn share(&self, count: usize) -> Turns {
        Turns { own: Arc::new(Semaphore::new(count)), everybodys: Some(Arc::clone(&self.own)) }
    }

    /// Waits for a turn; `None` where there is none in time.
    pub(super) async fn take(&self, wait: Duration) -> Option<Turn> {
        let both = async {
            let own = Arc::clone(&self.own).acquire_owned().await.ok()?;
            let everybodys = match &self.everybodys {
                Some(everybodys) => Some(Arc::clone(everybodys).acquire_owned().await.ok()?),
                None => None,
            };
            Some(Turn { _own: own, _everybodys: everybodys })
        };
        timeout(wait, both).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn a_share_takes_no_more_than_its_part_and_leaves_the_rest() {
        let all = Turns::new(3);
        let share = all.share(2);
        let taken = [share.take(NOW).await, share.take(NOW).await];
        assert!(taken.iter().all(Option::is_some) && share.take(NOW).await.is_none());
        let other = all.share(2);
        let last = other.take(NOW).await;
        assert!(last.is_some() && other.take(NOW).await.is_none(), "all are taken");
        drop(taken);
        assert!(other.take(NOW).await.is_some());
    }
}
