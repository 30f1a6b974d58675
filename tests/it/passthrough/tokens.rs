//! Tokens: they end, and newer ones take their place.

use std::time::Duration;

use kafka_rest_proxy::model::{AclOperation, ResourceType};
use serde_json::json;

use crate::harness::http::{Call, V2};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::passthrough::{As, create_instance, produce, produce_until_allowed, secured, token, token_with};

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_newer_token_of_the_same_has_the_clients_of_the_first() {
    let app = secured().proxy("PLAIN", &[]);
    let erin = unique("erin");
    let topic = secured().topic_of(&erin).await;
    let tokens: Vec<String> = (0..20).map(|_| token(&erin, LONG)).collect();
    produce_until_allowed(&app, &topic, |call| call.bearing(&tokens[0])).await;
    for token in &tokens {
        assert_eq!(produce(&app, &topic).bearing(token).send().await.status, 200);
    }
    // In turn, as processes that have one each send them.
    for token in tokens[15..].iter().rev() {
        assert_eq!(produce(&app, &topic).bearing(token).send().await.status, 200);
    }
    assert_eq!(app.state.callers.count(), 1);
}

#[tokio::test]
async fn a_token_that_has_ended_is_401_and_the_next_one_goes_on() {
    let app = secured().proxy("PLAIN", &[]);
    let (erin, group) = (unique("erin"), unique("group"));
    let topic = secured().topic_of(&erin).await;
    secured().allow(&erin, AclOperation::Read, ResourceType::Group, &group).await;
    let first = token(&erin, Duration::from_secs(12));
    produce_until_allowed(&app, &topic, |call: Call| call.bearing(&first)).await;
    let instance = create_instance(&app, &group, "i", |call: Call| call.bearing(&first)).await;
    let partition = json!({ "partitions": [{ "topic": topic, "partition": 0 }] });
    let assign = app.post(&format!("{instance}/assignments")).document(V2, &partition).bearing(&first);
    assert_eq!(assign.send().await.status, 204);
    eventually("the token ends", PATIENCE, async || {
        let answer = produce(&app, &topic).bearing(&first).send().await;
        // One record may still be under way with it when it ends.
        assert!(matches!(answer.status, 200 | 401), "{}", answer.text());
        (answer.status == 401).then_some(())
    })
    .await;
    assert_eq!(app.get(&format!("{instance}/records")).bearing(&first).send().await.error(), (401, 40101));

    let second = token(&erin, LONG);
    assert_eq!(produce(&app, &topic).bearing(&second).send().await.status, 200);
    let path = format!("{instance}/records?timeout=1000");
    let mut offsets = Vec::new();
    eventually("the instance goes on with the newer token", PATIENCE, async || {
        let read = app.get(&path).accept("application/vnd.kafka.json.v2+json").bearing(&second).send().await;
        offsets.extend(read.ok().as_array().unwrap().iter().map(|record| record["offset"].as_u64().unwrap()));
        let end = secured().broker.kafka().read_topic(&topic).len();
        (offsets.len() == end).then_some(())
    })
    .await;
    assert!(offsets.iter().enumerate().all(|(at, offset)| at as u64 == *offset), "{offsets:?}");
}

#[tokio::test]
async fn one_with_many_different_tokens_does_not_fill_the_table() {
    let app = secured().proxy("PLAIN", &[]);
    let erin = unique("erin");
    let topic = secured().topic_of(&erin).await;
    produce_until_allowed(&app, &topic, |call| call.bearing(&token(&erin, LONG))).await;
    for scope in 0..8 {
        let token = token_with(&erin, LONG, json!({ "scope": scope.to_string() }));
        assert_eq!(produce(&app, &topic).bearing(&token).send().await.status, 200);
        assert!(app.state.callers.count() <= 4);
    }
    assert_eq!(app.state.callers.count(), 4, "other claims may be other rights");
}

#[tokio::test]
async fn a_token_that_has_ended_already_or_is_none_is_401() {
    let app = secured().proxy("PLAIN", &[]);
    let erin = unique("erin");
    for bad in [token(&erin, Duration::ZERO), "opaque".to_owned(), format!("{}x", token(&erin, LONG)), "a b".to_owned()]
    {
        assert_eq!(app.get("/topics").bearing(&bad).send().await.error(), (401, 40101), "{bad}");
    }
    assert_eq!(app.state.callers.count(), 0);
}
