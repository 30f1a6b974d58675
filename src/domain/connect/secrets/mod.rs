//! Secrets in what Connect's workers answer: found, masked, and put back where a mask is sent to the gateway.
//!
//! What is a secret: the value of a key that the plugin's own definition types PASSWORD, or that the [`KeyPattern`]
//! matches; and credentials inside of other values. References such as `${file:...}` stay visible, as do `null` and
//! empty values.

mod definitions;
mod keys;
mod known;
mod mask;
mod parts;
mod passwords;
mod plugins;
mod restore;

pub use definitions::{Definitions, NotAnswered};
pub use keys::KeyPattern;
pub use known::Known;
pub use mask::{Shape, mask};
pub use passwords::Passwords;
pub use plugins::{Plugin, plugins};
pub use restore::{mentions_mask, restore, restore_create, restore_patch};

use std::ops::Range;

use crate::domain::connect::secrets::parts::Origin;

/// What stands in the place of a secret.
pub const MASK: &str = "********";

/// Which values of a config are secrets.
pub struct Secrets<'a> {
    pattern: &'a KeyPattern,
    passwords: Passwords,
}

impl<'a> Secrets<'a> {
    /// Returns what is secret by the pattern, and by the definitions of the plugins that a config names.
    pub fn new(pattern: &'a KeyPattern, passwords: Passwords) -> Secrets<'a> {
        Secrets { pattern, passwords }
    }

    /// Tells whether the key is that of a secret.
    fn has(&self, key: &str) -> bool {
        self.pattern.matches(key) || self.passwords.has(key)
    }

    /// Tells whether a name in a text is that of a secret: a key, or anything that the pattern matches.
    fn names(&self, name: &str) -> bool {
        self.pattern.matches(name) || self.passwords.is_typed(name)
    }

    /// Returns what is shown of a value; `None` where that is the value itself.
    fn shown(&self, key: &str, value: &str) -> Option<String> {
        if value.is_empty() || value == MASK || parts::is_reference(value) {
            return None;
        }
        if self.has(key) {
            return Some(MASK.to_owned());
        }
        let parts = self.parts(value, Origin::Value);
        (!parts.is_empty()).then(|| parts::masked(value, &parts))
    }

    fn parts(&self, text: &str, origin: Origin) -> Vec<Range<usize>> {
        parts::find(text, origin, |name| self.names(name))
    }
}
