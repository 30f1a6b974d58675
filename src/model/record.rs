use bytes::Bytes;

use crate::error::{Error, Kind};
use crate::model::{Format, PartitionId};

/// A record on its way to Kafka, every byte of it checked and decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// `None` is no key; an empty key is a key.
    pub key: Option<Bytes>,
    /// `None` is a tombstone; an empty value is a value.
    pub value: Option<Bytes>,
    /// Where it has to go; `None` leaves it to the key's hash, or to chance.
    pub partition: Option<PartitionId>,
    /// Milliseconds since 1970; `None` is the time of sending.
    pub timestamp_ms: Option<i64>,
    /// In order; names may repeat.
    pub headers: Vec<Header>,
    /// What the value was written in, for those who count.
    pub format: Format,
}

impl Record {
    /// Returns the bytes that count against limits: key, value and headers.
    pub fn size_bytes(&self) -> usize {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let headers: usize = self.headers.iter().map(|h| h.key.len() + length(&h.value)).sum();
        length(&self.key) + length(&self.value) + headers
    }
}

/// A header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub key: String,
    /// `None` is null.
    pub value: Option<Bytes>,
}

/// Where an acknowledged record is on the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The partition it is in.
    pub partition: i32,
    /// Its offset; -1 where `acks=0` was configured.
    pub offset: i64,
    /// Milliseconds since 1970, by the proxy's clock or the broker's; `None` where neither is known.
    pub timestamp_ms: Option<i64>,
}

/// Why a record did not reach the log, or may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// One of `Kafka`, `KafkaRetriable`, `KafkaAuthentication`, `KafkaAuthorization`, `RecordTooLarge`; for a record
    /// that was not sent any other too.
    pub kind: Kind,
    /// What Kafka or its client said.
    pub message: String,
    /// Whether the broker refused the batch that the record was in: by itself it may be fine.
    pub with_its_batch: bool,
}

impl From<&Error> for RecordError {
    fn from(error: &Error) -> RecordError {
        RecordError { kind: error.kind(), message: error.message().to_owned(), with_its_batch: false }
    }
}

/// What became of one record.
pub type Delivery = Result<Placed, RecordError>;
