use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use tokio::sync::oneshot;

use crate::error::{Kind, Result};
use crate::model::TopicName;

/// Kafka inside this process, for `--dev`: in memory, topics made on first use, nothing survives.
pub struct MockKafka {
    bootstrap_servers: String,
    /// `None` only while it is dropped.
    orders: Option<Sender<NewTopic>>,
    /// Owns the cluster, which may not leave its thread.
    owner: Option<JoinHandle<()>>,
}

/// A topic that the owner of the cluster is to make.
struct NewTopic {
    name: TopicName,
    partitions: i32,
    made: oneshot::Sender<Result<(), KafkaError>>,
}

impl MockKafka {
    /// Starts one broker on a free port of the loopback interface.
    pub fn start() -> Result<MockKafka> {
        let (orders, taken) = mpsc::channel();
        let (started, starting) = mpsc::channel();
        let own = move || match MockCluster::new(1) {
            Ok(cluster) => {
                // Whoever waits for the addresses goes on to use them, or is gone with all of this.
                let _ = started.send(Ok(cluster.bootstrap_servers()));
                take_orders(&cluster, taken);
            }
            Err(error) => drop(started.send(Err(error))),
        };
        let cannot = || Kind::Internal.because("The embedded Kafka cannot start.");
        let owner = thread::Builder::new().name("embedded-kafka".to_owned()).spawn(own);
        let owner = owner.map_err(|error| cannot().caused_by(error))?;
        let addresses = starting.recv().map_err(|error| cannot().caused_by(error))?;
        let bootstrap_servers = addresses.map_err(|error| cannot().caused_by(error))?;
        Ok(MockKafka { bootstrap_servers, orders: Some(orders), owner: Some(owner) })
    }

    /// Makes a topic; it has one broker, so each partition has one copy.
    pub async fn create_topic(&self, topic: &TopicName, partitions: i32) -> Result<()> {
        let (made, answer) = oneshot::channel();
        let order = NewTopic { name: topic.clone(), partitions, made };
        if let Some(orders) = &self.orders {
            // An order that is not taken is dropped, which ends the wait for its answer.
            let _ = orders.send(order);
        }
        let failed = || Kind::Kafka.because("The embedded Kafka does not make the topic.");
        let made = answer.await.map_err(|error| failed().caused_by(error))?;
        made.map_err(|error| failed().caused_by(error))
    }

    /// Returns where it listens.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }
}

impl Drop for MockKafka {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(owner) = self.owner.take() {
            // A panic there has told itself.
            let _ = owner.join();
        }
    }
}

fn take_orders<C: rdkafka::ClientContext>(cluster: &MockCluster<'_, C>, orders: Receiver<NewTopic>) {
    for order in orders {
        let made = cluster.create_topic(order.name.as_str(), order.partitions, 1);
        // A caller that gave up does not need the answer.
        let _ = order.made.send(made);
    }
}
