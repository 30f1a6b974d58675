use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// What differs between a token and the next one for the same.
const PASSING: &[&str] = &["exp", "iat", "nbf", "jti", "auth_time", "nonce", "at_hash", "uti", "sid", "rh", "aio"];

/// What a token says of itself. Nobody here believes it: Kafka has to.
#[derive(Default)]
pub(super) struct Claims {
    /// When it ends, in milliseconds since 1970.
    pub(super) expires_ms: Option<i64>,
    /// What says whom it is for and what they may; `None` for a token that cannot be read.
    pub(super) lasting: Option<Vec<u8>>,
}

impl Claims {
    pub(super) fn of(token: &str) -> Claims {
        let Some(mut claims) = read(token) else { return Claims::default() };
        // Seconds, and some write fractions of them.
        let expires_ms = claims.get("exp").and_then(Value::as_f64).map(|seconds| (seconds * 1000.0) as i64);
        claims.retain(|name, _| !PASSING.contains(&name.as_str()));
        Claims { expires_ms, lasting: serde_json::to_vec(&claims).ok() }
    }
}

/// Returns the claims in the order of their names.
fn read(token: &str) -> Option<BTreeMap<String, Value>> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_renewed_token_is_for_the_same_and_one_with_other_rights_is_not() {
        let claims = |text: &str| Claims::of(&token(text));
        let first = claims(r#"{"sub":"a","scope":"x","exp":10,"jti":"1"}"#);
        let renewed = claims(r#"{"exp":20.5,"scope":"x","sub":"a","jti":"2"}"#);
        assert_eq!((first.expires_ms, renewed.expires_ms), (Some(10_000), Some(20_500)));
        assert!(first.lasting.is_some() && first.lasting == renewed.lasting);
        assert!(first.lasting != claims(r#"{"sub":"a","scope":"y","exp":10,"jti":"1"}"#).lasting);
    }

    #[test]
    fn a_token_that_cannot_be_read_says_nothing() {
        for token in ["opaque", "a.b", "a.!!.c", "", &token("[]")] {
            let claims = Claims::of(token);
            assert!(claims.expires_ms.is_none() && claims.lasting.is_none(), "{token}");
        }
    }
}
