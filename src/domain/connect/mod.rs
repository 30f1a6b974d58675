//! Kafka Connect clusters behind this proxy: their REST API without its pains.
//!
//! [`Cluster::call`] carries out a request: `operation` says what each may do, `attempt` sends it to one worker,
//! `verdict` reads what the worker says, `asking` tries again where that is safe, and `outcome` looks what became of a
//! change whose answer was lost.

mod call;
mod cluster;
mod config;
mod entries;
mod listed;
mod operation;
mod reply;
mod shown;
mod status;

mod asking;
mod attempt;
mod background;
mod expanded;
mod guard;
mod list;
mod outcome;
mod policy;
mod queue;
mod secrets;
mod verdict;
mod workers;

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
pub use shown::Shown;
pub use workers::{GroupView, Health, View, WorkerView};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::admin::Admin;
use crate::config::Connect;
use crate::domain::connect::background::Background;
use crate::error::{Kind, Result};
use crate::metrics::Metrics;

/// The Connect clusters by name, and what runs beside requests for them.
pub struct Clusters {
    by_name: BTreeMap<String, Arc<Cluster>>,
    background: Background,
}

impl Clusters {
    /// Takes the settings and reads their certificates; connects to nobody and starts nothing.
    pub fn new(settings: &Connect, admin: &Arc<Admin>, metrics: &Metrics) -> Result<Clusters> {
        let calls = |name: &String| metrics.connect.get(name).cloned().unwrap_or_default();
        let cluster = |(name, settings): (&String, _)| match Cluster::new(name, settings, admin, calls(name)) {
            Ok(cluster) => Ok((name.clone(), Arc::new(cluster))),
            Err(why) => Err(Kind::Internal.caused_by(std::io::Error::other(why))),
        };
        let by_name = settings.iter().map(cluster).collect::<Result<_>>()?;
        Ok(Clusters { by_name, background: Background::new() })
    }

    /// Starts to look after the clusters; to be called once, within a runtime that lasts.
    pub fn start(&self) {
        for cluster in self.all() {
            let (workers, stopping) = (Arc::clone(&cluster.workers), self.background.stopping());
            self.background.spawn(async move {
                tokio::select! {
                    () = workers.watch() => {}
                    () = stopping.begun() => {}
                }
            });
            if cluster.settings.restart_failed {
                let (cluster, stopping) = (Arc::clone(cluster), self.background.stopping());
                self.background.spawn(async move { cluster.restart_failed(stopping.begun()).await });
            }
        }
    }

    /// Ends what [`Clusters::start`] started.
    pub async fn stop(&self) {
        self.background.stop().await;
    }

    /// Returns a cluster; 404 where there is none of this name.
    pub fn named(&self, name: &str) -> Result<&Arc<Cluster>> {
        self.by_name.get(name).ok_or_else(|| {
            Kind::ConnectNotConfigured.because(format!(
                "No Kafka Connect cluster {name} is configured here: set connect.{name}.urls or --connect-url."
            ))
        })
    }

    /// Returns all of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.by_name.values()
    }
}
