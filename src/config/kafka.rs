use std::time::Duration;

use crate::config::properties::Properties;
use crate::config::settings::Settings;

/// The section `[kafka]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Kafka {
    /// `HOST:PORT,..`; empty only with `--dev`.
    pub bootstrap_servers: String,
    /// What brokers see in their logs and quotas.
    pub client_id: String,
    /// How old cached metadata of a topic may be.
    pub metadata_max_age: Duration,
    /// For look-ups of metadata and administrative requests.
    pub request_timeout: Duration,
    /// For every librdkafka client.
    pub properties: Properties,
}

impl Kafka {
    pub(super) fn read(settings: &mut Settings, dev: bool) -> Self {
        let kafka = Self {
            bootstrap_servers: settings.addresses("kafka.bootstrap_servers", "", 1..=65535).join(","),
            client_id: settings.text("kafka.client_id", "kafka-rest-proxy", "a name", |text| !text.is_empty()),
            metadata_max_age: settings.duration("kafka.metadata_max_age", "10s", "0s"..="1h"),
            request_timeout: settings.duration("kafka.request_timeout", "10s", "100ms"..="10m"),
            properties: settings.properties("kafka.properties"),
        };
        kafka.check_bootstrap_servers(settings, dev);
        kafka
    }

    fn check_bootstrap_servers(&self, settings: &mut Settings, dev: bool) {
        let is_right = self.bootstrap_servers.is_empty() == dev;
        let wrong = if dev {
            "does not go with --dev, which is a cluster of its own"
        } else {
            "is required, HOST:PORT or a list of these, as KAFKA_REST_KAFKA__BOOTSTRAP_SERVERS, --bootstrap-servers or \
             in proxy.toml; --dev runs without Kafka"
        };
        settings.require(is_right, "kafka.bootstrap_servers", wrong);
    }
}
