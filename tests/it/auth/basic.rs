//! HTTP Basic against a file of users.

use std::time::{Duration, Instant};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};

use super::{Authorized, File, INSIDE, ask, basic, line, proxy};
use crate::harness::app::App;
use crate::harness::{PATIENCE, eventually};

fn locked(users: &File, more: &[&str]) -> App {
    let users = users.set("auth.users_file");
    let settings = ["auth.methods=basic", "auth.files_interval=50ms", "auth.failed_attempts=0", users.as_str()];
    proxy(&[&settings, more].concat())
}

async fn becomes(app: &App, name: &str, password: &str, status: u16) {
    let shown = basic(name, password);
    let what = format!("{name} {password} gets {status}");
    eventually(&what, PATIENCE, async || (ask(app, &shown).await.status == status).then_some(())).await;
}

#[tokio::test]
async fn users_with_either_hash_are_let_in_by_their_own_password() {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let hash = argon2.hash_password_with_salt("pässword:x".as_bytes(), b"somesaltsomesalt").unwrap();
    let users = File::new(&format!("# users\n{}bob:{hash}\n", line("alice", "a")));
    let app = locked(&users, &[]);
    for (name, password, status) in [
        ("alice", "a", 200),
        ("bob", "pässword:x", 200),
        ("alice", "A", 401),
        ("Alice", "a", 401),
        ("alice", "pässword:x", 401),
        ("bob", "a", 401),
        ("bob", "pässword:x ", 401),
        ("carol", "a", 401),
        ("", "a", 401),
    ] {
        // Twice, as the second answer may come from memory.
        for _ in 0..2 {
            assert_eq!(ask(&app, &basic(name, password)).await.status, status, "{name} {password}");
        }
    }
}

#[tokio::test]
async fn a_changed_file_is_taken_and_what_was_remembered_of_the_old_one_is_not() {
    let users = File::of_users(&[("alice", "old"), ("bob", "b"), ("gone", "g")]);
    let app = locked(&users, &["auth.cache_ttl=1h"]);
    for (name, password) in [("alice", "old"), ("bob", "b"), ("gone", "g")] {
        assert_eq!(ask(&app, &basic(name, password)).await.status, 200);
    }
    users.replace(&[line("alice", "new"), line("bob", "b"), line("carol", "c")].concat());
    becomes(&app, "alice", "new", 200).await;
    assert_eq!(ask(&app, &basic("alice", "old")).await.status, 401);
    assert_eq!(ask(&app, &basic("gone", "g")).await.status, 401);
    assert_eq!(ask(&app, &basic("bob", "b")).await.status, 200);
    assert_eq!(ask(&app, &basic("carol", "c")).await.status, 200);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_until_it_is_mended() {
    let users = File::of_users(&[("alice", "a")]);
    let app = locked(&users, &["auth.cache_ttl=0s"]);
    for broken in ["", "alice:plain\n", &format!("{}bob\n", line("bob", "b"))] {
        users.replace(broken);
        let end = Instant::now() + Duration::from_millis(400);
        while Instant::now() < end {
            assert_eq!(ask(&app, &basic("alice", "a")).await.status, 200, "{broken:?}");
            assert_eq!(ask(&app, &basic("bob", "b")).await.status, 401, "{broken:?}");
        }
    }
    std::fs::remove_file(&users.0).unwrap();
    assert_eq!(ask(&app, &basic("alice", "a")).await.status, 200);
    users.replace(&line("bob", "b"));
    becomes(&app, "bob", "b", 200).await;
    becomes(&app, "alice", "a", 401).await;
}

/// Returns a hash that takes long enough to measure, however slow this build is, and how long it takes.
fn costly(password: &str) -> (String, Duration) {
    let mut cost = 5;
    loop {
        let hash = bcrypt::hash(password, cost).unwrap();
        let start = Instant::now();
        assert!(bcrypt::verify(password, &hash).unwrap());
        if start.elapsed() > Duration::from_millis(200) {
            return (hash, start.elapsed());
        }
        cost += 1;
    }
}

#[tokio::test]
async fn a_password_that_was_right_is_not_hashed_again() {
    let (hash, cost) = costly("a");
    let users = File::new(&format!("alice:{hash}\n"));
    let app = locked(&users, &["auth.cache_ttl=1h", "auth.check_wait=1m"]);
    assert_eq!(ask(&app, &basic("alice", "a")).await.status, 200);
    let start = Instant::now();
    for _ in 0..30 {
        assert_eq!(ask(&app, &basic("alice", "a")).await.status, 200);
    }
    assert!(start.elapsed() < cost * 15, "{:?} for 30 with a hash of {cost:?}", start.elapsed());
    // What was wrong is.
    let start = Instant::now();
    for _ in 0..3 {
        assert_eq!(ask(&app, &basic("alice", "b")).await.status, 401);
    }
    assert!(start.elapsed() > cost, "{:?} for 3 with a hash of {cost:?}", start.elapsed());
}

#[tokio::test]
async fn how_long_it_takes_does_not_tell_who_there_is() {
    let (hash, _) = costly("a");
    let users = File::new(&format!("alice:{hash}\n"));
    let app = locked(&users, &["auth.check_wait=1m"]);
    let fastest = async |name: &str| {
        let mut fastest = Duration::MAX;
        for number in 0..5 {
            let start = Instant::now();
            assert_eq!(ask(&app, &basic(name, &format!("wrong {number}"))).await.status, 401);
            fastest = fastest.min(start.elapsed());
        }
        fastest
    };
    let (known, unknown) = (fastest("alice").await, fastest("nobody").await);
    assert!(unknown > known / 2 && known > unknown / 2, "{known:?} for somebody, {unknown:?} for nobody");
}

#[tokio::test]
async fn those_who_would_wait_too_long_for_their_check_are_told_to_come_back() {
    let (hash, cost) = costly("a");
    let users = File::new(&format!("alice:{hash}\n"));
    let app = locked(&users, &["auth.concurrent_checks=1", "auth.check_wait=0s"]);
    let calls = (0..8).map(|number| {
        let call = app.get(INSIDE).authorized(&basic("alice", &number.to_string()));
        async move { call.send().await }
    });
    let answers = futures_util::future::join_all(calls).await;
    let busy: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!busy.is_empty() && busy.len() < 8, "{} of 8 with a hash of {cost:?}", busy.len());
    assert_eq!((busy[0].error(), busy[0].header("retry-after")), ((503, 503), Some("1")));
    // Others are served meanwhile: checking holds no worker up.
    assert_eq!(app.get("/health").send().await.status, 200);
}
