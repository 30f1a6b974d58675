use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::config::effective::{Effective, Value};
use crate::config::problem::{Problem, Problems, Source};
use crate::config::properties::{self, Properties};
use crate::config::remote::Secret;
use crate::config::{sources, spelling, values};

/// What was given, what the sections have read of it, and what was found wrong so far.
#[derive(Default)]
pub(super) struct Settings {
    given: BTreeMap<String, Given>,
    /// Every setting that a section has read, with its default.
    pub(super) known: BTreeMap<String, String>,
    /// Every map of properties that a section has read.
    pub(super) maps: BTreeSet<&'static str>,
    /// Every setting whose value is not to be shown.
    secrets: BTreeSet<String>,
    problems: Vec<Problem>,
}

struct Given {
    text: String,
    source: Source,
}

impl Settings {
    /// Takes a value; it hides what an earlier source gave.
    pub(super) fn give(&mut self, key: String, text: String, source: Source) {
        self.given.insert(key, Given { text, source });
    }

    #[cfg(test)]
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    pub(super) fn problem(&mut self, key: &str, source: Source, text: impl Into<String>) {
        self.problems.push(Problem { key: key.to_owned(), source, text: text.into() });
    }

    pub(super) fn duration(&mut self, key: &str, default: &str, allowed: RangeInclusive<&str>) -> Duration {
        let what = format!("a duration from {} to {}, such as 500us or 30s", allowed.start(), allowed.end());
        self.within(key, default, allowed, &what, |text| humantime::parse_duration(text).ok())
    }

    pub(super) fn size(&mut self, key: &str, default: &str, allowed: RangeInclusive<&str>) -> u64 {
        let what = format!("a size from {} to {}, such as 512KiB or 64MiB", allowed.start(), allowed.end());
        self.within(key, default, allowed, &what, values::size)
    }

    pub(super) fn count<T>(&mut self, key: &str, default: T, allowed: RangeInclusive<T>) -> T
    where
        T: Display + FromStr + PartialOrd,
    {
        let what = format!("a whole number from {} to {}", allowed.start(), allowed.end());
        self.read(key, &default.to_string(), &what, |text| text.parse().ok().filter(|number| allowed.contains(number)))
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        self.read(key, &default.to_string(), "true or false", |text| text.parse().ok())
    }

    /// Reads one of `choices` by its `name`.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        default: &str,
        choices: &[T],
        name: fn(T) -> &'static str,
    ) -> T {
        let names: Vec<&str> = choices.iter().map(|choice| name(*choice)).collect();
        self.read(key, default, &format!("one of {}", names.join(", ")), |text| {
            choices.iter().copied().find(|choice| name(*choice) == text)
        })
    }

    /// Reads a text; `what` describes the texts that are `allowed`.
    pub(super) fn text(&mut self, key: &str, default: &str, what: &str, allowed: fn(&str) -> bool) -> String {
        self.read(key, default, what, |text| allowed(text).then(|| text.to_owned()))
    }

    /// Reads the permissions of a file.
    pub(super) fn octal(&mut self, key: &str, default: &str) -> u32 {
        self.read(key, default, "permissions from 0 to 0777, in octal digits", values::mode)
    }

    /// Reads a text that is never shown.
    pub(super) fn secret(&mut self, key: &str) -> Secret {
        self.secrets.insert(key.to_owned());
        Secret(self.text(key, "", "a text", |_| true))
    }

    /// Reads `HOST:PORT,..`; an empty list is allowed if it is the default.
    pub(super) fn addresses(&mut self, key: &str, default: &str, ports: RangeInclusive<u16>) -> Vec<String> {
        let what = format!("HOST:PORT or a list of these, with ports from {} to {}", ports.start(), ports.end());
        self.read(key, default, &what, |text| match text {
            "" => default.is_empty().then(Vec::new),
            text => values::addresses(text, &ports),
        })
    }

    /// Reads a list whose items are separated by commas; an empty one is allowed if it is the default.
    ///
    /// `what` describes an item that is `allowed`.
    pub(super) fn list(&mut self, key: &str, default: &str, what: &str, allowed: fn(&str) -> bool) -> Vec<String> {
        self.read(key, default, &format!("{what}, or a list of these"), |text| match text {
            "" => default.is_empty().then(Vec::new),
            text => text.split(',').map(str::trim).map(|item| allowed(item).then(|| item.to_owned())).collect(),
        })
    }

    /// Returns the names of the sections that are given below `parent`.
    pub(super) fn sections(&self, parent: &str) -> BTreeSet<String> {
        let inner = self.given.keys().filter_map(|key| below(parent, key)?.split_once('.'));
        inner.map(|(name, _)| name.to_owned()).collect()
    }

    /// Reads everything below `key`.
    pub(super) fn properties(&mut self, key: &'static str) -> Properties {
        self.maps.insert(key);
        let mut map = BTreeMap::new();
        for (full_key, given) in &self.given {
            let Some(name) = below(key, full_key) else { continue };
            if let Some(text) = properties::refusal(name) {
                let (key, source) = (full_key.clone(), given.source.clone());
                self.problems.push(Problem { key, source, text: text.to_owned() });
            } else {
                map.insert(name.to_owned(), given.text.clone());
            }
        }
        Properties(map)
    }

    /// Notes `text` about `key` unless `holds`; silent if its value is already known to be wrong.
    pub(super) fn require(&mut self, holds: bool, key: &str, text: &str) {
        let given = self.given.get(key);
        let is_noted = self.problems.iter().any(|problem| {
            // Without a key it is about something that could not be read, and the value may be in there.
            problem.key == key || problem.key.is_empty() && given.is_none()
        });
        if !holds && !is_noted {
            let source = given.map_or(Source::Nowhere, |given| given.source.clone());
            self.problem(key, source, text);
        }
    }

    /// Returns what holds: each setting that a section has read, and each property.
    pub(super) fn effective(&self) -> Effective {
        let default = |(key, text): (&String, &String)| (key.clone(), Value::of(text.clone(), &Source::Nowhere, false));
        let mut all: BTreeMap<String, Value> = self.known.iter().map(default).collect();
        for (key, given) in self.given.iter().filter(|(key, _)| self.is_known(key)) {
            let is_secret = self.secrets.contains(key) || properties::is_secret(key, &self.maps);
            all.insert(key.clone(), Value::of(given.text.trim().to_owned(), &given.source, is_secret));
        }
        Effective(all)
    }

    /// Returns all problems; keys that no section has read are among them.
    pub(super) fn finish(mut self) -> Result<(), Problems> {
        for (key, given) in &self.given {
            if !self.is_known(key) {
                let text = format!("is not a setting{}", self.hint(key, &given.source));
                self.problems.push(Problem { key: key.clone(), source: given.source.clone(), text });
            }
        }
        if self.problems.is_empty() { Ok(()) } else { Err(Problems(self.problems)) }
    }

    /// Reads a value that has an order and bounds.
    #[expect(clippy::expect_used, reason = "bounds are literals that every test reads")]
    fn within<T: PartialOrd>(
        &mut self,
        key: &str,
        default: &str,
        allowed: RangeInclusive<&str>,
        what: &str,
        parse: fn(&str) -> Option<T>,
    ) -> T {
        let bound = |text: &str| parse(text).expect("bounds are literals that every test reads");
        let allowed = bound(allowed.start())..=bound(allowed.end());
        self.read(key, default, what, |text| parse(text).filter(|value| allowed.contains(value)))
    }

    /// Returns the given value, or the default if there is none or it is not `what`.
    #[expect(clippy::expect_used, reason = "defaults are literals that every test reads")]
    fn read<T>(&mut self, key: &str, default: &str, what: &str, parse: impl Fn(&str) -> Option<T>) -> T {
        self.known.insert(key.to_owned(), default.to_owned());
        if let Some(given) = self.given.get(key) {
            if let Some(value) = parse(given.text.trim()) {
                return value;
            }
            // The section `[auth]` has no secrets for being called so.
            let name = key.strip_prefix("auth.").unwrap_or(key);
            let text = format!("{:?} is not {what}", properties::shown(name, &given.text));
            self.problem(key, given.source.clone(), text);
        }
        parse(default).expect("defaults are literals that every test reads")
    }

    fn is_known(&self, key: &str) -> bool {
        self.known.contains_key(key) || self.maps.iter().any(|map| below(map, key).is_some())
    }

    /// Returns what was probably meant, in the words of `source`.
    fn hint(&self, key: &str, source: &Source) -> String {
        let spelled = |key: &str| match source {
            Source::Variable(_) => sources::variable(key),
            Source::Nowhere | Source::File { .. } | Source::Flag(_) => key.to_owned(),
        };
        let section = key.split('.').next().unwrap_or_default();
        if let Some(known) = spelling::nearest(key, self.known.keys().map(String::as_str)) {
            format!("; did you mean {}?", spelled(known))
        } else if let Some(map) = self.maps.iter().find(|map| below(section, map).is_some()) {
            format!("; properties of librdkafka go below {}", spelled(map))
        } else {
            String::new()
        }
    }
}

/// Returns the rest of `key` if it is below `parent`.
fn below<'a>(parent: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(parent)?.strip_prefix('.')
}
