use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::error::{Kind, Result};

/// Kafka inside this process, for `--dev`: in memory, topics made on first use, nothing survives.
pub struct MockKafka {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl MockKafka {
    /// Starts one broker on a free port of the loopback interface.
    pub fn start() -> Result<MockKafka> {
        let cluster = MockCluster::new(1)
            .map_err(|error| Kind::Internal.because("The embedded Kafka cannot start.").caused_by(error))?;
        Ok(MockKafka { cluster })
    }

    /// Returns where it listens.
    pub fn bootstrap_servers(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}
