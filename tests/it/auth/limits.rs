//! How often what is wrong may be tried.

use super::issuer::Signer;
use super::{Authorized, File, INSIDE, ask, basic, proxy};
use crate::harness::app::App;
use crate::harness::http::Answer;
use crate::harness::{PATIENCE, eventually};

fn limited(users: &File, more: &[&str]) -> App {
    let users = users.set("auth.users_file");
    let settings =
        ["auth.methods=basic", "auth.failed_attempts=5", "auth.cache_ttl=0s", "server.trust_forwarded=true", &users];
    proxy(&[&settings, more].concat())
}

async fn from(app: &App, address: &str, name: &str, password: &str) -> Answer {
    let call = app.get(INSIDE).authorized(&basic(name, password));
    call.header("x-forwarded-for", &format!("6.6.6.6, {address}")).send().await
}

#[tokio::test]
async fn an_address_that_fails_too_often_has_to_wait_and_others_do_not() {
    let users = File::of_users(&[("alice", "a"), ("bob", "b")]);
    let app = limited(&users, &[]);
    assert_eq!(from(&app, "10.0.0.1", "bob", "b").await.status, 200);
    for number in 0..5 {
        assert_eq!(from(&app, "10.0.0.1", &format!("user{number}"), "x").await.status, 401);
    }
    let refused = from(&app, "10.0.0.1", "alice", "wrong").await;
    assert_eq!((refused.error(), super::challenges(&refused).len()), ((429, 429), 0));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Even the right ones are not tried from there, or guessing would go on.
    assert_eq!(from(&app, "10.0.0.1", "alice", "a").await.status, 429);
    // Who has shown them before does not guess.
    assert_eq!(from(&app, "10.0.0.1", "bob", "b").await.status, 200);
    for address in ["10.0.0.2", "2001:db8::1"] {
        assert_eq!(from(&app, address, "alice", "a").await.status, 200, "{address}");
    }
    // Showing nothing is no guess.
    assert_eq!(app.get(INSIDE).header("x-forwarded-for", "10.0.0.1").send().await.status, 401);
}

#[tokio::test]
async fn a_name_that_is_guessed_at_from_many_addresses_is_shielded() {
    let users = File::of_users(&[("alice", "a"), ("bob", "b")]);
    let app = limited(&users, &[]);
    assert_eq!(from(&app, "10.0.1.1", "alice", "a").await.status, 200);
    for (name, guess) in [("alice", "x"), ("nobody", "x")] {
        for number in 0..5 {
            assert_eq!(from(&app, &format!("10.1.0.{number}"), name, guess).await.status, 401);
        }
        assert_eq!(from(&app, "10.2.0.1", name, guess).await.status, 429, "{name}");
    }
    assert_eq!(from(&app, "10.1.0.1", "bob", "b").await.status, 200);
    assert_eq!(from(&app, "10.1.0.1", "alice", "a").await.status, 200, "who is shielded is not locked out");
}

#[tokio::test]
async fn after_the_window_it_goes_on() {
    let users = File::of_users(&[("alice", "a")]);
    let app = limited(&users, &["auth.failed_window=1s"]);
    for _ in 0..5 {
        from(&app, "10.0.0.1", "alice", "x").await;
    }
    let served = async || (from(&app, "10.0.0.1", "alice", "a").await.status == 200).then_some(());
    eventually("the window is over", PATIENCE, served).await;
}

#[tokio::test]
async fn what_a_client_says_of_its_address_counts_only_behind_a_trusted_proxy() {
    let users = File::of_users(&[("alice", "a")]);
    let app = limited(&users, &["server.trust_forwarded=false"]);
    for number in 0..5 {
        assert_eq!(from(&app, &format!("10.0.0.{number}"), &format!("user{number}"), "x").await.status, 401);
    }
    assert_eq!(from(&app, "10.0.0.9", "alice", "a").await.status, 429);
}

#[tokio::test]
async fn many_guesses_at_once_are_limited_too() {
    let users = File::of_users(&[("alice", "a")]);
    let app = limited(&users, &["auth.concurrent_checks=2", "auth.check_wait=1m"]);
    let calls = (0..60).map(|number| {
        let call = app.get(INSIDE).authorized(&basic("alice", &number.to_string()));
        async move { call.send().await.status }
    });
    let statuses = futures_util::future::join_all(calls).await;
    let tried = statuses.iter().filter(|status| **status == 401).count();
    assert!((5..=7).contains(&tried), "{tried} were tried");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 60 - tried);
}

#[tokio::test]
async fn a_good_token_is_never_refused_for_bad_ones() {
    let signer = Signer::new("one");
    let keys = File::new(&Signer::set(&[&signer]));
    let keys = keys.set("auth.jwt.jwks_file");
    let settings = ["auth.methods=bearer", "auth.failed_attempts=3", "auth.jwt.issuer=i", "auth.jwt.audience=a", &keys];
    let app = proxy(&settings);
    for _ in 0..3 {
        assert_eq!(ask(&app, "Bearer a.b.c").await.status, 401);
    }
    assert_eq!(ask(&app, "Bearer a.b.c").await.error(), (429, 429));
    assert_eq!(ask(&app, &signer.bearer("alice")).await.status, 200);
}
