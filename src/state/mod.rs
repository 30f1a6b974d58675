//! What a request may use: built once from the configuration.

mod callers;

pub use callers::Callers;

use std::sync::Arc;

use crate::admin::Admin;
use crate::config::Config;
use crate::domain::connect::Clusters;
use crate::domain::consume::Instances;
use crate::domain::schemas::Schemas;
use crate::error::Result;
use crate::kafka::{Kafka, MockKafka};

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
    /// What there is for callers whose own credentials are used with Kafka.
    pub callers: Arc<Callers>,
}

impl State {
    /// Creates the Kafka clients, and for `--dev` their cluster; waits for no broker.
    pub fn new(mut config: Config) -> Result<State> {
        let embedded = if config.dev { Some(MockKafka::start()?) } else { None };
        if let Some(embedded) = &embedded {
            config.kafka.bootstrap_servers = embedded.bootstrap_servers().to_owned();
        }
        let kafka = Kafka::new(&config, embedded)?;
        let admin = Arc::new(Admin::new(&config));
        let instances = Instances::new(&config.consumer);
        let schemas = Schemas::new(&config.schema_registry)?;
        let connect = Clusters::new(&config.connect, &admin)?;
        let mut state = State {
            config: Arc::new(config),
            kafka: Arc::new(kafka),
            admin,
            instances: Arc::new(instances),
            schemas: Arc::new(schemas),
            connect: Arc::new(connect),
            callers: Arc::default(),
        };
        state.callers = Arc::new(Callers::new(&state)?);
        Ok(state)
    }
}
