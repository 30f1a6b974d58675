use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigEntry, ResourceSpecifier};
use rdkafka::config::RDKafkaLogLevel;

use crate::config::Config;
use crate::error::{Kind, Result};
use crate::kafka::client::{Listener, client_config};
use crate::kafka::error::{Operation, error};
use crate::kafka::health::Health;
use crate::model::TopicName;

/// Reads configurations of topics and brokers; its client is created on first use.
pub(super) struct Configs {
    config: ClientConfig,
    /// The embedded Kafka knows no configurations, and creates every topic that is asked for.
    embedded: bool,
    health: Arc<Health>,
    client: Arc<OnceLock<AdminClient<Listener>>>,
    timeout: Duration,
}

impl Configs {
    pub(super) fn new(config: &Config, health: &Arc<Health>) -> Configs {
        let mut client = client_config(config, &config.admin.properties);
        // Nothing drains the log queue of an admin client: it must stay empty.
        client.set_log_level(RDKafkaLogLevel::Emerg);
        Configs {
            config: client,
            embedded: config.dev,
            health: Arc::clone(health),
            client: Arc::default(),
            timeout: config.kafka.request_timeout,
        }
    }

    /// Returns the effective configuration of a topic; sensitive values are `None`. Empty for the embedded Kafka.
    pub(super) async fn of_topic(&self, topic: &TopicName) -> Result<BTreeMap<String, Option<String>>> {
        if self.embedded {
            return Ok(BTreeMap::new());
        }
        let entries = self.describe(ResourceSpecifier::Topic(topic.as_str())).await?;
        if entries.is_empty() {
            return Err(unreadable());
        }
        Ok(entries.into_iter().map(|entry| (entry.name, if entry.is_sensitive { None } else { entry.value })).collect())
    }

    /// Tells whether a broker creates topics that are asked for.
    pub(super) async fn creates_topics(&self, broker: i32) -> Result<bool> {
        if self.embedded {
            return Ok(true);
        }
        let entries = self.describe(ResourceSpecifier::Broker(broker)).await?;
        let setting = entries.iter().find(|entry| entry.name == "auto.create.topics.enable");
        match setting {
            Some(setting) => Ok(setting.value.as_deref() == Some("true")),
            None => Err(unreadable()),
        }
    }

    async fn describe(&self, resource: ResourceSpecifier<'_>) -> Result<Vec<ConfigEntry>> {
        let options = AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout));
        let results = self.client().await?.describe_configs([&resource], &options).await;
        let described = results.map_err(|why| error(Operation::Admin, why, &self.health))?.into_iter().next();
        match described {
            Some(Ok(config)) => Ok(config.entries),
            Some(Err(code)) => Err(error(Operation::Admin, rdkafka::error::KafkaError::AdminOp(code), &self.health)),
            None => Err(Kind::Kafka.because("Kafka returned no configuration.")),
        }
    }

    /// Returns the client; it is created off the worker, as with TLS that takes a while.
    async fn client(&self) -> Result<&AdminClient<Listener>> {
        if self.client.get().is_none() {
            let (config, health, client) = (self.config.clone(), Arc::clone(&self.health), Arc::clone(&self.client));
            let created = tokio::task::spawn_blocking(move || create(&config, &health, &client)).await;
            created.map_err(|stopped| Kind::Internal.caused_by(stopped))??;
        }
        self.client.get().ok_or_else(|| Kind::Internal.into())
    }

    /// Gives the client, if it runs, the newest credentials.
    pub(super) fn renew(&self) {
        let (Some(client), Some(login)) = (self.client.get(), &self.health.login) else { return };
        if let Err(why) = login.get().give_to(client.inner().native_ptr()) {
            log::warn!("the client for configurations of a caller keeps its old credentials: {}", why.log_line());
        }
    }
}

fn create(config: &ClientConfig, health: &Arc<Health>, place: &OnceLock<AdminClient<Listener>>) -> Result<()> {
    let failed = |error| Kind::Internal.because("The Kafka client cannot be created.").caused_by(error);
    let client = config.create_with_context(Listener(Arc::clone(health))).map_err(failed)?;
    let client = place.get_or_init(|| client);
    match &health.login {
        Some(login) => login.get().give_to(client.inner().native_ptr()),
        None => Ok(()),
    }
}

/// Returns the error of a description without entries: rdkafka shows none where Kafka refuses to tell.
fn unreadable() -> crate::error::Error {
    Kind::KafkaAuthorization.because("Kafka does not let this proxy read the configuration (DescribeConfigs).")
}
