use std::collections::HashSet;

use crate::domain::connect::secrets::plugins::Plugin;

/// The keys whose values stay visible where the definition of the connector cannot be had: those of the framework.
const FRAMEWORK: &[&str] = &[
    "config.action.reload",
    "connector.class",
    "connector.plugin.version",
    "exactly.once.support",
    "header.converter",
    "key.converter",
    "name",
    "offsets.storage.topic",
    "predicates",
    "tasks.max",
    "tasks.max.enforce",
    "topics",
    "topics.regex",
    "transaction.boundary",
    "transforms",
    "value.converter",
];
const FRAMEWORK_PREFIXES: &[&str] = &["errors.", "topic.creation."];

/// The same for a transform, predicate or converter, after its prefix.
const OF_PLUGIN: &[&str] = &["type", "predicate", "negate", "plugin.version", "schemas.enable"];

/// The keys of a config that the definitions of its plugins type PASSWORD.
#[derive(Clone, Default)]
pub struct Passwords {
    keys: HashSet<Box<str>>,
    /// The prefixes of all plugins, the longest first, and whether the definition is known.
    prefixes: Vec<(Box<str>, bool)>,
}

impl Passwords {
    /// Adds a plugin with the keys, without their prefix, that its definition types PASSWORD.
    ///
    /// Of one without a definition every value counts as a secret, but those of the framework's own keys.
    pub fn add(&mut self, plugin: &Plugin, typed: Option<&[Box<str>]>) {
        self.keys.extend(typed.unwrap_or_default().iter().map(|key| format!("{}{key}", plugin.prefix).into()));
        let before = self.prefixes.iter_mut().find(|(prefix, _)| *prefix == plugin.prefix);
        match before {
            Some((_, is_known)) => *is_known &= typed.is_some(),
            None => self.prefixes.push((plugin.prefix.clone(), typed.is_some())),
        }
        self.prefixes.sort_by_key(|(prefix, _)| usize::MAX - prefix.len());
    }

    /// Tells whether a definition types the key PASSWORD.
    pub(super) fn is_typed(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Tells whether the value of the key counts as a secret.
    pub(super) fn has(&self, key: &str) -> bool {
        if self.is_typed(key) {
            return true;
        }
        let plugin =
            self.prefixes.iter().find_map(|(prefix, known)| Some((prefix, key.strip_prefix(&**prefix)?, *known)));
        match plugin {
            None | Some((_, _, true)) => false,
            Some((prefix, key, false)) if prefix.is_empty() => {
                let is_transforms = [".type", ".predicate", ".negate"].iter().any(|end| key.ends_with(end))
                    && ["transforms.", "predicates."].iter().any(|start| key.starts_with(start));
                !is_transforms
                    && !FRAMEWORK.contains(&key)
                    && !FRAMEWORK_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
            }
            Some((_, key, false)) => !OF_PLUGIN.contains(&key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(prefix: &str) -> Plugin {
        Plugin { class: Some("C".into()), version: None, prefix: prefix.into() }
    }

    #[test]
    fn a_key_is_typed_with_the_prefix_of_its_plugin() {
        let mut passwords = Passwords::default();
        passwords.add(&plugin(""), Some(&["pin".into()]));
        passwords.add(&plugin("transforms.a."), Some(&["word".into()]));
        let secret = ["pin", "transforms.a.word", "word", "transforms.a.pin"].map(|key| passwords.has(key));
        assert_eq!(secret, [true, true, false, false]);
    }

    #[test]
    fn without_a_definition_every_value_is_a_secret_but_the_frameworks_own() {
        let mut passwords = Passwords::default();
        passwords.add(&plugin(""), None);
        passwords.add(&plugin("key.converter."), Some(&[]));
        passwords.add(&plugin("value.converter."), None);
        for key in ["pin", "file", "value.converter.pin", "consumer.override.x"] {
            assert!(passwords.has(key), "{key}");
        }
        for key in ["name", "topics", "key.converter.pin", "errors.tolerance", "value.converter.schemas.enable"] {
            assert!(!passwords.has(key), "{key}");
        }
    }

    #[test]
    fn of_two_plugins_with_one_prefix_both_have_to_be_known() {
        let mut passwords = Passwords::default();
        passwords.add(&plugin(""), Some(&[]));
        passwords.add(&plugin(""), None);
        assert!(passwords.has("pin"));
    }
}
