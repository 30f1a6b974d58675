use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    pool: Arc<Pool>,
    most: usize,
    turns: Turns,
    wait: Duration,
}

/// The clients that rest, and how others are made.
struct Pool {
    config: ClientConfig,
    health: Arc<Health>,
    idle: Mutex<Vec<Arc<Native>>>,
    kept: usize,
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
    pool: Arc<Pool>,
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
        Readers::with(config, health, most, wait, KEPT)
    }

    fn with(config: ClientConfig, health: &Arc<Health>, most: usize, wait: Duration, kept: usize) -> Readers {
        let pool = Pool { config, health: Arc::clone(health), idle: Mutex::default(), kept };
        Readers { pool: Arc::new(pool), most, turns: Turns::new(most), wait }
    }

    /// Returns readers of a caller, who has a share of these turns.
    pub(in crate::kafka) fn of_caller(&self, mut config: ClientConfig, health: &Arc<Health>) -> Readers {
        let most = (self.most / SHARE).max(1);
        config.set("enable.partition.eof", "true").set("auto.offset.reset", "error");
        let readers = Readers::with(config, health, most, self.wait, KEPT_OF_CALLER);
        Readers { turns: self.turns.share(most), ..readers }
    }

    /// Begins to fetch a partition at `offset`; waits for a free reader, then answers 429.
    pub async fn start(&self, topic: &TopicName, partition: PartitionId, offset: i64) -> Result<Reading> {
        let turn = self.turn().await?;
        let (topic, pool) = (topic.clone(), Arc::clone(&self.pool));
        blocking(move || {
            let native = pool.take()?;
            let queue = native.new_queue().ok_or(Kind::Internal)?;
            let started = native
                .start(&topic, partition.get(), offset, &queue)
                .map_err(|code| code_error(Operation::Consume, code, &pool.health))?;
            let health = Arc::clone(&pool.health);
            Ok(Reading { parts: Some(Parts { started, queue, native, pool, _turn: turn }), health })
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
        let pool = Arc::clone(&self.pool);
        blocking(move || {
            let native = pool.take()?;
            let found = look_up(&native);
            pool.give_back(native);
            drop(turn);
            found.map_err(|code| code_error(Operation::Consume, code, &pool.health))
        })
        .await
    }

    async fn turn(&self) -> Result<Turn> {
        let full = || Kind::QueueFull.because("Too many stateless reads are under way; send the request again later.");
        self.turns.take(self.wait).await.ok_or_else(full)
    }
}

impl Pool {
    /// Returns a client, made now where none rests; with TLS that takes a while.
    fn take(&self) -> Result<Arc<Native>> {
        let idle = self.lock().pop();
        let native = match idle {
            Some(idle) => idle,
            None => {
                let failed = |error| Kind::Internal.because("The Kafka client cannot be created.").caused_by(error);
                Arc::new(Native::new(&self.config, Listener(Arc::clone(&self.health))).map_err(failed)?)
            }
        };
        if let Some(login) = &self.health.login {
            native.log_in(&login.get())?;
        }
        Ok(native)
    }

    /// Keeps a client for the next read; blocks for moments where there are enough.
    fn give_back(&self, native: Arc<Native>) {
        let mut idle = self.lock();
        if idle.len() < self.kept {
            idle.push(native);
        } else {
            drop(idle);
            drop(native);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Native>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|stopped| Kind::Internal.caused_by(stopped))?
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
            let Parts { started, queue, native, pool, _turn } = parts;
            drop(started);
            drop(queue);
            pool.give_back(native);
        });
    }
}
