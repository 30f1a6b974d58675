//! Topics, made and changed with the admin client.

use std::time::Duration;

use rdkafka::admin::{AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult};
use rdkafka::error::KafkaResult;

use crate::harness::kafka::Kafka;
use crate::harness::waiting::{PATIENCE, block_on, eventually_blocking};

const METADATA_TIMEOUT: Duration = Duration::from_secs(5);

impl Kafka {
    #[track_caller]
    pub fn create_topic(&self, name: &str, partitions: i32) {
        self.create_topic_with(name, partitions, &[]);
    }

    /// Creates a topic with these configs and waits until each partition has a leader.
    #[track_caller]
    pub fn create_topic_with(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        // -1 is the broker's default.
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
        topic.config.extend(configs);
        done(block_on(self.admin().create_topics([&topic], &options())));
        self.wait_for_partitions(name, partitions);
    }

    /// Deletes a topic and waits until metadata no longer shows it.
    #[track_caller]
    pub fn delete_topic(&self, name: &str) {
        done(block_on(self.admin().delete_topics(&[name], &options())));
        eventually_blocking(&format!("topic {name} is gone"), PATIENCE, || {
            self.live_partitions(name).ok()?.is_none().then_some(())
        });
    }

    /// Adds partitions until there are `partitions`.
    #[track_caller]
    pub fn grow(&self, name: &str, partitions: i32) {
        let count = usize::try_from(partitions).expect("a count of partitions");
        done(block_on(self.admin().create_partitions([&NewPartitions::new(name, count)], &options())));
        self.wait_for_partitions(name, partitions);
    }

    /// Returns the number of partitions; panics if there is no such topic.
    #[track_caller]
    pub fn partition_count(&self, name: &str) -> i32 {
        let metadata = self.admin().inner().fetch_metadata(None, METADATA_TIMEOUT).expect("Kafka gives metadata");
        let topic = metadata.topics().iter().find(|topic| topic.name() == name);
        let count = topic.unwrap_or_else(|| panic!("no topic {name}")).partitions().len();
        i32::try_from(count).expect("Kafka counts partitions with an i32")
    }

    #[track_caller]
    fn wait_for_partitions(&self, name: &str, partitions: i32) {
        eventually_blocking(&format!("topic {name} has {partitions} partitions"), PATIENCE, || {
            (self.live_partitions(name).ok()?? == partitions).then_some(())
        });
    }

    /// Returns how many partitions have a leader, or `None` if there is no such topic.
    fn live_partitions(&self, name: &str) -> KafkaResult<Option<i32>> {
        // All topics: asked for one, librdkafka waits for it to appear.
        let metadata = self.admin().inner().fetch_metadata(None, METADATA_TIMEOUT)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == name);
        let led = topic.map(|topic| topic.partitions().iter().filter(|partition| partition.leader() >= 0).count());
        Ok(led.map(|count| i32::try_from(count).expect("Kafka counts partitions with an i32")))
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

#[track_caller]
fn done(results: KafkaResult<Vec<TopicResult>>) {
    for result in results.expect("Kafka answers") {
        result.unwrap_or_else(|(topic, code)| panic!("topic {topic}: {code}"));
    }
}
