use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use kafka_protocol::protocol::Request;
use tokio::time::{Instant, sleep};

use crate::admin::answer::Answer;
use crate::admin::code::Code;
use crate::admin::convert::{missing, topic};
use crate::admin::failure::{Failure, Repeat};
use crate::admin::operation::{FIRST_WAIT, LONGEST_WAIT, Operation, Route};
use crate::error::{Error, Kind, Result};
use crate::model::TopicName;

/// A partition by its topic and number.
pub(super) type TopicPartition = (TopicName, i32);

/// What became of each partition.
type Outcomes<T> = HashMap<TopicPartition, Result<T, Failure>>;

/// What a leader answered for one partition.
pub(super) struct Part<T> {
    pub(super) partition: TopicPartition,
    pub(super) code: Code,
    pub(super) value: T,
}

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
        read: impl Fn(R::Response) -> Vec<Part<T>>,
    ) -> Result<Vec<(TopicPartition, Result<T>)>>
    where
        R::Response: Answer,
    {
        let mut outcomes = Outcomes::new();
        let mut open = partitions.to_vec();
        let mut wait = FIRST_WAIT;
        loop {
            match self.round(&open, &build, &read).await {
                Ok(found) => outcomes.extend(found),
                Err(error) if outcomes.is_empty() => return Err(error),
                // What is known already is worth more than that nobody tells who leads the rest.
                Err(_) => break,
            }
            open.retain(|partition| {
                outcomes.get(partition).is_some_and(|outcome| outcome.as_ref().is_err_and(|why| may_move(why, repeat)))
            });
            if open.is_empty() || Instant::now() + wait >= self.deadline() {
                break;
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        let ended = |partition: &TopicPartition| {
            let outcome = outcomes.remove(partition).unwrap_or_else(|| Err(Failure::Final(missing("partition"))));
            (partition.clone(), outcome.map_err(|why| why.into_error(repeat, self.patience())))
        };
        Ok(partitions.iter().map(ended).collect())
    }

    /// Asks who leads what, and then each leader once.
    async fn round<R: Request, T>(
        &self,
        partitions: &[TopicPartition],
        build: &impl Fn(&[TopicPartition], i16) -> R,
        read: &impl Fn(R::Response) -> Vec<Part<T>>,
    ) -> Result<Outcomes<T>>
    where
        R::Response: Answer,
    {
        let mut outcomes = Outcomes::new();
        let mut led: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
        let leaders = self.leaders(partitions).await?;
        for partition in partitions {
            match leaders.of(partition) {
                Ok(leader) => led.entry(leader).or_default().push(partition.clone()),
                Err(failure) => drop(outcomes.insert(partition.clone(), Err(failure))),
            }
        }
        let asked = led.into_iter().map(|(leader, partitions)| async move {
            let answer = self.attempt(Route::Broker(leader), &|version| build(&partitions, version)).await;
            (partitions, answer)
        });
        for (partitions, answer) in join_all(asked).await {
            match answer {
                Ok(answer) => outcomes.extend(read(answer).into_iter().map(Part::outcome)),
                Err(failure) => {
                    outcomes.extend(partitions.into_iter().map(|partition| (partition, Err(failure.copy()))));
                }
            }
        }
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
        let final_code = |code: Code| Err(Failure::Final(code.error(None)));
        match (self.topics.get(&partition.0), self.partitions.get(partition)) {
            (Some(&Code::NONE), Some(leader)) if *leader >= 0 => Ok(*leader),
            (Some(&Code::NONE | &Code::LEADER_NOT_AVAILABLE), Some(_)) | (Some(&Code::LEADER_NOT_AVAILABLE), None) => {
                Err(Failure::Refused { code: Code::LEADER_NOT_AVAILABLE, message: None })
            }
            (Some(&Code::NONE), None) | (None, _) => final_code(Code::UNKNOWN_TOPIC_OR_PARTITION),
            (Some(&code), _) => final_code(code),
        }
    }
}

impl<T> Part<T> {
    fn outcome(self) -> (TopicPartition, Result<T, Failure>) {
        let outcome = match self.code {
            Code::NONE => Ok(self.value),
            code => Err(Failure::Refused { code, message: None }),
        };
        (self.partition, outcome)
    }
}

/// Tells whether another round may help: a leader may not have heard yet that it is one.
fn may_move(failure: &Failure, repeat: Repeat) -> bool {
    match failure {
        Failure::Refused { code: Code::UNKNOWN_TOPIC_OR_PARTITION, .. } => true,
        // The broker has left the cluster since the leaders were asked for.
        Failure::Final(error) => is_gone(error),
        other => other.may_pass(repeat),
    }
}

fn is_gone(error: &Error) -> bool {
    error.kind() == Kind::BrokerNotAvailable && Code::of(error).is_none()
}
