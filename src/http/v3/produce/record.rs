use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use actix_web::web::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::Limits;
use crate::domain::schemas::{Known, Part, Wanted};
use crate::error::{Error, Kind, Result};
use crate::format::{Arena, decode_base64};
use crate::http::v3::produce::data::{Data, Written};
use crate::model::{Header, PartitionId, Record};

/// A record of the right shape; key and value are still text of the document.
#[derive(Debug, Default)]
pub struct RecordText<'a> {
    /// What it is called in a batch; `None` where the field is not there.
    pub id: Option<&'a RawValue>,
    partition: Option<i32>,
    timestamp_ms: Option<i64>,
    headers: Vec<Header>,
    key: Option<Data<'a>>,
    value: Option<Data<'a>>,
}

/// A record ready to be sent, and what its receipt will say of key and value.
pub struct Encoded {
    /// The record.
    pub record: Record,
    /// Its key; `None` where it has none, not even null data.
    pub key: Option<Written>,
    /// Its value likewise.
    pub value: Option<Written>,
}

/// Why a document is no record.
#[derive(Debug)]
pub enum Misfit {
    /// It is JSON; what comes after it can be read.
    Wrong(String),
    /// It is no JSON.
    NotJson(String),
}

impl<'a> RecordText<'a> {
    /// Reads one document of a stream.
    pub fn parse(document: &'a [u8]) -> Result<RecordText<'a>, Misfit> {
        let Ok(text) = std::str::from_utf8(document) else {
            return Err(Misfit::NotJson("the text is not UTF-8".into()));
        };
        let why = match serde_json::from_str::<RecordText>(text) {
            Ok(RecordText { id: Some(_), .. }) => return Err(Misfit::Wrong(format!("{UNKNOWN_FIELD}id"))),
            Ok(record) => return Ok(record),
            Err(why) => why.to_string(),
        };
        // The parser stops at the first field that does not fit; the rest may be no JSON all the same.
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Err(Misfit::Wrong(why)),
            Err(why) => Err(Misfit::NotJson(why.to_string())),
        }
    }

    /// Tells whether a schema is to be looked up for it.
    pub fn needs_schema(&self) -> bool {
        self.wanted().next().is_some()
    }

    /// Returns the schemas that are to be looked up for it.
    pub fn wanted(&self) -> impl Iterator<Item = Wanted> {
        let parts = [(Part::Key, &self.key), (Part::Value, &self.value)].into_iter();
        parts.filter_map(|(part, data)| Some((part, Arc::clone(data.as_ref()?.named()?))))
    }

    /// Returns the record with everything decoded; the schemas that it wants have been looked up.
    pub fn encode(self, document: &Bytes, limits: &Limits, known: &Known, arena: &mut Arena) -> Result<Encoded> {
        let partition = match self.partition {
            Some(number) if number < 0 => return Err(Kind::PartitionNotFound.into()),
            given => given.map(PartitionId::try_from).transpose()?,
        };
        let mut encode = |part, data: Option<Data<'_>>| {
            data.map(|data| data.encode(part, document, known, arena)).transpose().map(Option::unzip)
        };
        let (key, key_written) = encode(Part::Key, self.key)?;
        let format = self.value.as_ref().map(|data| data.format(known)).unwrap_or_default();
        let (value, value_written) = encode(Part::Value, self.value)?;
        let record = Record {
            key: key.flatten(),
            value: value.flatten(),
            partition,
            timestamp_ms: self.timestamp_ms,
            headers: self.headers,
            format,
        };
        let (size, limit) = (record.size_bytes() as u64, limits.record_bytes);
        if size > limit {
            return Err(Kind::PayloadTooLarge.because(format!("The record has {size} bytes; {limit} are allowed.")));
        }
        Ok(Encoded { record, key: key_written, value: value_written })
    }
}

/// How the message begins that is a 422 in a batch; every other error of the parser is a 400.
const UNKNOWN_FIELD: &str = "Unrecognized field: ";

/// Returns the error of a field that is not known.
pub fn unknown_field<E: serde::de::Error>(name: &str) -> E {
    E::custom(format_args!("{UNKNOWN_FIELD}{name}"))
}

/// Returns what an error of the parser is where it fails the whole request.
pub fn parse_error(error: &serde_json::Error) -> Error {
    let message = error.to_string();
    if message.starts_with(UNKNOWN_FIELD) {
        return Kind::Unprocessable.because(message.split(" at line ").next().unwrap_or_default());
    }
    Kind::BadRequest.because(message)
}

/// A text or the name of a field, unescaped where it has escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub struct Field<'a>(#[serde(borrow)] pub Cow<'a, str>);

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
                        "value" => record.value = map.next_value()?,
                        "key" => record.key = map.next_value()?,
                        "headers" => {
                            let headers = map.next_value::<Option<Vec<HeaderText>>>()?.unwrap_or_default();
                            record.headers = headers.into_iter().map(|header| header.0).collect();
                        }
                        "timestamp" => record.timestamp_ms = scalar(map.next_value()?, timestamp)?,
                        "partition_id" => record.partition = scalar(map.next_value()?, partition)?,
                        "id" => record.id = Some(map.next_value()?),
                        unknown => return Err(unknown_field(unknown)),
                    }
                }
                Ok(record)
            }
        }
        deserializer.deserialize_map(RecordVisitor)
    }
}

/// Reads a number, or a text that holds one or another form of it; `null` and `""` are none.
fn scalar<T, E: serde::de::Error>(
    raw: Option<&RawValue>,
    read: fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, E> {
    let Some(raw) = raw else { return Ok(None) };
    let text: Cow<str> = match raw.get().as_bytes() {
        [b'"', ..] => serde_json::from_str::<Field>(raw.get()).map_err(E::custom)?.0,
        [b'-' | b'0'..=b'9', ..] => raw.get().into(),
        _ => return Err(E::custom("a number or a text is needed")),
    };
    match text.trim() {
        "" => Ok(None),
        text => read(text).map(Some).map_err(E::custom),
    }
}

/// Reads the number of a partition; a fraction is cut off, as the reference does.
fn partition(text: &str) -> Result<i32, &'static str> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.trunc() >= f64::from(i32::MIN) && number.trunc() <= f64::from(i32::MAX) => {
            Ok(number.trunc() as i32)
        }
        Ok(_) | Err(_) => Err("partition_id is not a 32-bit number"),
    }
}

/// Reads a time, in ISO 8601 or as seconds since 1970, in milliseconds.
fn timestamp(text: &str) -> Result<i64, &'static str> {
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && text.parse::<f64>().is_ok();
    let ms = if is_number { epoch_ms(text) } else { iso_ms(text) };
    match ms {
        None => Err("timestamp is neither a time like 2026-01-31T12:00:00Z nor seconds since 1970"),
        // librdkafka takes 0 for "now".
        Some(ms) if ms < 1 => Err("timestamp is not after the beginning of 1970"),
        Some(ms) => Ok(ms),
    }
}

fn iso_ms(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

/// The end of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;

fn epoch_ms(text: &str) -> Option<i64> {
    let seconds: f64 = text.parse().ok().filter(|seconds: &f64| seconds.abs() <= LAST_SECOND)?;
    // Thousandths are read from the text, where they are exact.
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|c| c.is_ascii_digit()) && !whole.starts_with('-') => {
            let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
            Some(whole.parse::<i64>().ok()? * 1000 + thousandths.parse::<i64>().ok()?)
        }
        Some(_) | None => Some((seconds * 1000.0).floor() as i64),
    }
}

struct HeaderText(Header);

impl<'de> Deserialize<'de> for HeaderText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;

        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = HeaderText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header, which is an object with name and value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut name, mut value) = (None, None);
                while let Some(field) = map.next_key::<Field>()? {
                    match field.0.as_ref() {
                        "name" => name = map.next_value::<Option<Field>>()?,
                        "value" => value = map.next_value::<Option<Field>>()?,
                        unknown => return Err(unknown_field(unknown)),
                    }
                }
                let name = name.ok_or_else(|| A::Error::custom("a header must have a name"))?;
                let value = value.map(|value| header_value(&value.0)).transpose().map_err(A::Error::custom)?;
                Ok(HeaderText(Header { key: name.0.into_owned(), value }))
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}

/// Decodes the value of a header, in which padding is not optional.
fn header_value(text: &str) -> Result<Bytes> {
    if !text.len().is_multiple_of(4) || text.ends_with("===") {
        return Err(Kind::InvalidBase64.because("the value of a header is not base64 with padding"));
    }
    decode_base64(text, &mut Arena::with_capacity(text.len() / 4 * 3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::domain::schemas::{Named, Naming, Strategy, Which};
    use crate::model::Format;
    use crate::model::{RecordError, SchemaType};
    use proptest::prelude::*;

    fn encoded(document: &str) -> Result<Encoded, String> {
        let document = Bytes::copy_from_slice(document.as_bytes());
        let text = RecordText::parse(&document).map_err(|misfit| format!("{misfit:?}"))?;
        let limits = Config::for_bootstrap("x:1").limits;
        let known = Known::failed(text.wanted().collect(), &no_such_schema());
        text.encode(&document, &limits, &known, &mut Arena::with_capacity(0))
            .map_err(|error| error.message().to_string())
    }

    fn no_such_schema() -> RecordError {
        RecordError { kind: Kind::SchemaLookup, message: "No such schema.".into(), with_its_batch: false }
    }

    fn said(written: Option<Written>) -> Option<(&'static str, Option<usize>)> {
        written.map(|written| (written.name, written.size_bytes))
    }

    #[test]
    fn a_record_is_read_with_all_its_fields() {
        let document = r#"{"partition_id":2,"timestamp":"1970-01-01T01:00:01.5+01:00","headers":[{"name":"h","value":"YQ=="},{"name":"n"}],"key":{"type":"BINARY","data":"aw"},"value":{"type":"JSON","data":{"a" : 1.10}}}"#;
        let Encoded { record, key, value } = encoded(document).unwrap();
        let header =
            |key: &str, value: Option<&'static [u8]>| Header { key: key.into(), value: value.map(Bytes::from_static) };
        let expected = Record {
            key: Some(Bytes::from_static(b"k")),
            value: Some(Bytes::from_static(br#"{"a":1.10}"#)),
            partition: Some(PartitionId::try_from(2).unwrap()),
            timestamp_ms: Some(1500),
            headers: vec![header("h", Some(b"a")), header("n", None)],
            format: Format::Json,
        };
        assert_eq!(record, expected);
        assert_eq!(said(key), Some(("BINARY", Some(1))));
        assert_eq!(said(value), Some(("JSON", Some(10))));
    }

    #[test]
    fn nothing_null_and_null_data_are_different() {
        let parts =
            |document: &str| encoded(document).map(|encoded| (encoded.record.value, said(encoded.value))).unwrap();
        assert_eq!(parts("{}"), (None, None));
        assert_eq!(parts(r#"{"value":null}"#), (None, None));
        let null = (None, Some(("STRING", None)));
        assert_eq!(parts(r#"{"value":{"type":"STRING","data":null}}"#), null);
        assert_eq!(parts(r#"{"value":{"type":"STRING"}}"#), null);
    }

    #[test]
    fn partitions_are_read_with_leniency() {
        let read =
            |text: &str| encoded(&format!("{{\"partition_id\":{text}}}")).map(|e| e.record.partition.map(|p| p.get()));
        for (text, number) in [("1", Some(1)), ("\"1\"", Some(1)), ("1.5", Some(1)), ("null", None), ("\"\"", None)] {
            assert_eq!(read(text).unwrap(), number, "{text}");
        }
        for text in ["2147483648", "true", "\"x\"", "{}", "1e99"] {
            assert!(read(text).unwrap_err().starts_with("Wrong"), "{text}");
        }
        assert_eq!(read("-1").unwrap_err(), "Partition not found.");
    }

    #[test]
    fn times_are_instants_or_seconds() {
        let read =
            |text: &str| encoded(&format!("{{\"timestamp\":{text}}}")).map(|encoded| encoded.record.timestamp_ms);
        let cases = [
            ("\"1970-01-01T00:00:01Z\"", Some(1000)),
            ("\"2024-02-29T12:00:00.123456Z\"", Some(1_709_208_000_123)),
            ("1700000000", Some(1_700_000_000_000)),
            ("1700000000.1239", Some(1_700_000_000_123)),
            ("\"1700000000\"", Some(1_700_000_000_000)),
            ("1.7e9", Some(1_700_000_000_000)),
            ("\"\"", None),
            ("null", None),
        ];
        for (text, ms) in cases {
            assert_eq!(read(text).unwrap(), ms, "{text}");
        }
        for text in [
            "\"2024-02-30T00:00:00Z\"",
            "\"2024-01-01\"",
            "\"soon\"",
            "{}",
            "true",
            "0",
            "-1",
            "1e99",
            "\"1969-12-31T23:59:59Z\"",
        ] {
            assert!(read(text).unwrap_err().starts_with("Wrong"), "{text}");
        }
    }

    #[test]
    fn what_is_json_and_no_record_is_told_from_what_is_no_json() {
        for text in [
            "1",
            "null",
            "[]",
            r#"{"foo":1}"#,
            r#"{"id":"x"}"#,
            r#"{"value":"x"}"#,
            r#"{"value":{"type":"NOPE"}}"#,
            r#"{"headers":[{"name":"h","value":"YQ"}]}"#,
            r#"{"headers":[{"value":"YQ=="}]}"#,
        ] {
            assert!(encoded(text).err().unwrap().starts_with("Wrong"), "{text}");
        }
        for text in ["nul", "{]", r#"{"foo":1,x}"#, "{\"value\":{\"type\":\"STRING\",\"data\":\"a\nb\"}}", "1-2", "01"]
        {
            assert!(encoded(text).err().unwrap().starts_with("NotJson"), "{text}");
        }
        assert!(matches!(RecordText::parse(b"{\"\xff\":1}"), Err(Misfit::NotJson(_))));
    }

    #[test]
    fn schema_fields_that_exclude_each_other_are_wrong() {
        for fields in [
            r#""subject":"s","subject_name_strategy":"TOPIC_NAME""#,
            r#""type":"AVRO""#,
            r#""type":"AVRO","schema_id":1"#,
            r#""schema_id":1,"schema_version":1"#,
            r#""schema":"x""#,
            r#""type":"STRING","schema":"x""#,
            r#""type":"BINARY","subject":"x""#,
            r#""type":"JSON","schema_version":1"#,
            r#""subject_name_strategy":"NOPE""#,
            r#""subject_name_strategy":"RECORD_NAME""#,
            r#""subject_name_strategy":"TOPIC_RECORD_NAME","schema_version":1"#,
        ] {
            assert!(encoded(&format!("{{\"value\":{{{fields}}}}}")).err().unwrap().starts_with("Wrong"), "{fields}");
        }
    }

    #[test]
    fn schemas_are_named_in_four_ways() {
        let by = Naming::By;
        let cases = [
            (r#""data":1"#, by(Strategy::TopicName), Which::Latest),
            (r#""subject":"s""#, Naming::Subject("s".into()), Which::Latest),
            (r#""schema_version":2"#, by(Strategy::TopicName), Which::Version(2)),
            (r#""schema_id":3,"subject_name_strategy":"RECORD_NAME""#, by(Strategy::RecordName), Which::Id(3)),
            (
                r#""type":"JSONSCHEMA","schema":"\u0078","subject_name_strategy":"TOPIC_RECORD_NAME""#,
                by(Strategy::TopicRecordName),
                Which::Text(SchemaType::JsonSchema, "x".into()),
            ),
        ];
        for (fields, subject, which) in cases {
            let document = format!("{{\"key\":{{{fields}}}}}");
            let record = RecordText::parse(document.as_bytes()).unwrap();
            let wanted: Vec<Wanted> = record.wanted().collect();
            assert_eq!(wanted, [(Part::Key, Arc::new(Named { subject, which }))], "{fields}");
            assert_eq!(encoded(&document).err().unwrap(), "No such schema.");
        }
        let plain = RecordText::parse(br#"{"key":{"type":"STRING","data":"x"}}"#).unwrap();
        assert!(!plain.needs_schema());
    }

    proptest! {
        #[test]
        fn any_document_is_read_or_refused(document: Vec<u8>) {
            let _ = RecordText::parse(&document);
        }

        #[test]
        fn any_text_is_a_time_or_not(text in "[0-9eE.+-]{0,20}") {
            let _ = (timestamp(&text), partition(&text));
        }
    }
}
