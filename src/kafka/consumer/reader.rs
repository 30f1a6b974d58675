use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::Notify;

use crate::error::{Error, Kind, Result};
use crate::kafka::client::Listener;
use crate::kafka::consumer::list::List;
use crate::kafka::consumer::message::FetchedRecord;
use crate::kafka::consumer::native::{Native, Queue, Started};
use crate::kafka::error::{Operation, code_error};
use crate::kafka::health::Health;
use crate::kafka::turns::{Turn, Turns};
use crate::model::{PartitionId, PartitionOffset, TopicName, Watermarks};

/// Clients that are kept for the next reads; those above are closed after use.
const KEPT: usize = 4;

/// The same of one caller.
const KEPT_OF_CALLER: usize = 1;

/// How many of the turns one caller may take, as a part of all.
const SHARE: usize = 4;

/// Consumers without a group, for reads that leave no trace: a bounded number, used again and again.
pub struct Readers {
    config: ClientConfig,
    health: Arc<Health>,
    idle: Arc<Mutex<Vec<Arc<Native>>>>,
    kept: usize,
    most: usize,
    turns: Turns,
    wait: Duration,
}

/// What a reader finds next.
pub enum Next {
    /// A record.
    Record(FetchedRecord),
    /// The end of the log, as it was when the last fetch was answered.
    End,
}

/// A read under way. Ending it blocks for moments, which is done elsewhere.
pub struct Reading {
    parts: Option<Parts>,
    health: Arc<Health>,
}

struct Parts {
    started: Started,
    queue: Queue,
    native: Arc<Native>,
    idle: Arc<Mutex<Vec<Arc<Native>>>>,
    kept: usize,
    _turn: Turn,
}

impl Readers {
    pub(in crate::kafka) fn new(
        mut config: ClientConfig,
        health: &Arc<Health>,
        most: usize,
        wait: Duration,
    ) -> Readers {
        config.set("enable.partition.eof", "true").set("auto.offset.reset", "error");
        let (idle, turns) = (Arc::default(), Turns::new(most));
        Readers { config, health: Arc::clone(health), idle, kept: KEPT, most, turns, wait }
    }

    /// Returns readers of a caller, who has a share of these turns.
    pub(in crate::kafka) fn of_caller(&self, config: ClientConfig, health: &Arc<Health>) -> Readers {
        let most = (self.most / SHARE).max(1);
        let readers = Readers::new(config, health, most, self.wait);
        Readers { kept: KEPT_OF_CALLER, turns: self.turns.share(most), ..readers }
    }

    /// Begins to fetch a partition at `offset`; waits for a free reader, then answers 429.
    pub async fn start(&self, topic: &TopicName, partition: PartitionId, offset: i64) -> Result<Reading> {
        let turn = self.turn().await?;
        let (topic, idle, kept, health) = (topic.clone(), Arc::clone(&self.idle), self.kept, Arc::clone(&self.health));
        let native = self.native()?;
        blocking(move || {
            let queue = native.new_queue().ok_or(Kind::Internal)?;
            let started = native
                .start(&topic, partition.get(), offset, &queue)
                .map_err(|code| code_error(Operation::Consume, code, &health))?;
            Ok(Reading { parts: Some(Parts { started, queue, native, idle, kept, _turn: turn }), health })
        })
        .await
    }

    /// Returns the offset of the first record of a partition that is not older than `timestamp_ms`; `None` where there
    /// is none.
    pub async fn offset_for_time(
        &self,
        topic: &TopicName,
        partition: PartitionId,
        timestamp_ms: i64,
        timeout: Duration,
    ) -> Result<Option<i64>> {
        let time = PartitionOffset::new(topic.clone(), partition, timestamp_ms);
        self.ask(move |native| {
            let list = List::of_offsets(&[time]);
            native.offsets_for_times(&list, timeout)?;
            Ok(list.entries().first().map(|entry| entry.offset).filter(|offset| *offset >= 0))
        })
        .await
    }

    /// Returns the first and the next offset of a partition, as the isolation level of the readers has them.
    pub async fn watermarks(&self, topic: &TopicName, partition: PartitionId, timeout: Duration) -> Result<Watermarks> {
        let topic = topic.clone();
        self.ask(move |native| {
            let (beginning, end) = native.watermarks(&topic, partition.get(), timeout)?;
            Ok(Watermarks { beginning, end })
        })
        .await
    }

    /// Runs a look-up with one of the clients.
    async fn ask<T: Send + 'static>(
        &self,
        look_up: impl FnOnce(&Native) -> Result<T, Code> + Send + 'static,
    ) -> Result<T> {
        let turn = self.turn().await?;
        let (native, idle, kept, health) =
            (self.native()?, Arc::clone(&self.idle), self.kept, Arc::clone(&self.health));
        blocking(move || {
            let found = look_up(&native);
            give_back(&idle, kept, native);
            drop(turn);
            found.map_err(|code| code_error(Operation::Consume, code, &health))
        })
        .await
    }

    async fn turn(&self) -> Result<Turn> {
        let full = || Kind::QueueFull.because("Too many stateless reads are under way; send the request again later.");
        self.turns.take(self.wait).await.ok_or_else(full)
    }

    fn native(&self) -> Result<Arc<Native>> {
        if let Some(idle) = lock(&self.idle).pop() {
            if let Some(login) = &self.health.login {
                idle.log_in(&login.get())?;
            }
            return Ok(idle);
        }
        let failed = |error| Kind::Internal.because("The Kafka client cannot be created.").caused_by(error);
        let native = Native::new(&self.config, Listener(Arc::clone(&self.health))).map_err(failed)?;
        if let Some(login) = &self.health.login {
            native.log_in(&login.get())?;
        }
        Ok(Arc::new(native))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|stopped| Kind::Internal.caused_by(stopped))?
}

fn lock(idle: &Mutex<Vec<Arc<Native>>>) -> std::sync::MutexGuard<'_, Vec<Arc<Native>>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a client for the next read; blocks for moments where there are enough.
fn give_back(idle: &Mutex<Vec<Arc<Native>>>, kept: usize, native: Arc<Native>) {
    let mut idle = lock(idle);
    if idle.len() < kept {
        idle.push(native);
    } else {
        drop(idle);
        drop(native);
    }
}

impl Reading {
    /// Waits until something is fetched after there was nothing.
    pub async fn filled(&self) {
        match &self.parts {
            Some(parts) => parts.queue.filled().notified().await,
            None => std::future::pending().await,
        }
    }

    /// Returns the signal that [`Reading::filled`] waits for.
    pub fn signal(&self) -> Option<&Notify> {
        self.parts.as_ref().map(|parts| parts.queue.filled())
    }

    /// Returns up to `most` of what is here already.
    pub fn take(&self, most: usize) -> Vec<Result<Next>> {
        let Some(parts) = &self.parts else { return Vec::new() };
        parts.queue.take(most).into_iter().filter_map(|record| self.next(record)).collect()
    }

    fn next(&self, record: FetchedRecord) -> Option<Result<Next>> {
        match record.error() {
            None => Some(Ok(Next::Record(record))),
            Some((Code::PartitionEOF, _)) => Some(Ok(Next::End)),
            Some((code @ (Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::TopicAuthorizationFailed), text)) => {
                Some(Err(Error::with_detail(code_error(Operation::Consume, code, &self.health), text)))
            }
            // Lost brokers and moved leaders: the next fetch shows.
            Some((code, text)) => {
                log::debug!("reader: {code}: {text}");
                None
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        tokio::task::spawn_blocking(move || {
            let Parts { started, queue, native, idle, kept, _turn } = parts;
            drop(started);
            drop(queue);
            give_back(&idle, kept, native);
        });
    }
}
