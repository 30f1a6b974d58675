use std::fmt;
use std::ops::Range;

use memchr::memmem;
use percent_encoding::percent_decode_str;

use crate::domain::connect::entries::{Entries, text};
use crate::domain::connect::secrets::parts::{self, Origin};
use crate::domain::connect::secrets::{MASK, Secrets};

/// The shortest secret that is looked for in texts: shorter ones would be found in every second word.
const MIN_BYTES: usize = 4;

/// The shortest line that is looked for of a secret of several.
const MIN_LINE_BYTES: usize = 16;

/// The most secrets that are looked for.
const MAX_VALUES: usize = 1024;

/// Secrets by their value, to be found in messages and traces.
#[derive(Clone, Default)]
pub struct Known(Vec<Box<str>>);

impl Known {
    /// Returns the secrets of a config; none where it is no config.
    pub fn of(config: &[u8], secrets: &Secrets<'_>) -> Known {
        let mut known = Known::default();
        if let Ok(entries) = Entries::parse(config) {
            known.add(&entries, secrets);
        }
        known
    }

    pub(super) fn add(&mut self, config: &Entries<'_>, secrets: &Secrets<'_>) {
        for (key, value) in config.iter() {
            let Some(value) = text(value).filter(|value| !parts::is_reference(value)) else { continue };
            if secrets.has(key) {
                self.push(&value);
                value
                    .lines()
                    .filter(|line| line.trim().len() >= MIN_LINE_BYTES)
                    .for_each(|line| self.push(line.trim()));
            }
            for part in secrets.parts(&value, Origin::Value) {
                self.push(&value[part.clone()]);
                self.push(&percent_decode_str(&value[part]).decode_utf8_lossy());
            }
        }
        self.0.sort_unstable();
        self.0.dedup();
    }

    fn push(&mut self, value: &str) {
        if value.len() >= MIN_BYTES && value != MASK && self.0.len() < MAX_VALUES {
            self.0.push(value.into());
        }
    }

    /// Returns where in `text` these are, in any order.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let ranges = |value: &str| {
            let length = value.len();
            memmem::find_iter(text.as_bytes(), value.as_bytes()).map(move |at| at..at + length).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(|value| ranges(value)).collect()
    }
}

impl Secrets<'_> {
    /// Returns a message or trace without secrets: those that are `known`, and whatever reads like one.
    pub fn redacted(&self, text: &str, known: &Known) -> String {
        let mut found = known.find(text);
        found.extend(self.parts(text, Origin::Message));
        parts::masked(text, &parts::joined(found))
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} secrets)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connect::secrets::{KeyPattern, Passwords};

    const CONFIG: &str = r#"{"password":"hunt.er2","pin.secret":"abc","user":"anna","token":"${env:TOKEN}",
        "number.secret":12345678,"url":"mongodb://anna:p%40ssword@h/d","sasl.jaas.config":"L password=\"inner pw\";",
        "private.key":"-----BEGIN\nMIIEvQIBADANBgkqhkiG\n-----END"}"#;

    fn redacted(text: &str) -> String {
        let pattern = KeyPattern::built_in();
        let secrets = Secrets::new(&pattern, Passwords::default());
        secrets.redacted(text, &Known::of(CONFIG.as_bytes(), &secrets))
    }

    #[test]
    fn known_secrets_are_found_anywhere() {
        let cases = [
            ("login of anna with hunt.er2 failed: abc", "login of anna with ******** failed: abc"),
            ("12345678hunt.er2hunt.er2", "************************"),
            ("p%40ssword is p@ssword", "******** is ********"),
            ("bad: inner pw!", "bad: ********!"),
            ("line MIIEvQIBADANBgkqhkiG of it", "line ******** of it"),
            ("${env:TOKEN}", "${env:TOKEN}"),
            ("password=hunt.er2hunt", "password=********"),
        ];
        for (text, expected) in cases {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn what_is_known_is_not_printed() {
        let pattern = KeyPattern::built_in();
        let secrets = Secrets::new(&pattern, Passwords::default());
        let known = Known::of(CONFIG.as_bytes(), &secrets);
        assert!(!format!("{known:?} {known:#?}").contains("hunt"));
    }
}
