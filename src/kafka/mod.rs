//! Everything that talks to Kafka through librdkafka; the only place that names it.

mod client;
mod configs;
mod consumer;
mod delivery;
mod error;
mod health;
mod login;
mod metadata;
mod mock;
mod producer;
mod queue;
mod statistics;
mod turns;

pub use client::{check_properties, check_property};
pub use consumer::{FetchedRecord, GroupConsumer, Next, Readers, Reading};
pub use login::Login;
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
use login::CurrentLogin;

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

    /// Returns clients of a caller, each of which is created when it is first needed; blocks for nothing.
    ///
    /// `config` has the caller's user and password in the place of the proxy's, or the mechanism for a token. Callers
    /// share with these clients what bounds them.
    pub fn of_caller(&self, config: &Config, login: Login) -> Kafka {
        let health = Arc::new(Health::of_caller(CurrentLogin::new(login)));
        let consumer_config = client::consumer_config(config);
        let configs = Configs::new(config, &health);
        Kafka {
            producers: self.producers.of_caller(config, &health),
            metadata: self.metadata.of_caller(config, &health, configs),
            readers: self.readers.of_caller(consumer_config.clone(), &health),
            consumer_config,
            health,
            metrics: Arc::clone(&self.metrics),
            embedded: None,
        }
    }

    /// Gives newer credentials of the same caller to the clients; connections that are open stay.
    pub fn renew(&self, login: Login) {
        let Some(current) = &self.health.login else { return };
        current.renew(login);
        self.producers.renew();
        self.metadata.renew_login();
    }

    /// Gives a consumer the newest credentials of these clients, should they be a caller's.
    pub fn renew_consumer(&self, consumer: &GroupConsumer) -> Result<()> {
        consumer.log_in_as(&self.health)
    }

    /// Refuses records from now on, should these be clients of a caller: a stream lasts longer than credentials may.
    pub fn end(&self) {
        if let Some(login) = &self.health.login {
            login.end();
        }
    }

    /// Tells whether the last that a broker said was that it refuses the credentials.
    pub fn is_refused(&self) -> bool {
        self.health.refused().is_some()
    }

    /// Tells whether no record waits to be written.
    pub fn is_idle(&self) -> bool {
        self.producers.are_idle()
    }

    /// Creates a consumer of a group; blocks for about a millisecond, waits for no broker.
    pub fn group_consumer(&self, settings: &GroupSettings) -> Result<GroupConsumer> {
        let consumer = match &self.health.login {
            // It outlives these clients, so what it hears later says nothing of them.
            Some(login) => {
                let own = Health::of_caller(CurrentLogin::new(Login::clone(&login.get())));
                GroupConsumer::new(&self.consumer_config, &Arc::new(own), settings)?
            }
            None => GroupConsumer::new(&self.consumer_config, &self.health, settings)?,
        };
        consumer.log_in_as(&self.health)?;
        Ok(consumer)
    }
}
