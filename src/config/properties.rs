use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};

/// Properties for librdkafka, as they were given; `Debug` hides the secret ones.
#[derive(Clone, Default, PartialEq)]
pub struct Properties(pub(super) BTreeMap<String, String>);

/// What the proxy decides, so that a property may not.
const REFUSED: &[(&str, &str)] = &[
    ("acks", "is set by producer.acks"),
    ("bootstrap.servers", "is set by kafka.bootstrap_servers"),
    ("client.id", "is set by kafka.client_id"),
    ("compression.codec", "is set by producer.compression"),
    ("compression.type", "is set by producer.compression"),
    ("delivery.timeout.ms", "is set by producer.delivery_timeout"),
    ("group.id", "is set by each consumer's request"),
    ("linger.ms", "is set by producer.linger"),
    ("message.max.bytes", "is set by producer.max_record_bytes"),
    ("message.timeout.ms", "is set by producer.delivery_timeout"),
    ("metadata.broker.list", "is set by kafka.bootstrap_servers"),
    ("queue.buffering.max.kbytes", "is set by producer.queue_bytes"),
    ("queue.buffering.max.messages", "is set by producer.queue_records"),
    ("queue.buffering.max.ms", "is set by producer.linger"),
    ("request.required.acks", "is set by producer.acks"),
    ("test.mock.num.brokers", "is set by --dev"),
    ("transactional.id", "is not supported: the proxy produces without transactions"),
];

/// Rather too many than too few: hiding a harmless value costs nothing.
const SECRET: &[&str] = &["auth", "credential", "jaas", "pass", "pem", "sasl", "secret", "ssl.key", "token"];

/// How the names of settings end whose values are secret; most are read as such anyway.
const SECRET_ENDS: &[&str] = &["password", "secret", "token", "credentials", "_pem", "api_key"];

impl Properties {
    /// Returns names and values in the order of the names.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the value of a property.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, shown(name, value)))).finish()
    }
}

/// Returns why the property is not accepted, if it is not.
pub(super) fn refusal(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, why)| *why)
}

/// Returns what may be printed of a value: not itself if the name looks like a secret's.
pub(super) fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if looks_secret(name) { "***" } else { value }
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', ".");
    SECRET.iter().any(|part| name.contains(part))
}

/// Tells whether the value of a setting is to be hidden where all settings are shown.
///
/// Properties, which are anybody's, are hidden by any part of the name. The names of settings are our own, and few of
/// those that look like a secret's are one (`client_auth`, `secret_keys`): they are told by their last word.
pub(super) fn is_secret(key: &str, maps: &BTreeSet<&'static str>) -> bool {
    let property = maps.iter().find_map(|map| key.strip_prefix(map)?.strip_prefix('.'));
    property.map_or_else(|| SECRET_ENDS.iter().any(|end| key.ends_with(end)), looks_secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_looking_names_are_hidden() {
        let secret = [
            "sasl.password",
            "sasl.username",
            "SASL.JAAS.CONFIG",
            "ssl.key.pem",
            "ssl_key_location",
            "ssl.keystore.password",
            "registry.basic.auth.user.info",
            "registry.bearer_token",
            "client_secret",
        ];
        for name in secret {
            assert_eq!(shown(name, "hunter2"), "***", "{name}");
        }
        for name in ["security.protocol", "ssl.ca.location", "server.listen"] {
            assert_eq!(shown(name, "open"), "open", "{name}");
        }
    }

    #[test]
    fn the_debug_output_of_properties_hides_secrets_only() {
        let map = [("sasl.password", "hunter2"), ("security.protocol", "SSL")];
        let properties = Properties(map.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(format!("{properties:?}"), r#"{"sasl.password": "***", "security.protocol": "SSL"}"#);
    }
}
