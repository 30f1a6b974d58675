//! Nothing of what callers show is in the log, whatever is logged.

use std::time::Duration;

use crate::harness::binary::Proxy;
use crate::harness::http;
use crate::harness::unique;
use crate::harness::waiting::PATIENCE;
use crate::passthrough::{As, User, secured, token};

#[tokio::test]
async fn no_password_and_no_token_is_in_the_log() {
    let one = secured().user().await;
    let wrong = User { password: unique("wrong"), ..one.clone() };
    let (good, ended) = (token(&unique("erin"), Duration::from_secs(600)), token(&unique("erin"), Duration::ZERO));
    let mut settings = secured().settings("SCRAM-SHA-256");
    settings.extend(
        ["log.level=trace", "auth.recheck=1s", "auth.idle_timeout=2s", "kafka.properties.debug=all"].map(str::to_owned),
    );
    let settings = settings.into_iter().map(|setting| format!("--set={setting}"));
    let bootstrap = secured().broker.kafka().bootstrap.clone();
    let args: Vec<String> = ["--bootstrap-servers".to_owned(), bootstrap].into_iter().chain(settings).collect();
    let mut proxy = Proxy::start(&args.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let topic = secured().topic_of(&one.name).await;
    let get = |path: &str| http::get(&proxy.url(path));
    let body = r#"{"records":[{"value":1}]}"#;
    let post = || http::post(&proxy.url(&format!("/topics/{topic}"))).body(http::JSON_V2, body);
    for _ in 0..2 {
        assert_eq!(get("/topics").by(&one).send().await.status, 200);
        assert_eq!(get("/topics").bearing(&good).send().await.status, 200);
        assert_eq!(get("/topics").by(&wrong).send().await.status, 401);
        assert_eq!(get("/topics").bearing(&ended).send().await.status, 401);
        post().by(&one).send().await;
        post().bearing(&good).send().await;
        get(&format!("/topics/{topic}/partitions/0/records")).by(&one).send().await;
        get("/v3/clusters").by(&one).send().await;
    }
    // Passwords are changed, and clients expire.
    let newer = User { password: unique("newer"), ..one.clone() };
    secured().set_password(&newer).await;
    proxy.wait_for_log("does not accept the credentials", PATIENCE);
    assert_eq!(get("/topics").by(&newer).send().await.status, 200);
    proxy.signal("TERM");
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0));
    let log = proxy.log();
    assert!(log.contains("DEBUG") && log.contains(&topic), "requests are in the log at this level");
    let basic = |user: &User| base64_simd::STANDARD.encode_to_string(format!("{}:{}", user.name, user.password));
    let tokens = [&good, &ended].map(|token| token.split('.').nth(1).unwrap().to_owned());
    let passwords = [&one, &wrong, &newer].map(|user| user.password.clone());
    let encoded = [&one, &wrong, &newer].map(basic);
    for secret in passwords.iter().chain(&tokens).chain(&encoded) {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{secret}");
    }
}
