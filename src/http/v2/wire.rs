//! The documents of v2, which v1 shares.
//!
//! A request is read with the leniency of the reference (contract/v2.md 1): a number may be text, of duplicate fields
//! the last wins; a field that is not known is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::config::Limits;
use crate::domain::schemas::Given;
use crate::error::{Error, Kind, Result};
use crate::format::{Arena, Codec, decode_base64};
use crate::http::v2::PartitionField;
use crate::model::{self, Delivery, Header, PartitionId, Record};

use actix_web::web::Bytes;

/// A produce request; keys and values are still the JSON text of the body.
#[derive(Debug, Default)]
pub struct ProduceRequest<'a> {
    records: Vec<RecordText<'a>>,
    schemas: Schemas,
}

/// The schemas that a request names.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    /// For its keys.
    pub key: Given,
    /// For its values.
    pub value: Given,
}

/// What writes the keys and values of a request; `None` where they need a schema and the request names none.
pub struct Codecs {
    /// For keys.
    pub key: Option<Codec>,
    /// For values.
    pub value: Option<Codec>,
}

#[derive(Debug, Default)]
struct RecordText<'a> {
    key: Option<&'a RawValue>,
    value: Option<&'a RawValue>,
    partition: Option<i64>,
    timestamp: Option<i64>,
    headers: Vec<HeaderText>,
}

#[derive(Debug, Default)]
struct HeaderText {
    key: Option<String>,
    value: Option<String>,
}

/// How the messages begin that are a 422 and a 413; every other error of the parser is a 400.
const UNKNOWN_FIELD: &str = "Unrecognized field: ";
const TOO_MANY: &str = "Too many records";

/// The ids of the schemas that keys and values were written by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaIds {
    /// `None` where keys have no schema.
    pub key: Option<i32>,
    /// Likewise for values.
    pub value: Option<i32>,
}

impl Codecs {
    /// Returns the ids of their schemas.
    pub fn ids(&self) -> SchemaIds {
        let id = |codec: &Option<Codec>| match codec {
            Some(Codec::Schema(framed)) => Some(framed.id),
            Some(Codec::Binary | Codec::Json | Codec::Text) | None => None,
        };
        SchemaIds { key: id(&self.key), value: id(&self.value) }
    }
}

impl<'a> ProduceRequest<'a> {
    /// Reads a body: 400 for what is no JSON or has the wrong shape, 422 for unknown fields and where there are no
    /// records, 413 for more than `max_records`.
    pub fn parse(body: &'a [u8], max_records: usize) -> Result<ProduceRequest<'a>> {
        let text = std::str::from_utf8(body).map_err(|_| Kind::BadRequest.because("The request body is not UTF-8."))?;
        if text.trim_ascii().is_empty() || text.trim_ascii() == "null" {
            return Err(Kind::Unprocessable.because("The request body must not be null (was null)."));
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let request =
            RequestSeed { max_records }.deserialize(&mut json).and_then(|request| json.end().map(|()| request));
        let request = request.map_err(parse_error)?;
        if request.records.is_empty() {
            return Err(Kind::Unprocessable.because("The field records must not be empty (was [])."));
        }
        Ok(request)
    }

    /// Returns the schemas that it names.
    pub fn schemas(self) -> Schemas {
        self.schemas
    }

    /// Returns the records with keys, values and headers decoded; fails if anything of any of them is wrong.
    pub fn records(
        self,
        body: &Bytes,
        codecs: &Codecs,
        partition: PartitionField,
        limits: &Limits,
    ) -> Result<Vec<Record>> {
        let is_binary = matches!(codecs.value, Some(Codec::Binary));
        let mut arena = Arena::with_capacity(if is_binary { body.len() / 4 * 3 } else { 0 });
        let records = self.records.into_iter().enumerate();
        records.map(|(index, text)| text.record(index, body, codecs, partition, limits, &mut arena)).collect()
    }
}

impl RecordText<'_> {
    fn record(
        self,
        index: usize,
        body: &Bytes,
        codecs: &Codecs,
        field: PartitionField,
        limits: &Limits,
        arena: &mut Arena,
    ) -> Result<Record> {
        let record = Record {
            key: encoded(self.key, codecs.key.as_ref(), Kind::KeySchemaMissing, body, arena)
                .map_err(|error| of_record(error, index, "key"))?,
            value: encoded(self.value, codecs.value.as_ref(), Kind::ValueSchemaMissing, body, arena)
                .map_err(|error| of_record(error, index, "value"))?,
            partition: partition(self.partition, field)?,
            timestamp_ms: self.timestamp.map(timestamp).transpose()?,
            headers: self.headers.into_iter().map(|header| header.header(arena)).collect::<Result<_>>()?,
            format: codecs.value.as_ref().map(Codec::format).unwrap_or_default(),
        };
        let size = record.size_bytes() as u64;
        if size > limits.record_bytes {
            let limit = limits.record_bytes;
            return Err(
                Kind::PayloadTooLarge.because(format!("records[{index}] has {size} bytes; {limit} are allowed."))
            );
        }
        Ok(record)
    }
}

fn encoded(
    text: Option<&RawValue>,
    codec: Option<&Codec>,
    missing: Kind,
    body: &Bytes,
    arena: &mut Arena,
) -> Result<Option<Bytes>> {
    let Some(text) = text else { return Ok(None) };
    codec.ok_or(missing)?.encode(text, body, arena).map(Some)
}

/// Says of which record it is that does not fit its schema; what other formats say does it by itself.
fn of_record(error: Error, index: usize, part: &str) -> Error {
    if error.kind() != Kind::SchemaMismatch {
        return error;
    }
    let why = error.message().trim_start_matches("Bad Request: ");
    let sentence = format!("Bad Request: records[{index}].{part}: {why}");
    error.with_detail(sentence)
}

impl HeaderText {
    fn header(self, arena: &mut Arena) -> Result<Header> {
        let key = self.key.ok_or_else(|| Kind::Unprocessable.because("A header must have a key (was null)."))?;
        Ok(Header { key, value: self.value.map(|value| decode_base64(&value, arena)).transpose()? })
    }
}

fn partition(given: Option<i64>, field: PartitionField) -> Result<Option<PartitionId>> {
    let given = match given {
        None => None,
        Some(number) => {
            let number = i32::try_from(number)
                .map_err(|_| Kind::BadRequest.because(format!("partition {number} is not a 32-bit number.")))?;
            Some(PartitionId::try_from(number)?)
        }
    };
    match (field, given) {
        (PartitionField::Free, given) => Ok(given),
        (PartitionField::As(path), None) => Ok(Some(path)),
        (PartitionField::As(path), Some(given)) if given == path => Ok(Some(path)),
        (PartitionField::As(path), Some(given)) => Err(Kind::Unprocessable
            .because(format!("A record names partition {given} but the path names {path}: leave one of them out."))),
        (PartitionField::Unknown(path), None) => Ok(Some(path)),
        (PartitionField::Unknown(_), Some(_)) => Err(Kind::Unprocessable.because("Unrecognized field: partition")),
    }
}

/// Returns a timestamp that Kafka can store; librdkafka takes 0 for "now", so 0 is refused rather than changed.
fn timestamp(ms: i64) -> Result<i64> {
    if ms < 1 {
        return Err(Kind::Unprocessable.because(format!("timestamp {ms} is not a time in milliseconds since 1970.")));
    }
    Ok(ms)
}

fn parse_error(error: serde_json::Error) -> Error {
    let message = error.to_string();
    // Where in the text says something only of text that cannot be read.
    let sentence = message.split(" at line ").next().unwrap_or_default();
    if message.starts_with(UNKNOWN_FIELD) {
        Kind::Unprocessable.because(sentence)
    } else if message.starts_with(TOO_MANY) {
        Kind::PayloadTooLarge.because(sentence)
    } else {
        Kind::BadRequest.because(message)
    }
}

struct RequestSeed {
    max_records: usize,
}

impl<'de> DeserializeSeed<'de> for RequestSeed {
    type Value = ProduceRequest<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RequestSeed {
    type Value = ProduceRequest<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the field records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut request = ProduceRequest::default();
        while let Some(field) = map.next_key::<Field>()? {
            match field.0.as_ref() {
                "records" => request.records = map.next_value_seed(RecordsSeed { max_records: self.max_records })?,
                "key_schema" => request.schemas.key.text = map.next_value::<Lenient<String>>()?.0,
                "value_schema" => request.schemas.value.text = map.next_value::<Lenient<String>>()?.0,
                "key_schema_id" => request.schemas.key.id = map.next_value::<Lenient<i64>>()?.0,
                "value_schema_id" => request.schemas.value.id = map.next_value::<Lenient<i64>>()?.0,
                unknown => return Err(A::Error::custom(format_args!("{UNKNOWN_FIELD}{unknown}"))),
            }
        }
        Ok(request)
    }
}

/// The name of a field, unescaped where it has escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Field<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// A list of records; `null` is an empty one.
struct RecordsSeed {
    max_records: usize,
}

impl<'de> DeserializeSeed<'de> for RecordsSeed {
    type Value = Vec<RecordText<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RecordsSeed {
    type Value = Vec<RecordText<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = list.next_element()? {
            if records.len() == self.max_records {
                let limit = self.max_records;
                return Err(A::Error::custom(format_args!("{TOO_MANY}: a request may have {limit}; send several")));
            }
            records.push(record);
        }
        Ok(records)
    }
}

impl<'de> Deserialize<'de> for RecordText<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;

        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = RecordText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut record = RecordText::default();
                while let Some(field) = map.next_key::<Field>()? {
                    match field.0.as_ref() {
                        "key" => record.key = map.next_value()?,
                        "value" => record.value = map.next_value()?,
                        "partition" => record.partition = map.next_value::<Lenient<i64>>()?.0,
                        "timestamp" => record.timestamp = map.next_value::<Lenient<i64>>()?.0,
                        "headers" => record.headers = map.next_value::<Option<Vec<HeaderText>>>()?.unwrap_or_default(),
                        unknown => return Err(A::Error::custom(format_args!("{UNKNOWN_FIELD}{unknown}"))),
                    }
                }
                Ok(record)
            }
        }
        deserializer.deserialize_map(RecordVisitor)
    }
}

impl<'de> Deserialize<'de> for HeaderText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;

        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = HeaderText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header, which is an object with key and value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut header = HeaderText::default();
                while let Some(field) = map.next_key::<Field>()? {
                    match field.0.as_ref() {
                        "key" => header.key = map.next_value()?,
                        "value" => header.value = map.next_value()?,
                        unknown => return Err(A::Error::custom(format_args!("{UNKNOWN_FIELD}{unknown}"))),
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}

/// A scalar as the reference coerces it; `null` and, for numbers, `""` are none.
struct Lenient<T>(Option<T>);

impl<'de> Deserialize<'de> for Lenient<i64> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Lenient<i64>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Lenient(None))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Lenient(Some(number)))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                i64::try_from(number)
                    .map(|number| Lenient(Some(number)))
                    .map_err(|_| E::custom("a number is too large"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match text.trim() {
                    "" => Ok(Lenient(None)),
                    text => text
                        .parse()
                        .map(|number| Lenient(Some(number)))
                        .map_err(|_| E::custom("a text stands where a whole number has to be")),
                }
            }
        }
        deserializer.deserialize_any(Number)
    }
}

impl<'de> Deserialize<'de> for Lenient<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Lenient<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Lenient(None))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Lenient(Some(text.to_string())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Lenient(Some(value.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Lenient(Some(number.to_string())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Lenient(Some(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Lenient(Some(number.to_string())))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// Returns the body that answers a produce request, explicit nulls and all.
///
/// Written by hand: this is half of what an answer costs, and the shape is fixed.
pub fn produce_response(deliveries: &[Delivery], ids: SchemaIds) -> Vec<u8> {
    let mut out = Vec::with_capacity(80 + 64 * deliveries.len());
    out.extend_from_slice(b"{\"offsets\":[");
    for (index, delivery) in deliveries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_delivery(delivery, &mut out);
    }
    out.extend_from_slice(b"],\"key_schema_id\":");
    write_id(ids.key, &mut out);
    out.extend_from_slice(b",\"value_schema_id\":");
    write_id(ids.value, &mut out);
    out.push(b'}');
    out
}

fn write_id(id: Option<i32>, out: &mut Vec<u8>) {
    match id {
        None => out.extend_from_slice(b"null"),
        Some(id) => out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes()),
    }
}

fn write_delivery(delivery: &Delivery, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    match delivery {
        Ok(placed) => {
            out.extend_from_slice(b"{\"partition\":");
            out.extend_from_slice(digits.format(placed.partition).as_bytes());
            out.extend_from_slice(b",\"offset\":");
            out.extend_from_slice(digits.format(placed.offset).as_bytes());
            out.extend_from_slice(b",\"error_code\":null,\"error\":null}");
        }
        Err(failure) => {
            out.extend_from_slice(b"{\"partition\":null,\"offset\":null,\"error_code\":");
            out.extend_from_slice(digits.format(code(failure.kind)).as_bytes());
            out.extend_from_slice(b",\"error\":");
            out.extend_from_slice(serde_json::Value::from(failure.message.as_str()).to_string().as_bytes());
            out.push(b'}');
        }
    }
}

/// Returns the code of a failed record: v2 has no own one for those that are too large.
fn code(kind: Kind) -> u32 {
    if kind == Kind::RecordTooLarge { Kind::Kafka.code() } else { kind.code() }
}

/// `GET /topics/{topic}`.
#[derive(Debug, serde::Serialize)]
pub struct Topic<'a> {
    name: &'a str,
    configs: &'a BTreeMap<String, Option<String>>,
    partitions: Vec<Partition>,
}

impl<'a> From<&'a model::Topic> for Topic<'a> {
    fn from(topic: &'a model::Topic) -> Topic<'a> {
        Topic {
            name: topic.name.as_str(),
            configs: &topic.configs,
            partitions: topic.partitions.iter().map(Partition::from).collect(),
        }
    }
}

/// A partition, in lists and alone.
#[derive(Debug, serde::Serialize)]
pub struct Partition {
    partition: i32,
    leader: i32,
    replicas: Vec<Replica>,
}

#[derive(Debug, serde::Serialize)]
struct Replica {
    broker: i32,
    leader: bool,
    in_sync: bool,
}

impl From<&model::Partition> for Partition {
    fn from(partition: &model::Partition) -> Partition {
        let replica = |replica: &model::Replica| Replica {
            broker: replica.broker,
            leader: replica.leader,
            in_sync: replica.in_sync,
        };
        Partition {
            partition: partition.id,
            leader: partition.leader,
            replicas: partition.replicas.iter().map(replica).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::model::Format;
    use crate::model::{Placed, RecordError};
    use proptest::prelude::*;

    fn decode(body: &str, codec: Codec, partition: PartitionField) -> Result<Vec<Record>> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let codecs = Codecs { key: Some(codec.clone()), value: Some(codec) };
        ProduceRequest::parse(&body, 3)?.records(&body, &codecs, partition, &Config::for_bootstrap("x:1").limits)
    }

    fn refusal(body: &str) -> (Kind, String) {
        let error = decode(body, Codec::Json, PartitionField::Free).expect_err(body);
        (error.kind(), error.message().to_string())
    }

    #[test]
    fn a_record_is_read_with_all_its_fields() {
        let body = r#"{"records":[{"key":"aw==","value":"dg==","partition":"1","timestamp":5,"headers":[{"key":"h","value":"YQ=="},{"key":"n","value":null}]}],"key_schema":null}"#;
        let records = decode(body, Codec::Binary, PartitionField::Free).unwrap();
        let header =
            |key: &str, value: Option<&'static [u8]>| Header { key: key.into(), value: value.map(Bytes::from_static) };
        let expected = Record {
            key: Some(Bytes::from_static(b"k")),
            value: Some(Bytes::from_static(b"v")),
            partition: Some(PartitionId::try_from(1).unwrap()),
            timestamp_ms: Some(5),
            headers: vec![header("h", Some(b"a")), header("n", None)],
            format: Format::Binary,
        };
        assert_eq!(records, vec![expected]);
    }

    #[test]
    fn null_is_no_key_and_a_tombstone() {
        let records =
            decode(r#"{"records":[{},{"key":null,"value":null,"partition":""}]}"#, Codec::Json, PartitionField::Free);
        let tombstone = Record { format: Format::Json, ..Record::default() };
        assert_eq!(records.unwrap(), vec![tombstone.clone(), tombstone]);
    }

    #[test]
    fn of_duplicate_fields_the_last_wins() {
        let records =
            decode(r#"{"records":[{"value":1}],"records":[{"value":2,"value":3}]}"#, Codec::Json, PartitionField::Free);
        assert_eq!(records.unwrap()[0].value.as_deref(), Some(&b"3"[..]));
    }

    #[test]
    fn bad_requests_get_the_kind_of_the_contract() {
        let cases = [
            ("", Kind::Unprocessable),
            (" \n", Kind::Unprocessable),
            ("null", Kind::Unprocessable),
            ("{}", Kind::Unprocessable),
            (r#"{"records":null}"#, Kind::Unprocessable),
            (r#"{"records":[]}"#, Kind::Unprocessable),
            (r#"{"records":[{"val":1}]}"#, Kind::Unprocessable),
            (r#"{"records":[{"headers":[{"val":1}]}]}"#, Kind::Unprocessable),
            (r#"{"records":[{"headers":[{"value":"YQ=="}]}]}"#, Kind::Unprocessable),
            (r#"{"recs":[]}"#, Kind::Unprocessable),
            (r#"{"records":[{"timestamp":-5}]}"#, Kind::Unprocessable),
            (r#"{"records":[{},{},{},{}]}"#, Kind::PayloadTooLarge),
            (r#"{"records":[null]}"#, Kind::BadRequest),
            (r#"{"records":["x"]}"#, Kind::BadRequest),
            (r#"{"records":{}}"#, Kind::BadRequest),
            (r#"{"records":[{}]"#, Kind::BadRequest),
            (r#"{"records":[{}]} x"#, Kind::BadRequest),
            (r#"{"records":[{"value":NaN}]}"#, Kind::BadRequest),
            (r#"{"records":[{"value":01}]}"#, Kind::BadRequest),
            (r#"{"records":[{"partition":1.9}]}"#, Kind::BadRequest),
            (r#"{"records":[{"partition":true}]}"#, Kind::BadRequest),
            (r#"{"records":[{"partition":2147483648}]}"#, Kind::BadRequest),
            (r#"{"records":[{"partition":-1}]}"#, Kind::PartitionNotFound),
            (r#"{"records":[{"headers":[{"key":"h","value":"!!"}]}]}"#, Kind::InvalidBase64),
            (r#"{"records":[{}],"key_schema_id":"x"}"#, Kind::BadRequest),
            ("[]", Kind::BadRequest),
            ("\"x\"", Kind::BadRequest),
        ];
        for (body, kind) in cases {
            assert_eq!(refusal(body).0, kind, "{body}");
        }
    }

    #[test]
    fn an_unknown_field_is_named() {
        assert!(refusal(r#"{"records":[{"val":1}]}"#).1.starts_with("Unrecognized field: val"));
    }

    #[test]
    fn the_partition_of_the_path_and_of_a_record_must_agree() {
        let path = PartitionId::try_from(1).unwrap();
        let decode_as = |body: &str, field| decode(body, Codec::Json, field).map(|records| records[0].partition);
        assert_eq!(decode_as(r#"{"records":[{}]}"#, PartitionField::As(path)).unwrap(), Some(path));
        assert_eq!(decode_as(r#"{"records":[{"partition":1}]}"#, PartitionField::As(path)).unwrap(), Some(path));
        let conflict = decode_as(r#"{"records":[{"partition":0}]}"#, PartitionField::As(path));
        assert_eq!(conflict.unwrap_err().kind(), Kind::Unprocessable);
        let unknown = decode_as(r#"{"records":[{"partition":1}]}"#, PartitionField::Unknown(path));
        assert!(unknown.unwrap_err().message().starts_with("Unrecognized field: partition"));
    }

    #[test]
    fn a_failed_record_is_answered_with_code_and_text() {
        let failure = RecordError { kind: Kind::Kafka, message: "too \"large\"".to_string(), with_its_batch: false };
        let body = produce_response(
            &[Ok(Placed { partition: 1, offset: 2, timestamp_ms: Some(3) }), Err(failure)],
            SchemaIds::default(),
        );
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"offsets":[{"partition":1,"offset":2,"error_code":null,"error":null},{"partition":null,"offset":null,"error_code":50002,"error":"too \"large\""}],"key_schema_id":null,"value_schema_id":null}"#
        );
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body: Vec<u8>) {
            let _ = ProduceRequest::parse(&body, 10);
        }

        #[test]
        fn any_json_like_body_is_read_or_refused(body in r#"[\[\]{}:,"0-9a-z.\\ -]{0,64}"#) {
            let _ = ProduceRequest::parse(body.as_bytes(), 10);
        }

        #[test]
        fn values_come_out_as_they_went_in(values in prop::collection::vec(any::<Vec<u8>>(), 1..4)) {
            use base64::Engine;
            let encode = |value: &Vec<u8>| serde_json::json!({ "value": base64::engine::general_purpose::STANDARD.encode(value) });
            let body = serde_json::json!({ "records": values.iter().map(encode).collect::<Vec<_>>() }).to_string();
            let records = decode(&body, Codec::Binary, PartitionField::Free).unwrap();
            let decoded: Vec<_> = records.iter().map(|record| record.value.clone().unwrap().to_vec()).collect();
            prop_assert_eq!(decoded, values);
        }
    }
}
