use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::consume::{Decoding, Instance};
use crate::error::{Error, Kind, Result};
use crate::format::{RecordView, Undecodable, Unwritten};
use crate::kafka::FetchedRecord;
use crate::model::{PartitionId, PartitionOffset, TopicName};

/// How much longer than its limit the JSON of an answer may be, and what it may always be: records that a schema was
/// written for to be small on the log are not small as JSON.
const MOST_GROWTH: usize = 4;
const LEAST_TEXT_BYTES: usize = 16 << 20;

/// What goes into an answer beside key, value and place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Include {
    /// The headers.
    pub headers: bool,
    /// The timestamp.
    pub timestamp: bool,
}

/// When an answer is full. At least one record always fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of keys and values that the answer stays below.
    pub bytes: usize,
    /// Records.
    pub records: usize,
}

/// The JSON of an answer as it grows, and which records are in it.
pub struct Collected {
    decoding: Decoding,
    include: Include,
    limits: Limits,
    out: Vec<u8>,
    records: usize,
    bytes: usize,
    spans: HashMap<(String, i32), Span>,
    last: Option<((String, i32), Span)>,
}

/// The offsets of one partition that an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: i64,
    next: i64,
}

/// What became of a record that was offered to an answer.
pub enum Added {
    /// It is in, and more may follow.
    Yes,
    /// It is in, and nothing more fits.
    Last,
    /// There is no room for it: it belongs into the next answer.
    NoRoom,
    /// It cannot be decoded.
    Undecodable(Error),
    /// This schema has to be learned first; then it is offered again.
    NeedsSchema(i32),
}

impl Collected {
    /// Returns an empty answer.
    pub fn new(decoding: Decoding, include: Include, limits: Limits) -> Collected {
        Collected {
            decoding,
            include,
            limits,
            out: vec![b'['],
            records: 0,
            bytes: 0,
            spans: HashMap::new(),
            last: None,
        }
    }

    /// Returns the number of records.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Returns the bytes of keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns how many more records are likely to fit, by the size of those that are in.
    pub fn likely_room(&self) -> usize {
        let average = self.bytes.checked_div(self.records).unwrap_or(1024).max(1);
        let by_bytes = self.limits.bytes.saturating_sub(self.bytes) / average;
        by_bytes.min(self.limits.records - self.records).clamp(1, 512)
    }

    /// Writes a record into the answer.
    pub fn add(&mut self, record: &FetchedRecord) -> Added {
        let size = record.size_bytes();
        if self.records > 0 && self.bytes + size >= self.limits.bytes {
            return Added::NoRoom;
        }
        if self.records > 0 {
            self.out.push(b',');
        }
        let view = RecordView {
            topic: record.topic(),
            key: record.key(),
            value: record.value(),
            partition: record.partition(),
            offset: record.offset(),
            timestamp_ms: self.include.timestamp.then(|| record.timestamp_ms()),
            headers: self.include.headers.then(|| record.headers().collect()),
        };
        if let Err(unwritten) = self.decoding.write(&mut self.out, &view) {
            if self.records > 0 {
                self.out.pop();
            }
            return match unwritten {
                Unwritten::Undecodable(bad) => Added::Undecodable(undecodable(&bad, &view)),
                Unwritten::NeedsSchema(id) => Added::NeedsSchema(id),
            };
        }
        self.records += 1;
        self.bytes += size;
        self.note(&view);
        let is_long = self.out.len() >= self.limits.bytes.saturating_mul(MOST_GROWTH).max(LEAST_TEXT_BYTES);
        let full = is_long || self.records >= self.limits.records || self.bytes >= self.limits.bytes;
        if full { Added::Last } else { Added::Yes }
    }

    /// Asks for the schema that a record needs, and tells whether to offer it again; else the answer goes out without
    /// it: the deadline is over, or the registry cannot be asked, which is an error where there is no record yet.
    pub async fn learn(&mut self, id: i32, deadline: Instant) -> Result<bool> {
        if self.records > 0 && Instant::now() >= deadline {
            return Ok(false);
        }
        match self.decoding.learn(id).await {
            Ok(()) => Ok(true),
            Err(_) if self.records > 0 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Remembers where a record was; records of one partition come in runs.
    fn note(&mut self, view: &RecordView<'_>) {
        let next = view.offset + 1;
        if let Some(((topic, partition), span)) = &mut self.last
            && *partition == view.partition
            && topic == view.topic
        {
            span.next = next;
            return;
        }
        self.settle();
        let place = (view.topic.to_string(), view.partition);
        let span = self.spans.remove(&place).unwrap_or(Span { first: view.offset, next });
        self.last = Some((place, Span { next, ..span }));
    }

    fn settle(&mut self) {
        if let Some((place, span)) = self.last.take() {
            self.spans.insert(place, span);
        }
    }

    /// Returns the next offset of each partition that the answer holds records of.
    pub fn next_offsets(&mut self) -> Vec<PartitionOffset> {
        self.offsets(|span| span.next)
    }

    fn offsets(&mut self, which: fn(&Span) -> i64) -> Vec<PartitionOffset> {
        self.settle();
        let spans = self.spans.iter();
        spans
            .filter_map(|((topic, partition), span)| {
                Some(PartitionOffset {
                    topic: TopicName::try_from(topic.as_str()).ok()?,
                    partition: PartitionId::try_from(*partition).ok()?,
                    offset: which(span),
                    metadata: String::new(),
                })
            })
            .collect()
    }

    /// Returns the offsets of the first records, to which an instance goes back where the answer does not arrive.
    pub fn first_offsets(&mut self) -> Vec<PartitionOffset> {
        self.offsets(|span| span.first)
    }

    /// Returns the body.
    pub fn finish(mut self) -> Vec<u8> {
        self.out.push(b']');
        self.out
    }
}

fn undecodable(bad: &Undecodable, view: &RecordView<'_>) -> Error {
    Kind::Undecodable.because(format!(
        "The {} of the record in topic {}, partition {}, offset {} {}; read it as binary, or set the position to {} to go on after it.",
        bad.part,
        view.topic,
        view.partition,
        view.offset,
        bad.why,
        view.offset.saturating_add(1)
    ))
}

/// The proof that an answer was handed to the connection. One that is dropped before takes its records back: they are
/// delivered again by the next read.
pub struct Receipt {
    instance: Arc<Instance>,
    first: Vec<PartitionOffset>,
    next: Vec<PartitionOffset>,
    epochs: Vec<(u64, u64)>,
    confirmed: bool,
}

impl Receipt {
    pub(super) fn new(instance: &Arc<Instance>, collected: &mut Collected) -> Receipt {
        let (first, next) = (collected.first_offsets(), collected.next_offsets());
        Receipt { epochs: instance.epochs(&first), instance: Arc::clone(instance), first, next, confirmed: false }
    }

    /// Says that the answer has gone out.
    pub fn confirm(mut self) {
        self.confirmed = true;
        self.instance.delivered(&self.next, &self.epochs);
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.confirmed && !self.first.is_empty() {
            self.instance.not_delivered(std::mem::take(&mut self.first), &self.epochs);
        }
    }
}
