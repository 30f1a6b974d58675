//! Tokens, and several ways to show who one is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::RsaKeyPair;
use ring::{hmac, rsa};
use serde_json::{Value, json};

use super::issuer::{Signer, b64, claims, now_s};
use super::{File, INSIDE, ask, basic, challenges, proxy};
use crate::harness::app::App;

fn locked(keys: &File, more: &[&str]) -> App {
    let keys = keys.set("auth.jwt.jwks_file");
    let settings =
        ["auth.methods=bearer", "auth.jwt.issuer=i", "auth.jwt.audience=a,b", "auth.failed_attempts=0", &keys];
    proxy(&[&settings, more].concat())
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("alice");
    claims[name] = value;
    claims
}

#[tokio::test]
async fn a_token_counts_for_whom_and_as_long_as_it_was_issued() {
    let signer = Signer::new("one");
    let app = locked(&File::new(&Signer::set(&[&signer])), &[]);
    let now = now_s();
    let table = [
        (claims("alice"), 200),
        (with("aud", json!(["x", "b"])), 200),
        (with("aud", json!("x")), 401),
        (with("aud", Value::Null), 401),
        (with("iss", json!("x")), 401),
        (with("iss", Value::Null), 401),
        (with("exp", json!(now - 20)), 200),
        (with("exp", json!(now - 60)), 401),
        (with("exp", Value::Null), 401),
        (with("nbf", json!(now + 20)), 200),
        (with("nbf", json!(now + 60)), 401),
        (with("sub", Value::Null), 401),
        (with("sub", json!("")), 401),
        (with("sub", json!("a\nb")), 401),
    ];
    for (claims, status) in table {
        for _ in 0..2 {
            let answer = ask(&app, &format!("Bearer {}", signer.token(&claims))).await;
            assert_eq!(answer.status, status, "{claims}");
        }
    }
    assert_eq!(ask(&app, &format!("bearer   {}", signer.token(&claims("alice")))).await.status, 200);
}

#[tokio::test]
async fn a_token_that_expires_is_refused_then_though_it_was_good() {
    let signer = Signer::new("one");
    let app = locked(&File::new(&Signer::set(&[&signer])), &["auth.jwt.leeway=0s"]);
    let token = format!("Bearer {}", signer.token(&with("exp", json!(now_s() + 3))));
    assert_eq!(ask(&app, &token).await.status, 200);
    let refused = async || (ask(&app, &token).await.status == 401).then(now_s);
    crate::harness::eventually("it has expired", crate::harness::PATIENCE, refused).await;
}

#[tokio::test]
async fn what_is_forged_is_refused() {
    let signer = Signer::new("one");
    let der = STANDARD.decode(include_str!("../../../src/auth/jwt/testdata/rsa_key.b64").replace('\n', "")).unwrap();
    let pair = RsaKeyPair::from_der(&der).unwrap();
    let public: rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
    let rsa = json!({ "kty": "RSA", "kid": "rsa", "n": b64(&public.n), "e": b64(&public.e) });
    let keys = json!({ "keys": [rsa.clone(), signer.jwk()] }).to_string();
    // As careless as a configuration can be.
    let app = locked(&File::new(&keys), &["auth.jwt.algorithms=RS256,ES256,HS256"]);
    let good = signer.token(&claims("alice"));
    assert_eq!(ask(&app, &format!("Bearer {good}")).await.status, 200);

    let mut forged = vec![
        Signer::new("one").token(&claims("alice")),
        good[..good.len() - 4].to_owned(),
        format!("{}.{}.", b64("{\"alg\":\"none\"}"), b64(claims("alice").to_string())),
        format!("{}.{}.", b64("{\"alg\":\"none\",\"kid\":\"one\"}"), b64(claims("alice").to_string())),
        signer.sign(&json!({ "alg": "none", "kid": "one" }), &claims("alice")),
        signer.sign(&json!({ "alg": "HS256", "kid": "one" }), &claims("alice")),
        signer.sign(&json!({ "alg": "RS256", "kid": "rsa" }), &claims("alice")),
        signer.sign(&json!({ "alg": "ES256", "kid": "one", "crit": ["x"], "x": 1 }), &claims("alice")),
        Signer::new("x").sign(&json!({ "alg": "ES256", "jwk": Signer::new("x").jwk() }), &claims("alice")),
    ];
    let spki = pair.public().as_ref().to_vec();
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&spki)).into_bytes();
    for secret in [public.n.clone(), spki, pem, rsa.to_string().into_bytes(), Vec::new()] {
        let message = format!("{}.{}", b64("{\"alg\":\"HS256\",\"kid\":\"rsa\"}"), b64(claims("alice").to_string()));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        forged.push(format!("{message}.{}", b64(signature)));
    }
    for token in forged {
        assert_eq!(ask(&app, &format!("Bearer {token}")).await.error(), (401, 40101), "{token}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let signer = Signer::new("one");
    let app = locked(&File::new(&Signer::set(&[&signer])), &[]);
    let large = signer.token(&with("pad", json!("x".repeat(9000))));
    for token in ["a.b.c", ".", "..", "a", "a b", "{}", &"x".repeat(60_000), &large] {
        let answer = ask(&app, &format!("Bearer {token}")).await;
        assert_eq!(answer.error(), (401, 40101), "{token}");
        let expected = "Bearer realm=\"kafka-rest-proxy\", error=\"invalid_token\"";
        assert_eq!(challenges(&answer), [expected]);
    }
    assert_eq!(challenges(&app.get(INSIDE).send().await), ["Bearer realm=\"kafka-rest-proxy\""]);
    let small = locked(&File::new(&Signer::set(&[&signer])), &["auth.jwt.max_token_bytes=256"]);
    assert_eq!(
        ask(&small, &format!("Bearer {}", signer.token(&with("pad", json!("x".repeat(256)))))).await.status,
        401
    );
}

#[tokio::test]
async fn several_ways_are_open_at_once() {
    let signer = Signer::new("one");
    let users = File::of_users(&[("alice", "a")]);
    let users = users.set("auth.users_file");
    let keys = File::new(&Signer::set(&[&signer]));
    let app = locked(&keys, &["auth.methods=basic,bearer,certificate", &users]);
    assert_eq!(ask(&app, &basic("alice", "a")).await.status, 200);
    assert_eq!(ask(&app, &signer.bearer("bob")).await.status, 200);
    let answer = app.get(INSIDE).send().await;
    assert_eq!(answer.error(), (401, 40101));
    let expected = ["Bearer realm=\"kafka-rest-proxy\"", "Basic realm=\"kafka-rest-proxy\", charset=\"UTF-8\""];
    assert_eq!(challenges(&answer), expected);
    // A token is no password, and a password no token.
    for wrong in [format!("Bearer {}", &basic("alice", "a")[6..]), format!("Basic {}", &signer.bearer("bob")[7..])] {
        assert_eq!(ask(&app, &wrong).await.status, 401, "{wrong}");
    }
}
