//! Everything that talks to Kafka through librdkafka; the only place that names it.

mod client;
mod configs;
mod consumer;
mod delivery;
mod error;
mod health;
mod metadata;
mod mock;
mod producer;
mod queue;
mod statistics;

pub use client::{check_properties, check_property};
pub use consumer::{FetchedRecord, GroupConsumer, Next, Readers, Reading};
pub use metadata::Metadata;
pub use mock::MockKafka;
pub use producer::{Pace, Producers, Sending};

use std::sync::Arc;

use rdkafka::ClientConfig;

use crate::config::Config;
use crate::error::Result;
use crate::metrics::Metrics;
use crate::model::GroupSettings;
use configs::Configs;
use health::Health;

/// The connections to one Kafka cluster, shared by all requests.
pub struct Kafka {
    /// Writes records.
    pub producers: Producers,
    /// Knows topics, partitions, brokers and offsets.
    pub metadata: Metadata,
    /// Reads without a group.
    pub readers: Readers,
    consumer_config: ClientConfig,
    health: Arc<Health>,
    /// Where what goes through is counted.
    pub metrics: Arc<Metrics>,
    /// The cluster itself where it is in this process; it outlives the clients above.
    pub embedded: Option<MockKafka>,
}

impl Kafka {
    /// Creates the clients; does not wait for a broker. `embedded` is the cluster of `config` if it is in this process.
    ///
    /// Fails where librdkafka refuses a property.
    pub fn new(config: &Config, embedded: Option<MockKafka>, metrics: &Arc<Metrics>) -> Result<Kafka> {
        let health = Arc::new(Health::new(&config.kafka.bootstrap_servers));
        let producers = Producers::new(config, &health, metrics)?;
        let configs = Configs::new(config, &health);
        let metadata = Metadata::new(config, &health, configs)?;
        let consumer_config = client::consumer_config(config);
        let readers =
            Readers::new(consumer_config.clone(), &health, config.consumer.readers, config.producer.queue_wait);
        Ok(Kafka { producers, metadata, readers, consumer_config, health, metrics: Arc::clone(metrics), embedded })
    }

    /// Creates a consumer of a group; blocks for about a millisecond, waits for no broker.
    pub fn group_consumer(&self, settings: &GroupSettings) -> Result<GroupConsumer> {
        GroupConsumer::new(&self.consumer_config, &self.health, settings)
    }
}
