use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use log::debug;
use rdkafka::error::KafkaError;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::kafka::client::client_config;
use crate::kafka::configs::Configs;
use crate::kafka::error::{Operation, error};
use crate::kafka::health::Health;
use crate::kafka::producer::{Lane, Producer, Producers};
use crate::kafka::turns::Turns;
use crate::model::{Partition, PartitionId, Replica, Topic, TopicName, Watermarks};

/// Look-ups that block a thread each; more wait for their turn.
const PARALLEL_LOOK_UPS: usize = 8;

/// The same of one caller, and of all callers together.
const OF_ONE_CALLER: usize = 4;
const OF_ALL_CALLERS: usize = 64;

/// A request for a partition that the cache does not know may ask again after this long.
const RECHECK_AFTER: Duration = Duration::from_millis(500);

/// How long a topic that the brokers create by themselves may take.
const CREATION_DEADLINE: Duration = Duration::from_secs(5);
const UNSURE_DEADLINE: Duration = Duration::from_millis(1500);
const CREATION_POLL: Duration = Duration::from_millis(50);

/// Within this a broker has heard of a topic that another one made.
const PROPAGATION: Duration = Duration::from_millis(100);

/// How long a partition may be without a leader that knows that it is.
const LEADER_DEADLINE: Duration = Duration::from_secs(2);

/// Cached topics beyond this number are dropped once they are old.
const CACHED_TOPICS: usize = 10_000;

/// Knows topics, partitions, brokers and offsets. Look-ups by themselves never create a topic.
pub struct Metadata {
    lookups: Lookups,
    /// Turns of callers' look-ups.
    callers: Turns,
    configs: Configs,
    cache: Arc<RwLock<HashMap<TopicName, Known>>>,
    max_age: Duration,
}

/// What the cache knows of a topic that exists.
struct Known {
    partitions: i32,
    since: Instant,
    refreshing: AtomicBool,
}

impl Metadata {
    pub(super) fn new(config: &Config, health: &Arc<Health>, configs: Configs) -> Result<Metadata> {
        let turns = Turns::new(PARALLEL_LOOK_UPS);
        let metadata = Metadata::when_needed(config, health, configs, turns);
        metadata.lookups.lane.producer_now()?;
        Ok(metadata)
    }

    /// Returns what knows what a caller may see; its client is created when it is first needed.
    pub(super) fn of_caller(&self, config: &Config, health: &Arc<Health>, configs: Configs) -> Metadata {
        Metadata::when_needed(config, health, configs, self.callers.share(OF_ONE_CALLER))
    }

    fn when_needed(config: &Config, health: &Arc<Health>, configs: Configs, turns: Turns) -> Metadata {
        Metadata {
            lookups: Lookups::new(config, health, turns),
            callers: Turns::new(OF_ALL_CALLERS),
            configs,
            cache: Arc::default(),
            max_age: config.kafka.metadata_max_age,
        }
    }

    /// Gives the clients that run the newest credentials.
    pub(super) fn renew_login(&self) {
        self.lookups.lane.renew();
        self.configs.renew();
    }

    /// Checks that records can be sent to `topic` and to each of `partitions`.
    ///
    /// Answers from the cache, which is renewed in the background; asks Kafka only for what the cache does not know.
    /// A topic that does not exist is created if, and only if, the brokers create topics by themselves.
    pub async fn check(&self, producers: &Producers, topic: &TopicName, highest: Option<PartitionId>) -> Result<()> {
        let (count, age) = match self.cached(topic) {
            Some(known) => known,
            None => (self.discover(producers, topic).await?, Duration::ZERO),
        };
        let Some(highest) = highest.filter(|highest| highest.get() >= count) else {
            return Ok(());
        };
        // The partition may have been added since.
        let count = if age < RECHECK_AFTER { count } else { self.look_up(topic).await?.len() as i32 };
        if highest.get() < count { Ok(()) } else { Err(no_partition(topic, highest, count)) }
    }

    /// Checks that a partition exists, without creating its topic.
    pub async fn exists(&self, topic: &TopicName, id: PartitionId) -> Result<()> {
        if self.cached(topic).is_some_and(|(count, _)| id.get() < count) {
            return Ok(());
        }
        self.partition(topic, id).await.map(drop)
    }

    /// Returns the count of partitions and its age; renews an old one in the background.
    fn cached(&self, topic: &TopicName) -> Option<(i32, Duration)> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let known = cache.get(topic)?;
        let age = known.since.elapsed();
        if age > self.max_age && !known.refreshing.swap(true, Ordering::Relaxed) {
            self.renew(topic.clone());
        }
        Some((known.partitions, age))
    }

    /// Asks Kafka again without making anyone wait; what is known stays while Kafka cannot be asked.
    fn renew(&self, topic: TopicName) {
        let (lookups, cache) = (self.lookups.clone(), Arc::clone(&self.cache));
        // Bounded by the number of topics in the cache; ends by the look-up's own deadline.
        tokio::task::spawn(async move {
            match lookups.topic(&topic).await {
                Ok(partitions) => remember(&cache, &topic, partitions.len() as i32),
                Err(error) if error.kind() == Kind::TopicNotFound => forget(&cache, &topic),
                Err(error) => {
                    debug!("metadata of topic {topic} stays as it was: {}", error.log_line());
                    let cache = cache.read().unwrap_or_else(PoisonError::into_inner);
                    if let Some(known) = cache.get(&topic) {
                        known.refreshing.store(false, Ordering::Relaxed);
                    }
                }
            }
        });
    }

    /// Asks for a topic in a way that makes brokers create it where they do; returns the count of its partitions.
    async fn discover(&self, producers: &Producers, topic: &TopicName) -> Result<i32> {
        match self.look_up(topic).await {
            Err(error) if error.kind() == Kind::TopicNotFound => {}
            known => return Ok(known?.len() as i32),
        }
        let Some(patience) = self.creation_patience().await else { return Err(no_topic(topic)) };
        let deadline = Instant::now() + patience;
        loop {
            match self.lookups.topic_of(producers.creating_client().await?, topic).await {
                Ok(partitions) => {
                    remember(&self.cache, topic, partitions.len() as i32);
                    return Ok(partitions.len() as i32);
                }
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(error) if !matches!(error.kind(), Kind::TopicNotFound | Kind::KafkaRetriable) => return Err(error),
                Err(_) => tokio::time::sleep(CREATION_POLL).await,
            }
        }
    }

    /// Returns how long to wait for a topic that the brokers may create by themselves; `None` where they do not.
    /// Where they do not let this proxy know, whether a topic appears soon shows it.
    async fn creation_patience(&self) -> Option<Duration> {
        let broker = self.brokers().await.ok()?.first().copied()?;
        match self.configs.creates_topics(broker).await {
            Ok(creates) => creates.then_some(CREATION_DEADLINE),
            Err(error) => {
                debug!("whether brokers create topics is unknown: {}", error.log_line());
                Some(UNSURE_DEADLINE)
            }
        }
    }

    /// Remembers what is known of a topic that was made or grew just now, whatever a broker that lags behind would say.
    pub fn learn(&self, topic: &TopicName, partitions: i32) {
        remember(&self.cache, topic, partitions);
    }

    /// Forgets a topic that was deleted; the next who needs it asks Kafka.
    pub fn forget(&self, topic: &TopicName) {
        forget(&self.cache, topic);
    }

    /// Asks Kafka for the partitions of a topic and remembers how many there are.
    async fn look_up(&self, topic: &TopicName) -> Result<Vec<Partition>> {
        let mut found = self.lookups.topic(topic).await;
        if found.as_ref().is_err_and(|error| error.kind() == Kind::TopicNotFound) {
            tokio::time::sleep(PROPAGATION).await;
            found = self.lookups.topic(topic).await;
        }
        match found {
            Ok(partitions) => {
                remember(&self.cache, topic, partitions.len() as i32);
                Ok(partitions)
            }
            Err(error) if error.kind() == Kind::TopicNotFound => {
                forget(&self.cache, topic);
                Err(no_topic(topic))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the names of all topics but Kafka's own, sorted.
    pub async fn topics(&self) -> Result<Vec<String>> {
        let mut names = self.lookups.cluster().await?.topics;
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the ids of the brokers, sorted.
    pub async fn brokers(&self) -> Result<Vec<i32>> {
        let mut ids = self.lookups.cluster().await?.brokers;
        ids.sort_unstable();
        Ok(ids)
    }

    /// Returns a topic with configuration and partitions.
    pub async fn topic(&self, name: &TopicName) -> Result<Topic> {
        let partitions = self.look_up(name).await?;
        Ok(Topic { name: name.clone(), configs: self.configs.of_topic(name).await?, partitions })
    }

    /// Returns the partitions of a topic in order.
    pub async fn partitions(&self, topic: &TopicName) -> Result<Vec<Partition>> {
        self.look_up(topic).await
    }

    /// Returns one partition of a topic.
    pub async fn partition(&self, topic: &TopicName, id: PartitionId) -> Result<Partition> {
        let partitions = self.look_up(topic).await?;
        let count = partitions.len() as i32;
        partitions.into_iter().find(|partition| partition.id == id.get()).ok_or_else(|| no_partition(topic, id, count))
    }

    /// Returns the offsets of a partition as they are now.
    pub async fn watermarks(&self, topic: &TopicName, id: PartitionId) -> Result<Watermarks> {
        self.partition(topic, id).await?;
        let deadline = Instant::now() + LEADER_DEADLINE;
        loop {
            match self.lookups.watermarks(topic, id).await {
                // The leader of a new partition, or one that has just moved, does not know that yet.
                Err(error) if error.kind() == Kind::KafkaRetriable && Instant::now() < deadline => {
                    tokio::time::sleep(CREATION_POLL).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Returns when a broker has answered, whatever it said; asks for as little as it can, and waits no longer than `limit`.
    pub async fn reach(&self, limit: Duration) -> Result<()> {
        let known = self.cache.read().unwrap_or_else(PoisonError::into_inner).keys().next().cloned();
        let lookups = Lookups { timeout: limit, ..self.lookups.clone() };
        let asked = match known {
            Some(topic) => lookups.topic(&topic).await.map(drop),
            None => lookups.cluster().await.map(drop),
        };
        match asked {
            Err(error) if matches!(error.kind(), Kind::TopicNotFound | Kind::KafkaAuthorization) => Ok(()),
            asked => asked,
        }
    }

    /// Returns how many topics exist, as the proof that a broker answers.
    pub async fn ping(&self) -> Result<usize> {
        Ok(self.lookups.cluster().await?.topics.len())
    }
}

fn no_topic(topic: &TopicName) -> Error {
    Kind::TopicNotFound.because(format!("Topic {topic} not found."))
}

fn no_partition(topic: &TopicName, id: PartitionId, count: i32) -> Error {
    Kind::PartitionNotFound
        .because(format!("Partition {id} not found: topic {topic} has {count} partitions, numbered from 0."))
}

fn remember(cache: &RwLock<HashMap<TopicName, Known>>, topic: &TopicName, partitions: i32) {
    let known = Known { partitions, since: Instant::now(), refreshing: AtomicBool::new(false) };
    let mut cache = cache.write().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED_TOPICS {
        cache.retain(|_, known| known.since.elapsed() < Duration::from_secs(60));
    }
    if cache.len() < CACHED_TOPICS || cache.contains_key(topic) {
        cache.insert(topic.clone(), known);
    }
}

fn forget(cache: &RwLock<HashMap<TopicName, Known>>, topic: &TopicName) {
    cache.write().unwrap_or_else(PoisonError::into_inner).remove(topic);
}

/// Blocking look-ups, each on a thread of the blocking pool, a few at a time.
#[derive(Clone)]
struct Lookups {
    /// A client that never sends a record; as a producer it is polled, so its events do not pile up.
    lane: Arc<Lane>,
    turns: Turns,
    health: Arc<Health>,
    timeout: Duration,
}

/// Names and ids; topics of Kafka's own are left out.
struct Cluster {
    topics: Vec<String>,
    brokers: Vec<i32>,
}

impl Lookups {
    fn new(config: &Config, health: &Arc<Health>, turns: Turns) -> Lookups {
        let mut client = client_config(config, &config.admin.properties);
        // The end of a partition is its high watermark, whatever transactions are open.
        client.set("allow.auto.create.topics", "false").set("isolation.level", "read_uncommitted");
        let lane = Lane::new("look-ups", client, health, None);
        Lookups { lane, turns, health: Arc::clone(health), timeout: config.kafka.request_timeout }
    }

    async fn cluster(&self) -> Result<Cluster> {
        self.ask(self.lane.producer().await?, move |client, timeout| {
            let metadata = client.client().fetch_metadata(None, timeout)?;
            let listed = metadata.topics().iter().map(MetadataTopic::name);
            Ok(Cluster {
                topics: listed.filter(|name| !TopicName::is_internal_name(name)).map(str::to_string).collect(),
                brokers: metadata.brokers().iter().map(|broker| broker.id()).collect(),
            })
        })
        .await
    }

    async fn topic(&self, topic: &TopicName) -> Result<Vec<Partition>> {
        self.topic_of(self.lane.producer().await?, topic).await
    }

    async fn topic_of(&self, client: Arc<Producer>, topic: &TopicName) -> Result<Vec<Partition>> {
        let topic = topic.clone();
        self.ask(client, move |client, timeout| {
            let metadata = client.client().fetch_metadata(Some(topic.as_str()), timeout)?;
            let Some(found) = metadata.topics().iter().find(|found| found.name() == topic.as_str()) else {
                return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition));
            };
            if let Some(code) = found.error() {
                return Err(KafkaError::MetadataFetch(code.into()));
            }
            let mut partitions: Vec<Partition> = found.partitions().iter().map(partition).collect();
            if partitions.is_empty() {
                return Err(KafkaError::MetadataFetch(RDKafkaRespErr::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE.into()));
            }
            partitions.sort_unstable_by_key(|partition| partition.id);
            Ok(partitions)
        })
        .await
    }

    async fn watermarks(&self, topic: &TopicName, id: PartitionId) -> Result<Watermarks> {
        let topic = topic.clone();
        self.ask(self.lane.producer().await?, move |client, timeout| {
            let (beginning, end) = client.client().fetch_watermarks(topic.as_str(), id.get(), timeout)?;
            Ok(Watermarks { beginning, end })
        })
        .await
    }

    /// Runs a look-up that blocks; waiting for a turn counts against the same timeout.
    async fn ask<T: Send + 'static>(
        &self,
        client: Arc<Producer>,
        look_up: impl FnOnce(&Producer, Duration) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T> {
        let started = Instant::now();
        let Some(turn) = self.turns.take(self.timeout).await else {
            return Err(Kind::KafkaRetriable.because("Too many look-ups wait for Kafka; send the request again later."));
        };
        let left = self.timeout.saturating_sub(started.elapsed()).max(Duration::from_millis(1));
        let answer = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            look_up(&client, left)
        })
        .await
        .map_err(|stopped| Kind::Internal.caused_by(stopped))?;
        if answer.is_ok() {
            self.health.succeeded();
        }
        answer.map_err(|why| error(Operation::Metadata, why, &self.health))
    }
}

fn partition(found: &MetadataPartition) -> Partition {
    let replica =
        |&broker: &i32| Replica { broker, leader: broker == found.leader(), in_sync: found.isr().contains(&broker) };
    Partition { id: found.id(), leader: found.leader(), replicas: found.replicas().iter().map(replica).collect() }
}
