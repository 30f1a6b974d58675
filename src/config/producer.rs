use std::time::Duration;

use crate::config::properties::Properties;
use crate::config::settings::Settings;

/// The section `[producer]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Producer {
    /// How long a record may take, with all retries.
    pub delivery_timeout: Duration,
    /// How long the producer of busy times gathers records.
    pub linger: Duration,
    /// As many requests in flight make it a busy time.
    pub busy_requests: usize,
    /// Records that wait for Kafka at a time.
    pub queue_records: usize,
    /// Their bytes.
    pub queue_bytes: u64,
    /// How long a request waits for room in the queue.
    pub queue_wait: Duration,
    /// The largest record that is sent.
    pub max_record_bytes: u64,
    /// Whether a failed record changes the status of the answer.
    pub strict: bool,
    /// What plain JSON means on produce.
    pub plain_json: PlainJson,
    /// How batches are compressed.
    pub compression: Compression,
    /// Who has to have a record.
    pub acks: Acks,
    /// Properties for producers, over those of `[kafka]`.
    pub properties: Properties,
}

/// What becomes of records sent as plain `application/json`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlainJson {
    /// 415.
    Refuse,
    /// Taken as JSON.
    Json,
    /// Taken as base64.
    Binary,
}

/// How batches are compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Compression {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By snappy.
    Snappy,
    /// By lz4.
    Lz4,
    /// By zstd.
    Zstd,
}

/// Which replicas must have a record before it counts as delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Acks {
    /// Every replica in sync.
    All,
    /// The leader.
    Leader,
    /// Nobody.
    None,
}

impl Producer {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let producer = Self {
            delivery_timeout: settings.duration("producer.delivery_timeout", "30s", "100ms"..="1h"),
            linger: settings.duration("producer.linger", "500us", "0s"..="1s"),
            busy_requests: settings.count("producer.busy_requests", 2, 1..=1_000_000),
            queue_records: settings.count("producer.queue_records", 100_000, 1..=10_000_000),
            queue_bytes: settings.size("producer.queue_bytes", "32MiB", "1KiB"..="1024GiB"),
            queue_wait: settings.duration("producer.queue_wait", "2s", "0s"..="1m"),
            // The bounds of librdkafka's message.max.bytes.
            max_record_bytes: settings.size("producer.max_record_bytes", "1MiB", "1000"..="1000MB"),
            strict: settings.flag("producer.strict", false),
            plain_json: settings.choice("producer.plain_json", "refuse", PlainJson::ALL, PlainJson::as_str),
            compression: settings.choice("producer.compression", "none", Compression::ALL, Compression::as_str),
            acks: settings.choice("producer.acks", "all", Acks::ALL, Acks::as_str),
            properties: settings.properties("producer.properties"),
        };
        producer.check_relations(settings);
        producer
    }

    fn check_relations(&self, settings: &mut Settings) {
        settings.require(
            self.linger < self.delivery_timeout,
            "producer.linger",
            "must be shorter than producer.delivery_timeout",
        );
        settings.require(
            self.queue_bytes >= self.max_record_bytes,
            "producer.queue_bytes",
            "must be at least producer.max_record_bytes",
        );
    }
}

impl PlainJson {
    const ALL: &[Self] = &[Self::Refuse, Self::Json, Self::Binary];

    /// Returns the name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Json => "json",
            Self::Binary => "binary",
        }
    }
}

impl Compression {
    const ALL: &[Self] = &[Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// Returns the name, which is librdkafka's too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl Acks {
    const ALL: &[Self] = &[Self::All, Self::Leader, Self::None];

    /// Returns the name, which is librdkafka's too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Leader => "1",
            Self::None => "0",
        }
    }
}
