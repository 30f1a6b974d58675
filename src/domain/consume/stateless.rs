use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::consume::Decoding;
use crate::domain::consume::collected::{Added, Collected, Include, Limits};
use crate::domain::schemas::Schemas;
use crate::error::{Kind, Result};
use crate::kafka::{Kafka, Next, Reading};
use crate::model::{Formats, PartitionId, TopicName};

/// Where a stateless read begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first record there is.
    Beginning,
    /// At an offset between the beginning and the end of the log, both included.
    Offset(i64),
    /// At the first record that is not older than these milliseconds; at the end where there is none.
    Timestamp(i64),
}

/// A read of one partition without an instance.
#[derive(Clone, Copy, Debug)]
pub struct StatelessRead {
    /// Where it begins.
    pub start: Start,
    /// When the answer is full.
    pub limits: Limits,
    /// How long to wait where there is no record at all.
    pub timeout: Duration,
    /// The formats.
    pub formats: Formats,
    /// What else comes with a record.
    pub include: Include,
}

/// How long a fetch of records that exist may take.
const FETCH_DEADLINE: Duration = Duration::from_secs(10);

/// Reads records of one partition; changes nothing anywhere.
///
/// Returns what is there; waits only where there is nothing at all.
pub async fn read(
    kafka: &Kafka,
    schemas: &Schemas,
    topic: &TopicName,
    partition: PartitionId,
    read: StatelessRead,
) -> Result<Vec<u8>> {
    let mut collected = Collected::new(Decoding::new(read.formats, schemas)?, read.include, read.limits);
    kafka.metadata.partition(topic, partition).await?;
    // The end as these readers see it: without what a transaction has not committed, where they are told so.
    let log = kafka.readers.watermarks(topic, partition, FETCH_DEADLINE).await?;
    let offset = match read.start {
        Start::Beginning => log.beginning,
        Start::Offset(offset) if (log.beginning..=log.end).contains(&offset) => offset,
        Start::Offset(offset) => {
            return Err(Kind::Unprocessable.because(format!(
                "offset {offset} is outside of the log: partition {partition} of topic {topic} begins at {} and ends at {}.",
                log.beginning, log.end
            )));
        }
        Start::Timestamp(ms) => {
            kafka.readers.offset_for_time(topic, partition, ms, FETCH_DEADLINE).await?.unwrap_or(log.end)
        }
    };
    let nothing_there = offset >= log.end;
    if nothing_there && read.timeout.is_zero() {
        return Ok(counted(kafka, read.formats, collected));
    }
    let deadline = tokio::time::Instant::now() + if nothing_there { read.timeout } else { FETCH_DEADLINE };
    let mut source = Source::from(kafka.readers.start(topic, partition, offset).await?);
    let mut is_first = true;
    loop {
        let (found, back, so_far) = tokio::task::spawn_blocking(move || {
            let found = source.take_into(&mut collected, log.end, nothing_there);
            (found, source, collected)
        })
        .await
        .map_err(|stopped| Kind::Internal.caused_by(stopped))?;
        (source, collected) = (back, so_far);
        match found? {
            Found::Enough => return Ok(counted(kafka, read.formats, collected)),
            // Everything up to the end may be compacted or aborted; or this end is what an earlier read left behind.
            Found::OnlyTheEnd if is_first => {
                is_first = false;
                drop(source);
                source = Source::from(kafka.readers.start(topic, partition, offset).await?);
            }
            Found::OnlyTheEnd => return Ok(counted(kafka, read.formats, collected)),
            Found::NeedsSchema(id) => match collected.learn(id, deadline).await? {
                true => continue,
                false => return Ok(counted(kafka, read.formats, collected)),
            },
            Found::Less => {}
        }
        if tokio::time::timeout_at(deadline, source.reading.filled()).await.is_err() {
            if collected.records() == 0 && !nothing_there {
                return Err(
                    Kind::KafkaRetriable.because("Kafka did not return the records in time; send the request again.")
                );
            }
            return Ok(counted(kafka, read.formats, collected));
        }
    }
}

/// Returns the body of an answer, whose records are counted.
fn counted(kafka: &Kafka, formats: Formats, collected: Collected) -> Vec<u8> {
    kafka.metrics.consumed.count(formats.value, collected.records(), collected.bytes());
    collected.finish()
}

/// What a look into the fetched records has found.
enum Found {
    /// The answer is full, or at the end of the log.
    Enough,
    /// More has to be waited for.
    Less,
    /// The log ends here, and there is no record before.
    OnlyTheEnd,
    /// The first of what is taken needs this schema.
    NeedsSchema(i32),
}

/// Where the records come from.
struct Source {
    /// Taken from the reading, and not yet in the answer; they go before the reading does.
    taken: VecDeque<Result<Next>>,
    reading: Reading,
}

impl From<Reading> for Source {
    fn from(reading: Reading) -> Source {
        Source { taken: VecDeque::new(), reading }
    }
}

impl Source {
    /// Adds what is here to the answer.
    fn take_into(&mut self, collected: &mut Collected, end: i64, waiting: bool) -> Result<Found> {
        loop {
            if self.taken.is_empty() {
                self.taken.extend(self.reading.take(collected.likely_room()));
            }
            let record = match self.taken.pop_front() {
                None => return Ok(Found::Less),
                Some(Ok(Next::Record(record))) => record,
                // The end is an answer where there was something before it, or nothing to wait for.
                Some(Ok(Next::End)) if collected.records() > 0 => return Ok(Found::Enough),
                Some(Ok(Next::End)) if !waiting => return Ok(Found::OnlyTheEnd),
                Some(Ok(Next::End)) => continue,
                Some(Err(_)) if collected.records() > 0 => return Ok(Found::Enough),
                Some(Err(error)) => return Err(error),
            };
            match collected.add(&record) {
                Added::Yes if record.offset() + 1 >= end => return Ok(Found::Enough),
                Added::Yes => {}
                Added::Last | Added::NoRoom => return Ok(Found::Enough),
                Added::NeedsSchema(id) => {
                    self.taken.push_front(Ok(Next::Record(record)));
                    return Ok(Found::NeedsSchema(id));
                }
                Added::Undecodable(_) if collected.records() > 0 => return Ok(Found::Enough),
                Added::Undecodable(error) => return Err(error),
            }
        }
    }
}
