use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};

use crate::config::problem::Source;

/// Every setting by its key, as it was given or by default; `Debug` and [`Effective::shown`] hide secrets.
#[derive(Clone, Default, PartialEq)]
pub struct Effective(pub(super) BTreeMap<String, Value>);

/// What holds for one setting.
#[derive(Clone)]
pub(super) struct Value {
    text: String,
    source: String,
    is_secret: bool,
}

impl Value {
    pub(super) fn of(text: String, source: &Source, is_secret: bool) -> Value {
        let source = match source {
            Source::Nowhere => "default".to_owned(),
            given => given.to_string(),
        };
        Value { text, source, is_secret }
    }

    fn shown(&self) -> &str {
        if self.is_secret && !self.text.is_empty() { "***" } else { &self.text }
    }
}

impl PartialEq for Value {
    /// Says that it is the same, wherever it comes from.
    fn eq(&self, other: &Value) -> bool {
        self.text == other.text
    }
}

impl Effective {
    /// Returns key, value and source of each setting, in the order of the keys; a secret is `***`.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.shown(), value.source.as_str()))
    }

    /// Returns the keys of the settings that are not the same in `other`.
    pub fn changed(&self, other: &Effective) -> Vec<String> {
        let keys: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        keys.into_iter().filter(|key| self.0.get(*key) != other.0.get(*key)).cloned().collect()
    }
}

impl Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown().map(|(key, value, _)| (key, value))).finish()
    }
}
