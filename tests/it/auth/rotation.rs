//! Keys that change, and those that cannot be had.

use std::time::{Duration, Instant};

use super::issuer::{Issuer, Signer};
use super::{File, ask, proxy};
use crate::harness::app::App;
use crate::harness::certificates::Certificates;
use crate::harness::{PATIENCE, eventually};

const LONG: &str = "auth.jwt.refresh_interval=1h";

fn trusting(issuer: &Issuer, more: &[&str]) -> App {
    let url = format!("auth.jwt.jwks_url={}", issuer.url);
    let settings =
        ["auth.methods=bearer", "auth.jwt.issuer=i", "auth.jwt.audience=a", "auth.failed_attempts=0", url.as_str()];
    proxy(&[&settings, more].concat())
}

async fn becomes(app: &App, bearer: &str, status: u16) {
    let what = format!("the token gets {status}");
    eventually(&what, PATIENCE, async || (ask(app, bearer).await.status == status).then_some(())).await;
}

#[tokio::test]
async fn a_changed_file_of_keys_is_taken_and_a_broken_one_is_not() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let file = File::new(&Signer::set(&[&old]));
    let keys = file.set("auth.jwt.jwks_file");
    let settings = ["auth.methods=bearer", "auth.jwt.issuer=i", "auth.jwt.audience=a", "auth.files_interval=50ms"];
    let app = proxy(&[&settings[..], &["auth.failed_attempts=0", "auth.jwt.refresh_cooldown=1h", &keys]].concat());
    let (by_old, by_new) = (old.bearer("alice"), new.bearer("alice"));
    assert_eq!(ask(&app, &by_old).await.status, 200);
    assert_eq!(ask(&app, &by_new).await.status, 401);
    file.replace(&Signer::set(&[&old, &new]));
    becomes(&app, &by_new, 200).await;
    assert_eq!(ask(&app, &by_old).await.status, 200);
    file.replace("{}");
    let end = Instant::now() + Duration::from_millis(400);
    while Instant::now() < end {
        assert_eq!(ask(&app, &by_old).await.status, 200);
    }
    // A key that is gone vouches for nobody, whom it has vouched for before neither.
    file.replace(&Signer::set(&[&new]));
    becomes(&app, &by_old, 401).await;
    assert_eq!(ask(&app, &by_new).await.status, 200);
}

#[tokio::test]
async fn a_token_of_a_new_key_has_the_keys_fetched() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(&Signer::set(&[&old]));
    let app = trusting(&issuer, &[LONG, "auth.jwt.refresh_cooldown=10ms"]);
    becomes(&app, &old.bearer("alice"), 200).await;
    issuer.answers(200, &Signer::set(&[&new]));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(ask(&app, &new.bearer("alice")).await.status, 200, "at the first try");
    assert_eq!(ask(&app, &old.bearer("alice")).await.status, 401);
}

#[tokio::test]
async fn keys_are_not_fetched_for_everybody_who_makes_one_up() {
    let (good, bad) = (Signer::new("good"), Signer::new("made up"));
    let issuer = Issuer::start(&Signer::set(&[&good]));
    let app = trusting(&issuer, &[LONG, "auth.jwt.refresh_cooldown=1h"]);
    becomes(&app, &good.bearer("alice"), 200).await;
    for _ in 0..20 {
        assert_eq!(ask(&app, &bad.bearer("alice")).await.status, 401);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn keys_are_fetched_again_by_and_by() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(&Signer::set(&[&old]));
    let app = trusting(&issuer, &["auth.jwt.refresh_interval=100ms", "auth.jwt.refresh_cooldown=1h"]);
    becomes(&app, &old.bearer("alice"), 200).await;
    issuer.answers(200, &Signer::set(&[&new]));
    becomes(&app, &old.bearer("alice"), 401).await;
    assert_eq!(ask(&app, &new.bearer("alice")).await.status, 200);
}

#[tokio::test]
async fn while_the_keys_cannot_be_fetched_the_old_ones_are_good() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuer = Issuer::start(&Signer::set(&[&old]));
    let app = trusting(&issuer, &["auth.jwt.refresh_interval=100ms", "auth.jwt.refresh_cooldown=50ms"]);
    becomes(&app, &old.bearer("alice"), 200).await;
    let large = format!("{}{}", Signer::set(&[&new]), " ".repeat(2 << 20));
    let bad = [Some((500, "")), Some((200, "")), Some((200, "{\"keys\":[]}")), Some((200, large.as_str())), None];
    for answer in bad {
        match answer {
            Some((status, body)) => issuer.answers(status, body),
            None => issuer.goes_down(),
        }
        let before = issuer.asked();
        eventually("they are asked for", PATIENCE, async || (issuer.asked() > before + 1).then_some(())).await;
        assert_eq!(ask(&app, &old.bearer("alice")).await.status, 200);
        assert_eq!(ask(&app, &new.bearer("alice")).await.status, 401);
    }
    issuer.answers(200, &Signer::set(&[&new]));
    becomes(&app, &new.bearer("alice"), 200).await;
}

#[tokio::test]
async fn until_there_are_keys_nobody_can_tell() {
    let signer = Signer::new("one");
    let issuer = Issuer::start("");
    issuer.goes_down();
    let app = trusting(&issuer, &["auth.jwt.refresh_cooldown=50ms"]);
    let answer = ask(&app, &signer.bearer("alice")).await;
    assert_eq!((answer.error(), answer.header("retry-after")), ((503, 503), Some("1")));
    assert_eq!(app.get("/health").send().await.status, 200);
    issuer.answers(200, &Signer::set(&[&signer]));
    becomes(&app, &signer.bearer("alice"), 200).await;
}

#[tokio::test]
async fn a_secret_from_the_net_is_not_taken() {
    let issuer = Issuer::start(
        &serde_json::json!({ "keys": [
        { "kty": "oct", "kid": "s", "alg": "HS256", "k": super::issuer::b64([7; 32]) }, Signer::new("one").jwk(),
    ] })
        .to_string(),
    );
    let app = trusting(&issuer, &[]);
    eventually("keys are there", PATIENCE, async || (ask(&app, "Bearer a.b.c").await.status == 401).then_some(()))
        .await;
    let message = format!(
        "{}.{}",
        super::issuer::b64("{\"alg\":\"HS256\",\"kid\":\"s\"}"),
        super::issuer::b64(super::issuer::claims("alice").to_string())
    );
    let signature = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]), message.as_bytes());
    assert_eq!(ask(&app, &format!("Bearer {message}.{}", super::issuer::b64(signature))).await.status, 401);
}

#[tokio::test]
async fn keys_come_from_a_server_that_somebody_trusted_vouches_for() {
    let signer = Signer::new("one");
    let certificates = Certificates::new();
    certificates.issue("issuer", &["127.0.0.1"]);
    let keys = Signer::set(&[&signer]);
    let issuer = Issuer::start_tls(&keys, &certificates.path("issuer.pem"), &certificates.path("issuer.key"));
    let ca = format!("auth.jwt.ca_file={}", certificates.path("ca.pem"));
    becomes(&trusting(&issuer, &[&ca]), &signer.bearer("alice"), 200).await;
    let others = Certificates::new();
    let ca = format!("auth.jwt.ca_file={}", others.path("ca.pem"));
    let app = trusting(&issuer, &[&ca, "auth.jwt.refresh_cooldown=10ms"]);
    let end = Instant::now() + Duration::from_millis(500);
    while Instant::now() < end {
        assert_eq!(ask(&app, &signer.bearer("alice")).await.status, 503);
    }
    others.remove();
    certificates.remove();
}
