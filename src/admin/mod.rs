//! The administrative client of a Kafka cluster: the only place that names the wire codec.
//!
//! [`Admin`] has one async method for each operation, a file a family. Below them: `operation` sends a request to the
//! broker that has to carry it out, again where that is safe; `brokers` keeps a connection to each broker; `dialer`
//! makes them; `connection` and `wire` carry frames.

mod acls;
mod cluster;
mod configs;
mod connect_group;
mod group_offsets;
mod groups;
mod lease;
mod log_dirs;
mod login;
mod offsets;
mod partitions;
mod quotas;
mod reassignments;
mod scram;
mod topics;
mod transactions;

mod leaders;
mod operation;
mod rounds;

mod answer;
mod code;
mod connect_protocol;
mod convert;
mod coordinators;
mod failure;
mod group_members;
mod membership;

mod brokers;
mod connection;
mod dialer;
mod security;
mod settings;
mod wire;

pub use code::Code;
pub use configs::ConfigDetails;
pub use groups::GroupFilter;
pub use lease::Lease;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

use crate::config::Config;
use crate::error::Result;
use brokers::{Brokers, IoThread};
use cluster::CachedId;
use coordinators::Coordinators;
use dialer::Dialer;
use operation::Operation;
use settings::Settings;

/// What the administrative clients of all callers have together: the thread of their connections, and TLS.
#[derive(Default)]
pub struct Shared {
    thread: Arc<IoThread>,
    tls: Arc<OnceCell<TlsConnector>>,
}

/// Describes and changes a Kafka cluster.
///
/// Every operation ends within `kafka.request_timeout`. A request that only reads, or that may be done twice, is
/// sent again when a connection breaks; of another one the error says that its outcome is unknown.
pub struct Admin {
    /// The error is what the settings lack.
    brokers: Result<Brokers, String>,
    coordinators: Coordinators,
    timeout: Duration,
    cluster_id: Mutex<Option<CachedId>>,
}

impl Admin {
    /// Takes the settings of a caller: their user and password, or their token in the place of these.
    ///
    /// Does no more than [`Admin::new`]; `shared` is that of all callers.
    pub fn of_caller(config: &Config, token: Option<&str>, shared: &Shared) -> Admin {
        Admin::with(config, token, shared, true)
    }

    /// Takes the settings; connects to nobody, reads no file and starts no thread.
    ///
    /// Settings that cannot be honoured are told by the first operation, as produce and consume may do without it.
    pub fn new(config: &Config) -> Admin {
        Admin::with(config, None, &Shared::default(), false)
    }

    fn with(config: &Config, token: Option<&str>, shared: &Shared, of_caller: bool) -> Admin {
        let brokers = |settings| {
            Brokers::new(Dialer::new(settings, Arc::clone(&shared.tls), of_caller), Arc::clone(&shared.thread))
        };
        Admin {
            brokers: Settings::read(config, token).map(brokers),
            coordinators: Coordinators::default(),
            timeout: config.kafka.request_timeout,
            cluster_id: Mutex::new(None),
        }
    }

    fn operation(&self) -> Result<Operation<'_>> {
        Operation::begin(self, self.timeout)
    }

    fn brokers(&self) -> Result<&Brokers> {
        self.brokers.as_ref().map_err(|why| dialer::not_usable(why))
    }
}
