use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Coordinators beyond this number are asked for again.
const REMEMBERED: usize = 10_000;

/// What a coordinator coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CoordinatorKind {
    Group,
    Transaction,
}

impl CoordinatorKind {
    /// Returns its number in FindCoordinator.
    pub(super) fn key_type(self) -> i8 {
        match self {
            CoordinatorKind::Group => 0,
            CoordinatorKind::Transaction => 1,
        }
    }
}

/// Which broker coordinates what, as it was last heard.
#[derive(Default)]
pub(super) struct Coordinators(Mutex<HashMap<(CoordinatorKind, String), i32>>);

impl Coordinators {
    pub(super) fn known(&self, kind: CoordinatorKind, key: &str) -> Option<i32> {
        self.lock().get(&(kind, key.to_owned())).copied()
    }

    pub(super) fn learn(&self, kind: CoordinatorKind, key: &str, broker: i32) {
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert((kind, key.to_owned()), broker);
    }

    pub(super) fn forget(&self, kind: CoordinatorKind, key: &str) {
        self.lock().remove(&(kind, key.to_owned()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(CoordinatorKind, String), i32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
