use std::time::Duration;

use crate::config::remote::Remote;
use crate::config::settings::Settings;

/// The section `[schema_registry]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaRegistry {
    /// Its instances; without one, formats with schemas are refused.
    pub remote: Remote,
    /// For a look-up with all that is tried again.
    pub request_timeout: Duration,
    /// For a connection.
    pub connect_timeout: Duration,
    /// Whether a schema that a request brings, and that its subject does not have, is registered.
    pub auto_register: bool,
    /// Schemas that are kept, by id and by text.
    pub cached_schemas: usize,
    /// How long the latest version of a subject is taken to be the latest.
    pub latest_max_age: Duration,
    /// How long it is remembered that there is no such schema.
    pub missing_max_age: Duration,
    /// The largest schema, with what it refers to.
    pub max_schema_bytes: u64,
    /// Whether Avro values may leave out tags of unions and fields with defaults.
    pub lenient_avro: bool,
}

impl SchemaRegistry {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            remote: Remote::read(settings, "schema_registry"),
            request_timeout: settings.duration("schema_registry.request_timeout", "10s", "100ms"..="5m"),
            connect_timeout: settings.duration("schema_registry.connect_timeout", "2s", "10ms"..="1m"),
            auto_register: settings.flag("schema_registry.auto_register", true),
            cached_schemas: settings.count("schema_registry.cached_schemas", 1000, 1..=100_000),
            latest_max_age: settings.duration("schema_registry.latest_max_age", "30s", "0s"..="1h"),
            missing_max_age: settings.duration("schema_registry.missing_max_age", "5s", "0s"..="1h"),
            max_schema_bytes: settings.size("schema_registry.max_schema_bytes", "1MiB", "1KiB"..="64MiB"),
            lenient_avro: settings.flag("schema_registry.lenient_avro", false),
        }
    }
}
