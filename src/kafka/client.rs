use std::sync::Arc;

use log::{debug, info};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use crate::config::{Config, Properties};
use crate::kafka::error::code_of;
use crate::kafka::health::Health;

/// Returns the librdkafka configuration of a client: ours, then `[kafka.properties]`, then `properties`.
pub(super) fn client_config(config: &Config, properties: &Properties) -> ClientConfig {
    over(ClientConfig::new(), config, properties)
}

/// Puts what every client has and the pass-through properties over the settings of one kind of client.
///
/// Properties are set one by one: what `ClientConfig` lists of itself has its secrets masked.
pub(super) fn over(mut client: ClientConfig, config: &Config, properties: &Properties) -> ClientConfig {
    client
        .set("bootstrap.servers", &config.kafka.bootstrap_servers)
        .set("client.id", &config.kafka.client_id)
        // Come back within a second when a broker does; librdkafka would wait up to ten.
        .set("reconnect.backoff.max.ms", "1000")
        // OpenSSL is built in, so it does not know where this system keeps its certificate authorities.
        .set("ssl.ca.location", "probe");
    for (key, value) in config.kafka.properties.iter().chain(properties.iter()) {
        client.set(key, value);
    }
    client
}

/// Returns the librdkafka configuration of a consumer.
pub(super) fn consumer_config(config: &Config) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("allow.auto.create.topics", "false")
        // As Kafka has it; librdkafka would leave out what is not committed.
        .set("isolation.level", "read_uncommitted")
        .set("queued.max.messages.kbytes", (config.consumer.queue_bytes / 1024).max(1).to_string())
        // A consumer whose queue was full goes on fetching soon after it was emptied.
        .set("fetch.queue.backoff.ms", "5");
    over(client, config, &config.consumer.properties)
}

/// Returns what librdkafka says against the pass-through properties, one line a problem, values left out.
pub fn check_properties(config: &Config) -> Vec<String> {
    let sections = [
        ("kafka.properties", &config.kafka.properties),
        ("producer.properties", &config.producer.properties),
        ("consumer.properties", &config.consumer.properties),
        ("admin.properties", &config.admin.properties),
        ("auth.passthrough_properties", &config.passthrough.properties),
    ];
    let mut problems = Vec::new();
    for (section, properties) in sections {
        for (key, value) in properties.iter() {
            if let Err(why) = check_property(key, value) {
                problems.push(format!("{section}.{key}: librdkafka refuses it: {why}"));
            }
        }
    }
    problems
}

/// Checks one property of a consumer; the error is what librdkafka says against it, without the value, which may be a
/// secret.
pub fn check_property(key: &str, value: &str) -> Result<(), String> {
    match ClientConfig::new().set(key, value).create_native_config() {
        Err(KafkaError::ClientConfig(_, why, ..)) => {
            Err(if value.is_empty() { why } else { why.replace(value, "...") })
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Hears what a client says outside of operations.
#[derive(Clone)]
pub(super) struct Listener(pub(super) Arc<Health>);

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = code_of(&error) {
            self.0.failed(code, reason);
        }
    }
}

/// Logs a line of librdkafka's; the state of the cluster is told by [`Health`], so these are for the curious.
pub(super) fn log_line(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            info!("librdkafka {facility}: {message}");
        }
        RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning
        | RDKafkaLogLevel::Notice
        | RDKafkaLogLevel::Info
        | RDKafkaLogLevel::Debug => debug!("librdkafka {facility}: {message}"),
    }
}
