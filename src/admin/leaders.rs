use std::collections::{BTreeMap, HashMap};

use kafka_protocol::protocol::Request;

use crate::admin::answer::Answer;
use crate::admin::code::Code;
use crate::admin::convert::topic;
use crate::admin::failure::{Failure, Repeat};
use crate::admin::operation::Operation;
use crate::admin::rounds::{Outcomes, Part, Rounds};
use crate::error::Result;
use crate::model::{TopicName, TopicPartition};

impl Operation<'_> {
    /// Sends one request to each leader of `partitions`, for those that it leads, and again where the leader has moved.
    ///
    /// Returns what became of each partition, in their order. `build` gets the partitions of one leader and the version
    /// that it knows.
    pub(super) async fn at_leaders<R: Request, T>(
        &self,
        partitions: &[TopicPartition],
        repeat: Repeat,
        build: impl Fn(&[TopicPartition], i16) -> R,
        read: impl Fn(R::Response) -> Vec<Part<TopicPartition, T>>,
    ) -> Result<Vec<(TopicPartition, Result<T>)>>
    where
        R::Response: Answer,
    {
        let mut rounds = Rounds::over(partitions, repeat);
        while let Some(open) = rounds.next(self).await {
            rounds.take(self.leaders_round(&open, repeat, &build, &read).await)?;
        }
        Ok(rounds.end(self))
    }

    async fn leaders_round<R: Request, T>(
        &self,
        open: &[TopicPartition],
        repeat: Repeat,
        build: &impl Fn(&[TopicPartition], i16) -> R,
        read: &impl Fn(R::Response) -> Vec<Part<TopicPartition, T>>,
    ) -> Result<Outcomes<TopicPartition, T>>
    where
        R::Response: Answer,
    {
        let leaders = self.leaders(open).await?;
        let mut outcomes = Outcomes::new();
        let mut led: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
        for partition in open {
            match leaders.of(partition) {
                Ok(leader) => led.entry(leader).or_default().push(partition.clone()),
                Err(failure) => drop(outcomes.insert(partition.clone(), Err(failure))),
            }
        }
        outcomes.extend(self.ask_each(led, repeat, build, read).await);
        Ok(outcomes)
    }

    async fn leaders(&self, partitions: &[TopicPartition]) -> Result<Leaders> {
        let mut topics: Vec<TopicName> = partitions.iter().map(|(topic, _)| topic.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        let mut leaders = Leaders::default();
        for found in self.metadata(Some(&topics), false).await? {
            let Some(Ok(topic)) = found.name.as_ref().map(topic) else { continue };
            for partition in &found.partitions {
                leaders.partitions.insert((topic.clone(), partition.partition_index), partition.leader_id.0);
            }
            leaders.topics.insert(topic, Code(found.error_code));
        }
        Ok(leaders)
    }
}

/// Who leads what.
#[derive(Default)]
struct Leaders {
    topics: HashMap<TopicName, Code>,
    partitions: HashMap<TopicPartition, i32>,
}

impl Leaders {
    fn of(&self, partition: &TopicPartition) -> Result<i32, Failure> {
        let topic = self.topics.get(&partition.0).copied().unwrap_or(Code::UNKNOWN_TOPIC_OR_PARTITION);
        if topic != Code::NONE && topic != Code::LEADER_NOT_AVAILABLE {
            return Err(Failure::Final(topic.error(None)));
        }
        match self.partitions.get(partition) {
            Some(leader) if *leader >= 0 => Ok(*leader),
            None if topic == Code::NONE => Err(Failure::Final(Code::UNKNOWN_TOPIC_OR_PARTITION.error(None))),
            Some(_) | None => Err(Failure::Refused { code: Code::LEADER_NOT_AVAILABLE, message: None }),
        }
    }
}
