use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::error::{Kind, Result};
use crate::model::TopicName;

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

    /// Makes a topic; it has one broker, so each partition has one copy.
    pub fn create_topic(&self, topic: &TopicName, partitions: i32) -> Result<()> {
        self.cluster
            .create_topic(topic.as_str(), partitions, 1)
            .map_err(|error| Kind::Kafka.because("The embedded Kafka does not make the topic.").caused_by(error))
    }

    /// Returns where it listens.
    pub fn bootstrap_servers(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}
