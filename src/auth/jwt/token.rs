use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, Header, Validation, dangerous, decode, decode_header};
use serde_json::{Map, Value};

use crate::auth::jwt::keys::{Found, KeySet};
use crate::auth::names::is_name;
use crate::config::{ANY, Jwt};

type Claims = Map<String, Value>;

/// What a token has to be like.
pub struct Rules {
    validation: Validation,
    leeway: Duration,
    principal_claim: String,
    max_bytes: usize,
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// Who holds it.
    pub name: String,
    /// When it is of no use any more, in seconds since 1970, with the leeway.
    pub until_s: u64,
}

/// Why a token is not good; for the tests, as nobody is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no token, or larger than any.
    Unreadable,
    /// It names a key that is not there.
    UnknownKey,
    /// It names an algorithm that no key is for.
    UnfitKey,
    /// Signature, issuer, audience or time are not right.
    Invalid,
    /// It says nobody's name.
    NoName,
}

impl Rules {
    /// Takes them from the settings.
    pub fn new(settings: &Jwt) -> Rules {
        let mut validation = Validation::new(Algorithm::RS256);
        let mut required = vec!["exp"];
        validation.leeway = settings.leeway.as_secs();
        validation.validate_nbf = true;
        if settings.issuer != ANY {
            validation.set_issuer(&[&settings.issuer]);
            required.push("iss");
        }
        validation.validate_aud = !settings.audience.iter().any(|audience| audience == ANY);
        if validation.validate_aud {
            validation.set_audience(&settings.audience);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        let max_bytes = usize::try_from(settings.max_token_bytes).unwrap_or(usize::MAX);
        Rules { validation, leeway: settings.leeway, principal_claim: settings.principal_claim.clone(), max_bytes }
    }

    /// Returns who holds a token that one of the keys has signed.
    pub fn verify(&self, token: &str, keys: &KeySet) -> Result<Holder, Fault> {
        let header = self.header(token)?;
        let key = match keys.find(&header) {
            Found::Key(key) => key,
            Found::UnknownId => return Err(Fault::UnknownKey),
            Found::Unfit => return Err(Fault::UnfitKey),
        };
        let mut validation = self.validation.clone();
        // The key has been found to be for it.
        validation.algorithms = vec![header.alg];
        let claims = decode::<Claims>(token, key, &validation).map_err(|_| Fault::Invalid)?.claims;
        self.holder(&claims)
    }

    /// Returns who is said to hold a token, that somebody else verifies; its time is looked at.
    pub fn read(&self, token: &str) -> Result<Holder, Fault> {
        self.header(token)?;
        let claims = dangerous::insecure_decode_claims::<Claims>(token).map_err(|_| Fault::Unreadable)?;
        let holder = self.holder(&claims)?;
        let begins_s = claims.get("nbf").map_or(Some(0), seconds).ok_or(Fault::Invalid)?;
        let now_s = now_s();
        let has_begun = begins_s <= now_s.saturating_add(self.leeway.as_secs());
        if has_begun && now_s <= holder.until_s { Ok(holder) } else { Err(Fault::Invalid) }
    }

    fn header(&self, token: &str) -> Result<Header, Fault> {
        if token.len() > self.max_bytes {
            return Err(Fault::Unreadable);
        }
        let header = decode_header(token).map_err(|_| Fault::Unreadable)?;
        // What has to be understood (RFC 7515, 4.1.11) is not.
        if header.crit.is_some() { Err(Fault::Unreadable) } else { Ok(header) }
    }

    fn holder(&self, claims: &Claims) -> Result<Holder, Fault> {
        let name = claims.get(&self.principal_claim).and_then(Value::as_str).filter(|name| is_name(name));
        let expires_s = claims.get("exp").and_then(seconds).ok_or(Fault::Invalid)?;
        let until_s = expires_s.saturating_add(self.leeway.as_secs());
        Ok(Holder { name: name.ok_or(Fault::NoName)?.to_owned(), until_s })
    }
}

/// Returns the seconds since 1970.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Reads a NumericDate, which may have a fraction.
fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
}
