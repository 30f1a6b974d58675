use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// The number of a trace; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(u128);

/// The number of a span; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(u64);

thread_local! {
    /// Seeded by the system; every thread has its own, so that nobody waits.
    static SEQUENCE: Cell<u64> = Cell::new(RandomState::new().hash_one(std::process::id()));
}

/// Returns the next of random numbers that are good for telling things apart, and for nothing secret (SplitMix64).
pub fn random() -> u64 {
    SEQUENCE.with(|sequence| {
        let state = sequence.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        sequence.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

impl TraceId {
    /// Returns a new one.
    pub fn new() -> TraceId {
        TraceId((u128::from(random()) << 64 | u128::from(random())).max(1))
    }

    /// Reads 32 hexadecimal digits in lower case that are not all 0.
    pub(super) fn read(text: &str) -> Option<TraceId> {
        let id = is_hex(text, 32).then(|| u128::from_str_radix(text, 16).ok())??;
        (id != 0).then_some(TraceId(id))
    }
}

impl Default for TraceId {
    fn default() -> TraceId {
        TraceId::new()
    }
}

impl SpanId {
    /// Returns a new one.
    pub fn new() -> SpanId {
        SpanId(random().max(1))
    }

    /// Reads 16 hexadecimal digits in lower case that are not all 0.
    pub(super) fn read(text: &str) -> Option<SpanId> {
        let id = is_hex(text, 16).then(|| u64::from_str_radix(text, 16).ok())??;
        (id != 0).then_some(SpanId(id))
    }
}

impl Default for SpanId {
    fn default() -> SpanId {
        SpanId::new()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Tells whether a text is so many hexadecimal digits in lower case.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}
