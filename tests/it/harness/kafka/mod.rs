//! A real Kafka and what tests ask of it without the proxy: topics, records written and read back.

mod acls;
mod broker;
mod records;
mod topics;

use std::sync::OnceLock;

use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;

pub use acls::AclOperation;
pub use broker::{Broker, OwnOptions};
pub use records::{LogRecord, NewRecord};

/// A cluster to connect to. Every helper of it blocks and panics when the cluster does not do what it was asked.
pub struct Kafka {
    pub bootstrap: String,
    admin: OnceLock<AdminClient<DefaultClientContext>>,
}

/// Returns the cluster that all tests share, started by the first who asks, or the one that `KAFKA_BOOTSTRAP` names.
///
/// Its broker ends with the process. Tests keep apart by topic and group names, see [`crate::harness::unique`].
pub fn shared() -> &'static Kafka {
    // The error is kept too: where java is missing all tests say so, and only the first one tries.
    static SHARED: OnceLock<Result<Shared, String>> = OnceLock::new();
    match SHARED.get_or_init(Shared::start) {
        Ok(Shared::Own(broker)) => broker.kafka(),
        Ok(Shared::Given(kafka)) => kafka,
        Err(why) => panic!("{why}"),
    }
}

enum Shared {
    Own(Broker),
    Given(Kafka),
}

impl Shared {
    fn start() -> Result<Shared, String> {
        match std::env::var("KAFKA_BOOTSTRAP") {
            Ok(bootstrap) => Ok(Shared::Given(Kafka::at(bootstrap))),
            Err(_) => Broker::launch(&OwnOptions::default()).map(Shared::Own),
        }
    }
}

impl Kafka {
    /// Does not connect yet.
    pub fn at(bootstrap: String) -> Kafka {
        Kafka { bootstrap, admin: OnceLock::new() }
    }

    /// Returns the configuration of a client of this cluster that notices a restarted broker within a second.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("reconnect.backoff.max.ms", "500");
        config
    }

    pub fn admin(&self) -> &AdminClient<DefaultClientContext> {
        self.admin.get_or_init(|| self.client().create().expect("an admin client needs no connection"))
    }
}
