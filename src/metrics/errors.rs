use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Kind;

/// Errors by kind.
#[derive(Debug)]
pub struct Errors([AtomicU64; Kind::ALL.len()]);

impl Default for Errors {
    fn default() -> Errors {
        Errors([const { AtomicU64::new(0) }; Kind::ALL.len()])
    }
}

impl Errors {
    /// Counts an error.
    pub fn count(&self, kind: Kind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Kind::ALL.iter().map(|kind| (kind.label(), self.0[*kind as usize].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_place_of_its_own() {
        let errors = Errors::default();
        Kind::ALL.iter().for_each(|kind| errors.count(*kind));
        assert!(errors.read().all(|(_, count)| count == 1));
    }
}
