//! Batches of a few records.

use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, JSON};
use crate::harness::{kafka, unique};
use crate::v3_produce::path;

async fn post(app: &App, topic: &str, body: &Value) -> Answer {
    app.post(&(path(topic) + ":batch")).document(JSON, body).send().await
}

#[tokio::test]
async fn each_entry_is_answered_under_its_id() {
    let topic = app::topic(1);
    let body = json!({"entries": [
        {"id": "a", "key": {"type": "STRING", "data": "k"}, "value": {"type": "JSON", "data": {"n": 1}}},
        {"id": "b", "value": {"type": "BINARY", "data": "*"}},
        {"id": "c", "partition_id": -5},
        {"id": "d", "partition_id": 5},
        {"id": "e-_9"},
    ]});
    let answer = post(app::shared(), &topic, &body).await;
    assert_eq!((answer.status, answer.media()), (207, Some(JSON)), "{}", answer.text());
    let answer = answer.json();
    let ids = |list: &str| answer[list].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (ids("successes"), ids("failures")),
        (vec![json!("a"), json!("e-_9")], vec![json!("b"), json!("c"), json!("d")])
    );
    let codes: Vec<_> =
        answer["failures"].as_array().unwrap().iter().map(|one| one["error_code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [400, 40402, 40401]);
    assert_eq!(answer["successes"][0]["value"], json!({"type": "JSON", "size": 7}));
    assert_eq!(answer["successes"][1]["offset"], 1);
    assert_eq!(kafka::shared().read_topic(&topic).len(), 2);
}

#[tokio::test]
async fn an_unknown_topic_fails_every_entry() {
    let answer = post(app::shared(), &unique("nowhere"), &json!({"entries": [{"id": "a"}, {"id": "b"}]})).await;
    assert_eq!((answer.status, answer.json()["failures"][1]["error_code"].as_u64()), (207, Some(40401)));
}

#[tokio::test]
async fn a_bad_batch_is_refused_as_a_whole() {
    let mut config = app::config();
    config.limits.batch_entries = 2;
    let app = app::spawn_app(config);
    let topic = app::topic(1);
    let cases = [
        (json!(null), (422, 42208)),
        (json!({}), (422, 42208)),
        (json!({"entries": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}), (422, 42208)),
        (json!({"entries": [{"id": "1"}, {"id": "1"}]}), (422, 42208)),
        (json!({"entries": [{"id": "1"}, {"id": "ü"}]}), (422, 42208)),
        (json!({"records": []}), (422, 422)),
        (json!({"entries": [{"id": "1"}, {"id": "2", "value": {"bogus": 1}}]}), (422, 422)),
        (json!({"entries": [{"id": "1"}, {"id": "2", "value": {"type": "nope"}}]}), (400, 400)),
        (json!({"entries": [{"id": "1"}, {}]}), (400, 400)),
    ];
    for (body, error) in cases {
        assert_eq!(post(&app, &topic, &body).await.error(), error, "{body}");
    }
    let call = || app.post(&(path(&topic) + ":batch"));
    assert_eq!(call().send().await.error(), (422, 42208));
    assert_eq!(call().body(JSON, "{\"entries\":[{\"id\":\"1\"}]}}").send().await.error(), (400, 400));
    assert_eq!(call().body("text/plain", "{}").send().await.error(), (415, 415));
    assert!(kafka::shared().read_topic(&topic).is_empty());
}
