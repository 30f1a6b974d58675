/// Which offset of a partition is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first that is there.
    Earliest,
    /// The one after the last.
    Latest,
    /// That of the record with the highest timestamp.
    MaxTimestamp,
    /// That of the first record at or after this time, in milliseconds since 1970.
    At(i64),
}

/// Whether records of transactions count that are not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// They count.
    ReadUncommitted,
    /// The end of a partition is where the first open transaction begins.
    ReadCommitted,
}

/// An offset that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// `None` where no record is what was wanted.
    pub offset: Option<i64>,
    /// The record's time in milliseconds since 1970, where a record was looked for.
    pub timestamp_ms: Option<i64>,
}
