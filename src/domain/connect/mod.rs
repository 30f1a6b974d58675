//! Kafka Connect clusters behind this proxy: their REST API without its pains.
//!
//! [`Cluster::call`] carries out a request: `operation` says what each may do, `attempt` sends it to one worker,
//! `verdict` reads what the worker says, `cluster` tries again where that is safe, and `outcome` looks what became of a
//! change whose answer was lost.

mod call;
mod cluster;
mod config;
mod entries;
mod operation;
mod reply;
mod status;

mod attempt;
mod outcome;
mod policy;
mod queue;
mod secrets;
mod verdict;
mod workers;

mod masking;
mod survey;

pub mod declared;
mod restarts;
pub mod sight;

pub use call::{Call, Settle, Wishes, check_segment};
pub use cluster::Cluster;
pub use config::ConnectorConfig;
pub use operation::{Operation, Row};
pub use reply::{Body, Outcome, Reply, Settled};
pub use restarts::{RestartSeen, RestartsSeen};

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::admin::Admin;
use crate::config::Connect;
use crate::error::{Kind, Result};

/// The Connect clusters by name.
pub struct Clusters(BTreeMap<String, Arc<Cluster>>);

impl Clusters {
    /// Takes the settings and reads their certificates; connects to nobody.
    pub fn new(settings: &Connect) -> Result<Clusters> {
        let cluster = |(name, settings): (&String, _)| match Cluster::new(name, settings) {
            Ok(cluster) => Ok((name.clone(), Arc::new(cluster))),
            Err(why) => Err(Kind::Internal.caused_by(std::io::Error::other(why))),
        };
        settings.iter().map(cluster).collect::<Result<_>>().map(Clusters)
    }

    /// Returns a cluster; 404 where there is none of this name.
    pub fn named(&self, name: &str) -> Result<&Arc<Cluster>> {
        self.0.get(name).ok_or_else(|| {
            Kind::ConnectNotConfigured.because(format!(
                "No Kafka Connect cluster {name} is configured here: set connect.{name}.urls or --connect-url."
            ))
        })
    }

    /// Does what goes on beside requests until `stop`: starts again what has failed, where that is configured.
    pub async fn run<F: Future<Output = ()>>(&self, admin: &Arc<Admin>, stop: impl Fn() -> F) {
        join_all(self.all().map(|cluster| cluster.restart_failed(admin, stop()))).await;
    }

    /// Returns all of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.0.values()
    }
}
