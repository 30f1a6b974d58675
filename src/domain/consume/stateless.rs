use std::time::Duration;

use crate::domain::consume::collected::{Added, Collected, Include, Limits};
use crate::error::{Kind, Result};
use crate::kafka::{Kafka, Next, Reading};
use crate::model::{Format, PartitionId, TopicName};

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
    /// The format.
    pub format: Format,
    /// What else comes with a record.
    pub include: Include,
}

/// How long a fetch of records that exist may take.
const FETCH_DEADLINE: Duration = Duration::from_secs(10);

/// Reads records of one partition; changes nothing anywhere.
///
/// Returns what is there; waits only where there is nothing at all.
pub async fn read(kafka: &Kafka, topic: &TopicName, partition: PartitionId, read: StatelessRead) -> Result<Vec<u8>> {
    let mut collected = Collected::new(read.format, read.include, read.limits);
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
        return Ok(collected.finish());
    }
    let deadline = tokio::time::Instant::now() + if nothing_there { read.timeout } else { FETCH_DEADLINE };
    let mut reading = kafka.readers.start(topic, partition, offset).await?;
    let mut is_first = true;
    loop {
        let (found, back, so_far) = tokio::task::spawn_blocking(move || {
            let found = take_into(&reading, &mut collected, log.end, nothing_there);
            (found, reading, collected)
        })
        .await
        .map_err(|stopped| Kind::Internal.caused_by(stopped))?;
        (reading, collected) = (back, so_far);
        match found? {
            Found::Enough => return Ok(collected.finish()),
            // Everything up to the end may be compacted or aborted; or this end is what an earlier read left behind.
            Found::OnlyTheEnd if is_first => {
                is_first = false;
                drop(reading);
                reading = kafka.readers.start(topic, partition, offset).await?;
            }
            Found::OnlyTheEnd => return Ok(collected.finish()),
            Found::Less => {}
        }
        if tokio::time::timeout_at(deadline, reading.filled()).await.is_err() {
            if collected.records() == 0 && !nothing_there {
                return Err(
                    Kind::KafkaRetriable.because("Kafka did not return the records in time; send the request again.")
                );
            }
            return Ok(collected.finish());
        }
    }
}

/// What a look into the fetched records has found.
enum Found {
    /// The answer is full, or at the end of the log.
    Enough,
    /// More has to be waited for.
    Less,
    /// The log ends here, and there is no record before.
    OnlyTheEnd,
}

/// Adds what is here to the answer.
fn take_into(reading: &Reading, collected: &mut Collected, end: i64, waiting: bool) -> Result<Found> {
    loop {
        let batch = reading.take(collected.likely_room());
        if batch.is_empty() {
            return Ok(Found::Less);
        }
        for next in batch {
            let record = match next {
                Ok(Next::Record(record)) => record,
                // The end is an answer where there was something before it, or nothing to wait for.
                Ok(Next::End) if collected.records() > 0 => return Ok(Found::Enough),
                Ok(Next::End) if !waiting => return Ok(Found::OnlyTheEnd),
                Ok(Next::End) => continue,
                Err(_) if collected.records() > 0 => return Ok(Found::Enough),
                Err(error) => return Err(error),
            };
            match collected.add(&record) {
                Added::Yes if record.offset() + 1 >= end => return Ok(Found::Enough),
                Added::Yes => {}
                Added::Last | Added::NoRoom => return Ok(Found::Enough),
                Added::Undecodable(_) if collected.records() > 0 => return Ok(Found::Enough),
                Added::Undecodable(error) => return Err(error),
            }
        }
    }
}
