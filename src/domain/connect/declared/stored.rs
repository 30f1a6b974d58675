use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::Bytes;

use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::declared::{Declared, MOST_CONNECTORS, Target};
use crate::domain::connect::listed::Listed;
use crate::domain::connect::survey::survey;
use crate::error::{Kind, Result};

/// What a cluster has of a set.
#[derive(Default)]
pub(super) struct Stored {
    /// The configuration of each connector of the set that is there, as the worker wrote it.
    pub(super) configs: BTreeMap<String, Bytes>,
    /// What each does; none where it has no state yet.
    pub(super) targets: BTreeMap<String, Target>,
    /// The names of those that are there, not in the set, and to be deleted.
    pub(super) superfluous: BTreeSet<String>,
}

impl Stored {
    /// Reads what the cluster has; of other connectors nothing is kept.
    ///
    /// Configurations and states are asked for apart, as a worker leaves connectors without a state out of both.
    pub(super) async fn read(cluster: &Cluster, declared: &Declared, deadline: Instant) -> Result<Stored> {
        let wanted: BTreeSet<&str> = declared.connectors.iter().map(|connector| connector.name.as_str()).collect();
        let is_superfluous = |name: &str| declared.prune.as_ref().is_some_and(|prefix| name.starts_with(prefix));
        let mut stored = survey(cluster, "expand=info", deadline, Stored::default, |stored, name, json| {
            if wanted.contains(name.as_str()) {
                stored.configs.insert(name, Bytes::copy_from_slice(Listed::read(json)?.config()?));
            } else if is_superfluous(&name) && stored.superfluous.len() <= MOST_CONNECTORS {
                stored.superfluous.insert(name);
            }
            Some(())
        })
        .await?;
        if stored.superfluous.len() > MOST_CONNECTORS {
            return Err(Kind::Unprocessable.because(format!(
                "prune would delete more than {MOST_CONNECTORS} connectors: is the prefix the right one?"
            )));
        }
        stored.targets = survey(cluster, "expand=status", deadline, BTreeMap::new, |targets, name, json| {
            if wanted.contains(name.as_str()) {
                targets.insert(name, target(&Listed::read(json)?.status?.connector.state));
            }
            Some(())
        })
        .await?;
        Ok(stored)
    }
}

/// Returns what a connector in this state is to do: one that has failed is to run.
fn target(state: &str) -> Target {
    match state {
        "PAUSED" => Target::Paused,
        "STOPPED" => Target::Stopped,
        _ => Target::Running,
    }
}
