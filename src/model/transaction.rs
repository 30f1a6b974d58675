use crate::model::TopicName;

/// Which transactions are listed; empty lists are all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// In one of these states, by Kafka's names: `Ongoing`, `CompleteCommit` and so on.
    pub states: Vec<String>,
    /// Of one of these producers.
    pub producer_ids: Vec<i64>,
    /// That run for at least so long, in milliseconds; Kafka 3.7 and later.
    pub longer_than_ms: Option<i64>,
    /// Whose id fits this regular expression; Kafka 4.1 and later.
    pub id_pattern: Option<String>,
}

/// A transaction as brokers list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionListing {
    /// The transactional id.
    pub id: String,
    /// The producer that has it.
    pub producer_id: i64,
    /// Its state by Kafka's name.
    pub state: String,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionDescription {
    /// The transactional id.
    pub id: String,
    /// The broker that coordinates it.
    pub coordinator: Option<i32>,
    /// Its state by Kafka's name.
    pub state: String,
    /// The producer that has it.
    pub producer_id: i64,
    /// How often the producer has begun anew.
    pub producer_epoch: i16,
    /// After how long the coordinator aborts it, in milliseconds.
    pub timeout_ms: i32,
    /// When it began, in milliseconds since 1970; `None` where none is open.
    pub started_ms: Option<i64>,
    /// The partitions it has written to, sorted.
    pub partitions: Vec<(TopicName, i32)>,
}

/// A producer that a partition knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Its id.
    pub id: i64,
    /// How often it has begun anew.
    pub epoch: i32,
    /// The number of its last record; -1 where there is none.
    pub last_sequence: i32,
    /// The time of its last record, in milliseconds since 1970.
    pub last_timestamp_ms: i64,
    /// The epoch of the coordinator of its transactions; `None` without transactions.
    pub coordinator_epoch: Option<i32>,
    /// Where its open transaction begins; `None` where none is open.
    pub transaction_start_offset: Option<i64>,
}
