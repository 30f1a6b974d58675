//! Connectors as they are wanted, a whole set of them: what would have to change, and changing it.

mod apply;
mod diff;
mod plan;
mod stored;
mod validation;

pub use apply::{Applied, Done, apply};
pub use diff::Change;
pub use plan::{Action, Planned, Problem, plan};

use std::collections::BTreeSet;

use crate::domain::connect::config::ConnectorConfig;
use crate::error::{Kind, Result};

/// The most connectors of a set, and the most that are deleted beside.
pub const MOST_CONNECTORS: usize = 500;

/// A set of connectors as they are wanted.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Each with a name of its own.
    pub connectors: Vec<Desired>,
    /// Connectors whose names begin so and that are not in the set are deleted.
    pub prune: Option<String>,
}

/// A connector as it is wanted.
#[derive(Clone, Debug)]
pub struct Desired {
    /// What it is called.
    pub name: String,
    /// Its whole configuration; masked values stand for those that are stored.
    pub config: ConnectorConfig,
    /// What it is to do; `None` leaves it as it is, and lets a new one run.
    pub state: Option<Target>,
}

/// What a connector is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the words of Kafka Connect")]
pub enum Target {
    Running,
    Paused,
    Stopped,
}

impl Target {
    /// Every target.
    pub const ALL: [Target; 3] = [Target::Running, Target::Paused, Target::Stopped];

    /// Returns what Kafka Connect calls it.
    pub fn name(self) -> &'static str {
        match self {
            Target::Running => "RUNNING",
            Target::Paused => "PAUSED",
            Target::Stopped => "STOPPED",
        }
    }
}

impl Declared {
    /// Refuses what is no set, whatever the cluster has.
    fn check(&self) -> Result<()> {
        let refuse = |why: String| Err(Kind::Unprocessable.because(why));
        if self.connectors.len() > MOST_CONNECTORS {
            return refuse(format!("A set has at most {MOST_CONNECTORS} connectors: send it in parts."));
        }
        if self.prune.as_ref().is_some_and(|prefix| prefix.trim().is_empty()) {
            return refuse("prune.prefix must not be empty: it says which connectors may be deleted.".to_owned());
        }
        let mut names = BTreeSet::new();
        match self.connectors.iter().find(|connector| !names.insert(connector.name.as_str())) {
            Some(twice) => refuse(format!("The connector {} is in the set twice.", twice.name)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str], prune: Option<&str>) -> Result<()> {
        let desired =
            |name: &&str| Desired { name: (*name).to_owned(), config: ConnectorConfig::default(), state: None };
        Declared { connectors: names.iter().map(desired).collect(), prune: prune.map(str::to_owned) }.check()
    }

    #[test]
    fn a_set_has_a_limit_and_names_of_which_none_is_twice_in_it() {
        assert!(set(&["a", "b"], Some("team-")).is_ok());
        assert!(set(&[], None).is_ok());
        assert!(set(&["a", "b", "a"], None).is_err());
        assert!(set(&["a"], Some("")).is_err() && set(&["a"], Some(" ")).is_err());
        let many: Vec<String> = (0..=MOST_CONNECTORS).map(|number| number.to_string()).collect();
        assert!(set(&many.iter().map(String::as_str).collect::<Vec<_>>(), None).is_err());
    }
}
