use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;

/// A set with more is no set of keys.
const MOST_KEYS: usize = 100;

/// The keys of those who issue tokens. Each is bound to algorithms, whatever a token says.
pub struct KeySet {
    keys: Vec<Key>,
    /// Why others of the set are not among them.
    pub skipped: Vec<String>,
}

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// The key of a token.
pub enum Found<'a> {
    /// This one.
    Key(&'a DecodingKey),
    /// None has the id that the token names; a newer set may.
    UnknownId,
    /// None is for the algorithm that the token names, or it is not clear which.
    Unfit,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JSON Web Key Set and leaves out what is no key for these algorithms. Only a set that is a file of this
    /// machine may have shared secrets.
    pub fn read(text: &[u8], allowed: &[Algorithm], may_share: bool) -> Result<KeySet, String> {
        // The text of the error would quote a value, which may be a secret.
        let document: Document = serde_json::from_slice(text)
            .map_err(|error| format!("is no JSON Web Key Set (line {}, column {})", error.line(), error.column()))?;
        if document.keys.len() > MOST_KEYS {
            return Err(format!("has more than {MOST_KEYS} keys"));
        }
        let mut set = KeySet { keys: Vec::new(), skipped: Vec::new() };
        for (number, value) in (1..).zip(document.keys) {
            match key(value, allowed, may_share) {
                Ok(key) => set.keys.push(key),
                Err(why) => set.skipped.push(format!("key {number} {why}")),
            }
        }
        if set.keys.is_empty() {
            return Err(match set.skipped.join("; ").as_str() {
                "" => "has no keys".to_owned(),
                why => format!("has no key for tokens: {why}"),
            });
        }
        Ok(set)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the key for a token with this header. Where it names none there must not be two that could be meant.
    pub fn find(&self, header: &Header) -> Found<'_> {
        let is_meant = |key: &&Key| header.kid.is_none() || key.id == header.kid;
        let fits = |key: &&Key| key.algorithms.contains(&header.alg);
        if header.kid.is_some() && !self.keys.iter().any(|key| is_meant(&key)) {
            return Found::UnknownId;
        }
        let mut fitting = self.keys.iter().filter(is_meant).filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Found::Key(&key.key),
            _ => Found::Unfit,
        }
    }
}

/// Reads one key; the error says what is wrong with it, without its parts.
fn key(value: Value, allowed: &[Algorithm], may_share: bool) -> Result<Key, &'static str> {
    let jwk: Jwk = serde_json::from_value(value).map_err(|_| "cannot be read")?;
    let is_for_signatures = jwk.common.public_key_use.as_ref().is_none_or(|wish| *wish == PublicKeyUse::Signature);
    let operations = jwk.common.key_operations.as_ref();
    if !is_for_signatures || operations.is_some_and(|list| !list.contains(&KeyOperations::Verify)) {
        return Err("is not for signatures");
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| "is of a kind that is not known")?;
    if let AlgorithmParameters::OctetKey(_) = jwk.algorithm {
        check_shared(&jwk, &key, may_share)?;
    }
    let mut algorithms = algorithms(&jwk);
    algorithms.retain(|algorithm| allowed.contains(algorithm));
    if algorithms.is_empty() {
        return Err("is for none of auth.jwt.algorithms");
    }
    Ok(Key { id: jwk.common.key_id, algorithms, key })
}

/// A secret has to say what it is for, and to be as long as what it makes (RFC 7518, 3.2).
fn check_shared(jwk: &Jwk, key: &DecodingKey, may_share: bool) -> Result<(), &'static str> {
    if !may_share {
        return Err("is a shared secret, which only a file may hold");
    }
    let needed = match algorithms(jwk)[..] {
        [Algorithm::HS256] => 32,
        [Algorithm::HS384] => 48,
        [Algorithm::HS512] => 64,
        _ => return Err("is a shared secret without its alg"),
    };
    let length = key.try_get_as_bytes().map_or(0, <[u8]>::len);
    if length < needed { Err("is a shared secret that is too short") } else { Ok(()) }
}

/// Returns what a key is for: what it says, if that goes with its kind, or all that goes with it.
fn algorithms(jwk: &Jwk) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
    let of_its_kind: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        AlgorithmParameters::OctetKey(_) => &[HS256, HS384, HS512],
        // Other curves, and what the crate may come to know: not accepted.
        _ => &[],
    };
    let said = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string().parse::<Algorithm>().ok());
    match said {
        None => of_its_kind.to_vec(),
        Some(said) => of_its_kind.iter().copied().filter(|algorithm| Some(*algorithm) == said).collect(),
    }
}
