//! What a request may use: built once from the configuration.

mod callers;

pub use callers::Callers;

use std::sync::Arc;

use crate::admin::Admin;
use crate::auth::Authenticator;
use crate::config::Config;
use crate::domain::connect::Clusters;
use crate::domain::consume::Instances;
use crate::domain::schemas::Schemas;
use crate::error::{Kind, Result};
use crate::kafka::{Kafka, MockKafka};
use crate::logging::AccessLog;
use crate::metrics::{Metrics, Readings};
use crate::rates::Rates;
use crate::rules::Rules;
use crate::spans::Spans;

/// The parts that requests share; a copy shares them too.
#[derive(Clone)]
pub struct State {
    /// The checked configuration.
    pub config: Arc<Config>,
    /// The clients of the Kafka cluster.
    pub kafka: Arc<Kafka>,
    /// The administrative client of the same cluster; what runs beside requests has it too.
    pub admin: Arc<Admin>,
    /// The consumer instances of this process.
    pub instances: Arc<Instances>,
    /// The schemas of keys and values.
    pub schemas: Arc<Schemas>,
    /// The Kafka Connect clusters.
    pub connect: Arc<Clusters>,
    /// Finds out who calls.
    pub auth: Arc<Authenticator>,
    /// What there is for callers whose own credentials are used with Kafka.
    pub callers: Arc<Callers>,
    /// What callers may do.
    pub rules: Arc<Rules>,
    /// How much each caller has done of late.
    pub rates: Arc<Rates>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where requests are logged, if they are.
    pub access_log: Option<Arc<AccessLog>>,
    /// Where spans go, if anywhere.
    pub spans: Option<Arc<Spans>>,
}

impl State {
    /// Creates the Kafka clients, and for `--dev` their cluster; waits for no broker.
    pub fn new(mut config: Config) -> Result<State> {
        let embedded = if config.dev { Some(MockKafka::start()?) } else { None };
        if let Some(embedded) = &embedded {
            config.kafka.bootstrap_servers = embedded.bootstrap_servers().to_owned();
        }
        let metrics = Arc::new(Metrics::new(config.metrics.enabled, config.connect.keys()));
        let kafka = Kafka::new(&config, embedded, &metrics)?;
        let admin = Arc::new(Admin::new(&config));
        let instances = Instances::new(&config.consumer);
        let schemas = Schemas::new(&config.schema_registry, &metrics)?;
        let connect = Clusters::new(&config.connect, &admin, &metrics)?;
        let auth = Authenticator::new(&config.auth)?;
        let access_log = AccessLog::new(&config.log, &metrics).map_err(|error| Kind::Internal.caused_by(error))?;
        let spans = Spans::new(&config.tracing, &metrics)
            .map_err(|why| Kind::Internal.caused_by(std::io::Error::other(why)))?;
        let mut state = State {
            rules: Arc::new(Rules::new(&config.rules)),
            rates: Arc::new(Rates::new(&config.rate)),
            config: Arc::new(config),
            kafka: Arc::new(kafka),
            admin,
            instances: Arc::new(instances),
            schemas: Arc::new(schemas),
            connect: Arc::new(connect),
            auth: Arc::new(auth),
            callers: Arc::default(),
            metrics,
            access_log: access_log.map(Arc::new),
            spans: spans.map(Arc::new),
        };
        state.callers = Arc::new(Callers::new(&state)?);
        Ok(state)
    }

    /// Takes from another configuration what can be taken while requests are served: rules and rates.
    pub fn reload(&self, config: &Config) {
        self.rules.reload(&config.rules);
        self.rates.reload(&config.rate);
    }

    /// Returns what metrics show beside what is counted.
    pub fn readings(&self) -> Readings {
        let (queued_records, queued_bytes) = self.kafka.producers.queued();
        let waiting = |cluster: &Arc<crate::domain::connect::Cluster>| (cluster.name.clone(), cluster.queued_writes());
        Readings {
            queued_records,
            queued_bytes,
            instances: self.instances.count() as u64,
            callers: self.callers.count() as u64,
            connect_queues: self.connect.all().map(waiting).collect(),
        }
    }
}
