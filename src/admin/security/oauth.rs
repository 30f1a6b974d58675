use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// What an unsecured token claims: nobody signs it, so it is for tests and closed networks.
///
/// Made of `sasl.oauthbearer.config`, as librdkafka reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::admin) struct Unsecured {
    principal_claim: String,
    principal: String,
    scope_claim: String,
    scopes: Vec<String>,
    life_seconds: u64,
    extensions: Vec<(String, String)>,
}

impl Unsecured {
    /// Reads `principal=NAME scope=A,B lifeSeconds=N extension_NAME=VALUE ...`.
    pub(in crate::admin) fn parse(config: &str) -> Result<Unsecured, String> {
        let mut token = Unsecured {
            principal_claim: "sub".to_owned(),
            principal: String::new(),
            scope_claim: "scope".to_owned(),
            scopes: Vec::new(),
            life_seconds: 3600,
            extensions: Vec::new(),
        };
        for pair in config.split_ascii_whitespace() {
            let (name, value) = pair.split_once('=').ok_or("sasl.oauthbearer.config has a word without '='")?;
            match name {
                "principalClaimName" => token.principal_claim = value.to_owned(),
                "principal" => token.principal = value.to_owned(),
                "scopeClaimName" => token.scope_claim = value.to_owned(),
                "scope" => token.scopes = value.split(',').map(str::to_owned).collect(),
                "lifeSeconds" => {
                    token.life_seconds =
                        value.parse().map_err(|_| "lifeSeconds of sasl.oauthbearer.config is no number")?;
                }
                _ => match name.strip_prefix("extension_") {
                    Some(extension) => token.extensions.push((extension.to_owned(), value.to_owned())),
                    None => return Err("sasl.oauthbearer.config has a name that is not known".to_owned()),
                },
            }
        }
        if token.principal.is_empty() { Err("sasl.oauthbearer.config has no principal".to_owned()) } else { Ok(token) }
    }

    /// Returns the one message of RFC 7628, with a new token.
    pub(super) fn first_message(&self) -> Result<Bytes, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "the clock is before 1970")?;
        let mut message = format!("n,,\u{1}auth=Bearer {}", self.token(now.as_secs()));
        for (name, value) in &self.extensions {
            message.push_str(&format!("\u{1}{name}={value}"));
        }
        message.push_str("\u{1}\u{1}");
        Ok(Bytes::from(message))
    }

    fn token(&self, now_s: u64) -> String {
        let mut claims = Map::new();
        claims.insert(self.principal_claim.clone(), json!(self.principal));
        claims.insert("iat".to_owned(), json!(now_s));
        claims.insert("exp".to_owned(), json!(now_s + self.life_seconds));
        if !self.scopes.is_empty() {
            claims.insert(self.scope_claim.clone(), json!(self.scopes));
        }
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(json!({"alg": "none"})), part(Value::Object(claims)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_claims_what_the_config_says() {
        let token = Unsecured::parse("principal=admin scope=a,b lifeSeconds=60 extension_traceId=123").unwrap();
        let text = token.token(1000);
        let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims, json!({"sub": "admin", "iat": 1000, "exp": 1060, "scope": ["a", "b"]}));
        let message = token.first_message().unwrap();
        assert!(message.ends_with(b".\x01traceId=123\x01\x01") && message.starts_with(b"n,,\x01auth=Bearer "));
    }

    #[test]
    fn a_config_without_principal_or_with_unknown_names_is_refused() {
        for config in ["", "scope=a", "principal", "principal=a what=b", "principal=a lifeSeconds=x"] {
            assert!(Unsecured::parse(config).is_err(), "{config}");
        }
    }
}
