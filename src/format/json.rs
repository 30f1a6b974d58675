use bytes::{BufMut, Bytes};
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};
use crate::format::Arena;

/// The deepest nesting of a value: 1000 as in the reference, less the three levels of the request around it.
const MAX_DEPTH: usize = 997;

/// Returns the compact text of a JSON value.
///
/// White space goes, numbers keep their text, escapes become what any JSON writer would write; a text that is already
/// so is a slice of `body`.
pub(super) fn encode(value: &RawValue, body: &Bytes, arena: &mut Arena) -> Result<Bytes> {
    let text = value.get();
    if is_compact(text)? {
        return Ok(body.slice_ref(text.as_bytes()));
    }
    arena.write(|buffer| {
        compact(text, buffer);
        Ok(())
    })
}

/// Appends the compact text of `text`, which is valid JSON: what [`encode`] stores.
pub(super) fn append(text: &str, out: &mut Vec<u8>) -> Result<()> {
    if is_compact(text)? {
        out.extend_from_slice(text.as_bytes());
    } else {
        compact(text, out);
    }
    Ok(())
}

/// Tells whether `text`, which is valid JSON, would be written just so; checks its depth too.
fn is_compact(text: &str) -> Result<bool> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut compact) = (0, 0, true);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let (end, canonical) = string_end(bytes, at);
                compact &= canonical;
                at = end;
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(too_deep());
                }
            }
            b']' | b'}' => depth -= 1,
            b' ' | b'\t' | b'\n' | b'\r' => compact = false,
            _ => {}
        }
        at += 1;
    }
    Ok(compact)
}

fn too_deep() -> Error {
    Kind::BadRequest.because("The JSON is nested deeper than 1000 levels.")
}

/// Returns the index after the string that starts at `start`, and whether its escapes are the usual ones.
fn string_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let (mut at, mut canonical) = (start + 1, true);
    while let Some(step) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        at += step;
        if bytes[at] == b'"' {
            return (at + 1, canonical);
        }
        canonical &= is_canonical_escape(&bytes[at..]);
        at += 2;
    }
    (bytes.len(), canonical)
}

/// Tells whether the escape at the beginning of `bytes` is one that a writer has to use.
fn is_canonical_escape(bytes: &[u8]) -> bool {
    match bytes {
        [_, b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => true,
        // Control characters that have no short form; 7f and above need no escape.
        [_, b'u', b'0', b'0', high @ (b'0' | b'1'), low, ..] => {
            !(*high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'A' | b'c' | b'C' | b'd' | b'D'))
        }
        _ => false,
    }
}

/// Appends the compact form of `text`, which is valid JSON.
fn compact(text: &str, out: &mut impl BufMut) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let (end, canonical) = string_end(bytes, at);
                write_string(&text[at..end], canonical, out);
                at = end;
                continue;
            }
            b' ' | b'\t' | b'\n' | b'\r' => {}
            other => out.put_u8(other),
        }
        at += 1;
    }
}

fn write_string(token: &str, canonical: bool, out: &mut impl BufMut) {
    if !canonical && let Some(rewritten) = rewrite(token) {
        return out.put_slice(rewritten.as_bytes());
    }
    // A lone surrogate is no character: the reference stores its escape, and so do we.
    out.put_slice(token.as_bytes());
}

fn rewrite(token: &str) -> Option<String> {
    let text: String = serde_json::from_str(token).ok()?;
    serde_json::to_string(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn encoded(json: &str) -> Result<Bytes> {
        let body = Bytes::copy_from_slice(json.as_bytes());
        let raw: &RawValue = serde_json::from_slice(&body).expect("a JSON value");
        encode(raw, &body, &mut Arena::with_capacity(json.len()))
    }

    #[test]
    fn values_are_stored_compact_and_otherwise_as_they_came() {
        let cases = [
            ("1", "1"),
            ("1e10", "1e10"),
            ("1.10", "1.10"),
            ("12345678901234567890123456789", "12345678901234567890123456789"),
            ("{ \"b\" : 1 ,\n\t\"a\" : [ 1 , { } ] , \"c d\" : \"x  y\" }", r#"{"b":1,"a":[1,{}],"c d":"x  y"}"#),
            (r#""\u00e9 \/ \u0041""#, "\"é / A\""),
            (r#""\ud83d\ude00""#, "\"😀\""),
            (r#""tab\tnl\nq\"\\""#, r#""tab\tnl\nq\"\\""#),
            (r#""\u001F\u000a""#, r#""\u001f\n""#),
            (r#""\ud800""#, r#""\ud800""#),
            (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
        ];
        for (json, stored) in cases {
            assert_eq!(encoded(json).unwrap(), stored, "{json}");
        }
    }

    #[test]
    fn a_compact_value_is_a_slice_of_the_body() {
        let body = Bytes::from_static(br#"{"a":[1,"x\n"]}"#);
        let raw: &RawValue = serde_json::from_slice(&body).unwrap();
        let stored = encode(raw, &body, &mut Arena::with_capacity(0)).unwrap();
        assert_eq!(stored.as_ptr(), body.as_ptr());
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(encoded(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(encoded(&nested(MAX_DEPTH + 1)).unwrap_err().kind(), Kind::BadRequest);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn however_it_is_written_the_same_compact_text_is_stored(value in any_json()) {
            let compact = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(encoded(&compact).unwrap(), compact.clone());
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(encoded(&pretty).unwrap(), compact.clone());
            let escaped: String = compact.chars().map(|c| if c.is_ascii() { c.to_string() } else {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            }).collect();
            prop_assert_eq!(encoded(&escaped).unwrap(), compact);
        }
    }
}
