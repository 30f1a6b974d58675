use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Kind;
use crate::model::Format;

/// The formats in the order of their columns; the last is for records of which no format is known.
pub(super) const FORMATS: [&str; 7] = ["binary", "json", "string", "avro", "jsonschema", "protobuf", "none"];

/// What may become of a record: it is written, or not for a reason of the table.
const OUTCOMES: usize = Kind::ALL.len() + 1;

/// Records and bytes by format and outcome.
#[derive(Debug)]
pub struct Produced(Box<[[Amount; OUTCOMES]; FORMATS.len()]>);

/// Records and bytes by format.
#[derive(Debug, Default)]
pub struct Consumed([Amount; FORMATS.len() - 1]);

/// Records, and their keys, values and headers.
#[derive(Debug, Default)]
pub(super) struct Amount {
    records: AtomicU64,
    bytes: AtomicU64,
}

/// One row: format, outcome, records, bytes.
pub(super) type Row = (&'static str, &'static str, u64, u64);

impl Default for Produced {
    fn default() -> Produced {
        Produced(Box::new(std::array::from_fn(|_| std::array::from_fn(|_| Amount::default()))))
    }
}

impl Produced {
    /// Counts a record of a format: `None` is one that Kafka has.
    pub fn count(&self, format: Format, failed: Option<Kind>, bytes: usize) {
        self.0[column(format)][outcome(failed)].add(1, bytes);
    }

    /// Counts a record that was refused before it was one.
    pub fn refused(&self, why: Kind) {
        self.0[FORMATS.len() - 1][outcome(Some(why))].add(1, 0);
    }

    pub(super) fn read(&self) -> impl Iterator<Item = Row> {
        let labels = || std::iter::once("ok").chain(Kind::ALL.iter().map(|kind| kind.label()));
        let rows = FORMATS.into_iter().zip(self.0.iter());
        let rows = rows.flat_map(move |(format, amounts)| {
            labels().zip(amounts).map(move |(outcome, amount)| (format, outcome, amount))
        });
        rows.map(|(format, outcome, amount)| (format, outcome, load(&amount.records), load(&amount.bytes)))
            .filter(|row| row.2 > 0)
    }
}

impl Consumed {
    /// Counts records whose values are in a format, when they are written into an answer.
    pub fn count(&self, format: Format, records: usize, bytes: usize) {
        self.0[column(format)].add(records as u64, bytes);
    }

    pub(super) fn read(&self) -> impl Iterator<Item = (&'static str, u64, u64)> {
        FORMATS.into_iter().zip(&self.0).map(|(format, amount)| (format, load(&amount.records), load(&amount.bytes)))
    }
}

impl Amount {
    fn add(&self, records: u64, bytes: usize) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

fn column(format: Format) -> usize {
    match format {
        Format::Binary => 0,
        Format::Json => 1,
        Format::Text => 2,
        Format::Avro => 3,
        Format::JsonSchema => 4,
        Format::Protobuf => 5,
    }
}

fn outcome(failed: Option<Kind>) -> usize {
    failed.map_or(0, |kind| kind as usize + 1)
}

fn load(value: &AtomicU64) -> u64 {
    value.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_apart_by_format_and_outcome() {
        let produced = Produced::default();
        produced.count(Format::Json, None, 10);
        produced.count(Format::Json, None, 5);
        produced.count(Format::Avro, Some(Kind::QueueFull), 7);
        produced.refused(Kind::BadRequest);
        let rows: Vec<_> = produced.read().collect();
        assert_eq!(rows, [("json", "ok", 2, 15), ("avro", "queue_full", 1, 7), ("none", "bad_request", 1, 0)]);
    }
}
