use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::declared::{Declared, MOST_CONNECTORS, Target};
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

#[derive(Deserialize)]
struct Described<'a> {
    #[serde(borrow)]
    info: Info<'a>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    config: &'a RawValue,
}

#[derive(Deserialize)]
struct InState {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    connector: Part,
}

#[derive(Deserialize)]
struct Part {
    state: String,
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
                let Described { info } = serde_json::from_slice(json).ok()?;
                stored.configs.insert(name, Bytes::copy_from_slice(info.config.get().as_bytes()));
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
                let InState { status } = serde_json::from_slice(json).ok()?;
                targets.insert(name, target(&status.connector.state));
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
