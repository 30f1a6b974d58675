use std::collections::BTreeSet;

use crate::domain::connect::config::ConnectorConfig;

/// A key whose value changes.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// What is stored, secrets masked; `None` where there is nothing.
    pub old: Option<String>,
    /// What is wanted, likewise; `None` where the key goes.
    pub new: Option<String>,
}

/// Returns the keys in which two configurations differ, by name. What is shown of the values is taken from `shown`,
/// which has the same keys in the same order: the old and the new configuration without secrets.
pub(super) fn changes(
    (old, new): (&ConnectorConfig, &ConnectorConfig),
    shown: (&ConnectorConfig, &ConnectorConfig),
) -> Vec<Change> {
    let keys: BTreeSet<&String> = old.own().chain(new.own()).map(|(key, _)| key).collect();
    let differs = |key: &&String| old.0.get(*key) != new.0.get(*key);
    let value = |config: &ConnectorConfig, key: &str| config.get(key).map(str::to_owned);
    let change = |key: &String| Change { key: key.clone(), old: value(shown.0, key), new: value(shown.1, key) };
    keys.into_iter().filter(differs).map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> ConnectorConfig {
        ConnectorConfig::read(json.as_bytes()).expect("a configuration")
    }

    #[test]
    fn keys_that_come_go_or_change_are_found_and_shown_without_secrets() {
        let old = config(r#"{"name":"x","a":"1","b":"2","c":"3","pw":"old","__internal.config.version":"7"}"#);
        let new = config(r#"{"a":1,"b":2.0,"d":null,"pw":"new"}"#);
        let shown = (config(r#"{"b":"2","c":"3","pw":"*"}"#), config(r#"{"b":"2.0","pw":"*"}"#));
        let found = changes((&old, &new), (&shown.0, &shown.1));
        let found: Vec<_> =
            found.iter().map(|change| (change.key.as_str(), change.old.as_deref(), change.new.as_deref())).collect();
        let expected =
            [("b", Some("2"), Some("2.0")), ("c", Some("3"), None), ("d", None, None), ("pw", Some("*"), Some("*"))];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_workers_add_is_no_difference() {
        let old = config(r#"{"name":"x","a":"1","__internal.config.version":"7"}"#);
        let new = config(r#"{"a":1}"#);
        assert_eq!(changes((&old, &new), (&old, &new)), []);
        assert_eq!(old.into_own(), new);
    }
}
