use std::collections::HashMap;

use serde::de::IgnoredAny;

use crate::format::schema::{Schema, unframed};
use crate::model::{Format, Formats, SchemaType};

/// The name of a header and its value; `None` is null.
pub type HeaderView<'a> = (&'a str, Option<&'a [u8]>);

/// A record to be written into an answer; everything is borrowed from where it was fetched.
pub struct RecordView<'a> {
    /// A legal topic name, which needs no escapes.
    pub topic: &'a str,
    /// `None` is null.
    pub key: Option<&'a [u8]>,
    /// `None` is null.
    pub value: Option<&'a [u8]>,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since 1970, where it was asked for.
    pub timestamp_ms: Option<i64>,
    /// Names and values, where they were asked for.
    pub headers: Option<Vec<HeaderView<'a>>>,
}

/// What is known of schemas, by their ids; an error says why there is none.
pub type KnownSchemas = HashMap<i32, Result<Schema, String>>;

/// Why a record is not written.
#[derive(Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// A key or value is not what the format needs.
    Undecodable(Undecodable),
    /// Nothing is known of this schema yet.
    NeedsSchema(i32),
}

/// A key or value is not what the format needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// `key` or `value`.
    pub part: &'static str,
    /// The rest of a sentence that begins with the record.
    pub why: String,
}

/// Appends the JSON of a record to `out`; leaves `out` as it was where the record is not written.
pub fn write_record(
    out: &mut Vec<u8>,
    formats: Formats,
    schemas: &KnownSchemas,
    record: &RecordView<'_>,
) -> Result<(), Unwritten> {
    let start = out.len();
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(b"{\"topic\":\"");
    out.extend_from_slice(record.topic.as_bytes());
    out.extend_from_slice(b"\",\"key\":");
    let mut outcome = write_part(out, formats.key, schemas, record.key).map_err(|why| why.in_part("key"));
    if outcome.is_ok() {
        out.extend_from_slice(b",\"value\":");
        outcome = write_part(out, formats.value, schemas, record.value).map_err(|why| why.in_part("value"));
    }
    if outcome.is_err() {
        out.truncate(start);
        return outcome;
    }
    out.extend_from_slice(b",\"partition\":");
    out.extend_from_slice(digits.format(record.partition).as_bytes());
    out.extend_from_slice(b",\"offset\":");
    out.extend_from_slice(digits.format(record.offset).as_bytes());
    if let Some(timestamp_ms) = record.timestamp_ms {
        out.extend_from_slice(b",\"timestamp\":");
        out.extend_from_slice(digits.format(timestamp_ms).as_bytes());
    }
    if let Some(headers) = &record.headers {
        write_headers(out, headers);
    }
    out.push(b'}');
    Ok(())
}

/// Why a key or value is not written.
enum PartProblem {
    Undecodable(String),
    NeedsSchema(i32),
}

impl PartProblem {
    fn in_part(self, part: &'static str) -> Unwritten {
        match self {
            PartProblem::Undecodable(why) => Unwritten::Undecodable(Undecodable { part, why }),
            PartProblem::NeedsSchema(id) => Unwritten::NeedsSchema(id),
        }
    }
}

fn write_part(
    out: &mut Vec<u8>,
    format: Format,
    schemas: &KnownSchemas,
    bytes: Option<&[u8]>,
) -> Result<(), PartProblem> {
    let Some(bytes) = bytes else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    match format {
        Format::Binary => write_base64(out, bytes),
        Format::Json if is_json(bytes) => out.extend_from_slice(bytes),
        Format::Json => return Err(PartProblem::Undecodable("is not JSON".to_owned())),
        Format::Text => write_text(out, bytes)?,
        Format::Avro => write_by_schema(out, SchemaType::Avro, schemas, bytes)?,
        Format::JsonSchema => write_by_schema(out, SchemaType::JsonSchema, schemas, bytes)?,
        Format::Protobuf => write_by_schema(out, SchemaType::Protobuf, schemas, bytes)?,
    }
    Ok(())
}

fn write_text(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), PartProblem> {
    let not_text = || PartProblem::Undecodable("is not UTF-8 text".to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| not_text())?;
    serde_json::to_writer(out, text).map_err(|_| not_text())
}

fn write_by_schema(
    out: &mut Vec<u8>,
    kind: SchemaType,
    schemas: &KnownSchemas,
    bytes: &[u8],
) -> Result<(), PartProblem> {
    let name = kind.name();
    let undecodable = |why: String| PartProblem::Undecodable(why.trim_end_matches('.').to_owned());
    let (id, payload) = unframed(bytes)
        .ok_or_else(|| undecodable(format!("is not {name}: it does not begin with the id of a schema")))?;
    let schema = schemas.get(&id).ok_or(PartProblem::NeedsSchema(id))?;
    let schema =
        schema.as_ref().map_err(|why| undecodable(format!("needs schema {id}, which cannot be had: {why}")))?;
    if schema.kind() != kind {
        return Err(undecodable(format!("is not {name}: its schema {id} is of the type {}", schema.kind().name())));
    }
    schema.decode(payload, out).map_err(|why| undecodable(format!("does not fit its {name} schema {id}: {why}")))
}

fn is_json(bytes: &[u8]) -> bool {
    // Strings are skipped by the parser without a look at their encoding.
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    base64_simd::STANDARD.encode_append(bytes, out);
    out.push(b'"');
}

fn write_headers(out: &mut Vec<u8>, headers: &[HeaderView<'_>]) {
    out.extend_from_slice(b",\"headers\":[");
    for (index, (key, value)) in headers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"key\":");
        out.extend_from_slice(serde_json::Value::from(*key).to_string().as_bytes());
        out.extend_from_slice(b",\"value\":");
        match value {
            None => out.extend_from_slice(b"null"),
            Some(bytes) => write_base64(out, bytes),
        }
        out.push(b'}');
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    use super::*;
    use proptest::prelude::*;

    fn view<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> RecordView<'a> {
        RecordView { topic: "t", key, value, partition: 1, offset: 2, timestamp_ms: None, headers: None }
    }

    fn both(format: Format) -> Formats {
        Formats { key: format, value: format }
    }

    fn written(format: Format, record: &RecordView<'_>) -> Result<String, Unwritten> {
        written_by(both(format), &KnownSchemas::new(), record)
    }

    fn written_by(formats: Formats, schemas: &KnownSchemas, record: &RecordView<'_>) -> Result<String, Unwritten> {
        let mut out = b"before".to_vec();
        let outcome = write_record(&mut out, formats, schemas, record);
        let text = String::from_utf8(out).expect("an answer is UTF-8");
        let text = text.strip_prefix("before").expect("what was there stays").to_owned();
        assert_eq!(outcome.is_err(), text.is_empty(), "{text}");
        outcome.map(|()| text)
    }

    fn undecodable(part: &'static str, why: &str) -> Unwritten {
        Unwritten::Undecodable(Undecodable { part, why: why.to_owned() })
    }

    fn schemas() -> KnownSchemas {
        let parse = |kind, text| Schema::parse(kind, text, &[]).map_err(|why| why.to_string());
        [
            (1, parse(SchemaType::Avro, "\"int\"")),
            (2, parse(SchemaType::JsonSchema, "{}")),
            (3, Err("Schema not found.".to_owned())),
        ]
        .into()
    }

    #[test]
    fn binary_is_padded_base64_and_null_is_null() {
        let text = written(Format::Binary, &view(None, Some(b"a"))).unwrap();
        assert_eq!(text, r#"{"topic":"t","key":null,"value":"YQ==","partition":1,"offset":2}"#);
        assert!(written(Format::Binary, &view(Some(b""), None)).unwrap().contains(r#""key":"","value":null"#));
    }

    #[test]
    fn json_is_verbatim() {
        let text = written(Format::Json, &view(Some(b"\"k\""), Some(b"{\"a\": 1.10}"))).unwrap();
        assert!(text.contains(r#""key":"k","value":{"a": 1.10}"#), "{text}");
    }

    #[test]
    fn what_is_no_json_leaves_nothing_behind() {
        for bad in [&b"hello"[..], b"", b"{", b"1 2", b"\"\xff\"", b"\xef\xbb\xbf1"] {
            assert_eq!(written(Format::Json, &view(None, Some(bad))), Err(undecodable("value", "is not JSON")));
        }
        assert_eq!(written(Format::Json, &view(Some(b"k"), None)), Err(undecodable("key", "is not JSON")));
        let bytes = view(Some(b"\xff"), None);
        assert_eq!(written(Format::Text, &bytes), Err(undecodable("key", "is not UTF-8 text")));
    }

    #[test]
    fn a_key_and_a_value_have_formats_of_their_own() {
        let formats = Formats { key: Format::Text, value: Format::Avro };
        let text = written_by(formats, &schemas(), &view(Some(b"\"k"), Some(&[0, 0, 0, 0, 1, 84]))).unwrap();
        assert!(text.contains(r#""key":"\"k","value":42,"#), "{text}");
        assert!(written_by(formats, &schemas(), &view(None, None)).unwrap().contains(r#""key":null,"value":null"#));
    }

    #[test]
    fn what_does_not_fit_its_schema_says_why() {
        let cases: [(&[u8], &str); 4] = [
            (b"42", "is not AVRO: it does not begin with the id of a schema"),
            (&[0, 0, 0, 0, 2, b'1'], "is not AVRO: its schema 2 is of the type JSON"),
            (&[0, 0, 0, 0, 3, 0], "needs schema 3, which cannot be had: Schema not found"),
            (&[0, 0, 0, 0, 1], "does not fit its AVRO schema 1: "),
        ];
        for (bytes, expected) in cases {
            let outcome = written_by(both(Format::Avro), &schemas(), &view(None, Some(bytes)));
            let Err(Unwritten::Undecodable(Undecodable { part: "value", why })) = &outcome else {
                panic!("{expected}: {outcome:?}");
            };
            assert!(why.starts_with(expected) && !why.ends_with('.'), "{why}");
        }
    }

    #[test]
    fn a_schema_of_which_nothing_is_known_is_asked_for() {
        let record = view(Some(&[0, 0, 0, 0, 1, 2]), Some(&[0, 0, 0, 1, 0, 2]));
        assert_eq!(written_by(both(Format::Avro), &schemas(), &record), Err(Unwritten::NeedsSchema(256)));
    }

    #[test]
    fn headers_and_timestamp_come_when_given() {
        let record = RecordView {
            timestamp_ms: Some(5),
            headers: Some(vec![("h\"", Some(&b"v"[..])), ("n", None)]),
            ..view(None, None)
        };
        let text = written(Format::Binary, &record).unwrap();
        assert!(
            text.ends_with(r#""timestamp":5,"headers":[{"key":"h\"","value":"dg=="},{"key":"n","value":null}]}"#),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn every_answer_is_json(key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
            let text = written(Format::Binary, &view(key.as_deref(), value.as_deref())).unwrap();
            let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
            let decoded = parsed["value"].as_str().map(|text| BASE64_STANDARD.decode(text).unwrap());
            prop_assert_eq!(decoded, value);
        }
    }
}
