use std::time::Duration;

use crate::config::properties::Properties;
use crate::config::settings::Settings;

/// The section `[consumer]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// How long an instance lives that nobody uses.
    pub instance_timeout: Duration,
    /// How long a read waits that does not say how long.
    pub request_timeout: Duration,
    /// The longest that a read may ask to wait.
    pub max_poll_wait: Duration,
    /// The most that one answer holds, in bytes of keys and values.
    pub request_max_bytes: u64,
    /// Instances in all.
    pub max_instances: usize,
    /// Instances of one owner in one group.
    pub max_instances_per_group: usize,
    /// Instances of one owner who is known by name.
    pub max_instances_per_principal: usize,
    /// Stateless reads at one time.
    pub readers: usize,
    /// What one instance fetches ahead.
    pub queue_bytes: u64,
    /// Properties for consumers, over those of `[kafka]`.
    pub properties: Properties,
}

impl Consumer {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            instance_timeout: settings.duration("consumer.instance_timeout", "5m", "1s"..="24h"),
            request_timeout: settings.duration("consumer.request_timeout", "1s", "1ms"..="10m"),
            max_poll_wait: settings.duration("consumer.max_poll_wait", "30s", "1ms"..="10m"),
            request_max_bytes: settings.size("consumer.request_max_bytes", "64MiB", "1"..="1GiB"),
            max_instances: settings.count("consumer.max_instances", 2000, 0..=1_000_000),
            max_instances_per_principal: settings.count("consumer.max_instances_per_principal", 500, 0..=1_000_000),
            max_instances_per_group: settings.count("consumer.max_instances_per_group", 1000, 0..=1_000_000),
            readers: settings.count("consumer.readers", 32, 1..=10_000),
            queue_bytes: settings.size("consumer.queue_bytes", "8MiB", "1KiB"..="2GiB"),
            properties: settings.properties("consumer.properties"),
        }
    }
}
