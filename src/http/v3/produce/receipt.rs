use time::OffsetDateTime;

use crate::domain::schemas::Serializer;
use crate::error::{Error, Kind};
use crate::http::v3::produce::data::Written;
use crate::http::v3::produce::record::Encoded;
use crate::metrics::Produced;
use crate::model::{Delivery, Placed, Record, RecordError};

/// What is known of a record before Kafka has it.
pub enum Slot {
    /// It is on its way.
    Sent {
        /// What the receipt says of the key.
        key: Option<Written>,
        /// And of the value.
        value: Option<Written>,
    },
    /// It is not sent.
    Refused(Failure),
}

/// A record that failed, as a stream or a batch tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: Kind,
    code: u32,
    message: String,
}

impl Failure {
    /// Returns what a failure of kind `kind` is called here (contract/v3.md 2.5).
    pub fn new(kind: Kind, message: &str) -> Failure {
        let message = message.lines().next().unwrap_or_default();
        match (kind.status(), kind.code()) {
            (422, code) if code > 999 => Failure { kind, code: 422, message: format!("Error: {code} : {message}") },
            (400, 400) if !message.starts_with(BAD_REQUEST) => {
                Failure { kind, code: 400, message: format!("{BAD_REQUEST}{message}") }
            }
            (_, code) => Failure { kind, code, message: message.to_string() },
        }
    }

    /// Returns the failure of a text that cannot be read.
    pub fn unreadable(why: &str) -> Failure {
        Failure::new(Kind::BadRequest, &format!("Error processing message: {why}"))
    }
}

const BAD_REQUEST: &str = "Bad Request: ";

impl From<&Error> for Failure {
    fn from(error: &Error) -> Failure {
        Failure::new(error.kind(), error.message())
    }
}

impl From<&RecordError> for Failure {
    fn from(error: &RecordError) -> Failure {
        Failure::new(error.kind, &error.message)
    }
}

/// Records to be sent, and a slot for each and for those that are not.
#[derive(Default)]
pub struct Prepared {
    /// Those that are sent.
    pub records: Vec<Record>,
    /// All of them, in order.
    pub slots: Vec<Slot>,
}

impl Prepared {
    /// Returns none, with room for `records`.
    pub fn with_capacity(records: usize) -> Prepared {
        Prepared { records: Vec::with_capacity(records), slots: Vec::with_capacity(records) }
    }

    /// Counts those that are not sent.
    pub fn count_refused(&self, produced: &Produced) {
        for slot in &self.slots {
            if let Slot::Refused(failure) = slot {
                produced.refused(failure.kind);
            }
        }
    }

    /// Adds a record.
    pub fn push(&mut self, encoded: Encoded) {
        self.records.push(encoded.record);
        self.slots.push(Slot::Sent { key: encoded.key, value: encoded.value });
    }

    /// Adds one that is not sent.
    pub fn refuse(&mut self, failure: Failure) {
        self.slots.push(Slot::Refused(failure));
    }
}

/// What became of a record.
pub enum Outcome {
    /// It is on the log.
    Written(Placed, Option<Written>, Option<Written>),
    /// It is not, or may not be.
    Failed(Failure),
}

/// Returns the outcomes of all records, given those of the ones that were sent.
pub fn outcomes(slots: Vec<Slot>, deliveries: Vec<Delivery>) -> impl Iterator<Item = Outcome> {
    let mut deliveries = deliveries.into_iter();
    slots.into_iter().map(move |slot| match slot {
        Slot::Refused(failure) => Outcome::Failed(failure),
        Slot::Sent { key, value } => match deliveries.next() {
            Some(Ok(placed)) => Outcome::Written(placed, key, value),
            Some(Err(error)) => Outcome::Failed(Failure::from(&error)),
            None => Outcome::Failed(Failure::from(&Error::from(Kind::Internal))),
        },
    })
}

/// Writes receipts of one request, which share cluster and topic.
#[derive(Clone)]
pub struct Writer {
    /// `"cluster_id":..,"topic_name":..,"partition_id":`
    place: Vec<u8>,
    clock: Clock,
}

impl Writer {
    /// Returns a writer for names as they came in the path.
    pub fn new(cluster: &str, topic: &str) -> Writer {
        let (cluster, topic) = (serde_json::Value::from(cluster), serde_json::Value::from(topic));
        let place = format!("\"cluster_id\":{cluster},\"topic_name\":{topic},\"partition_id\":").into_bytes();
        Writer { place, clock: Clock::default() }
    }

    /// Returns about how many bytes a receipt takes.
    pub fn receipt_bytes(&self) -> usize {
        self.place.len() + 150
    }

    /// Appends `error_code` and the rest of a receipt of a stream, and the end of its line.
    pub fn receipt(&mut self, outcome: &Outcome, out: &mut Vec<u8>) {
        out.push(b'{');
        match outcome {
            Outcome::Written(placed, key, value) => {
                out.extend_from_slice(b"\"error_code\":200,");
                self.written(placed, key.as_ref(), value.as_ref(), out);
            }
            Outcome::Failed(failure) => write_failure(failure, out),
        }
        out.extend_from_slice(b"}\r\n");
    }

    /// Appends the fields of a record that is on the log.
    pub fn written(&mut self, placed: &Placed, key: Option<&Written>, value: Option<&Written>, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(&self.place);
        out.extend_from_slice(digits.format(placed.partition).as_bytes());
        out.extend_from_slice(b",\"offset\":");
        out.extend_from_slice(digits.format(placed.offset).as_bytes());
        if let Some(ms) = placed.timestamp_ms {
            self.clock.write(ms, out);
        }
        for (name, part) in [("key", key), ("value", value)] {
            if let Some(part) = part {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":{\"type\":\"");
                out.extend_from_slice(part.name.as_bytes());
                out.push(b'"');
                if let Some(schema) = &part.schema {
                    write_schema(schema, out);
                }
                out.extend_from_slice(b",\"size\":");
                let size = part.size_bytes.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX));
                out.extend_from_slice(digits.format(size).as_bytes());
                out.push(b'}');
            }
        }
    }
}

/// Appends which schema it was.
fn write_schema(schema: &Serializer, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(b",\"subject\":");
    // There is no text that a vector does not take.
    serde_json::to_writer(&mut *out, schema.subject.as_ref()).unwrap_or_default();
    out.extend_from_slice(b",\"schema_id\":");
    out.extend_from_slice(digits.format(schema.framed.id).as_bytes());
    out.extend_from_slice(b",\"schema_version\":");
    out.extend_from_slice(digits.format(schema.version).as_bytes());
}

/// Appends `error_code` and `message`.
pub fn write_failure(failure: &Failure, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(b"\"error_code\":");
    out.extend_from_slice(digits.format(failure.code).as_bytes());
    out.extend_from_slice(b",\"message\":");
    out.extend_from_slice(serde_json::Value::from(failure.message.as_str()).to_string().as_bytes());
}

/// Writes times; keeps the text of the last second, which many records share.
#[derive(Clone, Default)]
struct Clock {
    second: i64,
    text: String,
}

impl Clock {
    /// Appends a `timestamp` as an ISO 8601 instant; nothing for a time that has none.
    fn write(&mut self, ms: i64, out: &mut Vec<u8>) {
        let (second, fraction) = (ms.div_euclid(1000), ms.rem_euclid(1000));
        if second != self.second || self.text.is_empty() {
            let Ok(time) = OffsetDateTime::from_unix_timestamp(second) else { return };
            let (year, month, day) = time.to_calendar_date();
            let (hour, minute, second_of_minute) = time.to_hms();
            self.second = second;
            self.text =
                format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second_of_minute:02}", u8::from(month));
        }
        out.extend_from_slice(b",\"timestamp\":\"");
        out.extend_from_slice(self.text.as_bytes());
        if fraction != 0 {
            let digits = [fraction / 100, fraction / 10 % 10, fraction % 10].map(|digit| b'0' + digit as u8);
            out.push(b'.');
            out.extend_from_slice(&digits);
        }
        out.extend_from_slice(b"Z\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(outcome: &Outcome) -> String {
        let mut out = Vec::new();
        Writer::new("c\"", "t").receipt(outcome, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_receipt_says_where_the_record_is() {
        let part = |name, size_bytes| Some(Written { name, schema: None, size_bytes });
        let placed = Placed { partition: 1, offset: 2, timestamp_ms: Some(1_709_208_000_007) };
        assert_eq!(
            receipt(&Outcome::Written(placed, part("BINARY", Some(3)), part("JSON", None))),
            "{\"error_code\":200,\"cluster_id\":\"c\\\"\",\"topic_name\":\"t\",\"partition_id\":1,\"offset\":2,\"timestamp\":\"2024-02-29T12:00:00.007Z\",\"key\":{\"type\":\"BINARY\",\"size\":3},\"value\":{\"type\":\"JSON\",\"size\":-1}}\r\n"
        );
        let placed = Placed { partition: 0, offset: 0, timestamp_ms: None };
        assert!(receipt(&Outcome::Written(placed, None, None)).ends_with("\"offset\":0}\r\n"));
    }

    #[test]
    fn times_have_no_fraction_or_three_digits() {
        for (ms, text) in
            [(1000, "1970-01-01T00:00:01Z"), (1010, "1970-01-01T00:00:01.010Z"), (0, "1970-01-01T00:00:00Z")]
        {
            let mut out = Vec::new();
            Clock::default().write(ms, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!(",\"timestamp\":\"{text}\""));
        }
    }

    #[test]
    fn failures_have_the_codes_of_a_stream() {
        let cases = [
            (Kind::BadRequest, "x\ny", "400", "Bad Request: x"),
            (Kind::InvalidBase64, "Bad Request: data=1", "400", "Bad Request: data=1"),
            (Kind::SchemaWithoutRegistry, "P", "422", "Error: 42206 : P"),
            (Kind::PartitionNotFound, "P", "40402", "P"),
            (Kind::RecordTooLarge, "P", "413", "P"),
            (Kind::KafkaRetriable, "P", "50003", "P"),
            (Kind::InvalidName, "P", "40002", "P"),
        ];
        for (kind, message, code, expected) in cases {
            let text = receipt(&Outcome::Failed(Failure::new(kind, message)));
            assert_eq!(text, format!("{{\"error_code\":{code},\"message\":\"{expected}\"}}\r\n"));
        }
    }
}
