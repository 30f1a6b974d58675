use serde_json::{Value, json};

use crate::harness::http::Answer;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};
use crate::v3_admin::{call, get, path_of, send};

async fn put(user: &str, body: Value) -> Answer {
    send("PUT", &format!("/scram-users/{user}"), body).await.send().await
}

/// Waits until the user has these credentials, each as mechanism and iterations.
async fn wait_for(user: &str, credentials: Value) -> Value {
    eventually("the broker knows the credentials", PATIENCE, async || {
        let found = get(&format!("/scram-users/{user}")).await.send().await;
        (found.status == 200 && found.json()["credentials"] == credentials).then(|| found.json())
    })
    .await
}

#[tokio::test]
async fn users_get_passwords_that_are_never_shown() {
    let user = unique("user");
    let at = format!("/scram-users/{user}");
    let unknown = get(&at).await.send().await;
    assert_eq!((unknown.error(), unknown.message()), ((404, 404), format!("SCRAM user {user} could not be found.")));
    let first = put(&user, json!({ "mechanism": "SCRAM-SHA-512", "password": "sesame" })).await;
    assert_eq!((first.status, first.body.len()), (204, 0), "{}", first.text());
    let second = json!({ "mechanism": "SCRAM-SHA-256", "iterations": 8192, "password": "sesame" });
    assert_eq!(put(&user, second).await.status, 204);
    let both = json!([{ "mechanism": "SCRAM-SHA-256", "iterations": 8192 }, { "mechanism": "SCRAM-SHA-512", "iterations": 4096 }]);
    let found = wait_for(&user, both).await;
    assert_eq!((&found["kind"], &found["user_name"]), (&json!("KafkaScramUser"), &json!(user)));
    assert!(!found.to_string().contains("sesame"));
    let list = get("/scram-users").await.send().await.ok();
    assert_eq!(list["kind"], "KafkaScramUserList");
    assert!(list["data"].as_array().unwrap().contains(&found));
    assert_eq!(app::shared().get(&path_of(&found["metadata"]["self"])).send().await.ok(), found);

    assert_eq!(call("DELETE", &format!("{at}?mechanism=scram-sha-256")).await.send().await.status, 204);
    wait_for(&user, json!([{ "mechanism": "SCRAM-SHA-512", "iterations": 4096 }])).await;
    let again = call("DELETE", &format!("{at}?mechanism=SCRAM-SHA-256")).await.send().await;
    assert_eq!(again.error(), (404, 404));
    assert_eq!(call("DELETE", &at).await.send().await.status, 204);
    eventually("the user is gone", PATIENCE, async || {
        (call("DELETE", &at).await.send().await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_no_credential_is_refused_without_showing_it() {
    let user = unique("user");
    for (body, error) in [
        (json!({ "mechanism": "SCRAM-SHA-512" }), (400, 400)),
        (json!({ "mechanism": "SCRAM-SHA-512", "password": "" }), (400, 400)),
        (json!({ "mechanism": "PLAIN", "password": "sesame" }), (400, 400)),
        (json!({ "mechanism": "SCRAM-SHA-512", "password": ["sesame"] }), (400, 400)),
        (json!({ "mechanism": "SCRAM-SHA-512", "iterations": 1, "password": "sesame" }), (400, 40002)),
        (json!({ "mechanism": "SCRAM-SHA-512", "iterations": 100_000, "password": "sesame" }), (400, 40002)),
        (json!({ "mechanism": "SCRAM-SHA-512", "password": "sesame", "salt": "x" }), (422, 422)),
        (Value::Null, (422, 42206)),
    ] {
        let refused = put(&user, body.clone()).await;
        assert_eq!(refused.error(), error, "{body}");
        assert!(!refused.text().contains("sesame"));
    }
    assert_eq!(call("DELETE", &format!("/scram-users/{user}?mechanism=PLAIN")).await.send().await.error(), (404, 404));
    assert_eq!(get(&format!("/scram-users/{user}")).await.send().await.error(), (404, 404));
}
