//! What an operator is told, and what never gets into a log.

use super::issuer::Signer;
use super::{Authorized, File, INSIDE, basic, line};
use crate::harness::PATIENCE;
use crate::harness::binary::Proxy;
use crate::harness::http;

/// Returns what the proxy says of a configuration that it does not start with.
fn refused(settings: &[&str]) -> String {
    let set = settings.iter().flat_map(|setting| ["--set", setting]);
    let mut proxy = Proxy::spawn(["--dev", "--check"].into_iter().chain(set), &[]);
    let status = proxy.wait(PATIENCE);
    assert_eq!(status.code(), Some(64), "{settings:?}: {}", proxy.log());
    proxy.log()
}

#[test]
fn it_does_not_start_with_what_it_cannot_read() {
    let users = File::new(&format!("{}hunter2\nbob:hunter2\n", line("alice", "a")));
    let text = refused(&["auth.methods=basic", &users.set("auth.users_file")]);
    assert!(text.contains("line 2: it has no colon") && text.contains("line 3: its hash is neither"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("alice"), "{text}");

    let table = [
        ("auth.methods=basic", "auth.users_file=/does/not/exist", "cannot be read"),
        ("auth.methods=certificate", "auth.certificate_rules=RULE:x", "rule 1 is not RULE:pattern/replacement/"),
        ("auth.methods=basic", "auth.realm=x", "is required for basic in auth.methods"),
        ("auth.methods=bearer", "auth.realm=x", "is required for bearer in auth.methods"),
        ("auth.methods=magic", "auth.realm=x", "\"magic\" is not basic, bearer or certificate"),
        ("auth.methods=basic", "auth.passthrough=bearer", "auth.passthrough (--set): names what is not among"),
    ];
    for (one, other, expected) in table {
        let text = refused(&[one, other]);
        assert!(text.contains(expected), "{text}");
    }
    let keys = File::new("{\"keys\":[\"hunter2\"]}");
    let keys = keys.set("auth.jwt.jwks_file");
    let text = refused(&["auth.methods=bearer", "auth.jwt.issuer=i", "auth.jwt.audience=a", &keys]);
    assert!(text.contains("key 1 cannot be read") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn no_credentials_get_into_the_log() {
    let signer = Signer::new("one");
    let (users, keys) = (File::of_users(&[("alice", "planted-right")]), File::new(&Signer::set(&[&signer])));
    let settings = [
        "auth.methods=basic,bearer",
        "auth.files_interval=50ms",
        "auth.jwt.issuer=i",
        "auth.jwt.audience=a",
        "log.level=trace",
        &users.set("auth.users_file"),
        &keys.set("auth.jwt.jwks_file"),
    ];
    let set: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let mut proxy = Proxy::start(&[&["--dev"], &set[..]].concat(), &[]);
    let (good, bad) = (signer.bearer("carol"), Signer::new("one").bearer("planted-claim"));
    let right = basic("alice", "planted-right");
    let wrong = basic("planted-user", "planted-wrong");
    for (shown, status) in [(&good, 200), (&bad, 401), (&right, 200), (&wrong, 401)] {
        let answer = http::get(&proxy.url(INSIDE)).authorized(shown).send().await;
        assert_eq!(answer.status, status);
        assert!(!answer.text().contains("planted"));
    }
    users.replace("alice:planted-plain\n");
    proxy.wait_for_log("line 1: its hash is neither bcrypt", PATIENCE);
    users.replace(&line("alice", "planted-new"));
    proxy.wait_for_log("has 1 users", PATIENCE);
    proxy.signal("TERM");
    proxy.wait(PATIENCE);
    let log = proxy.log();
    for secret in ["planted", &good[7..], &bad[7..], &right[6..], &wrong[6..], "$2b$04$"] {
        assert!(!log.contains(secret), "{secret}:\n{log}");
    }
}
