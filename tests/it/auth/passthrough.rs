//! Credentials that are Kafka's to judge.

use crate::harness::http::Call;
use crate::passthrough::{As, produce, produce_until_allowed, secured, user};

#[tokio::test]
async fn kafka_judges_and_whoever_guesses_has_to_wait() {
    let kafka = secured();
    let alice = kafka.user().await;
    let topic = kafka.topic_of(&alice.name).await;
    let app = kafka.proxy("SCRAM-SHA-256", &["auth.failed_attempts=3"]);
    produce_until_allowed(&app, &topic, |call: Call| call.by(&alice)).await;
    for guess in ["x", "y", "z"] {
        let answer = produce(&app, &topic).by(&user(&alice.name, guess)).send().await;
        assert_eq!(answer.error(), (401, 40101));
        assert!(answer.message().starts_with("The credentials are not accepted"), "{}", answer.text());
        assert_eq!(super::challenges(&answer).len(), 2);
    }
    assert_eq!(produce(&app, &topic).by(&user(&alice.name, "w")).send().await.error(), (429, 429));
    assert_eq!(produce(&app, &topic).by(&alice).send().await.status, 200);
    assert_eq!(produce(&app, &topic).send().await.error(), (401, 40101));
}
