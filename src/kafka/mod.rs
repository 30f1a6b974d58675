//! Everything that talks to Kafka through librdkafka; the only place that names it.

mod client;
mod configs;
mod delivery;
mod error;
mod health;
mod metadata;
mod mock;
mod producer;
mod queue;

pub use client::check_properties;
pub use metadata::Metadata;
pub use mock::MockKafka;
pub use producer::Producers;

use std::sync::Arc;

use crate::config::Config;
use crate::error::Result;
use configs::Configs;
use health::Health;

/// The connections to one Kafka cluster, shared by all requests.
pub struct Kafka {
    /// Writes records.
    pub producers: Producers,
    /// Knows topics, partitions, brokers and offsets.
    pub metadata: Metadata,
}

impl Kafka {
    /// Creates the clients; does not wait for a broker.
    ///
    /// Fails where librdkafka refuses a property.
    pub fn new(config: &Config) -> Result<Kafka> {
        let health = Arc::new(Health::new(&config.kafka.bootstrap_servers));
        let producers = Producers::new(config, &health)?;
        let configs = Configs::new(config, &health);
        let metadata = Metadata::new(config, &health, configs)?;
        Ok(Kafka { producers, metadata })
    }
}
