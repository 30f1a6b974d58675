use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::produce::{check, count_unsent, mark};
use crate::error::{Error, Kind, Result};
use crate::kafka::{Kafka, Pace, Sending};
use crate::model::{Delivery, Record, RecordError, TopicName};
use crate::trace;

/// As many batches under way on the producer that does not linger make a flow wait for them and go on with the other.
const CROWD: usize = 4;

/// How long it is taken for granted that a topic which does not exist still does not.
const REFUSAL_AGE: Duration = Duration::from_secs(1);

/// Records on their way to one topic, batch after batch: those of a partition stay in order.
pub struct Flow {
    topic: Result<TopicName, RecordError>,
    /// That of the batches under way.
    pace: Option<Pace>,
    crowded: bool,
    refused: Option<(Instant, RecordError)>,
    patience: Duration,
    /// The trace of the request, which later is no longer the task's.
    trace: Option<trace::Context>,
}

/// A batch that was handed over.
pub struct Handed {
    records: usize,
    /// The records that were not sent and why, by number in rising order.
    refused: Vec<(usize, RecordError)>,
    sent: Option<Result<Sending, RecordError>>,
}

impl Flow {
    /// Returns a flow to the topic named `topic`; where Kafka does not allow the name, every record fails.
    ///
    /// `patience` is how long a batch waits where the queue stays full.
    pub fn new(topic: &str, patience: Duration) -> Flow {
        let topic = TopicName::try_from(topic).map_err(|error| RecordError::from(&error));
        Flow { topic, pace: None, crowded: false, refused: None, patience, trace: trace::current() }
    }

    /// Tells whether the next batch has to wait until the `under_way` ones are done.
    pub fn is_crowded(&self, under_way: usize) -> bool {
        under_way >= CROWD && self.pace == Some(Pace::Lone) || under_way > 0 && self.crowded
    }

    /// Checks records and hands over those that are good, while `under_way` batches have yet to be finished.
    ///
    /// Waits while the queue is full. Does not wait for an unknown topic to appear; it is created only where the
    /// brokers do so by themselves.
    pub async fn hand_over(&mut self, kafka: &Kafka, mut records: Vec<Record>, under_way: usize) -> Handed {
        let count = records.len();
        if count == 0 {
            return Handed { records: 0, refused: Vec::new(), sent: None };
        }
        if let Some(context) = &self.trace {
            mark(&mut records, context);
        }
        let refused = self.refused(kafka, &records).await;
        for (number, why) in &refused {
            count_unsent(kafka, &records[*number], why.kind);
        }
        if !refused.is_empty() {
            let mut number = 0..;
            records.retain(|_| {
                let number = number.next().unwrap_or_default();
                refused.binary_search_by_key(&number, |(refused, _)| *refused).is_err()
            });
        }
        let sent = if records.is_empty() { None } else { Some(self.send(kafka, records, under_way).await) };
        Handed { records: count, refused, sent }
    }

    async fn send(&mut self, kafka: &Kafka, records: Vec<Record>, under_way: usize) -> Result<Sending, RecordError> {
        let topic = self.topic.clone()?;
        if under_way == 0 {
            self.pace = self.crowded.then_some(Pace::Busy);
            self.crowded = false;
        }
        let (records, started) = (Arc::new(records), Instant::now());
        loop {
            match kafka.producers.begin(&topic, Arc::clone(&records), self.pace).await {
                Ok(sending) => {
                    self.pace = Some(sending.pace());
                    self.crowded = sending.pace() == Pace::Lone && under_way + 1 >= CROWD;
                    return Ok(sending);
                }
                Err(full) if full.kind() == Kind::QueueFull && started.elapsed() < self.patience => {}
                Err(error) => {
                    records.iter().for_each(|record| count_unsent(kafka, record, error.kind()));
                    return Err(RecordError::from(&error));
                }
            }
        }
    }

    /// Returns the topic, if records can be sent to it.
    pub async fn topic(&mut self, kafka: &Kafka) -> Result<TopicName, RecordError> {
        let topic = self.topic.clone()?;
        if let Some(why) = self.recent_refusal() {
            return Err(why);
        }
        match check(kafka, &topic, None).await {
            Ok(()) => Ok(topic),
            Err(error) => Err(self.refuse(&error)),
        }
    }

    fn recent_refusal(&mut self) -> Option<RecordError> {
        self.refused.take_if(|(since, _)| since.elapsed() >= REFUSAL_AGE);
        self.refused.as_ref().map(|(_, why)| why.clone())
    }

    /// Returns why nothing can be sent to the topic, and remembers where there is none.
    fn refuse(&mut self, error: &Error) -> RecordError {
        let why = RecordError::from(error);
        if error.kind() == Kind::TopicNotFound {
            self.refused = Some((Instant::now(), why.clone()));
        }
        why
    }

    /// Returns the records that cannot be sent.
    async fn refused(&mut self, kafka: &Kafka, records: &[Record]) -> Vec<(usize, RecordError)> {
        let all = |why: &RecordError| (0..records.len()).map(|number| (number, why.clone())).collect();
        let topic = match &self.topic {
            Ok(topic) => topic.clone(),
            Err(why) => return all(why),
        };
        if let Some(why) = self.recent_refusal() {
            return all(&why);
        }
        let highest = records.iter().filter_map(|record| record.partition).max();
        let error = match check(kafka, &topic, highest).await {
            Ok(()) => return Vec::new(),
            Err(error) => error,
        };
        if error.kind() == Kind::PartitionNotFound {
            return beyond(kafka, &topic, records).await;
        }
        all(&self.refuse(&error))
    }
}

/// Returns the records for partitions that do not exist; the count of partitions is cached by now.
async fn beyond(kafka: &Kafka, topic: &TopicName, records: &[Record]) -> Vec<(usize, RecordError)> {
    let mut refused = Vec::new();
    for (number, record) in records.iter().enumerate() {
        if let Some(partition) = record.partition
            && let Err(error) = check(kafka, topic, Some(partition)).await
        {
            // To clients of the reference a partition that is not in the metadata is a topic that is not.
            let kind = if error.kind() == Kind::PartitionNotFound { Kind::TopicNotFound } else { error.kind() };
            refused.push((number, RecordError::from(&error.as_kind(kind))));
        }
    }
    refused
}

impl Handed {
    /// Waits for the acknowledgements; returns what became of each record, in their order.
    pub async fn finish(self, kafka: &Kafka) -> Vec<Delivery> {
        let sent = self.records - self.refused.len();
        let deliveries = match self.sent {
            None => Vec::new(),
            Some(Ok(sending)) => match kafka.producers.finish(sending).await {
                Ok(deliveries) => deliveries,
                Err(error) => vec![Err(RecordError::from(&error)); sent],
            },
            Some(Err(why)) => vec![Err(why); sent],
        };
        if self.refused.is_empty() {
            return deliveries;
        }
        let (mut deliveries, mut refused) = (deliveries.into_iter(), self.refused.into_iter().peekable());
        let merged = (0..self.records).filter_map(|number| match refused.next_if(|(refused, _)| *refused == number) {
            Some((_, why)) => Some(Err(why)),
            None => deliveries.next(),
        });
        merged.collect()
    }
}
