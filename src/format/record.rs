use serde::de::IgnoredAny;

use crate::model::Format;

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

/// A key or value is not what the format needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// `key` or `value`.
    pub part: &'static str,
}

/// Appends the JSON of a record to `out`; leaves `out` as it was where the record cannot be decoded.
pub fn write_record(out: &mut Vec<u8>, format: Format, record: &RecordView<'_>) -> Result<(), Undecodable> {
    let start = out.len();
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(b"{\"topic\":\"");
    out.extend_from_slice(record.topic.as_bytes());
    out.extend_from_slice(b"\",\"key\":");
    let mut outcome = write_part(out, format, record.key, "key");
    out.extend_from_slice(b",\"value\":");
    outcome = outcome.and_then(|()| write_part(out, format, record.value, "value"));
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

fn write_part(out: &mut Vec<u8>, format: Format, bytes: Option<&[u8]>, part: &'static str) -> Result<(), Undecodable> {
    match (format, bytes) {
        (_, None) => out.extend_from_slice(b"null"),
        (Format::Binary, Some(bytes)) => write_base64(out, bytes),
        (Format::Json, Some(bytes)) if is_json(bytes) => out.extend_from_slice(bytes),
        (Format::Text, Some(bytes)) => write_text(out, bytes, part)?,
        (Format::Json | Format::Avro | Format::JsonSchema | Format::Protobuf, Some(_)) => {
            return Err(Undecodable { part });
        }
    }
    Ok(())
}

fn write_text(out: &mut Vec<u8>, bytes: &[u8], part: &'static str) -> Result<(), Undecodable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Undecodable { part })?;
    serde_json::to_writer(out, text).map_err(|_| Undecodable { part })
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

    fn written(format: Format, record: &RecordView<'_>) -> Result<String, Undecodable> {
        let mut out = Vec::new();
        write_record(&mut out, format, record)?;
        Ok(String::from_utf8(out).expect("an answer is UTF-8"))
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
            let mut out = b"before".to_vec();
            assert_eq!(
                write_record(&mut out, Format::Json, &view(None, Some(bad))),
                Err(Undecodable { part: "value" })
            );
            assert_eq!(out, b"before");
        }
        assert_eq!(written(Format::Json, &view(Some(b"k"), None)), Err(Undecodable { part: "key" }));
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
