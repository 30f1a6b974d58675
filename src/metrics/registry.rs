use std::time::Duration;

use crate::metrics::{Counter, Histogram};

/// Calls of the schema registry, and how often none was needed.
#[derive(Debug, Default)]
pub struct RegistryCalls {
    /// By [`Lookup`].
    calls: [Counter; Lookup::ALL.len()],
    pub(super) took: Histogram,
    /// Schemas that were kept.
    pub hits: Counter,
    /// Schemas that had to be asked for.
    pub misses: Counter,
}

/// How a call of the registry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// With what was asked for.
    Found,
    /// It has no such thing.
    Missing,
    /// It refused.
    Refused,
    /// It could not be asked.
    Unavailable,
}

impl Lookup {
    const ALL: [Lookup; 4] = [Lookup::Found, Lookup::Missing, Lookup::Refused, Lookup::Unavailable];

    fn name(self) -> &'static str {
        match self {
            Lookup::Found => "ok",
            Lookup::Missing => "missing",
            Lookup::Refused => "refused",
            Lookup::Unavailable => "unavailable",
        }
    }
}

impl RegistryCalls {
    /// Counts a call.
    pub fn count(&self, lookup: Lookup, took: Duration) {
        self.calls[lookup as usize].add(1);
        self.took.observe(took);
    }

    pub(super) fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Lookup::ALL.into_iter().map(|lookup| (lookup.name(), self.calls[lookup as usize].value()))
    }
}
