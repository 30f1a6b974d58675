use crate::config::settings::Settings;

/// What one client, or all together, may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// A request's body as it comes over the wire.
    pub body_bytes: u64,
    /// A request's body once unpacked.
    pub unpacked_bytes: u64,
    /// Records in a request.
    pub records: usize,
    /// A record's key, value and headers.
    pub record_bytes: u64,
    /// A record of a stream as it comes over the wire: its JSON text.
    pub stream_record_bytes: u64,
    /// Entries in a batch of v3.
    pub batch_entries: usize,
    /// Requests under way at a time.
    pub concurrent_requests: usize,
    /// Bodies of all requests together.
    pub bytes_in_flight: u64,
    /// Open connections.
    pub connections: usize,
}

impl Limits {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let limits = Self {
            body_bytes: settings.size("limits.body_bytes", "64MiB", "1KiB"..="4GiB"),
            unpacked_bytes: settings.size("limits.unpacked_bytes", "64MiB", "1KiB"..="4GiB"),
            records: settings.count("limits.records", 100_000, 1..=10_000_000),
            record_bytes: settings.size("limits.record_bytes", "16MiB", "1KiB"..="1GiB"),
            stream_record_bytes: settings.size("limits.stream_record_bytes", "16MiB", "64"..="1GiB"),
            batch_entries: settings.count("limits.batch_entries", 10, 1..=50),
            concurrent_requests: settings.count("limits.concurrent_requests", 4096, 1..=1_000_000),
            bytes_in_flight: settings.size("limits.bytes_in_flight", "256MiB", "1KiB"..="1024GiB"),
            connections: settings.count("limits.connections", 25_000, 1..=1_000_000),
        };
        limits.check_relations(settings);
        limits
    }

    fn check_relations(&self, settings: &mut Settings) {
        // Otherwise a request within its own limits could never be admitted.
        settings.require(
            self.bytes_in_flight >= self.body_bytes.max(self.unpacked_bytes).max(self.stream_record_bytes),
            "limits.bytes_in_flight",
            "must be at least limits.body_bytes, limits.unpacked_bytes and limits.stream_record_bytes",
        );
    }
}
