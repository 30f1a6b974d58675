use std::fmt;
use std::sync::Arc;

/// The connectors that a client sees, by their names; all of them unless it is said otherwise.
#[derive(Clone, Default)]
pub struct Shown(Option<Arc<Shows>>);

type Shows = dyn Fn(&str) -> bool + Send + Sync;

impl Shown {
    /// Returns those whose names `shows` shows.
    pub fn only(shows: impl Fn(&str) -> bool + Send + Sync + 'static) -> Shown {
        Shown(Some(Arc::new(shows)))
    }

    /// Tells whether they are all.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Tells whether a connector is among them.
    pub fn shows(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|shows| shows(name))
    }

    /// Tells the same of a name as it is in JSON; what is no name is not shown.
    pub(super) fn shows_json(&self, name: &[u8]) -> bool {
        self.is_all() || serde_json::from_slice::<String>(name).is_ok_and(|name| self.shows(&name))
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_all() { "all" } else { "some" })
    }
}
