use std::collections::BTreeMap;

use crate::domain::connect::entries::{Entries, is_null, text};

/// The configuration of a connector as workers read it: every value is a text or null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorConfig(pub BTreeMap<String, Option<String>>);

impl ConnectorConfig {
    /// Reads a JSON object; `None` is none that a worker would take.
    ///
    /// Numbers and booleans are their literal text, and the last of two equal keys counts.
    pub fn read(json: &[u8]) -> Option<ConnectorConfig> {
        ConnectorConfig::of(&Entries::parse(json).ok()?)
    }

    /// Reads name and configuration of a request that creates a connector.
    pub fn read_creation(json: &[u8]) -> Option<(String, ConnectorConfig)> {
        let body = Entries::parse(json).ok()?;
        let config = Entries::of(body.last("config")?).ok()?;
        let name = body.last("name").and_then(text).unwrap_or_default();
        Some((name.trim().to_owned(), ConnectorConfig::of(&config)?))
    }

    fn of(entries: &Entries<'_>) -> Option<ConnectorConfig> {
        let value = |value| match text(value) {
            Some(text) => Some(Some(text.into_owned())),
            None => is_null(value).then_some(None),
        };
        entries.iter().map(|(key, raw)| Some((key.to_owned(), value(raw)?))).collect::<Option<_>>().map(ConnectorConfig)
    }

    /// Returns it as a JSON object.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let entries = self.0.iter().map(|(key, value)| (key.clone(), value.clone().into()));
        serde_json::Value::Object(entries.collect()).to_string().into_bytes()
    }

    /// Returns the value of a key that is there and not null.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_deref()
    }

    /// Tells whether `stored` is what a worker keeps when it is sent this.
    pub fn is_kept_as(&self, stored: &ConnectorConfig) -> bool {
        self.own().eq(stored.own())
    }

    /// Returns what workers do not add by themselves, by key.
    pub(super) fn own(&self) -> impl Iterator<Item = (&String, &Option<String>)> {
        self.0.iter().filter(|(key, _)| is_own(key))
    }

    /// Returns it without what workers add by themselves.
    pub(super) fn into_own(mut self) -> ConnectorConfig {
        self.0.retain(|key, _| is_own(key));
        self
    }

    /// Tells whether `stored` is what remains after this patch: values are there, and keys with null are gone.
    pub fn is_patched_into(&self, stored: &ConnectorConfig) -> bool {
        self.0.iter().all(|(key, value)| match value {
            None => !stored.0.contains_key(key),
            Some(value) => stored.get(key) == Some(value),
        })
    }
}

fn is_own(key: &str) -> bool {
    key != "name" && !key.starts_with("__internal.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> ConnectorConfig {
        ConnectorConfig::read(json.as_bytes()).expect("a configuration")
    }

    #[test]
    fn values_are_texts_as_workers_have_them() {
        let read = config(r#"{"a":1.50,"b":true,"c":null,"d":"x","e":1e3,"a":"last"}"#);
        let values: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|key| read.get(key)).collect();
        assert_eq!(values, [Some("last"), Some("true"), None, Some("x"), Some("1e3")]);
        for bad in [r#"{"a":{}}"#, r#"{"a":[1]}"#, "[]", "null", "", "{} x"] {
            assert!(ConnectorConfig::read(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_configuration_is_compared_without_what_the_worker_adds() {
        let sent = config(r#"{"a":1}"#);
        assert!(sent.is_kept_as(&config(r#"{"name":"x","a":"1","__internal.config.version":"7"}"#)));
        assert!(!sent.is_kept_as(&config(r#"{"name":"x","a":"1","b":"2"}"#)));
        assert!(!sent.is_kept_as(&config(r#"{"name":"x","a":"1.0"}"#)));
    }

    #[test]
    fn a_patch_is_compared_key_by_key() {
        let patch = config(r#"{"a":1,"b":null}"#);
        assert!(patch.is_patched_into(&config(r#"{"a":"1","c":"2"}"#)));
        assert!(!patch.is_patched_into(&config(r#"{"a":"1","b":"2"}"#)));
        assert!(!patch.is_patched_into(&config(r#"{"c":"2"}"#)));
    }

    #[test]
    fn a_creation_has_a_name_without_white_space_around_it() {
        let (name, config) =
            ConnectorConfig::read_creation(br#"{"name":" a ","config":{"k":"v"},"initial_state":"STOPPED"}"#).unwrap();
        assert_eq!((name.as_str(), config.get("k")), ("a", Some("v")));
        assert!(ConnectorConfig::read_creation(br#"{"name":"a"}"#).is_none());
    }
}
