use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::error::{Error, Kind};
use crate::kafka::health::Health;
use crate::model::RecordError;

/// The text of a failure whose cause only the producer knows.
pub(super) const FATAL: &str = "The Kafka producer had a fatal error and was replaced; send the record again.";

/// What was attempted; one code of librdkafka's means different things in different operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A look-up of topics, brokers, partitions or offsets.
    Metadata,
    /// A look-up of configurations.
    Admin,
    /// Anything that a consumer does.
    Consume,
}

/// Returns what the failure of an operation is to a client.
pub(super) fn error(operation: Operation, error: KafkaError, health: &Health) -> Error {
    match code_of(&error) {
        Some(code) => code_error(operation, code, health),
        None => Kind::Kafka.because(format!("Kafka error: {error}")).caused_by(error),
    }
}

/// Returns what a code that an operation ended with is to a client.
pub(super) fn code_error(operation: Operation, code: Code, health: &Health) -> Error {
    if let Some(refusal) = refusal(code, health) {
        return Kind::KafkaAuthentication.because(refusal).caused_by(code);
    }
    let kind = match (operation, code) {
        (Operation::Metadata, Code::UnknownTopic | Code::UnknownTopicOrPartition) => return Kind::TopicNotFound.into(),
        (Operation::Metadata, Code::UnknownPartition) => return Kind::PartitionNotFound.into(),
        (Operation::Metadata | Operation::Admin, Code::InvalidTopic) => Kind::InvalidName,
        (Operation::Admin, Code::UnknownTopicOrPartition) => return Kind::TopicNotFound.into(),
        // A coordinator that is not known within the time is one that may be found later.
        (Operation::Consume, Code::WaitingForCoordinator | Code::InProgress) => Kind::KafkaRetriable,
        (Operation::Metadata | Operation::Admin | Operation::Consume, code) => kind_of(code),
    };
    kind.because(describe(code)).caused_by(code)
}

/// Returns what the failure of one record is to a client.
pub(super) fn record_error(error: &KafkaError, health: &Health) -> RecordError {
    let Some(code) = code_of(error) else {
        return RecordError { kind: Kind::Kafka, message: error.to_string(), with_its_batch: false };
    };
    match refusal(code, health) {
        Some(message) => RecordError { kind: Kind::KafkaAuthentication, message, with_its_batch: false },
        None => RecordError { kind: kind_of(code), message: describe(code), with_its_batch: refuses_batches(code) },
    }
}

/// Tells whether a broker answers so for a whole batch when one of its records is bad.
fn refuses_batches(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidRecord
            | Code::InvalidDifferentRecord
            | Code::InvalidTimestamp
            | Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
    )
}

/// Returns what the broker said where a time-out is really refused credentials: librdkafka goes on trying then.
fn refusal(code: Code, health: &Health) -> Option<String> {
    matches!(
        code,
        Code::MessageTimedOut | Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut
    )
    .then(|| health.refused())
    .flatten()
}

/// Returns the text of a code; those that only librdkafka knows say what to do.
fn describe(code: Code) -> String {
    match code {
        Code::MessageTimedOut => {
            "No broker acknowledged the record within the delivery timeout; it may or may not be on the log."
                .to_string()
        }
        Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut => {
            "No Kafka broker could be reached in time.".to_string()
        }
        // A producer that breaks throws out what it still holds.
        Code::Fatal | Code::PurgeQueue | Code::PurgeInflight => FATAL.to_string(),
        Code::MessageSizeTooLarge => "The record is larger than the maximum message size that is allowed.".to_string(),
        Code::IllegalGeneration | Code::RebalanceInProgress => {
            "The consumer group was rebalanced meanwhile and nothing was committed: read on, and commit what comes then."
                .to_string()
        }
        // Texts of the protocol and of librdkafka are good as they are.
        other => other.to_string(),
    }
}

fn kind_of(code: Code) -> Kind {
    match code {
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::IllegalSASLState
        | Code::UnsupportedSASLMechanism => Kind::KafkaAuthentication,
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::DelegationTokenAuthorizationFailed => Kind::KafkaAuthorization,
        // What `RetriableException` is in the Java client, and its like that only librdkafka has.
        Code::MessageTimedOut
        | Code::OperationTimedOut
        | Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::QueueFull
        | Code::PurgeQueue
        | Code::PurgeInflight
        | Code::Fatal
        | Code::Retry
        | Code::Inconsistent
        | Code::UnknownTopic
        | Code::UnknownPartition
        | Code::UnknownTopicOrPartition
        | Code::InvalidMessage
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::RequestTimedOut
        | Code::BrokerNotAvailable
        | Code::ReplicaNotAvailable
        | Code::NetworkException
        | Code::CoordinatorLoadInProgress
        | Code::CoordinatorNotAvailable
        | Code::NotCoordinator
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::NotController
        | Code::KafkaStorageError
        | Code::UnknownLeaderEpoch
        | Code::FencedLeaderEpoch
        | Code::OffsetNotAvailable
        | Code::PreferredLeaderNotAvailable
        | Code::EligibleLeadersNotAvailable
        | Code::ThrottlingQuotaExceeded => Kind::KafkaRetriable,
        Code::MessageSizeTooLarge => Kind::RecordTooLarge,
        // Every other code will not go away by trying again: invalid record, policy, ...
        _ => Kind::Kafka,
    }
}

/// Returns the code an error carries; every variant known today is named, a new one has none.
pub(super) fn code_of(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code)
        | KafkaError::ConsumerCommit(code)
        | KafkaError::ConsumerQueueClose(code)
        | KafkaError::Flush(code)
        | KafkaError::Global(code)
        | KafkaError::GroupListFetch(code)
        | KafkaError::MessageConsumption(code)
        | KafkaError::MessageConsumptionFatal(code)
        | KafkaError::MessageProduction(code)
        | KafkaError::MetadataFetch(code)
        | KafkaError::MockCluster(code)
        | KafkaError::OffsetFetch(code)
        | KafkaError::Rebalance(code)
        | KafkaError::SetPartitionOffset(code)
        | KafkaError::StoreOffset(code) => Some(*code),
        KafkaError::Transaction(error) => Some(error.code()),
        KafkaError::AdminOpCreation(_)
        | KafkaError::Canceled
        | KafkaError::ClientConfig(..)
        | KafkaError::ClientCreation(_)
        | KafkaError::NoMessageReceived
        | KafkaError::Nul(_)
        | KafkaError::PartitionEOF(_)
        | KafkaError::PauseResume(_)
        | KafkaError::Seek(_)
        | KafkaError::Subscription(_) => None,
        // The enum is open: a variant that a newer rdkafka brings has no code until it is named above.
        other => {
            log::warn!("unknown variant of a kafka error: {other}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_topic_is_404_for_a_look_up_and_retriable_for_a_record() {
        let health = Health::new("");
        let unknown = KafkaError::MetadataFetch(Code::UnknownTopicOrPartition);
        assert_eq!(error(Operation::Metadata, unknown, &health).kind(), Kind::TopicNotFound);
        let unknown = KafkaError::MessageProduction(Code::UnknownTopicOrPartition);
        assert_eq!(record_error(&unknown, &health).kind, Kind::KafkaRetriable);
    }

    #[test]
    fn a_time_out_under_refused_credentials_is_401() {
        let health = Health::new("");
        let timed_out = KafkaError::MessageProduction(Code::MessageTimedOut);
        assert_eq!(record_error(&timed_out, &health).kind, Kind::KafkaRetriable);
        health.failed(Code::Authentication, "SASL authentication error");
        let refused = record_error(&timed_out, &health);
        assert_eq!((refused.kind, refused.message.as_str()), (Kind::KafkaAuthentication, "SASL authentication error"));
    }
}
