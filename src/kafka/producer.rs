use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use log::{error, info, warn};
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header as KafkaHeader, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;

use crate::config::{Config, Producer as ProducerConfig};
use crate::error::{Kind, Result};
use crate::kafka::client::{log_line, over};
use crate::kafka::delivery::{Batch, Ticket};
use crate::kafka::error::{FATAL, code_of, record_error};
use crate::kafka::health::Health;
use crate::kafka::queue::{Queue, Reservation};
use crate::kafka::statistics;
use crate::metrics::Metrics;
use crate::model::{Delivery, Record, RecordError, TopicName};

/// How much longer than librdkafka's delivery timeout a request waits for the report of it.
const REPORT_GRACE: Duration = Duration::from_secs(5);

/// How long a producer may take to hear of a partition that was added.
const METADATA_WAIT: Duration = Duration::from_secs(5);

/// Records above this count are handed to librdkafka off the worker thread, at about 0.4 us each.
const SEND_ON_WORKER: usize = 2000;

/// Writes records to Kafka with two producers that differ in patience.
///
/// A request that finds itself alone goes to the one that does not linger; a request that finds others under way goes
/// to the one that gathers for a fraction of a millisecond: that triples small batches and would cost a lone caller
/// six times its latency (docs/BENCHMARKS.md). Order holds for a caller that waits for its answers.
pub struct Producers {
    lone: Arc<Lane>,
    busy: Arc<Lane>,
    /// Sends each record by itself: a broker refuses a whole batch for one bad record, and a batch holds records of many
    /// clients.
    single: Arc<Lane>,
    in_flight: Arc<AtomicUsize>,
    busy_requests: usize,
    queue: Arc<Queue>,
    deadline: Duration,
    metrics: Arc<Metrics>,
}

/// Which of the two producers records go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The one that does not linger.
    Lone,
    /// The one that gathers.
    Busy,
}

/// Records that are handed over and not yet acknowledged.
pub struct Sending {
    outgoing: Outgoing,
    batch: Arc<Batch>,
    pace: Pace,
    _under_way: UnderWay,
}

impl Sending {
    /// Returns the pace that was taken.
    pub fn pace(&self) -> Pace {
        self.pace
    }
}

impl Producers {
    /// Creates both producers; a third only when it is needed.
    pub(super) fn new(config: &Config, health: &Arc<Health>, metrics: &Arc<Metrics>) -> Result<Producers> {
        let producers = Producers::when_needed(config, health, Queue::new(&config.producer), metrics, Some(metrics));
        producers.lone.producer_now()?;
        producers.busy.producer_now()?;
        Ok(producers)
    }

    /// Returns producers of a caller, who has a share of this queue; each is created when it is first needed, and tells
    /// no statistics.
    pub(super) fn of_caller(&self, config: &Config, health: &Arc<Health>) -> Producers {
        Producers::when_needed(config, health, self.queue.share(), &self.metrics, None)
    }

    fn when_needed(
        config: &Config,
        health: &Arc<Health>,
        queue: Queue,
        metrics: &Arc<Metrics>,
        statistics: Option<&Arc<Metrics>>,
    ) -> Producers {
        let linger_ms = config.producer.linger.as_secs_f64() * 1000.0;
        let mut single_config = producer_config(config, 0.0);
        single_config.set("batch.num.messages", "1");
        Producers {
            lone: Lane::new("lone", producer_config(config, 0.0), health, statistics),
            busy: Lane::new("busy", producer_config(config, linger_ms), health, statistics),
            single: Lane::new("single", single_config, health, statistics),
            in_flight: Arc::default(),
            busy_requests: config.producer.busy_requests,
            queue: Arc::new(queue),
            deadline: config.producer.delivery_timeout + REPORT_GRACE,
            metrics: Arc::clone(metrics),
        }
    }

    /// Writes `records` to `topic` and returns what became of each, in their order.
    ///
    /// Waits while the queue is full, then answers 429 with nothing sent. Does not check that topic and partitions
    /// exist. Once records are handed over, they are written even if the caller goes away.
    pub async fn send(&self, topic: &TopicName, records: Arc<Vec<Record>>) -> Result<Vec<Delivery>> {
        let sending = self.begin(topic, records, None).await?;
        self.finish(sending).await
    }

    /// Hands `records` over as [`Self::send`] does, without waiting for what becomes of them.
    ///
    /// Records that are handed over one after another at the same pace stay in that order within their partition;
    /// without a pace, the load decides.
    pub async fn begin(&self, topic: &TopicName, records: Arc<Vec<Record>>, pace: Option<Pace>) -> Result<Sending> {
        if let Some(login) = &self.lone.health.login {
            login.check()?;
        }
        let bytes = records.iter().map(Record::size_bytes).sum();
        let reservation = self.queue.reserve(records.len(), bytes).await?;
        let under_way = UnderWay::enter(&self.in_flight);
        let by_load = || if under_way.others >= self.busy_requests { Pace::Busy } else { Pace::Lone };
        let pace = pace.unwrap_or_else(by_load);
        let lane = match pace {
            Pace::Lone => &self.lone,
            Pace::Busy => &self.busy,
        };
        let outgoing = Outgoing { producer: lane.producer().await?, topic: topic.clone(), records };
        let batch = hand_over(&outgoing, Some(reservation), &self.metrics).await?;
        Ok(Sending { outgoing, batch, pace, _under_way: under_way })
    }

    /// Waits for what becomes of records that were handed over; returns it in their order.
    pub async fn finish(&self, sending: Sending) -> Result<Vec<Delivery>> {
        // It counts as under way until the end of this function.
        let Sending { mut outgoing, batch, pace: _, _under_way } = sending;
        let mut deliveries = self.complete(&outgoing, &batch).await;
        let refused = |delivery: &Delivery| delivery.as_ref().is_err_and(|failure| failure.with_its_batch);
        let alone: Vec<usize> = (0..deliveries.len()).filter(|slot| refused(&deliveries[*slot])).collect();
        if !alone.is_empty() {
            outgoing.producer = self.single.producer().await?;
            outgoing.records = Arc::new(alone.iter().map(|slot| outgoing.records[*slot].clone()).collect());
            let again = hand_over(&outgoing, None, &self.metrics).await?;
            let again = self.complete(&outgoing, &again).await;
            alone.into_iter().zip(again).for_each(|(slot, delivery)| deliveries[slot] = delivery);
        }
        Ok(deliveries)
    }

    async fn complete(&self, outgoing: &Outgoing, batch: &Batch) -> Vec<Delivery> {
        // librdkafka reports every record by its own timeout; this is for the case that it does not.
        if tokio::time::timeout(self.deadline, batch.complete()).await.is_err() {
            warn!("no delivery report for records of topic {} within {:?}", outgoing.topic, self.deadline);
        }
        explain_fatal(batch.deliveries(), &outgoing.producer)
    }

    /// Returns how many records, and bytes, wait for Kafka.
    pub fn queued(&self) -> (u64, u64) {
        self.queue.used()
    }

    /// Waits until everything handed over is acknowledged or failed; blocks the thread for up to `timeout`.
    pub fn flush(&self, timeout: Duration) {
        let deadline = std::time::Instant::now() + timeout;
        for lane in self.lanes() {
            let Some(producer) = lane.current() else { continue };
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if let Err(error) = producer.client.flush(left) {
                warn!("the {} producer still had records when time was up: {error}", lane.name);
            }
        }
    }

    /// Returns the client whose look-ups create topics where the brokers do so.
    pub(super) async fn creating_client(&self) -> Result<Arc<Producer>> {
        self.lone.producer().await
    }

    /// Tells whether no record waits for Kafka.
    pub(super) fn are_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Gives those that run the newest credentials.
    pub(super) fn renew(&self) {
        self.lanes().for_each(Lane::renew);
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        [&self.lone, &self.busy, &self.single].into_iter().map(Arc::as_ref)
    }
}

/// Hands records to a producer.
async fn hand_over(
    outgoing: &Outgoing,
    reservation: Option<Reservation>,
    metrics: &Arc<Metrics>,
) -> Result<Arc<Batch>> {
    let batch = Batch::new(outgoing.records.len(), reservation, metrics);
    let on_worker = outgoing.records.len() <= SEND_ON_WORKER;
    let handed_over = if on_worker { outgoing.hand_over(&batch) } else { 0 };
    if handed_over < outgoing.records.len() {
        // Many records, or a partition that this producer has yet to hear of: both take a while.
        let (outgoing, batch) = (outgoing.clone(), Arc::clone(&batch));
        tokio::task::spawn_blocking(move || outgoing.hand_over_at_leisure(handed_over, &batch))
            .await
            .map_err(|stopped| Kind::Internal.caused_by(stopped))?;
    }
    Ok(batch)
}

/// Puts the cause in the place of the bare news that the producer had a fatal error.
fn explain_fatal(mut deliveries: Vec<Delivery>, producer: &Producer) -> Vec<Delivery> {
    let is_fatal = |delivery: &&mut RecordError| delivery.message == FATAL;
    let mut failures = deliveries.iter_mut().filter_map(|delivery| delivery.as_mut().err()).filter(is_fatal).peekable();
    if failures.peek().is_some()
        && let Some((code, _)) = producer.client().fatal_error()
    {
        let context = producer.client().context();
        context.broken.store(true, Ordering::Relaxed);
        failures.for_each(|failure| *failure = record_error(&KafkaError::Global(code), &context.health));
    }
    deliveries
}

/// One request under way; tells how many others are.
struct UnderWay {
    count: Arc<AtomicUsize>,
    others: usize,
}

impl UnderWay {
    fn enter(count: &Arc<AtomicUsize>) -> UnderWay {
        UnderWay { count: Arc::clone(count), others: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The records of a request on their way to librdkafka.
#[derive(Clone)]
struct Outgoing {
    producer: Arc<Producer>,
    topic: TopicName,
    records: Arc<Vec<Record>>,
}

impl Outgoing {
    /// Hands over records up to the first that is for a partition that the producer does not know: it exists, so it
    /// was added since the producer last asked. Returns how many are done.
    fn hand_over(&self, batch: &Arc<Batch>) -> usize {
        for (slot, record) in self.records.iter().enumerate() {
            if let Err((error, ticket)) = self.send(record, batch.ticket(slot, record)) {
                if code_of(&error) == Some(RDKafkaErrorCode::UnknownPartition) {
                    return slot;
                }
                self.reject(&error, *ticket);
            }
        }
        self.records.len()
    }

    /// Hands over the records after the first `done`, asking for metadata where the producer's is too old; blocks.
    fn hand_over_at_leisure(&self, done: usize, batch: &Arc<Batch>) {
        let mut asked = false;
        for (slot, record) in self.records.iter().enumerate().skip(done) {
            let mut outcome = self.send(record, batch.ticket(slot, record));
            if let Err((error, _)) = &outcome
                && code_of(error) == Some(RDKafkaErrorCode::UnknownPartition)
                && !std::mem::replace(&mut asked, true)
            {
                if let Err(error) = self.producer.client().fetch_metadata(Some(self.topic.as_str()), METADATA_WAIT) {
                    log::debug!("no newer metadata of topic {}: {error}", self.topic);
                }
                outcome = self.send(record, batch.ticket(slot, record));
            }
            if let Err((error, ticket)) = outcome {
                self.reject(&error, *ticket);
            }
        }
    }

    fn send(&self, record: &Record, ticket: Ticket) -> Result<(), (KafkaError, Box<Ticket>)> {
        let record = kafka_record(&self.topic, record, ticket);
        self.producer.client.send(record).map_err(|(error, rejected)| (error, rejected.delivery_opaque))
    }

    fn reject(&self, error: &KafkaError, ticket: Ticket) {
        let context = self.producer.client().context();
        context.take_note(error);
        // Refused here, not by a broker: no batch has anything to do with it.
        ticket.deliver(Err(RecordError { with_its_batch: false, ..record_error(error, &context.health) }));
    }
}

fn kafka_record<'a>(
    topic: &'a TopicName,
    record: &'a Record,
    ticket: Ticket,
) -> BaseRecord<'a, [u8], [u8], Box<Ticket>> {
    let mut out = BaseRecord::with_opaque_to(topic.as_str(), Box::new(ticket));
    out.key = record.key.as_deref();
    out.payload = record.value.as_deref();
    out.partition = record.partition.map(|partition| partition.get());
    out.timestamp = record.timestamp_ms;
    if !record.headers.is_empty() {
        let headers = OwnedHeaders::new_with_capacity(record.headers.len());
        out.headers = Some(record.headers.iter().fold(headers, |headers, header| {
            headers.insert(KafkaHeader { key: &header.key, value: header.value.as_deref() })
        }));
    }
    out
}

/// A librdkafka producer whose deliveries are reported on a thread of its own.
///
/// That thread closes the producer, soon after this handle is dropped: closing waits, and has no place on a worker.
pub(super) struct Producer {
    client: Arc<BaseProducer<Reports>>,
    dropped: Arc<AtomicBool>,
}

/// How long one call of poll lasts. rdkafka spins for the last millisecond of it, so it is not shorter.
const POLL: Duration = Duration::from_secs(1);

impl Producer {
    /// Creates a producer; fails where librdkafka refuses a property.
    ///
    /// `name` is what its statistics are kept under, where there are any.
    pub(super) fn new(
        config: &ClientConfig,
        health: &Arc<Health>,
        statistics: Option<(&'static str, &Arc<Metrics>)>,
    ) -> Result<Producer> {
        let failed = |error| Kind::Internal.because("The Kafka client cannot be created.").caused_by(error);
        let statistics = statistics.map(|(name, metrics)| (name, Arc::clone(metrics)));
        let reports = Reports { health: Arc::clone(health), broken: AtomicBool::new(false), statistics };
        let client: Arc<BaseProducer<Reports>> = Arc::new(config.create_with_context(reports).map_err(failed)?);
        if let Some(login) = &health.login {
            login.get().give_to(client.client().native_ptr())?;
        }
        let dropped = Arc::new(AtomicBool::new(false));
        let (polled, stop) = (Arc::clone(&client), Arc::clone(&dropped));
        let poll = move || {
            while !stop.load(Ordering::Relaxed) {
                polled.poll(POLL);
            }
        };
        std::thread::Builder::new()
            .name("kafka-reports".to_string())
            .spawn(poll)
            .map_err(|error| Kind::Internal.because("There is no thread for the Kafka client.").caused_by(error))?;
        Ok(Producer { client, dropped })
    }

    /// Returns the librdkafka client, for look-ups.
    pub(super) fn client(&self) -> &Client<Reports> {
        self.client.client()
    }

    fn is_broken(&self) -> bool {
        self.client().context().is_broken()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
    }
}

/// A producer that is created when it is first needed, and replaced when it breaks.
pub(super) struct Lane {
    name: &'static str,
    config: ClientConfig,
    health: Arc<Health>,
    /// Where it tells its statistics, if anywhere.
    statistics: Option<Arc<Metrics>>,
    current: RwLock<Option<Arc<Producer>>>,
}

impl Lane {
    pub(super) fn new(
        name: &'static str,
        config: ClientConfig,
        health: &Arc<Health>,
        statistics: Option<&Arc<Metrics>>,
    ) -> Arc<Lane> {
        let (health, statistics) = (Arc::clone(health), statistics.cloned());
        Arc::new(Lane { name, config, health, statistics, current: RwLock::default() })
    }

    /// Returns the producer if there is one.
    pub(super) fn current(&self) -> Option<Arc<Producer>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns a producer that works; one is created off the worker, as with TLS that takes a while.
    pub(super) async fn producer(self: &Arc<Lane>) -> Result<Arc<Producer>> {
        if let Some(current) = self.current().filter(|current| !current.is_broken()) {
            return Ok(current);
        }
        let lane = Arc::clone(self);
        let created = tokio::task::spawn_blocking(move || lane.producer_now()).await;
        created.map_err(|stopped| Kind::Internal.caused_by(stopped))?
    }

    /// Does the same on this thread; a producer that had a fatal error stays where it cannot be replaced.
    pub(super) fn producer_now(&self) -> Result<Arc<Producer>> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let broken = match &*current {
            // Another request has just done it.
            Some(current) if !current.is_broken() => return Ok(Arc::clone(current)),
            broken => broken.clone(),
        };
        let statistics = self.statistics.as_ref().map(|metrics| (self.name, metrics));
        match (Producer::new(&self.config, &self.health, statistics), broken) {
            (Ok(new), broken) => {
                if broken.is_some() {
                    info!("replacing the {} producer after a fatal error", self.name);
                }
                Ok(Arc::clone(current.insert(Arc::new(new))))
            }
            (Err(why), Some(broken)) => {
                error!("cannot replace the {} producer: {}", self.name, why.log_line());
                Ok(broken)
            }
            (Err(why), None) => Err(why),
        }
    }

    /// Gives a producer that runs the newest credentials.
    pub(super) fn renew(&self) {
        let (Some(current), Some(login)) = (self.current(), &self.health.login) else { return };
        if let Err(why) = login.get().give_to(current.client().native_ptr()) {
            warn!("the {} producer of a caller keeps its old credentials: {}", self.name, why.log_line());
        }
    }
}

fn producer_config(config: &Config, linger_ms: f64) -> ClientConfig {
    let ProducerConfig { acks, compression, delivery_timeout, max_record_bytes, .. } = &config.producer;
    let mut client = ClientConfig::new();
    client
        .set("acks", acks.as_str())
        .set("enable.idempotence", if acks.as_str() == "all" { "true" } else { "false" })
        .set("partitioner", "murmur2_random")
        .set("compression.codec", compression.as_str())
        .set("message.timeout.ms", delivery_timeout.as_millis().to_string())
        .set("message.max.bytes", max_record_bytes.to_string())
        .set("linger.ms", linger_ms.to_string())
        // The bounds are ours (`Queue`), one for both producers.
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", "2147483647");
    if config.metrics.enabled {
        client.set("statistics.interval.ms", statistics::INTERVAL_MS);
    }
    over(client, config, &config.producer.properties)
}

/// Hears what becomes of records.
pub(super) struct Reports {
    health: Arc<Health>,
    /// Set by a fatal error: an idempotent producer cannot go on then.
    broken: AtomicBool,
    statistics: Option<(&'static str, Arc<Metrics>)>,
}

impl Reports {
    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    fn take_note(&self, error: &KafkaError) {
        if code_of(error) == Some(RDKafkaErrorCode::Fatal) {
            self.broken.store(true, Ordering::Relaxed);
        }
    }
}

impl ClientContext for Reports {
    /// Comes on the thread of the reports, every few seconds.
    fn stats_raw(&self, text: &[u8]) {
        if let Some((name, metrics)) = &self.statistics
            && let Some(statistics) = statistics::read(text)
        {
            metrics.clients.note(name, statistics);
        }
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.take_note(&error);
        if self.is_broken() {
            error!("a producer had a fatal error: {reason}");
        }
        if let Some(code) = code_of(&error) {
            self.health.failed(code, reason);
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        match result {
            Ok(_) => self.health.succeeded(),
            Err((error, _)) => self.take_note(error),
        }
        ticket.report(result, &self.health);
    }
}
