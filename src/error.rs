//! The one table of errors: what can go wrong, and how each API answers it.
//!
//! A [`Kind`] is a row; status, code, metric label and title are its columns, so they cannot drift apart.
//! `docs/ERRORS.md` is checked against [`Kind::ALL`] by `tests/tidy.rs`.

use std::fmt;

macro_rules! error_kinds {
    ($($kind:ident $status:literal $code:literal $label:literal $title:literal;)*) => {
        /// What went wrong, as a row of the error table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $title] $kind,)* }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// Returns the HTTP status of the answer.
            pub fn status(self) -> u16 { match self { $(Kind::$kind => $status,)* } }

            /// Returns the `error_code` of the envelope.
            pub fn code(self) -> u32 { match self { $(Kind::$kind => $code,)* } }

            /// Returns the label for logs and metrics: lower case, bounded, never user input.
            pub fn label(self) -> &'static str { match self { $(Kind::$kind => $label,)* } }

            /// Returns the text of the answer where nothing more precise is known.
            pub fn title(self) -> &'static str { match self { $(Kind::$kind => $title,)* } }
        }
    };
}

error_kinds! {
//  kind                  status code  label                      title
    BadRequest             400   400   "bad_request"              "The request cannot be read.";
    InvalidBase64          400   400   "invalid_base64"           "A key, value or header is not base64.";
    SchemaMismatch         400   400   "schema_mismatch"          "A key or value does not fit its schema.";
    InvalidName            400   40002 "invalid_name"             "Kafka does not allow this name or value.";
    KafkaBadRequest        400   40002 "kafka_bad_request"        "Kafka does not accept the request as it is.";
    ConnectName            400   400   "connect_name"             "No Kafka Connect worker can be asked for a name with this character.";
    ConnectMasked          400   400   "connect_masked"           "A masked value was sent for something that is not stored: send the value itself.";
    KafkaAuthentication    401   40101 "kafka_authentication"     "Kafka refused the credentials of this proxy.";
    CredentialsMissing     401   40101 "credentials_missing"      "This proxy has to know who calls: send credentials in one of the ways that WWW-Authenticate names, or a certificate.";
    CredentialsWrong       401   40101 "credentials_wrong"        "The credentials are not accepted: they are wrong, have expired, or are not of a kind that this proxy takes.";
    KafkaAuthorization     403   40301 "kafka_authorization"      "Kafka does not authorize this operation.";
    Forbidden              403   40301 "forbidden"                "No rule of this proxy allows it.";
    ConnectPolicy          403   403   "connect_policy"           "The rules of this proxy do not allow this configuration.";
    NotFound               404   404   "not_found"                "HTTP 404 Not Found";
    TopicNotFound          404   40401 "topic_not_found"          "Topic not found.";
    PartitionNotFound      404   40402 "partition_not_found"      "Partition not found.";
    InstanceNotFound       404   40403 "instance_not_found"       "Consumer instance not found.";
    UnknownTopic           404   40403 "unknown_topic"            "This Kafka has no such topic or partition.";
    ConnectNotConfigured   404   404   "connect_not_configured"   "This proxy has no such Kafka Connect cluster.";
    MethodNotAllowed       405   405   "method_not_allowed"       "HTTP 405 Method Not Allowed";
    NotAcceptable          406   406   "not_acceptable"           "HTTP 406 Not Acceptable";
    FormatMismatch         406   40601 "format_mismatch"          "The requested embedded data format does not match the deserializer for this consumer instance";
    BodyTimeout            408   408   "body_timeout"             "The request body did not arrive in time; send it again.";
    StreamTooOld           408   408   "stream_too_old"           "Streaming connection open for longer than allowed: Connection will be closed.";
    Undecodable            408   40801 "undecodable"              "A record cannot be decoded in this format.";
    RegistryUnavailable    408   40801 "registry_unavailable"     "The schema registry cannot be asked; send the request again later.";
    AlreadySubscribed      409   40901 "already_subscribed"       "Consumer cannot subscribe to the specified target because it has already subscribed to other topics.";
    InstanceExists         409   40902 "instance_exists"          "Consumer with specified consumer ID already exists in the specified consumer group.";
    IllegalState           409   40903 "illegal_state"            "Illegal state: the instance cannot do this now.";
    GroupNotEmpty          409   40904 "group_not_empty"          "The consumer group has members: stop them first, then send the request again.";
    PayloadTooLarge        413   413   "payload_too_large"        "The request is larger than this proxy allows.";
    RecordTooLarge         413   413   "record_too_large"         "The record is larger than the maximum message size that is allowed.";
    UnsupportedMediaType   415   415   "unsupported_media_type"   "HTTP 415 Unsupported Media Type";
    Unprocessable          422   422   "unprocessable"            "The request has a field or value that is not allowed.";
    ConnectInvalid         422   422   "connect_invalid"          "A connector of the set is not valid, and nothing was changed.";
    ConsumerConstraint     422   40001 "consumer_constraint"      "Invalid consumer configuration. It does not abide by the constraints.";
    ConsumerConfig         422   42204 "consumer_config"          "Invalid consumer configuration";
    V1InvalidBase64        422   422   "v1_invalid_base64"        "A record contains invalid base64 encoding";
    KeySchemaMissing       422   42201 "key_schema_missing"       "Request includes keys but does not include key schema: set key_schema or key_schema_id.";
    ValueSchemaMissing     422   42202 "value_schema_missing"     "Request includes values but does not include value schema: set value_schema or value_schema_id.";
    InvalidSchema          422   42205 "invalid_schema"           "The schema cannot be read.";
    SchemaWithoutRegistry  422   42206 "schema_without_registry"  "Payload error. Schema Registry must be configured when using schemas.";
    InvalidPayload         422   42206 "invalid_payload"          "Payload error. Request body is empty. Data is required.";
    InvalidBatch           422   42208 "invalid_batch"            "Request body is empty. Data is required.";
    SchemaLookup           422   42207 "schema_lookup"            "Error serializing message. The schema registry has no such schema, or refuses it.";
    RegistryMissing        422   42207 "registry_missing"         "Error serializing message. This format needs a Schema Registry and none is configured; use the binary or json format.";
    TooManyInstances       429   429   "too_many_instances"       "There are too many consumer instances; delete those that are not needed, or try again later.";
    TooManyPrincipals      429   429   "too_many_principals"      "Too many callers have work under way with Kafka; send the request again later.";
    QueueFull              429   429   "queue_full"               "Too many records wait for Kafka; send the request again later.";
    ConnectBusy            429   429   "connect_busy"             "Too many changes wait for this Kafka Connect cluster; send the request again later.";
    RateLimited            429   429   "rate_limited"             "Request rate limit exceeded: The rate limit of requests per second has been exceeded.";
    KafkaThrottled         429   42901 "kafka_throttled"          "Kafka's quota is used up; send the request again later.";
    TooManyFailures        429   429   "too_many_failures"        "Too many wrong credentials came from this address or for this name; try again later with the right ones.";
    Internal               500   500   "internal"                 "Internal Server Error";
    V1Kafka                500   50001 "v1_kafka"                 "Kafka error";
    Kafka                  500   50002 "kafka"                    "Kafka refused the operation.";
    KafkaRetriable         500   50003 "kafka_retriable"          "Kafka could not do it now; send the request again.";
    Unsupported            501   501   "unsupported"              "This Kafka cannot do it: it does not know the request, as it is too old or the embedded one of --dev.";
    ConnectAnswer          502   502   "connect_answer"           "What answered is no Kafka Connect worker, or its answer cannot be passed on.";
    Overloaded             503   503   "overloaded"               "This proxy has too many requests under way; send the request again later.";
    BrokerNotAvailable     503   50302 "broker_not_available"     "The broker that has to do it is not available; send the request again later.";
    ConnectUnavailable     503   503   "connect_unavailable"      "No Kafka Connect worker can be reached, and nothing was changed; send the request again later.";
    AuthBusy               503   503   "auth_busy"                "Too many credentials wait to be checked; send the request again later.";
    AuthUnavailable        503   503   "auth_unavailable"         "The credentials cannot be checked now; send the request again later.";
    ConnectTimeout         504   504   "connect_timeout"          "No Kafka Connect worker answered in time; send the request again later.";
    ConnectUnknown         504   504   "connect_unknown"          "The outcome is unknown: look at the connector before you send the request again.";
}

/// A kind with a text for the client and a cause for the log.
///
/// `detail` goes to the client and may quote the request, so it is never logged; `source` goes only to the log.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    detail: Option<Box<str>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of whatever can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Kind {
    /// Returns an error of this kind that tells the client why.
    pub fn because(self, detail: impl Into<String>) -> Error {
        Error { kind: self, detail: Some(detail.into().into()), source: None }
    }

    /// Returns an error of this kind with its cause, for the log only.
    pub fn caused_by(self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::from(self).caused_by(source)
    }

    /// Tells whether the answer says when to try again.
    pub fn retry_after_s(self) -> Option<u32> {
        matches!(self.status(), 429 | 503).then_some(1)
    }
}

impl Error {
    /// Returns the row of the table.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the sentence for the client.
    pub fn message(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.kind.title())
    }

    /// Puts a text for the client in the place of the one before, unless it is empty.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Error {
        let detail = detail.into();
        if !detail.is_empty() {
            self.detail = Some(detail.into());
        }
        self
    }

    /// Adds the cause, for the log only.
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.source = Some(Box::new(source));
        self
    }

    /// Returns the same error under another kind; the text is kept.
    pub fn as_kind(mut self, kind: Kind) -> Error {
        self.kind = kind;
        self
    }

    /// Returns label and causes in one line, without anything of the request.
    pub fn log_line(&self) -> String {
        let mut line = self.kind.label().to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error { kind, detail: None, source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_five_digits_begins_with_its_status_unless_it_is_kafkas() {
        // 40001 rides on 422, as in the reference.
        for kind in Kind::ALL.iter().filter(|kind| kind.code() > 999 && kind.code() != 40001) {
            assert_eq!(kind.code() / 100, u32::from(kind.status()), "{kind:?}");
        }
    }

    #[test]
    fn labels_are_unique() {
        let mut labels: Vec<_> = Kind::ALL.iter().map(|kind| kind.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Kind::ALL.len());
    }

    #[test]
    fn the_log_line_has_the_cause_and_not_the_detail() {
        let error = Kind::Internal.because("quotes a payload").caused_by(std::io::Error::other("disk"));
        assert_eq!(error.log_line(), "internal: disk");
        assert_eq!(error.message(), "quotes a payload");
    }
}
