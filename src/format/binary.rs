use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::error::{Kind, Result};
use crate::format::Arena;

/// The alphabet and leniency of the reference: no white space, no `-` or `_`; padding is optional and any number of
/// `=` is taken (they are cut off before), bits that belong to no byte are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
);

/// How much of a bad value an error message quotes.
const QUOTED_CHARS: usize = 64;

/// Returns the bytes of a JSON string of base64.
pub(super) fn encode(value: &RawValue, arena: &mut Arena) -> Result<Bytes> {
    let json = value.get();
    let Some(text) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Err(Kind::InvalidBase64.because(format!("Bad Request: data={} is not a base64 string.", quote(json))));
    };
    if text.contains('\\') {
        // An escape may stand for a character of the alphabet ("\/" does).
        return match serde_json::from_str::<String>(json) {
            Ok(unescaped) => decode(&unescaped, arena),
            Err(_) => Err(invalid(text)),
        };
    }
    decode(text, arena)
}

/// Returns the bytes that `text` is the base64 of.
pub fn decode(text: &str, arena: &mut Arena) -> Result<Bytes> {
    let digits = text.trim_end_matches('=');
    arena.write(|buffer| {
        let start = buffer.len();
        buffer.resize(start + base64::decoded_len_estimate(digits.len()), 0);
        let length = BASE64.decode_slice(digits, &mut buffer[start..]).map_err(|_| invalid(text))?;
        buffer.truncate(start + length);
        Ok(())
    })
}

fn invalid(text: &str) -> crate::error::Error {
    Kind::InvalidBase64.because(format!("Bad Request: data=\"{}\" is not a valid base64 string.", quote(text)))
}

pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(json: &str) -> Result<Bytes> {
        let raw: &RawValue = serde_json::from_str(json).expect("a JSON value");
        encode(raw, &mut Arena::with_capacity(json.len()))
    }

    #[test]
    fn what_the_reference_takes_is_taken() {
        let cases: [(&str, &[u8]); 8] = [
            (r#""""#, b""),
            (r#""YQ==""#, b"a"),
            (r#""YQ""#, b"a"),
            (r#""YQ=""#, b"a"),
            (r#""YQ====""#, b"a"),
            (r#""YR==""#, b"a"),
            (r#""aGVsbG8""#, b"hello"),
            (r#""\/\/8=""#, b"\xff\xff"),
        ];
        for (json, bytes) in cases {
            assert_eq!(encoded(json).unwrap().as_ref(), bytes, "{json}");
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for json in [
            r#""a""#,
            r#""abc!""#,
            r#""-_-_""#,
            r#""aGVs bG8=""#,
            r#""aGVs\nbG8=""#,
            r#""é""#,
            r#""=a""#,
            r#""\ud800""#,
        ] {
            let error = encoded(json).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidBase64, "{json}");
            assert!(error.message().ends_with("is not a valid base64 string."), "{json}: {error}");
        }
        for json in ["5", "true", "{}", r#"["YQ=="]"#] {
            assert!(encoded(json).unwrap_err().message().ends_with("is not a base64 string."), "{json}");
        }
    }

    #[test]
    fn a_long_bad_value_is_quoted_in_part() {
        let error = encoded(&format!("\"{}\"", "é".repeat(1000))).unwrap_err();
        assert!(error.message().len() < 256);
    }

    proptest! {
        #[test]
        fn every_byte_survives(bytes: Vec<u8>, padded: bool) {
            let text = BASE64.encode(&bytes) + if padded { "==" } else { "" };
            prop_assert_eq!(encoded(&format!("\"{text}\"")).unwrap(), bytes);
        }

        #[test]
        fn any_text_is_decoded_or_refused(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let _ = encoded(&json);
        }
    }
}
