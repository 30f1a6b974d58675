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

    /// Returns who is said to hold a token, that somebody else verifies, by whatever algorithm; its time is looked at.
    pub fn read(&self, token: &str) -> Result<Holder, Fault> {
        if token.len() > self.max_bytes {
            return Err(Fault::Unreadable);
        }
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

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use ::ring::rand::SystemRandom;
    use ::ring::signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        RsaKeyPair,
    };
    use ::ring::{hmac, rsa};
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use jsonwebtoken::Algorithm;
    use serde_json::{Value, json};

    use super::*;
    use crate::auth::jwt::ring;
    use crate::config::{Auth, Config};

    const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

    /// A key of each kind, with the name of its owner.
    struct Signers {
        rsa: RsaKeyPair,
        p256: EcdsaKeyPair,
        p384: EcdsaKeyPair,
        ed: Ed25519KeyPair,
    }

    fn signers() -> &'static Signers {
        static SIGNERS: OnceLock<Signers> = OnceLock::new();
        SIGNERS.get_or_init(|| {
            ring::install();
            let random = SystemRandom::new();
            let curve = |algorithm| {
                let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
                EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
            };
            let der = STANDARD.decode(include_str!("testdata/rsa_key.b64").replace('\n', "")).unwrap();
            Signers {
                rsa: RsaKeyPair::from_der(&der).unwrap(),
                p256: curve(&ECDSA_P256_SHA256_FIXED_SIGNING),
                p384: curve(&ECDSA_P384_SHA384_FIXED_SIGNING),
                ed: Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap(),
            }
        })
    }

    fn b64(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn point(pair: &EcdsaKeyPair, curve: &str, id: &str) -> Value {
        let bytes = pair.public_key().as_ref();
        let (x, y) = bytes[1..].split_at((bytes.len() - 1) / 2);
        json!({ "kty": "EC", "crv": curve, "kid": id, "x": b64(x), "y": b64(y) })
    }

    fn rsa_key(id: &str) -> Value {
        let public: rsa::PublicKeyComponents<Vec<u8>> = signers().rsa.public().into();
        json!({ "kty": "RSA", "use": "sig", "kid": id, "n": b64(&public.n), "e": b64(&public.e) })
    }

    fn key_values() -> Vec<Value> {
        let signers = signers();
        vec![
            rsa_key("rsa"),
            point(&signers.p256, "P-256", "p256"),
            point(&signers.p384, "P-384", "p384"),
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": b64(signers.ed.public_key()) }),
            json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": b64(SECRET) }),
        ]
    }

    fn set_of(keys: &[Value], settings: &Auth, may_share: bool) -> Result<KeySet, String> {
        let allowed: Vec<Algorithm> = settings.jwt.algorithms.iter().map(|name| name.parse().unwrap()).collect();
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes(), &allowed, may_share)
    }

    fn settings() -> Auth {
        let mut auth = Config::dev().auth;
        auth.jwt.issuer = "https://issuer.example".to_owned();
        auth.jwt.audience = vec!["kafka".to_owned(), "proxy".to_owned()];
        auth
    }

    fn claims() -> Value {
        json!({ "sub": "alice", "iss": "https://issuer.example", "aud": "kafka", "exp": now_s() + 600 })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn sign(header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = signature_of(header["alg"].as_str().unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", b64(signature))
    }

    fn signature_of(algorithm: &str, message: &[u8]) -> Vec<u8> {
        let (signers, random) = (signers(), SystemRandom::new());
        let rsa = |padding: &'static dyn signature::RsaEncoding| {
            let mut bytes = vec![0; signers.rsa.public().modulus_len()];
            signers.rsa.sign(padding, &random, message, &mut bytes).unwrap();
            bytes
        };
        match algorithm {
            "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
            "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
            "PS256" => rsa(&signature::RSA_PSS_SHA256),
            "PS384" => rsa(&signature::RSA_PSS_SHA384),
            "PS512" => rsa(&signature::RSA_PSS_SHA512),
            "ES256" => signers.p256.sign(&random, message).unwrap().as_ref().to_vec(),
            "ES384" => signers.p384.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" => signers.ed.sign(message).as_ref().to_vec(),
            "HS256" => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message).as_ref().to_vec(),
            _ => Vec::new(),
        }
    }

    fn verify_with(settings: &Auth, keys: &[Value], token: &str) -> Result<Holder, Fault> {
        Rules::new(&settings.jwt).verify(token, &set_of(keys, settings, true).unwrap())
    }

    fn verify(header: &Value, claims: &Value) -> Result<Holder, Fault> {
        verify_with(&settings(), &key_values(), &sign(header, claims))
    }

    #[test]
    fn every_algorithm_that_is_allowed_is_verified() {
        let (mut settings, keys) = (settings(), key_values());
        settings.jwt.algorithms.push("HS256".to_owned());
        let table = [
            ("rsa", "RS256"),
            ("rsa", "RS384"),
            ("rsa", "RS512"),
            ("rsa", "PS256"),
            ("rsa", "PS384"),
            ("rsa", "PS512"),
            ("p256", "ES256"),
            ("p384", "ES384"),
            ("ed", "EdDSA"),
            ("oct", "HS256"),
        ];
        for (key, algorithm) in table {
            let token = sign(&json!({ "alg": algorithm, "kid": key }), &claims());
            assert_eq!(
                verify_with(&settings, &keys, &token).map(|holder| holder.name),
                Ok("alice".into()),
                "{algorithm}"
            );
            let (rest, signature) = token.rsplit_once('.').unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
            bytes[3] ^= 1;
            let forged = format!("{rest}.{}", b64(bytes));
            assert_eq!(verify_with(&settings, &keys, &forged), Err(Fault::Invalid), "{algorithm}");
        }
    }

    #[test]
    fn no_algorithm_is_none_in_any_spelling() {
        for algorithm in ["none", "None", "NONE", "nOnE", ""] {
            for key in [json!("rsa"), Value::Null] {
                let header = json!({ "alg": algorithm, "kid": key });
                assert_eq!(verify(&header, &claims()), Err(Fault::Unreadable), "{algorithm}");
            }
        }
        assert_eq!(verify(&json!({ "kid": "rsa" }), &claims()), Err(Fault::Unreadable));
    }

    #[test]
    fn a_public_key_is_never_taken_for_a_secret() {
        let mut settings = settings();
        settings.jwt.algorithms.push("HS256".to_owned());
        let public: rsa::PublicKeyComponents<Vec<u8>> = signers().rsa.public().into();
        let der = signers().rsa.public().as_ref().to_vec();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
        let jwk = rsa_key("rsa").to_string();
        for secret in [&public.n, &der, &pem.into_bytes(), &jwk.into_bytes()] {
            for header in [json!({ "alg": "HS256", "kid": "rsa" }), json!({ "alg": "HS256" })] {
                let message = format!("{}.{}", b64(header.to_string()), b64(claims().to_string()));
                let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
                let token = format!("{message}.{}", b64(signature));
                assert!(verify_with(&settings, &[rsa_key("rsa")], &token).is_err());
                assert!(verify_with(&settings, &key_values(), &token).is_err());
            }
        }
    }

    #[test]
    fn a_key_is_only_for_its_own_algorithms() {
        for (key, algorithm) in
            [("p256", "RS256"), ("rsa", "ES256"), ("p256", "ES384"), ("ed", "ES256"), ("oct", "HS256")]
        {
            let header = json!({ "alg": algorithm, "kid": key });
            let fault = if key == "oct" { Fault::UnknownKey } else { Fault::UnfitKey };
            assert_eq!(verify(&header, &claims()), Err(fault), "{key} {algorithm}");
        }
        let mut keys = key_values();
        keys[0]["alg"] = json!("RS512");
        let token = sign(&json!({ "alg": "RS256", "kid": "rsa" }), &claims());
        assert_eq!(verify_with(&settings(), &keys, &token), Err(Fault::UnfitKey));
        let mut settings = settings();
        settings.jwt.algorithms = vec!["ES256".to_owned()];
        let token = sign(&json!({ "alg": "RS256", "kid": "rsa" }), &claims());
        assert_eq!(verify_with(&settings, &key_values(), &token), Err(Fault::UnknownKey));
    }

    #[test]
    fn who_is_meant_when_and_by_whom_has_to_be_right() {
        let now = now_s();
        let table = [
            (claims(), true),
            (with("aud", json!(["other", "proxy"])), true),
            (with("aud", json!("other")), false),
            (with("aud", json!(["other"])), false),
            (with("aud", json!([])), false),
            (with("aud", json!(1)), false),
            (without("aud"), false),
            (with("iss", json!("https://other.example")), false),
            (without("iss"), false),
            (with("exp", json!(now - 10)), true),
            (with("exp", json!(now - 60)), false),
            (with("exp", json!(now as f64 + 60.5)), true),
            (with("exp", json!((now + 60).to_string())), false),
            (with("exp", json!(-1)), false),
            (with("exp", Value::Null), false),
            (without("exp"), false),
            (with("exp", json!(u64::MAX)), true),
            (with("nbf", json!(now + 10)), true),
            (with("nbf", json!(now + 60)), false),
            (with("nbf", json!("soon")), false),
        ];
        for (claims, good) in table {
            let token = sign(&json!({ "alg": "ES256", "kid": "p256" }), &claims);
            assert_eq!(verify_with(&settings(), &key_values(), &token).is_ok(), good, "{claims}");
            // Where Kafka verifies the rest, the time is looked at all the same.
            let is_about_time = claims.get("aud") == Some(&json!("kafka")) && claims["iss"] == "https://issuer.example";
            if is_about_time {
                assert_eq!(Rules::new(&settings().jwt).read(&token).is_ok(), good, "{claims}");
            }
        }
    }

    #[test]
    fn what_is_not_checked_has_to_be_said() {
        let mut settings = settings();
        settings.jwt.issuer = "*".to_owned();
        settings.jwt.audience = vec!["*".to_owned()];
        let token = sign(&json!({ "alg": "ES256", "kid": "p256" }), &json!({ "sub": "bob", "exp": now_s() + 60 }));
        assert_eq!(verify_with(&settings, &key_values(), &token).map(|holder| holder.name), Ok("bob".into()));
    }

    #[test]
    fn the_name_is_a_claim_that_can_be_chosen() {
        let mut settings = settings();
        settings.jwt.principal_claim = "client_id".to_owned();
        let token = |claims: &Value| sign(&json!({ "alg": "ES256", "kid": "p256" }), claims);
        let name = |claims: &Value| verify_with(&settings, &key_values(), &token(claims)).map(|holder| holder.name);
        assert_eq!(name(&with("client_id", json!("svc"))), Ok("svc".into()));
        for bad in [json!(""), json!(1), json!(["a"]), json!("a\nb"), json!("ANONYMOUS"), json!("x".repeat(2000))] {
            assert_eq!(name(&with("client_id", bad.clone())), Err(Fault::NoName), "{bad}");
        }
        assert_eq!(name(&claims()), Err(Fault::NoName));
    }

    #[test]
    fn a_key_that_is_not_named_has_to_be_the_only_one() {
        let header = json!({ "alg": "ES256" });
        assert!(verify(&header, &claims()).is_ok());
        let mut keys = key_values();
        keys.push(point(&signers().p256, "P-256", "other"));
        assert_eq!(verify_with(&settings(), &keys, &sign(&header, &claims())), Err(Fault::UnfitKey));
        assert_eq!(verify(&json!({ "alg": "ES256", "kid": "new" }), &claims()), Err(Fault::UnknownKey));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = sign(&json!({ "alg": "ES256", "kid": "p256" }), &claims());
        let critical = sign(&json!({ "alg": "ES256", "kid": "p256", "crit": ["b64"], "b64": false }), &claims());
        let large = sign(&json!({ "alg": "ES256", "kid": "p256" }), &with("pad", json!("x".repeat(8192))));
        let padded = format!("{good}=");
        let parts: Vec<_> = good.split('.').collect();
        let (two, four) = (parts[..2].join("."), format!("{good}.x"));
        let five = format!("{good}.x.y");
        for token in ["", ".", "..", "...", "a.b.c", "ü.ü.ü", &critical, &large, &padded, &two, &four, &five] {
            assert!(verify_with(&settings(), &key_values(), token).is_err(), "{token}");
        }
        assert!(verify_with(&settings(), &key_values(), &good).is_ok());
        let no_claims = sign(&json!({ "alg": "ES256", "kid": "p256" }), &json!(["alice"]));
        assert!(verify_with(&settings(), &key_values(), &no_claims).is_err());
    }

    #[test]
    fn a_set_is_read_without_the_keys_that_are_not_for_tokens() {
        let mut settings = settings();
        settings.jwt.algorithms.extend(["HS256".to_owned(), "HS512".to_owned()]);
        let set = set_of(&key_values(), &settings, true).ok().unwrap();
        assert_eq!((set.len(), set.skipped.len()), (5, 0));
        let set = set_of(&key_values(), &settings, false).ok().unwrap();
        assert_eq!(set.skipped, ["key 5 is a shared secret, which only a file may hold"]);
        let table = [
            (json!({ "kty": "oct", "k": b64(SECRET) }), "key 1 is a shared secret without its alg"),
            (json!({ "kty": "oct", "alg": "HS512", "k": b64(SECRET) }), "key 1 is a shared secret that is too short"),
            (json!({ "kty": "oct", "alg": "RS256", "k": b64(SECRET) }), "key 1 is a shared secret without its alg"),
            (json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }), "key 1 is for none of auth.jwt.algorithms"),
            (json!({ "kty": "secp", "x": "AA" }), "key 1 "),
            (json!({ "kid": "x" }), "key 1 "),
            (json!("text"), "key 1 cannot be read"),
        ];
        for (key, problem) in table {
            let found = set_of(std::slice::from_ref(&key), &settings, true).err().unwrap_or_default();
            assert!(found.starts_with(&format!("has no key for tokens: {problem}")), "{key}: {found}");
        }
        let mut encrypting = rsa_key("rsa");
        encrypting["use"] = json!("enc");
        assert!(set_of(&[encrypting], &settings, true).is_err());
        let mut signing = rsa_key("rsa");
        signing["key_ops"] = json!(["sign"]);
        assert!(set_of(&[signing], &settings, true).is_err());
    }

    #[test]
    fn what_is_no_set_of_keys_is_refused_without_quoting_it() {
        let many: Vec<Value> = (0..101).map(|number| rsa_key(&number.to_string())).collect();
        for text in
            ["", "hunter2", "[]", "{}", "{\"keys\":[]}", "{\"keys\":\"hunter2\"}", &json!({ "keys": many }).to_string()]
        {
            let problem = KeySet::read(text.as_bytes(), &[Algorithm::RS256], true).err().expect("it is bad");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_taken_for_a_token_or_keys_stops_it(
            header in r#"(\{"alg":"ES256"|,"kid":"p256"|,"crit":|\[|\]|\}|[a-z"]){0,8}"#,
            claims in r#"(\{|"exp":|1e400|-1|null|"sub":"a"|,|\}){0,8}"#,
            keys in r#"(\{"keys":\[|\{"kty":"(RSA|EC|oct|OKP)"|,"n":""|,"x":"AA"|,"k":"AA"|\}|\]){0,10}"#,
        ) {
            let (settings, set) = (settings(), set_of(&key_values(), &settings(), true).unwrap());
            let token = format!("{}.{}.AAAA", b64(&header), b64(&claims));
            proptest::prop_assert!(Rules::new(&settings.jwt).verify(&token, &set).is_err());
            let _ = Rules::new(&settings.jwt).read(&token);
            let _ = KeySet::read(keys.as_bytes(), &[Algorithm::RS256, Algorithm::HS256], true);
        }
    }
}
