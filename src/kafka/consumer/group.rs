use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::Notify;

use crate::error::{Error, Kind, Result};
use crate::kafka::client::Listener;
use crate::kafka::consumer::list::List;
use crate::kafka::consumer::message::FetchedRecord;
use crate::kafka::consumer::native::{Native, Queue};
use crate::kafka::error::{Operation, code_error};
use crate::kafka::health::Health;
use crate::kafka::login::{CurrentLogin, Login};
use crate::model::{GroupSettings, PartitionId, PartitionOffset, Reset, TopicName};

/// A member of a consumer group, or a consumer of assigned partitions that commits under the group's name.
///
/// Every method that talks to Kafka blocks for moments and belongs on a thread that may block; those with a `timeout`
/// block up to it.
pub struct GroupConsumer {
    queue: Queue,
    native: Arc<Native>,
    health: Arc<Health>,
    stalled: AtomicBool,
    /// Whether Kafka has not let it into the group; librdkafka tells once and goes on trying.
    kept_out: AtomicBool,
    /// What it logs in with, where that is a caller's.
    login: Mutex<Option<Arc<Login>>>,
}

impl GroupConsumer {
    /// Creates the client; waits for no broker.
    pub(in crate::kafka) fn new(
        base: &ClientConfig,
        health: &Arc<Health>,
        settings: &GroupSettings,
    ) -> Result<GroupConsumer> {
        let mut config = base.clone();
        let reset = match settings.reset {
            Reset::Earliest => "earliest",
            Reset::Latest => "latest",
            Reset::None => "error",
        };
        config
            .set("group.id", &settings.group)
            .set("auto.offset.reset", reset)
            .set("enable.auto.commit", settings.auto_commit.to_string())
            // What was delivered is stored by us, when it was.
            .set("enable.auto.offset.store", "false")
            // A client that is away does not cost its membership: instances have a timeout of their own.
            .set("max.poll.interval.ms", "86400000");
        for (key, value) in &settings.properties {
            config.set(*key, value);
        }
        let failed = |error| Kind::Kafka.because("Failed to construct kafka consumer").caused_by(error);
        let native = Arc::new(Native::new(&config, Listener(Arc::clone(health))).map_err(failed)?);
        let queue = native.group_queue().ok_or(Kind::Internal)?;
        let (stalled, kept_out) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(GroupConsumer { queue, native, health: Arc::clone(health), stalled, kept_out, login: Mutex::default() })
    }

    /// Takes the credentials of these clients, where they are newer: a consumer lives longer than a token.
    pub(in crate::kafka) fn log_in_as(&self, clients: &Health) -> Result<()> {
        let Some(newest) = clients.login.as_ref().map(CurrentLogin::get) else { return Ok(()) };
        let mut login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        if login.as_ref().is_none_or(|login| !Arc::ptr_eq(login, &newest)) {
            self.native.log_in(&newest)?;
            self.health.succeeded();
            *login = Some(newest);
        }
        Ok(())
    }

    /// Joins the group for these topics, in the place of those before; none leaves it.
    pub fn subscribe(&self, topics: &[TopicName]) -> Result<()> {
        let outcome = if topics.is_empty() { self.native.unsubscribe() } else { self.native.subscribe(topics) };
        outcome.map_err(|code| self.error(code))
    }

    /// Reads these partitions without joining the group, in the place of those before.
    ///
    /// An offset below 0 leaves the beginning to what is committed, and to the reset policy.
    pub fn assign(&self, partitions: &[PartitionOffset]) -> Result<()> {
        let list = (!partitions.is_empty()).then(|| List::of_offsets(partitions));
        self.native.assign(list.as_ref()).map_err(|code| self.error(code))
    }

    /// Returns the partitions that are read now.
    pub fn assignment(&self) -> Result<Vec<(TopicName, PartitionId)>> {
        let entries = self.native.assignment().map_err(|code| self.error(code))?;
        let known = entries.iter().filter_map(|entry| entry.partition_offset());
        Ok(known.map(|item| (item.topic, item.partition)).collect())
    }

    /// Returns the generation of the membership, which a rebalance changes; -1 without one.
    pub fn generation(&self) -> i32 {
        self.native.generation()
    }

    /// Goes on at these offsets; drops what was fetched before. The partitions have to be assigned.
    ///
    /// `None` where a partition is not being fetched and will not be by itself: its last fetch ended in an error.
    pub fn seek(&self, offsets: &[PartitionOffset], timeout: Duration) -> Result<Option<()>> {
        let deadline = Instant::now() + timeout.min(START_WAIT);
        loop {
            match self.native.seek(&List::of_offsets(offsets), timeout) {
                Ok(()) => return Ok(Some(())),
                Err(Code::State) if Instant::now() >= deadline => return Ok(None),
                // A partition that was assigned a moment ago is not being fetched yet.
                Err(Code::State) => std::thread::sleep(Duration::from_millis(5)),
                Err(code) => return Err(self.error(code)),
            }
        }
    }

    /// Commits these offsets as they are, each the next one to read.
    pub fn commit(&self, offsets: &[PartitionOffset], timeout: Duration) -> Result<()> {
        match self.with_coordinator(timeout, |left| self.native.commit(&List::of_offsets(offsets), left)) {
            // There was nothing to commit.
            Err(Code::NoOffset) => Ok(()),
            outcome => outcome.map_err(|code| self.error(code)),
        }
    }

    /// Asks the coordinator again while it is being found or has just moved.
    fn with_coordinator(&self, timeout: Duration, ask: impl Fn(Duration) -> Result<(), Code>) -> Result<(), Code> {
        // Who is kept out of the group finds no coordinator, which may have changed in the meantime.
        let timeout = if self.kept_out().is_some() { timeout.min(KEPT_OUT_WAIT) } else { timeout };
        let deadline = Instant::now() + timeout;
        loop {
            match ask(deadline.saturating_duration_since(Instant::now())) {
                Err(Code::NotCoordinator | Code::CoordinatorNotAvailable | Code::CoordinatorLoadInProgress)
                    if Instant::now() < deadline =>
                {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Ok(()) => {
                    self.kept_out.store(false, Ordering::Relaxed);
                    return Ok(());
                }
                outcome => return outcome,
            }
        }
    }

    /// Returns what the group has committed for these partitions; those without a commit are left out.
    pub fn committed(
        &self,
        partitions: &[(TopicName, PartitionId)],
        timeout: Duration,
    ) -> Result<Vec<PartitionOffset>> {
        let list = List::of_offsets(
            &partitions
                .iter()
                .map(|(topic, id)| PartitionOffset::new(topic.clone(), *id, PartitionOffset::UNSET))
                .collect::<Vec<_>>(),
        );
        self.with_coordinator(timeout, |left| self.native.committed(&list, left)).map_err(|code| self.error(code))?;
        let entries = list.entries();
        let failed = entries.iter().filter_map(|entry| entry.error);
        // A partition that does not exist has no commit either.
        if let Some(code) = failed.into_iter().find(|code| !matches!(code, Code::UnknownTopicOrPartition)) {
            return Err(self.error(code));
        }
        let known = entries.iter().filter(|entry| entry.error.is_none() && entry.offset >= 0);
        Ok(known.filter_map(|entry| entry.partition_offset()).collect())
    }

    /// Returns the error of a consumer that Kafka does not let into its group.
    pub fn kept_out(&self) -> Option<Error> {
        // Only then is the membership asked for, which waits for the client's own thread.
        if !self.kept_out.load(Ordering::Relaxed) {
            return None;
        }
        if self.generation() >= 0 {
            self.kept_out.store(false, Ordering::Relaxed);
            return None;
        }
        Some(code_error(Operation::Consume, Code::GroupAuthorizationFailed, &self.health))
    }

    /// Marks delivered records for the next automatic commit; each offset is the next one to read.
    pub fn store(&self, offsets: &[PartitionOffset]) {
        self.native.store(&List::of_offsets(offsets));
    }

    /// Replaces each timestamp, in milliseconds, by the offset of the first record that is not older, the end where
    /// there is none.
    pub fn offsets_for_times(&self, times: Vec<PartitionOffset>, timeout: Duration) -> Result<Vec<PartitionOffset>> {
        let list = List::of_offsets(&times);
        self.native.offsets_for_times(&list, timeout).map_err(|code| self.error(code))?;
        let found = list.entries().iter().filter_map(|entry| entry.partition_offset()).collect::<Vec<_>>();
        let to_end = |mut item: PartitionOffset| {
            if item.offset < 0 {
                item.offset = self.watermarks(&item.topic, item.partition, timeout)?.1;
            }
            Ok(item)
        };
        found.into_iter().map(to_end).collect()
    }

    /// Returns the first and the next offset of a partition.
    pub fn watermarks(&self, topic: &TopicName, partition: PartitionId, timeout: Duration) -> Result<(i64, i64)> {
        self.native.watermarks(topic, partition.get(), timeout).map_err(|code| self.error(code))
    }

    /// Tells whether nothing was fetched that is not taken yet.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns up to `most` records that are here already. What does not concern the caller is left out.
    ///
    /// An error that does comes alone; the records before it are returned first, by an earlier call.
    pub fn take(&self, most: usize) -> Vec<Result<FetchedRecord>> {
        let taken = self.queue.take(most);
        taken
            .into_iter()
            .filter_map(|record| match record.error() {
                None => Some(Ok(record)),
                Some((code, text)) => self.reported(code, text).map(Err),
            })
            .collect()
    }

    /// Tells whether partitions wait for committed offsets that nobody asks for any more.
    ///
    /// librdkafka asks once; where the coordinator had just moved, those partitions would never be fetched
    /// (confluentinc/librdkafka#5586). [`GroupConsumer::restart`] mends it.
    pub fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Starts the assigned partitions anew at these offsets, all of them; below 0 as in [`GroupConsumer::assign`].
    pub fn restart(&self, partitions: &[PartitionOffset]) -> Result<()> {
        // The coordinator is being looked for.
        std::thread::sleep(Duration::from_millis(100));
        self.native.restart(&List::of_offsets(partitions)).map_err(|code| self.error(code))?;
        self.stalled.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until something is fetched after there was nothing.
    pub fn filled(&self) -> &Notify {
        self.queue.filled()
    }

    /// Leaves the group, after the last automatic commit.
    pub fn close(&self) {
        self.native.close();
    }

    /// Returns the error of a read, unless librdkafka mends it by itself.
    fn reported(&self, code: Code, text: String) -> Option<Error> {
        if text.starts_with(STALLED) {
            self.stalled.store(true, Ordering::Relaxed);
        }
        if code == Code::GroupAuthorizationFailed {
            self.kept_out.store(true, Ordering::Relaxed);
        }
        match code {
            Code::AutoOffsetReset
            | Code::Fatal
            | Code::FencedInstanceId
            | Code::InconsistentGroupProtocol
            | Code::InvalidSessionTimeout
            | Code::InvalidGroupId
            | Code::GroupMaxSizeReached
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed => {
                Some(code_error(Operation::Consume, code, &self.health).with_detail(text))
            }
            // Lost brokers, moved leaders, topics that do not exist yet: the next fetch shows.
            _ => {
                log::debug!("consumer: {code}: {text}");
                None
            }
        }
    }

    fn error(&self, code: Code) -> Error {
        code_error(Operation::Consume, code, &self.health)
    }
}

/// How librdkafka says that it has given up on committed offsets.
const STALLED: &str = "Failed to fetch committed offsets";

/// How long a consumer that was kept out of its group looks for the coordinator.
const KEPT_OUT_WAIT: Duration = Duration::from_secs(2);

/// How long the first fetch of an assigned partition may take to begin.
const START_WAIT: Duration = Duration::from_secs(1);
