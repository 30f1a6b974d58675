use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::config::Producer as ProducerConfig;
use crate::error::{Kind, Result};

/// The bound of what waits for Kafka, in records and bytes, over all producers.
///
/// It lies below librdkafka's own limits, so that a full queue is a wait here and never a refusal there.
pub(super) struct Queue {
    records: Pool,
    kibibytes: Pool,
    wait: Duration,
    /// What this is a share of.
    whole: Option<Arc<Queue>>,
}

/// How much of the queue one caller may take.
const SHARE: u32 = 4;

struct Pool {
    permits: Arc<Semaphore>,
    size: u32,
}

/// A share of the queue; dropping it gives it back.
pub(super) struct Reservation {
    _records: OwnedSemaphorePermit,
    _kibibytes: OwnedSemaphorePermit,
    _of_whole: Option<Box<Reservation>>,
}

impl Queue {
    pub(super) fn new(config: &ProducerConfig) -> Queue {
        Queue {
            records: Pool::new(config.queue_records as u64),
            kibibytes: Pool::new(config.queue_bytes.div_ceil(1024)),
            wait: config.queue_wait,
            whole: None,
        }
    }

    /// Returns how many records and bytes are in it.
    pub(super) fn used(&self) -> (u64, u64) {
        (self.records.used(), self.kibibytes.used() * 1024)
    }

    /// Returns a part of this queue for one caller, so that one whom Kafka slows down leaves room for the others.
    pub(super) fn share(self: &Arc<Queue>) -> Queue {
        Queue {
            records: Pool::new(u64::from((self.records.size / SHARE).max(1))),
            kibibytes: Pool::new(u64::from((self.kibibytes.size / SHARE).max(1))),
            wait: self.wait,
            whole: Some(Arc::clone(self)),
        }
    }

    /// Tells whether no record waits for Kafka.
    pub(super) fn is_empty(&self) -> bool {
        self.records.used() == 0
    }

    /// Returns a share where there is room; nobody who waits is passed over by the semaphores.
    fn reserve_now(&self, of_records: usize, bytes: usize) -> Option<Reservation> {
        let records = self.records.take_now(of_records as u64)?;
        let kibibytes = self.kibibytes.take_now(bytes.div_ceil(1024) as u64)?;
        let of_whole = match &self.whole {
            Some(whole) => Some(Box::new(whole.reserve_now(of_records, bytes)?)),
            None => None,
        };
        Some(Reservation { _records: records, _kibibytes: kibibytes, _of_whole: of_whole })
    }

    /// Waits for room, up to the configured time, then answers 429.
    ///
    /// A request larger than the whole queue gets all of it.
    pub(super) async fn reserve(&self, records: usize, bytes: usize) -> Result<Reservation> {
        if let Some(reservation) = self.reserve_now(records, bytes) {
            return Ok(reservation);
        }
        let in_turn = async {
            let own = self.take(records, bytes).await?;
            let of_whole = match &self.whole {
                Some(whole) => Some(Box::new(whole.take(records, bytes).await?)),
                None => None,
            };
            Some(Reservation { _of_whole: of_whole, ..own })
        };
        match timeout(self.wait, in_turn).await {
            Ok(Some(reservation)) => Ok(reservation),
            Ok(None) | Err(_) => Err(Kind::QueueFull.into()),
        }
    }

    async fn take(&self, records: usize, bytes: usize) -> Option<Reservation> {
        let records = self.records.take(records as u64).await?;
        let kibibytes = self.kibibytes.take(bytes.div_ceil(1024) as u64).await?;
        Some(Reservation { _records: records, _kibibytes: kibibytes, _of_whole: None })
    }
}

impl Pool {
    fn used(&self) -> u64 {
        u64::from(self.size).saturating_sub(self.permits.available_permits() as u64)
    }

    fn take_now(&self, wanted: u64) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_many_owned(self.share(wanted)).ok()
    }

    fn share(&self, wanted: u64) -> u32 {
        u32::try_from(wanted).unwrap_or(u32::MAX).min(self.size)
    }

    fn new(size: u64) -> Pool {
        let size = u32::try_from(size)
            .unwrap_or(u32::MAX)
            .min((Semaphore::MAX_PERMITS as u64).min(u64::from(u32::MAX)) as u32);
        Pool { permits: Arc::new(Semaphore::new(size as usize)), size }
    }

    /// Returns `None` only where the semaphore is closed, which it never is.
    async fn take(&self, wanted: u64) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_many_owned(self.share(wanted)).await.ok()
    }
}
