use bytes::Bytes;
use serde_json::value::RawValue;

use crate::error::{Kind, Result};
use crate::format::binary::quote;

/// Returns the UTF-8 of a JSON string; one without escapes is a slice of `body`.
pub fn encode(value: &RawValue, body: &Bytes) -> Result<Bytes> {
    let json = value.get();
    let Some(text) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Err(Kind::BadRequest.because(format!("Bad Request: data={} is not a string.", quote(json))));
    };
    if !text.contains('\\') {
        return Ok(body.slice_ref(text.as_bytes()));
    }
    match serde_json::from_str::<String>(json) {
        Ok(text) => Ok(text.into()),
        // Half of a surrogate pair, for which there is no UTF-8.
        Err(_) => Err(Kind::BadRequest.because(format!("Bad Request: data={} is no Unicode text.", quote(json)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(json: &str) -> Result<Bytes> {
        let body = Bytes::copy_from_slice(json.as_bytes());
        let raw: &RawValue = serde_json::from_slice(&body).unwrap();
        encode(raw, &body)
    }

    #[test]
    fn a_text_is_its_characters() {
        for (json, text) in [("\"\"", ""), ("\"größe\"", "größe"), (r#""a\n\u00e9\"""#, "a\né\"")] {
            assert_eq!(encoded(json).unwrap(), text.as_bytes(), "{json}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(encoded("1").unwrap_err().message(), "Bad Request: data=1 is not a string.");
        assert_eq!(encoded(r#""\ud800""#).unwrap_err().kind(), Kind::BadRequest);
    }
}
