use crate::config::settings::Settings;

/// The section `[rate]`: how much each caller may, and what each topic takes; 0 is no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second of a caller.
    pub requests: u32,
    /// Requests of a caller at once; 0 is those of a second.
    pub requests_burst: u32,
    /// Bytes a second of a caller, of bodies in both directions.
    pub bytes: u64,
    /// Bytes of a caller at once; 0 is those of a second.
    pub bytes_burst: u64,
    /// Requests a second that write to a topic; each record of a v3 stream is one.
    pub topic_requests: u32,
    /// Bytes a second that are written to a topic.
    pub topic_bytes: u64,
    /// Callers, and topics, that are counted apart; all others are counted together.
    pub counted: usize,
}

impl Rate {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            requests: settings.count("rate.requests", 0, 0..=10_000_000),
            requests_burst: settings.count("rate.requests_burst", 0, 0..=100_000_000),
            bytes: settings.size("rate.bytes", "0", "0"..="1024GiB"),
            bytes_burst: settings.size("rate.bytes_burst", "0", "0"..="1024GiB"),
            topic_requests: settings.count("rate.topic_requests", 0, 0..=10_000_000),
            topic_bytes: settings.size("rate.topic_bytes", "0", "0"..="1024GiB"),
            counted: settings.count("rate.counted", 10_000, 1..=10_000_000),
        }
    }
}
