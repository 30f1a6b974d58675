use std::fmt;

use crate::error::{Error, Kind};

/// An error code of Kafka's protocol.
///
/// The cause of every error that a broker's answer made: [`Code::of`] finds it again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub i16);

/// What a code is to a client, as the v3 contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The proxy's credentials are refused.
    Authentication,
    /// The proxy's user may not do it.
    Authorization,
    /// No such topic.
    Topic,
    /// The request is at fault.
    Request,
    /// A record is too large.
    Size,
    /// A quota is used up.
    Quota,
    /// A broker is missing.
    Broker,
    /// It may work next time.
    Retriable,
    /// It will not work next time either.
    Final,
}

macro_rules! codes {
    ($($name:ident $number:literal $class:ident $text:literal;)*) => {
        impl Code {
            $(#[doc = $text] pub const $name: Code = Code($number);)*

            /// Returns the name in Kafka's protocol; empty for a code that this version does not know.
            pub fn name(self) -> &'static str { match self.0 { $($number => stringify!($name),)* _ => "" } }

            /// Returns our words for it.
            fn text(self) -> &'static str {
                match self.0 { $($number => $text,)* _ => "Kafka answered with an error code that this proxy does not know." }
            }

            /// A code of a later Kafka is like every other error that is not known to pass.
            fn class(self) -> Class { match self.0 { $($number => Class::$class,)* _ => Class::Final } }
        }
    };
}

codes! {
    UNKNOWN_SERVER_ERROR                  -1 Request        "The broker failed in a way that it does not explain.";
    OFFSET_OUT_OF_RANGE                    1 Final          "The offset lies outside of what the log has.";
    CORRUPT_MESSAGE                        2 Retriable      "A record arrived damaged.";
    UNKNOWN_TOPIC_OR_PARTITION             3 Topic          "This server does not host this topic-partition.";
    INVALID_FETCH_SIZE                     4 Final          "The fetch size is not allowed.";
    LEADER_NOT_AVAILABLE                   5 Retriable      "The partition has no leader at the moment.";
    NOT_LEADER_OR_FOLLOWER                 6 Retriable      "The partition has moved to another broker.";
    REQUEST_TIMED_OUT                      7 Retriable      "Kafka did not finish the request in time; it may still be done.";
    BROKER_NOT_AVAILABLE                   8 Broker         "The broker is not available.";
    REPLICA_NOT_AVAILABLE                  9 Retriable      "The replica is not available.";
    MESSAGE_TOO_LARGE                     10 Size           "A record is larger than the broker accepts.";
    STALE_CONTROLLER_EPOCH                11 Final          "The controller has changed meanwhile.";
    OFFSET_METADATA_TOO_LARGE             12 Final          "The text that goes with the offset is too long.";
    NETWORK_EXCEPTION                     13 Retriable      "The connection broke before the answer came.";
    COORDINATOR_LOAD_IN_PROGRESS          14 Retriable      "The coordinator is still loading its state.";
    COORDINATOR_NOT_AVAILABLE             15 Retriable      "There is no coordinator at the moment.";
    NOT_COORDINATOR                       16 Retriable      "The coordinator has moved to another broker.";
    INVALID_TOPIC_EXCEPTION               17 Request        "Kafka does not allow the operation on a topic of this name.";
    RECORD_LIST_TOO_LARGE                 18 Final          "A batch is larger than a segment of the log.";
    NOT_ENOUGH_REPLICAS                   19 Retriable      "Too few replicas are in sync.";
    NOT_ENOUGH_REPLICAS_AFTER_APPEND      20 Retriable      "The record is written, but to too few replicas.";
    INVALID_REQUIRED_ACKS                 21 Final          "The acknowledgement that was asked for is not allowed.";
    ILLEGAL_GENERATION                    22 Final          "The group has a newer generation.";
    INCONSISTENT_GROUP_PROTOCOL           23 Final          "The member's protocol does not go with that of the group.";
    INVALID_GROUP_ID                      24 Final          "The group id is not allowed.";
    UNKNOWN_MEMBER_ID                     25 Final          "The group has no such member; a group with members accepts only theirs.";
    INVALID_SESSION_TIMEOUT               26 Final          "The session timeout is outside of what the broker allows.";
    REBALANCE_IN_PROGRESS                 27 Final          "The group is rebalancing.";
    INVALID_COMMIT_OFFSET_SIZE            28 Final          "The commit is too large.";
    TOPIC_AUTHORIZATION_FAILED            29 Authorization  "The proxy's Kafka user has no right to do this with the topic.";
    GROUP_AUTHORIZATION_FAILED            30 Authorization  "The proxy's Kafka user has no right to do this with the group.";
    CLUSTER_AUTHORIZATION_FAILED          31 Authorization  "The proxy's Kafka user has no right to do this with the cluster.";
    INVALID_TIMESTAMP                     32 Final          "The timestamp is outside of what the broker accepts.";
    UNSUPPORTED_SASL_MECHANISM            33 Authentication "The broker does not offer the SASL mechanism of this proxy.";
    ILLEGAL_SASL_STATE                    34 Authentication "The broker expects another step of SASL.";
    UNSUPPORTED_VERSION                   35 Request        "The broker does not know this version of the request.";
    TOPIC_ALREADY_EXISTS                  36 Request        "A topic of this name exists already.";
    INVALID_PARTITIONS                    37 Request        "The number of partitions is not allowed.";
    INVALID_REPLICATION_FACTOR            38 Request        "The replication factor is below 1 or above the number of brokers.";
    INVALID_REPLICA_ASSIGNMENT            39 Final          "The assignment of replicas is not valid.";
    INVALID_CONFIG                        40 Request        "A config is not valid.";
    NOT_CONTROLLER                        41 Retriable      "The controller has moved to another broker.";
    INVALID_REQUEST                       42 Request        "The broker finds the request malformed or contradictory.";
    UNSUPPORTED_FOR_MESSAGE_FORMAT        43 Final          "The topic's message format cannot do it.";
    POLICY_VIOLATION                      44 Request        "A policy of the cluster forbids it.";
    OUT_OF_ORDER_SEQUENCE_NUMBER          45 Final          "A record came out of order.";
    DUPLICATE_SEQUENCE_NUMBER             46 Final          "A record came twice.";
    INVALID_PRODUCER_EPOCH                47 Final          "The producer's epoch is old.";
    INVALID_TXN_STATE                     48 Final          "The transaction is in another state.";
    INVALID_PRODUCER_ID_MAPPING           49 Final          "The producer id does not belong to the transactional id.";
    INVALID_TRANSACTION_TIMEOUT           50 Final          "The transaction timeout is longer than the broker allows.";
    CONCURRENT_TRANSACTIONS               51 Retriable      "Another operation on the transaction is under way.";
    TRANSACTION_COORDINATOR_FENCED        52 Final          "The transaction coordinator has been replaced.";
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED 53 Authorization  "The proxy's Kafka user has no right to the transactional id.";
    SECURITY_DISABLED                     54 Request        "The cluster has no authorizer.";
    OPERATION_NOT_ATTEMPTED               55 Final          "The broker did not try it, as another part of the request failed.";
    KAFKA_STORAGE_ERROR                   56 Retriable      "The broker has trouble with a disk.";
    LOG_DIR_NOT_FOUND                     57 Final          "The broker has no such log directory.";
    SASL_AUTHENTICATION_FAILED            58 Authentication "The broker refuses the credentials of this proxy.";
    UNKNOWN_PRODUCER_ID                   59 Final          "The broker does not know the producer id.";
    REASSIGNMENT_IN_PROGRESS              60 Final          "The partition is being reassigned.";
    DELEGATION_TOKEN_AUTH_DISABLED        61 Final          "Delegation tokens are switched off.";
    DELEGATION_TOKEN_NOT_FOUND            62 Final          "There is no such delegation token.";
    DELEGATION_TOKEN_OWNER_MISMATCH       63 Final          "The delegation token belongs to somebody else.";
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED  64 Final          "The connection may not ask for delegation tokens.";
    DELEGATION_TOKEN_AUTHORIZATION_FAILED 65 Authorization  "The proxy's Kafka user has no right to delegation tokens.";
    DELEGATION_TOKEN_EXPIRED              66 Final          "The delegation token has expired.";
    INVALID_PRINCIPAL_TYPE                67 Final          "The type of the principal is not supported.";
    NON_EMPTY_GROUP                       68 Final          "The group has members.";
    GROUP_ID_NOT_FOUND                    69 Final          "There is no such group.";
    FETCH_SESSION_ID_NOT_FOUND            70 Retriable      "The fetch session is gone.";
    INVALID_FETCH_SESSION_EPOCH           71 Retriable      "The fetch session is out of step.";
    LISTENER_NOT_FOUND                    72 Retriable      "The leader has no listener of the one that was asked.";
    TOPIC_DELETION_DISABLED               73 Request        "The cluster does not allow topics to be deleted.";
    FENCED_LEADER_EPOCH                   74 Retriable      "The partition has a newer leader.";
    UNKNOWN_LEADER_EPOCH                  75 Retriable      "The broker has not heard of the partition's leader yet.";
    UNSUPPORTED_COMPRESSION_TYPE          76 Final          "The compression is not supported.";
    STALE_BROKER_EPOCH                    77 Final          "The broker has been restarted.";
    OFFSET_NOT_AVAILABLE                  78 Retriable      "The new leader does not know the end of the partition yet.";
    MEMBER_ID_REQUIRED                    79 Final          "The group wants a member id first.";
    PREFERRED_LEADER_NOT_AVAILABLE        80 Retriable      "The preferred leader is not available.";
    GROUP_MAX_SIZE_REACHED                81 Final          "The group is full.";
    FENCED_INSTANCE_ID                    82 Final          "Another member has taken the instance id.";
    ELIGIBLE_LEADERS_NOT_AVAILABLE        83 Retriable      "No replica can become the leader.";
    ELECTION_NOT_NEEDED                   84 Retriable      "The partition has the right leader already.";
    NO_REASSIGNMENT_IN_PROGRESS           85 Final          "The partition is not being reassigned.";
    GROUP_SUBSCRIBED_TO_TOPIC             86 Final          "The group is subscribed to the topic.";
    INVALID_RECORD                        87 Final          "The broker finds a record invalid.";
    UNSTABLE_OFFSET_COMMIT                88 Retriable      "A transaction that commits offsets is open.";
    THROTTLING_QUOTA_EXCEEDED             89 Quota          "The quota is used up.";
    PRODUCER_FENCED                       90 Final          "A newer producer has taken over the transactional id.";
    RESOURCE_NOT_FOUND                    91 Final          "There is no such resource.";
    DUPLICATE_RESOURCE                    92 Final          "The request names something twice.";
    UNACCEPTABLE_CREDENTIAL               93 Final          "The credential does not meet the rules of the cluster.";
    INCONSISTENT_VOTER_SET                94 Final          "The voters of the quorum do not agree.";
    INVALID_UPDATE_VERSION                95 Final          "The version is not valid.";
    FEATURE_UPDATE_FAILED                 96 Final          "The feature could not be changed.";
    PRINCIPAL_DESERIALIZATION_FAILURE     97 Final          "The controller cannot read the principal that the broker passed on.";
    SNAPSHOT_NOT_FOUND                    98 Final          "There is no such snapshot.";
    POSITION_OUT_OF_RANGE                 99 Final          "The position lies outside of the snapshot.";
    UNKNOWN_TOPIC_ID                     100 Topic          "There is no topic of this id.";
    DUPLICATE_BROKER_REGISTRATION        101 Final          "The broker id is in use.";
    BROKER_ID_NOT_REGISTERED             102 Final          "The broker id is not registered.";
    INCONSISTENT_TOPIC_ID                103 Retriable      "The topic has been made anew meanwhile.";
    INCONSISTENT_CLUSTER_ID              104 Final          "The broker belongs to another cluster.";
    TRANSACTIONAL_ID_NOT_FOUND           105 Final          "There is no such transactional id.";
    FETCH_SESSION_TOPIC_ID_ERROR         106 Retriable      "The fetch session mixes topic names and ids.";
    INELIGIBLE_REPLICA                   107 Final          "A replica is not eligible to be in sync.";
    NEW_LEADER_ELECTED                   108 Final          "The partition has a new leader.";
    OFFSET_MOVED_TO_TIERED_STORAGE       109 Final          "The offset has moved to tiered storage.";
    FENCED_MEMBER_EPOCH                  110 Final          "The coordinator has fenced the member.";
    UNRELEASED_INSTANCE_ID               111 Final          "Another member still has the instance id.";
    UNSUPPORTED_ASSIGNOR                 112 Final          "The group does not support the assignor.";
    STALE_MEMBER_EPOCH                   113 Final          "The member's epoch is old.";
    MISMATCHED_ENDPOINT_TYPE             114 Final          "The request went to the wrong kind of endpoint.";
    UNSUPPORTED_ENDPOINT_TYPE            115 Final          "The kind of endpoint is not supported.";
    UNKNOWN_CONTROLLER_ID                116 Final          "There is no such controller.";
    UNKNOWN_SUBSCRIPTION_ID              117 Final          "The telemetry subscription is not known.";
    TELEMETRY_TOO_LARGE                  118 Final          "The telemetry is too large.";
    INVALID_REGISTRATION                 119 Final          "The controller does not accept the registration.";
    TRANSACTION_ABORTABLE                120 Final          "The transaction has to be aborted.";
    INVALID_RECORD_STATE                 121 Final          "The record is in another state.";
    SHARE_SESSION_NOT_FOUND              122 Retriable      "The share session is gone.";
    INVALID_SHARE_SESSION_EPOCH          123 Retriable      "The share session is out of step.";
    FENCED_STATE_EPOCH                   124 Final          "The share coordinator has a newer state.";
    INVALID_VOTER_KEY                    125 Final          "The voter's key is another one.";
    DUPLICATE_VOTER                      126 Final          "The voter is in the quorum already.";
    VOTER_NOT_FOUND                      127 Final          "The quorum has no such voter.";
    INVALID_REGULAR_EXPRESSION           128 Final          "The regular expression is not valid.";
    REBOOTSTRAP_REQUIRED                 129 Final          "The broker asks for a new start from the bootstrap servers.";
    STREAMS_INVALID_TOPOLOGY             130 Final          "The topology is not valid.";
    STREAMS_INVALID_TOPOLOGY_EPOCH       131 Final          "The epoch of the topology is not valid.";
    STREAMS_TOPOLOGY_FENCED              132 Final          "The topology is out of date.";
    SHARE_SESSION_LIMIT_REACHED          133 Retriable      "There are too many share sessions.";
}

impl Code {
    /// Says that there was no error.
    pub const NONE: Code = Code(0);

    /// Returns the code that made this error; `None` where no broker's answer did.
    pub fn of(error: &Error) -> Option<Code> {
        std::error::Error::source(error)?.downcast_ref::<Code>().copied()
    }

    /// Returns this code as an error; what the broker said goes to the client, else our words for the code.
    pub(super) fn error(self, message: Option<&str>) -> Error {
        let said = message.filter(|said| !said.is_empty());
        self.kind().because(said.unwrap_or(self.text())).caused_by(self)
    }

    /// Returns `Ok` for no error.
    pub(super) fn ok(self, message: Option<&str>) -> Result<(), Error> {
        if self == Code::NONE { Ok(()) } else { Err(self.error(message)) }
    }

    fn kind(self) -> Kind {
        match self.class() {
            Class::Authentication => Kind::KafkaAuthentication,
            Class::Authorization => Kind::KafkaAuthorization,
            Class::Topic => Kind::UnknownTopic,
            Class::Request => Kind::KafkaBadRequest,
            Class::Size => Kind::PayloadTooLarge,
            Class::Quota => Kind::KafkaThrottled,
            Class::Broker => Kind::BrokerNotAvailable,
            Class::Retriable => Kind::KafkaRetriable,
            Class::Final => Kind::Kafka,
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

impl std::error::Error for Code {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the v3 contract; what is not in it is 50002.
    const BY_ERROR_CODE: &[(u32, &[i16])] = &[
        (40101, &[33, 34, 58]),
        (40301, &[29, 30, 31, 53, 65]),
        (40403, &[3, 100]),
        (40002, &[-1, 17, 35, 36, 37, 38, 40, 42, 44, 54, 73]),
        (413, &[10]),
        (42901, &[89]),
        (50302, &[8]),
        (
            50003,
            &[
                2, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 103, 106,
                122, 123, 133,
            ],
        ),
    ];

    #[test]
    fn every_code_has_the_error_code_of_the_contract() {
        for number in (-1..=140).filter(|number| *number != 0) {
            let expected =
                BY_ERROR_CODE.iter().find(|(_, codes)| codes.contains(&number)).map_or(50002, |(code, _)| *code);
            assert_eq!(Code(number).error(None).kind().code(), expected, "{}", Code(number));
        }
    }

    #[test]
    fn what_the_broker_says_comes_before_our_words() {
        let said = Code::TOPIC_ALREADY_EXISTS.error(Some("Topic 'a' already exists."));
        assert_eq!(said.message(), "Topic 'a' already exists.");
        assert_eq!(Code::of(&said), Some(Code::TOPIC_ALREADY_EXISTS));
        let silent = Code::TOPIC_ALREADY_EXISTS.error(Some(""));
        assert_eq!(silent.message(), "A topic of this name exists already.");
        assert_eq!(silent.log_line(), "kafka_bad_request: TOPIC_ALREADY_EXISTS (36)");
    }

    #[test]
    fn a_code_of_a_later_kafka_has_a_text_too() {
        assert!(!Code(999).error(None).message().is_empty());
    }
}
