use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedMutexGuard};

use crate::domain::consume::collected::{Added, Collected, Include, Limits, Receipt};
use crate::domain::consume::registry::CLOSE_WAIT;
use crate::domain::consume::{Decoding, TopicPattern};
use crate::domain::schemas::Schemas;
use crate::error::{Error, Kind, Result};
use crate::kafka::{FetchedRecord, GroupConsumer, Kafka};
use crate::memory;
use crate::model::{Formats, GroupSettings, PartitionId, PartitionOffset, Principal, TopicName};

/// How old the topics that a pattern matches may be when a read begins.
const PATTERN_AGE: Duration = Duration::from_secs(10);

/// Records that are looked through for the reason of a failure.
const LOOKED_THROUGH: usize = 1000;

const EXCLUSIVE: &str = "Illegal state: Subscription to topics, partitions and pattern are mutually exclusive";

/// What an instance was created with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The formats of its records.
    pub formats: Formats,
    /// A read returns once it has so many bytes; below 0 it always waits its whole time.
    pub min_bytes: i64,
    /// How long a read waits that does not say how long.
    pub request_timeout: Duration,
    /// The most records that one read returns.
    pub max_records: usize,
    /// What its Kafka consumer is created with.
    pub group: GroupSettings,
}

/// What an instance reads.
#[derive(Clone, Debug, Default)]
pub enum Target {
    /// Nothing yet.
    #[default]
    Nothing,
    /// Its share of these topics.
    Topics(Vec<TopicName>),
    /// Its share of the topics whose whole name matches.
    Pattern {
        /// The expression.
        pattern: TopicPattern,
        /// The topics that matched last.
        matched: Vec<TopicName>,
        /// When.
        since: Instant,
    },
    /// These partitions, whoever else reads them.
    Partitions(Vec<(TopicName, PartitionId)>),
}

/// Where to go on in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// At the first record there is.
    Beginning,
    /// After the last record, as it is now.
    End,
    /// At an offset.
    Offset(i64),
    /// At the first record that is not older than these milliseconds; at the end where there is none.
    Timestamp(i64),
}

/// What a read asks for.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest {
    /// The longest wait.
    pub timeout: Duration,
    /// Bytes of keys and values that the answer stays below.
    pub max_bytes: usize,
    /// What else comes with a record.
    pub include: Include,
}

/// One consumer of one client, from creation to deletion or expiry.
///
/// Operations are ordered by a lock that none of them holds while it waits for records, so a read that waits delays
/// nobody. Its Kafka consumer is created when the first operation needs it.
pub struct Instance {
    /// Who created it; it is nobody else's.
    pub owner: Principal,
    /// The group's id.
    pub group: String,
    /// Its name in the group.
    pub name: String,
    /// What it was created with.
    pub settings: Settings,
    core: Arc<tokio::sync::Mutex<Core>>,
    /// What it reads, for those who only look.
    target: Mutex<Target>,
    /// What has arrived at the client, and what has not.
    progress: Mutex<Progress>,
    /// The consumer, for those who only look.
    consumer: Mutex<Option<Arc<GroupConsumer>>>,
    closing: AtomicBool,
    /// No read waits any more.
    hurried: AtomicBool,
    closed: Notify,
    used: Mutex<Instant>,
    under_way: AtomicUsize,
}

/// How far the client has come. An answer that was begun before a position was set, or before a rebalance, says nothing
/// of what came after: it carries the epoch of its partition.
#[derive(Default)]
struct Progress {
    /// Counts what concerns every partition: rebalances, other subscriptions.
    epoch: u64,
    /// Counts the positions that were set.
    moved: HashMap<(TopicName, PartitionId), u64>,
    /// The next offset after the answers that went out.
    delivered: HashMap<(TopicName, PartitionId), i64>,
    /// Offsets to go back to before the next read: their answers did not arrive.
    undelivered: Vec<PartitionOffset>,
}

/// When an answer was begun, as far as one partition is concerned.
type Epoch = (u64, u64);

impl Progress {
    fn epoch_of(&self, place: &(TopicName, PartitionId)) -> Epoch {
        (self.epoch, self.moved.get(place).copied().unwrap_or(0))
    }

    fn forget(&mut self) {
        self.epoch += 1;
        self.moved.clear();
        self.delivered.clear();
        self.undelivered.clear();
    }

    fn set(&mut self, place: (TopicName, PartitionId)) {
        self.delivered.remove(&place);
        self.undelivered.retain(|item| (&item.topic, item.partition) != (&place.0, place.1));
        *self.moved.entry(place).or_default() += 1;
    }
}

/// What only one operation at a time may touch.
#[derive(Default)]
struct Core {
    /// Fetched but not delivered: what did not fit, or could not be decoded.
    pending: VecDeque<Result<FetchedRecord>>,
    /// The membership that `pending` belongs to.
    generation: i32,
    /// The next offset that goes into an answer, of the partitions that were read.
    positions: HashMap<(TopicName, PartitionId), i64>,
}

/// An operation under way: the instance does not expire meanwhile.
pub struct Use<'a>(&'a Instance);

impl Instance {
    /// Returns an instance that has no Kafka consumer yet.
    pub fn new(owner: Principal, group: String, name: String, settings: Settings) -> Instance {
        Instance {
            owner,
            group,
            name,
            settings,
            core: Arc::default(),
            target: Mutex::default(),
            progress: Mutex::default(),
            consumer: Mutex::default(),
            closing: AtomicBool::new(false),
            hurried: AtomicBool::new(false),
            closed: Notify::new(),
            used: Mutex::new(Instant::now()),
            under_way: AtomicUsize::new(0),
        }
    }

    /// Keeps the instance from expiring until the guard is dropped, and starts its time anew.
    pub fn in_use(&self) -> Use<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Use(self)
    }

    /// Returns how long nobody has used it.
    pub fn idle(&self) -> Duration {
        if self.under_way.load(Ordering::Relaxed) > 0 { Duration::ZERO } else { lock(&self.used).elapsed() }
    }

    /// Returns the topics it is subscribed to; for a pattern, those that matched last.
    pub fn subscription(&self) -> Vec<TopicName> {
        match &*lock(&self.target) {
            Target::Topics(topics) => topics.clone(),
            Target::Pattern { matched, .. } => matched.clone(),
            Target::Nothing | Target::Partitions(_) => Vec::new(),
        }
    }

    /// Returns the topics that it may be reading: of a pattern those that are still for it.
    pub fn topics(&self) -> Vec<TopicName> {
        match &*lock(&self.target) {
            Target::Topics(topics) => topics.clone(),
            Target::Pattern { pattern, matched, .. } => {
                matched.iter().filter(|topic| pattern.is_for(topic.as_str())).cloned().collect()
            }
            Target::Partitions(partitions) => partitions.iter().map(|(topic, _)| topic.clone()).collect(),
            Target::Nothing => Vec::new(),
        }
    }

    /// Returns the partitions it reads now: assigned by hand, or its share of the group.
    pub async fn assignment(self: &Arc<Self>) -> Result<Vec<(TopicName, PartitionId)>> {
        let consumer = match &*lock(&self.target) {
            Target::Nothing => return Ok(Vec::new()),
            Target::Partitions(partitions) => return Ok(partitions.clone()),
            Target::Topics(_) | Target::Pattern { .. } => lock(&self.consumer).clone(),
        };
        let Some(consumer) = consumer else {
            return Ok(Vec::new());
        };
        let mut assigned = blocking(move || consumer.assignment()).await?;
        assigned.sort();
        Ok(assigned)
    }

    /// Subscribes to topics in the place of those before; none unsubscribes.
    pub async fn subscribe(self: &Arc<Self>, kafka: &Kafka, topics: Vec<TopicName>) -> Result<()> {
        if topics.is_empty() {
            return self.unsubscribe(kafka).await;
        }
        let mut seen = HashSet::new();
        let topics: Vec<_> = topics.into_iter().filter(|topic| seen.insert(topic.clone())).collect();
        let allowed = |target: &Target| matches!(target, Target::Nothing | Target::Topics(_));
        self.retarget(kafka, allowed, Target::Topics(topics)).await
    }

    /// Subscribes to the topics whose whole name matches, now and later.
    pub async fn subscribe_pattern(self: &Arc<Self>, kafka: &Kafka, pattern: TopicPattern) -> Result<()> {
        let matched = matching(kafka, &pattern).await?;
        let allowed = |target: &Target| matches!(target, Target::Nothing | Target::Pattern { .. });
        self.retarget(kafka, allowed, Target::Pattern { pattern, matched, since: Instant::now() }).await
    }

    /// Reads these partitions in the place of those before, without joining the group; none is nothing.
    pub async fn assign(self: &Arc<Self>, kafka: &Kafka, partitions: Vec<(TopicName, PartitionId)>) -> Result<()> {
        let mut seen = HashSet::new();
        let partitions: Vec<_> = partitions.into_iter().filter(|partition| seen.insert(partition.clone())).collect();
        if partitions.is_empty() {
            return self.unsubscribe(kafka).await;
        }
        let allowed = |target: &Target| matches!(target, Target::Nothing | Target::Partitions(_));
        self.retarget(kafka, allowed, Target::Partitions(partitions)).await
    }

    /// Reads nothing any more. What was fetched is dropped.
    pub async fn unsubscribe(self: &Arc<Self>, kafka: &Kafka) -> Result<()> {
        self.retarget(kafka, |_| true, Target::Nothing).await
    }

    async fn retarget(self: &Arc<Self>, kafka: &Kafka, allowed: fn(&Target) -> bool, new: Target) -> Result<()> {
        let core = self.lock_core().await?;
        if !allowed(&lock(&self.target)) {
            return Err(Kind::IllegalState.because(EXCLUSIVE));
        }
        let unchanged = matches!((&*lock(&self.target), &new), (Target::Nothing, Target::Nothing));
        if unchanged {
            return Ok(());
        }
        // A member that has left would go on to commit as the member it was: it ends, and the next call begins anew.
        let leaves =
            matches!((&*lock(&self.target), &new), (Target::Topics(_) | Target::Pattern { .. }, Target::Nothing));
        let consumer = self.consumer(kafka).await?;
        let instance = Arc::clone(self);
        let left = leaves.then(|| Arc::clone(&consumer));
        self.run(core, move |core| {
            match &new {
                Target::Nothing if leaves => {
                    lock(&instance.consumer).take();
                    Ok(())
                }
                Target::Nothing => consumer.assign(&[]),
                Target::Topics(topics) => consumer.subscribe(topics),
                Target::Pattern { matched, .. } => consumer.subscribe(matched),
                Target::Partitions(partitions) => {
                    let unset = |(topic, id): &(TopicName, PartitionId)| {
                        PartitionOffset::new(topic.clone(), *id, PartitionOffset::UNSET)
                    };
                    consumer.assign(&partitions.iter().map(unset).collect::<Vec<_>>())
                }
            }?;
            if !matches!(new, Target::Topics(_) | Target::Pattern { .. }) {
                core.pending.clear();
                core.positions.clear();
                lock(&instance.progress).forget();
            }
            *lock(&instance.target) = new;
            Ok(())
        })
        .await?;
        if let Some(left) = left {
            left.filled().notify_waiters();
            // Where no broker answers, leaving goes on after the answer.
            let closing = tokio::task::spawn_blocking(move || left.close());
            let _ = tokio::time::timeout(CLOSE_WAIT, closing).await;
        }
        Ok(())
    }

    /// Goes on at other positions; all are checked before any is moved. What was fetched before is dropped.
    pub async fn seek(
        self: &Arc<Self>,
        kafka: &Kafka,
        moves: Vec<(TopicName, PartitionId, Position)>,
        timeout: Duration,
    ) -> Result<()> {
        if moves.is_empty() {
            return Ok(());
        }
        let core = self.lock_core().await?;
        let assigned: HashSet<_> = self.assignment().await?.into_iter().collect();
        for (topic, id, _) in &moves {
            if !assigned.contains(&(topic.clone(), *id)) {
                let text = format!("Illegal state: No current assignment for partition {topic}-{id}");
                return Err(Kind::IllegalState.because(text));
            }
        }
        let consumer = self.consumer(kafka).await?;
        let instance = Arc::clone(self);
        self.run(core, move |core| {
            let targets = resolve(&consumer, moves, timeout)?;
            instance.go_to(&consumer, &targets, timeout)?;
            core.drop_pending(&targets);
            core.moved_to(&targets);
            let mut progress = lock(&instance.progress);
            targets.into_iter().for_each(|target| progress.set((target.topic, target.partition)));
            Ok(())
        })
        .await
    }

    /// Stores offsets, each the next one to read; returns when the coordinator has them.
    pub async fn commit(
        self: &Arc<Self>,
        kafka: &Kafka,
        offsets: Vec<PartitionOffset>,
        timeout: Duration,
    ) -> Result<()> {
        for item in &offsets {
            kafka.metadata.exists(&item.topic, item.partition).await?;
        }
        let core = self.lock_core().await?;
        let consumer = self.consumer(kafka).await?;
        if offsets.is_empty() {
            return Ok(());
        }
        self.run(core, move |core| consumer.commit(&offsets, timeout).map_err(|why| core.explained(why, &consumer)))
            .await
    }

    /// Stores what was delivered of the partitions that are still assigned; returns it, each the next offset to read.
    pub async fn commit_delivered(self: &Arc<Self>, timeout: Duration) -> Result<Vec<PartitionOffset>> {
        let core = self.lock_core().await?;
        let assigned: HashSet<_> = self.assignment().await?.into_iter().collect();
        let Some(consumer) = lock(&self.consumer).clone() else {
            return Ok(Vec::new());
        };
        let instance = Arc::clone(self);
        self.run(core, move |core| {
            core.follow(&consumer, &instance.progress);
            let delivered = lock(&instance.progress).delivered.clone();
            let delivered = delivered.iter().filter(|(partition, _)| assigned.contains(*partition));
            let mut offsets: Vec<_> =
                delivered.map(|((topic, id), next)| PartitionOffset::new(topic.clone(), *id, *next)).collect();
            offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
            if !offsets.is_empty() {
                consumer.commit(&offsets, timeout).map_err(|why| core.explained(why, &consumer))?;
            }
            Ok(offsets)
        })
        .await
    }

    /// Returns what the group has committed; partitions without a commit are left out.
    pub async fn committed(
        self: &Arc<Self>,
        kafka: &Kafka,
        partitions: Vec<(TopicName, PartitionId)>,
        timeout: Duration,
    ) -> Result<Vec<PartitionOffset>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let core = self.lock_core().await?;
        let consumer = self.consumer(kafka).await?;
        let ask = move |core: &mut Core| {
            consumer.committed(&partitions, timeout).map_err(|why| core.explained(why, &consumer))
        };
        self.run(core, ask).await
    }

    /// Reads: waits for the assignment and for records, up to the timeout, and returns as soon as there is enough.
    ///
    /// The receipt has to be confirmed when the answer has gone out; else its records are delivered again.
    pub async fn read(
        self: &Arc<Self>,
        kafka: &Kafka,
        schemas: &Schemas,
        request: ReadRequest,
    ) -> Result<(Collected, Receipt)> {
        let deadline = tokio::time::Instant::now() + request.timeout;
        self.follow_pattern(kafka).await?;
        let consumer = match &*lock(&self.target) {
            Target::Nothing => {
                return Err(Kind::IllegalState
                    .because("Illegal state: Consumer is not subscribed to any topics or assigned any partitions"));
            }
            Target::Topics(_) | Target::Pattern { .. } | Target::Partitions(_) => lock(&self.consumer).clone(),
        };
        let consumer = consumer.ok_or(Kind::Internal)?;
        kafka.renew_consumer(&consumer)?;
        let limits = Limits { bytes: request.max_bytes, records: self.settings.max_records };
        let decoding = Decoding::new(self.settings.formats, schemas)?;
        let mut read = Partial { collected: Some(Collected::new(decoding, request.include, limits)), instance: self };
        loop {
            let filled = consumer.filled().notified();
            let closed = self.closed.notified();
            let found = self.collect(&mut read, &consumer).await?;
            if found != Found::Nothing {
                // Of what is left, another read may be waiting for.
                consumer.filled().notify_one();
            }
            let hurried = self.hurried.load(Ordering::Acquire);
            if let Found::NeedsSchema(id) = found
                && !hurried
            {
                let again = tokio::select! {
                    again = read.learn(id, deadline) => again?,
                    () = closed => false,
                };
                if again {
                    continue;
                }
                break;
            }
            if found != Found::Nothing
                || hurried
                || read.is_enough(self.settings.min_bytes)
                || !self.reads_with(&consumer)
            {
                break;
            }
            tokio::select! {
                () = filled => {}
                () = closed => {}
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        if read.is_empty()
            && let Some(refusal) = consumer.kept_out()
        {
            return Err(refusal);
        }
        let mut collected = read.collected.take().ok_or(Kind::Internal)?;
        if self.is_closing() && collected.records() == 0 {
            return Err(Kind::InstanceNotFound.into());
        }
        let receipt = Receipt::new(self, &mut collected);
        kafka.metrics.consumed.count(self.settings.formats.value, collected.records(), collected.bytes());
        Ok((collected, receipt))
    }

    /// Adds what is here already to the answer; tells what ended that.
    async fn collect(self: &Arc<Self>, read: &mut Partial<'_>, consumer: &Arc<GroupConsumer>) -> Result<Found> {
        let mut core = self.lock_core().await?;
        let nothing_came = core.pending.is_empty() && consumer.is_empty();
        let quiet = nothing_came && lock(&self.progress).undelivered.is_empty() && !consumer.is_stalled();
        if quiet {
            return Ok(Found::Nothing);
        }
        let mut collected = read.collected.take().ok_or(Kind::Internal)?;
        // A read that is given up here drops what it has, which is then undelivered.
        let mut guard = Abandoned { instance: Arc::clone(self), collected: None };
        let (instance, consumer) = (Arc::clone(self), Arc::clone(consumer));
        let (outcome, mut back) = tokio::task::spawn_blocking(move || {
            core.follow(&consumer, &instance.progress);
            let outcome = instance.go_back(&mut core, &consumer).and_then(|()| core.drain(&consumer, &mut collected));
            core.moved_to(&collected.next_offsets());
            let restarted = if consumer.is_stalled() { core.restart(&consumer) } else { Ok(()) };
            guard.collected = Some(collected);
            (outcome.and_then(|found| restarted.map(|()| found)), guard)
        })
        .await
        .map_err(|stopped| Kind::Internal.caused_by(stopped))?;
        read.collected = back.collected.take();
        outcome
    }

    /// Moves positions; partitions that were assigned by hand and stopped after an error are started anew.
    fn go_to(&self, consumer: &GroupConsumer, targets: &[PartitionOffset], timeout: Duration) -> Result<()> {
        if consumer.seek(targets, timeout)?.is_some() {
            return Ok(());
        }
        let Target::Partitions(partitions) = &*lock(&self.target) else {
            return Err(Kind::KafkaRetriable.because("The partitions are not being read yet; set the positions again."));
        };
        let start = |(topic, id): &(TopicName, PartitionId)| {
            let target = targets.iter().find(|target| target.partition == *id && target.topic == *topic);
            let delivered = lock(&self.progress).delivered.get(&(topic.clone(), *id)).copied();
            let delivered = delivered.map(|next| PartitionOffset::new(topic.clone(), *id, next));
            target
                .cloned()
                .or(delivered)
                .unwrap_or_else(|| PartitionOffset::new(topic.clone(), *id, PartitionOffset::UNSET))
        };
        consumer.assign(&partitions.iter().map(start).collect::<Vec<_>>())
    }

    /// Goes back to where answers did not arrive.
    fn go_back(&self, core: &mut Core, consumer: &GroupConsumer) -> Result<()> {
        let undelivered = std::mem::take(&mut lock(&self.progress).undelivered);
        if undelivered.is_empty() {
            return Ok(());
        }
        let assigned: HashSet<_> = consumer.assignment()?.into_iter().collect();
        let mut earliest: HashMap<_, i64> = HashMap::new();
        for item in undelivered {
            let place = (item.topic, item.partition);
            // Further on than now would skip what is between: it comes again anyway.
            let is_behind = core.positions.get(&place).is_none_or(|position| item.offset < *position);
            if is_behind && assigned.contains(&place) {
                earliest.entry(place).and_modify(|offset| *offset = item.offset.min(*offset)).or_insert(item.offset);
            }
        }
        let back: Vec<_> =
            earliest.into_iter().map(|((topic, id), offset)| PartitionOffset::new(topic, id, offset)).collect();
        if back.is_empty() {
            return Ok(());
        }
        log::debug!("consumer {}/{}: an answer did not arrive, its records are read again", self.group, self.name);
        core.drop_pending(&back);
        let sought = self.go_to(consumer, &back, Duration::from_secs(5));
        core.moved_to(&back);
        if sought.is_err() {
            lock(&self.progress).undelivered.extend(back);
        }
        sought
    }

    /// Subscribes to topics that a pattern matches by now.
    async fn follow_pattern(self: &Arc<Self>, kafka: &Kafka) -> Result<()> {
        let stale = match &*lock(&self.target) {
            Target::Pattern { pattern, matched, since } if since.elapsed() > PATTERN_AGE || lost(pattern, matched) => {
                Some((pattern.clone(), matched.clone()))
            }
            Target::Nothing | Target::Topics(_) | Target::Partitions(_) | Target::Pattern { .. } => None,
        };
        let Some((pattern, before)) = stale else { return Ok(()) };
        let matched = matching(kafka, &pattern).await?;
        if matched == before {
            if let Target::Pattern { since, .. } = &mut *lock(&self.target) {
                *since = Instant::now();
            }
            return Ok(());
        }
        let allowed = |target: &Target| matches!(target, Target::Pattern { .. });
        self.retarget(kafka, allowed, Target::Pattern { pattern, matched, since: Instant::now() }).await
    }

    /// Returns the epochs of the partitions that an answer holds records of.
    pub(super) fn epochs(&self, offsets: &[PartitionOffset]) -> Vec<Epoch> {
        let progress = lock(&self.progress);
        offsets.iter().map(|item| progress.epoch_of(&(item.topic.clone(), item.partition))).collect()
    }

    /// Takes note of records whose answer has gone out: the next automatic commit stores them.
    pub(super) fn delivered(&self, next: &[PartitionOffset], epochs: &[Epoch]) {
        let mut valid = Vec::with_capacity(next.len());
        let mut progress = lock(&self.progress);
        for (item, epoch) in next.iter().zip(epochs) {
            let place = (item.topic.clone(), item.partition);
            if progress.epoch_of(&place) == *epoch {
                progress.delivered.insert(place, item.offset);
                valid.push(item.clone());
            }
        }
        drop(progress);
        if self.settings.group.auto_commit
            && !valid.is_empty()
            && let Some(consumer) = &*lock(&self.consumer)
        {
            consumer.store(&valid);
        }
    }

    /// Takes note of records whose answer did not arrive.
    pub(super) fn not_delivered(&self, first: Vec<PartitionOffset>, epochs: &[Epoch]) {
        let mut progress = lock(&self.progress);
        for (item, epoch) in first.into_iter().zip(epochs) {
            if progress.epoch_of(&(item.topic.clone(), item.partition)) == *epoch {
                progress.undelivered.push(item);
            }
        }
    }

    /// Ends reads that wait, with what they have; later ones do not wait either.
    pub fn end_waits(&self) {
        self.hurried.store(true, Ordering::Release);
        self.closed.notify_waiters();
    }

    /// Ends reads that wait, and refuses every later operation.
    pub fn begin_close(&self) {
        self.closing.store(true, Ordering::Release);
        self.end_waits();
    }

    /// Leaves the group, after the last automatic commit; blocks until that is done.
    pub fn close(&self) {
        self.begin_close();
        let mut core = self.core.blocking_lock();
        let Some(consumer) = lock(&self.consumer).take() else {
            return;
        };
        core.pending.clear();
        consumer.close();
        memory::freed();
    }

    /// Tells whether this is still the consumer of the instance.
    fn reads_with(&self, consumer: &Arc<GroupConsumer>) -> bool {
        lock(&self.consumer).as_ref().is_some_and(|current| Arc::ptr_eq(current, consumer))
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    async fn lock_core(&self) -> Result<OwnedMutexGuard<Core>> {
        let core = Arc::clone(&self.core).lock_owned().await;
        if self.is_closing() { Err(Kind::InstanceNotFound.into()) } else { Ok(core) }
    }

    /// Returns the Kafka consumer, created now if this is the first time; the core has to be locked.
    async fn consumer(&self, kafka: &Kafka) -> Result<Arc<GroupConsumer>> {
        if let Some(consumer) = &*lock(&self.consumer) {
            kafka.renew_consumer(consumer)?;
            return Ok(Arc::clone(consumer));
        }
        let consumer = Arc::new(kafka.group_consumer(&self.settings.group)?);
        *lock(&self.consumer) = Some(Arc::clone(&consumer));
        Ok(consumer)
    }

    /// Runs what may block, with the core locked until it is done, even if the caller goes away.
    async fn run<T: Send + 'static>(
        &self,
        mut core: OwnedMutexGuard<Core>,
        work: impl FnOnce(&mut Core) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        blocking(move || work(&mut core)).await
    }
}

impl Core {
    /// After a rebalance, what was fetched and not delivered is read again where it is still this member's: a partition
    /// that it kept goes on behind it. What was delivered counts no more: another member may have gone on with it.
    fn follow(&mut self, consumer: &GroupConsumer, progress: &Mutex<Progress>) {
        let generation = consumer.generation();
        if generation == self.generation {
            return;
        }
        self.generation = generation;
        self.positions.clear();
        let again: Vec<_> = self.pending.drain(..).filter_map(|item| place_of(&item.ok()?)).collect();
        let mut progress = lock(progress);
        let undelivered = std::mem::take(&mut progress.undelivered);
        progress.forget();
        progress.undelivered = undelivered;
        progress.undelivered.extend(again);
    }

    /// Starts the assigned partitions anew, each where its next record has to come from.
    fn restart(&mut self, consumer: &GroupConsumer) -> Result<()> {
        let mut next = self.positions.clone();
        let pending: Vec<_> = self.pending.drain(..).filter_map(|item| place_of(&item.ok()?)).collect();
        // Backwards, so that the first of a partition stays.
        next.extend(pending.into_iter().rev().map(|item| ((item.topic, item.partition), item.offset)));
        let start = |(topic, id)| {
            let place = (topic, id);
            let offset = next.get(&place).copied().unwrap_or(PartitionOffset::UNSET);
            PartitionOffset::new(place.0, place.1, offset)
        };
        consumer.restart(&consumer.assignment()?.into_iter().map(start).collect::<Vec<_>>())
    }

    /// Returns what is behind a failure to reach the coordinator: Kafka may keep the consumer out of its group, which is
    /// told among the records.
    fn explained(&mut self, error: Error, consumer: &GroupConsumer) -> Error {
        if error.kind() != Kind::KafkaRetriable {
            return error;
        }
        let refusal =
            |item: &Result<FetchedRecord>| item.as_ref().is_err_and(|error| error.kind() == Kind::KafkaAuthorization);
        self.pending.extend(consumer.take(LOOKED_THROUGH));
        let told = self.pending.iter().position(refusal).and_then(|at| self.pending.remove(at)).and_then(Result::err);
        consumer.kept_out().or(told).unwrap_or(error)
    }

    fn moved_to(&mut self, targets: &[PartitionOffset]) {
        self.positions.extend(targets.iter().map(|item| ((item.topic.clone(), item.partition), item.offset)));
    }

    fn drop_pending(&mut self, targets: &[PartitionOffset]) {
        let moved = |record: &FetchedRecord| {
            targets
                .iter()
                .any(|target| target.partition.get() == record.partition() && target.topic.as_str() == record.topic())
        };
        // An error of the read concerned the position that is left now.
        self.pending.retain(|item| item.as_ref().is_ok_and(|record| !moved(record)));
    }

    /// Moves records into the answer until it is full or none is here; tells which it was.
    fn drain(&mut self, consumer: &GroupConsumer, collected: &mut Collected) -> Result<Found> {
        loop {
            if self.pending.is_empty() {
                self.pending.extend(consumer.take(collected.likely_room()));
            }
            let Some(next) = self.pending.pop_front() else {
                return Ok(Found::Nothing);
            };
            let record = match next {
                Ok(record) => record,
                Err(error) if collected.records() == 0 => return Err(error),
                Err(error) => {
                    self.pending.push_front(Err(error));
                    return Ok(Found::Enough);
                }
            };
            match collected.add(&record) {
                Added::Yes => {}
                Added::Last => return Ok(Found::Enough),
                Added::NoRoom => {
                    self.pending.push_front(Ok(record));
                    return Ok(Found::Enough);
                }
                Added::Undecodable(error) => {
                    // It stays, and is told again, until a position is set behind it.
                    self.pending.push_front(Ok(record));
                    return if collected.records() == 0 { Err(error) } else { Ok(Found::Enough) };
                }
                Added::NeedsSchema(id) => {
                    self.pending.push_front(Ok(record));
                    return Ok(Found::NeedsSchema(id));
                }
            }
        }
    }
}

/// What has ended a look at the records that are here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No more are here.
    Nothing,
    /// The answer has to go out now.
    Enough,
    /// The next record needs a schema.
    NeedsSchema(i32),
}

/// An answer in the making; given up, its records are undelivered.
struct Partial<'a> {
    collected: Option<Collected>,
    instance: &'a Arc<Instance>,
}

impl Partial<'_> {
    async fn learn(&mut self, id: i32, deadline: tokio::time::Instant) -> Result<bool> {
        let Some(collected) = &mut self.collected else { return Ok(false) };
        collected.learn(id, deadline).await
    }

    fn is_empty(&self) -> bool {
        self.collected.as_ref().is_none_or(|collected| collected.records() == 0)
    }

    fn is_enough(&self, min_bytes: i64) -> bool {
        let Some(collected) = &self.collected else { return false };
        match min_bytes {
            ..0 => false,
            0 | 1 => collected.records() > 0,
            min => collected.bytes() as i64 >= min,
        }
    }
}

impl Drop for Partial<'_> {
    fn drop(&mut self) {
        if let Some(mut collected) = self.collected.take() {
            let first = collected.first_offsets();
            let epochs = self.instance.epochs(&first);
            self.instance.not_delivered(first, &epochs);
        }
    }
}

/// The same while the answer is being filled on another thread.
struct Abandoned {
    instance: Arc<Instance>,
    collected: Option<Collected>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(mut collected) = self.collected.take() {
            let first = collected.first_offsets();
            let epochs = self.instance.epochs(&first);
            self.instance.not_delivered(first, &epochs);
        }
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        *lock(&self.0.used) = Instant::now();
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Turns positions into offsets; the last one of a partition counts.
fn resolve(
    consumer: &GroupConsumer,
    moves: Vec<(TopicName, PartitionId, Position)>,
    timeout: Duration,
) -> Result<Vec<PartitionOffset>> {
    let mut last: HashMap<(TopicName, PartitionId), Position> = HashMap::new();
    for (topic, id, position) in moves {
        last.insert((topic, id), position);
    }
    let (mut offsets, mut times) = (Vec::new(), Vec::new());
    for ((topic, id), position) in last {
        match position {
            Position::Offset(offset) => offsets.push(PartitionOffset::new(topic, id, offset)),
            Position::Timestamp(ms) => times.push(PartitionOffset::new(topic, id, ms)),
            // The end is the end of now: a record written after this call is read.
            Position::Beginning | Position::End => {
                let (beginning, end) = consumer.watermarks(&topic, id, timeout)?;
                offsets.push(PartitionOffset::new(topic, id, if position == Position::End { end } else { beginning }));
            }
        }
    }
    if !times.is_empty() {
        offsets.extend(consumer.offsets_for_times(times, timeout)?);
    }
    Ok(offsets)
}

/// Returns where a record is.
fn place_of(record: &FetchedRecord) -> Option<PartitionOffset> {
    let topic = TopicName::try_from(record.topic()).ok()?;
    Some(PartitionOffset::new(topic, PartitionId::try_from(record.partition()).ok()?, record.offset()))
}

/// Tells whether one of the topics that matched may not be read any more.
fn lost(pattern: &TopicPattern, matched: &[TopicName]) -> bool {
    !matched.iter().all(|topic| pattern.is_for(topic.as_str()))
}

async fn matching(kafka: &Kafka, pattern: &TopicPattern) -> Result<Vec<TopicName>> {
    let names = kafka.metadata.topics().await?;
    let names = names.iter().filter(|name| pattern.is_for(name));
    Ok(names.filter_map(|name| TopicName::try_from(name.as_str()).ok()).collect())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|stopped| Error::from(Kind::Internal).caused_by(stopped))?
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
