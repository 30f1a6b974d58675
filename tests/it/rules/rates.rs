use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::http::{Answer, JSON, JSON_V2};
use crate::harness::waiting::PATIENCE;
use crate::harness::{app, eventually, kafka};
use crate::rules::{cluster, started};

#[track_caller]
fn assert_limited(answer: &Answer, what: &str) {
    assert_eq!(answer.error(), (429, 429), "{}", answer.text());
    let expected = format!("Request rate limit exceeded: The rate limit of {what} has been exceeded.");
    assert_eq!(answer.message(), expected);
    assert!(number(answer, "retry-after") >= 1);
}

#[track_caller]
fn number(answer: &Answer, header: &str) -> u64 {
    let value = answer.header(header).unwrap_or_else(|| panic!("no {header}: {:?}", answer.headers));
    value.parse().unwrap_or_else(|_| panic!("{header}: {value}"))
}

#[tokio::test]
async fn without_limits_nothing_is_said_of_them() {
    let answer = app::shared().get("/topics").send().await;
    assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, None));
}

#[tokio::test]
async fn a_caller_has_so_many_requests_and_gets_more_when_told() {
    let app = started(&["rate.requests=1", "rate.requests_burst=3"]);
    for left in [2, 1, 0] {
        let answer = app.get("/topics").send().await;
        assert_eq!((answer.status, number(&answer, "ratelimit-limit")), (200, 3));
        // A second may have passed.
        assert!(number(&answer, "ratelimit-remaining") >= left);
        assert!((1..=3).contains(&number(&answer, "ratelimit-reset")));
    }
    // A slow machine gives time for more.
    let refused = eventually("requests are refused", PATIENCE, async || {
        let answer = app.get("/topics").send().await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_limited(&refused, "requests per second");
    assert_eq!((number(&refused, "ratelimit-remaining"), number(&refused, "retry-after")), (0, 1));
    // What says how the proxy is, is never limited, and says nothing of limits.
    for _ in 0..5 {
        let health = app.get("/health").send().await;
        assert_eq!((health.status, health.header("ratelimit-limit")), (200, None));
    }
    tokio::time::sleep(Duration::from_secs(number(&refused, "retry-after"))).await;
    assert_eq!(app.get("/topics").send().await.status, 200);
}

#[tokio::test]
async fn what_is_forbidden_counts_too() {
    let app = started(&[
        "rate.requests=1",
        "rate.requests_burst=2",
        "rules.test.principals=somebody",
        "rules.test.verbs=read",
        "rules.test.topics=*",
    ]);
    let statuses = async {
        let mut statuses = Vec::new();
        let start = Instant::now();
        while start.elapsed() < PATIENCE && statuses.last() != Some(&429) {
            statuses.push(app.get("/topics").send().await.status);
        }
        statuses
    }
    .await;
    assert!(statuses.len() >= 3 && statuses.starts_with(&[403, 403]) && statuses.ends_with(&[429]), "{statuses:?}");
}

#[tokio::test]
async fn bodies_of_requests_and_of_answers_take_bytes() {
    let topic = app::topic(1);
    let app = started(&["rate.bytes=1KiB"]);
    let body = json!({ "records": [{ "value": "x".repeat(4000) }] });
    let produce = async || app.post(&format!("/topics/{topic}")).document(JSON_V2, &body).send().await;
    assert_eq!(produce().await.status, 200);
    let refused = produce().await;
    assert_limited(&refused, "bytes per second");
    assert!((2..=4).contains(&number(&refused, "retry-after")), "{:?}", refused.header("retry-after"));
    assert_eq!(kafka::shared().read_topic(&topic).len(), 1);

    let app = started(&["rate.bytes=1KiB"]);
    let read = async || app.get(&format!("/topics/{topic}/partitions/0/records")).send().await;
    assert_eq!(read().await.status, 200);
    assert_limited(&read().await, "bytes per second");
}

#[tokio::test]
async fn a_topic_takes_so_much_from_all_who_write_to_it() {
    let (topic, other) = (app::topic(1), app::topic(1));
    let app = started(&["rate.topic_bytes=100"]);
    let body = json!({ "records": [{ "value": "x".repeat(1000) }] });
    let produce = async |topic: &str| app.post(&format!("/topics/{topic}")).document(JSON_V2, &body).send().await;
    assert_eq!(produce(&topic).await.status, 200);
    assert_limited(&produce(&topic).await, &format!("bytes per second of topic {topic}"));
    assert_eq!(produce(&other).await.status, 200);
    assert_eq!(app.get(&format!("/topics/{topic}")).send().await.status, 200);
}

#[tokio::test]
async fn records_of_a_stream_are_refused_one_by_one_and_the_stream_goes_on() {
    let topic = app::topic(1);
    let app = started(&["rate.topic_requests=2"]);
    let path = format!("{}/topics/{topic}/records", cluster().await);
    let stream = r#"{"value":{"type":"JSON","data":1}}"#.repeat(5);
    let answer = app.post(&path).body(JSON, stream).send().await;
    assert_eq!(answer.status, 200);
    let receipts = serde_json::Deserializer::from_slice(&answer.body).into_iter::<Value>();
    let receipts: Vec<Value> = receipts.collect::<Result<_, _>>().unwrap();
    let codes: Vec<_> = receipts.iter().map(|receipt| receipt["error_code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 200, 429, 429, 429]);
    assert!(receipts[2]["message"].as_str().unwrap().contains(&format!("of topic {topic}")), "{}", receipts[2]);
    assert_eq!(kafka::shared().read_topic(&topic).len(), 2);
}

#[tokio::test]
async fn entries_of_a_batch_count_each() {
    let topic = app::topic(1);
    let app = started(&["rate.topic_requests=2"]);
    let entry = |id: &str| json!({ "id": id, "value": { "type": "JSON", "data": 1 } });
    let body = json!({ "entries": [entry("a"), entry("b"), entry("c")] });
    let path = format!("{}/topics/{topic}/records:batch", cluster().await);
    let answer = app.post(&path).document(JSON, &body).send().await;
    assert_eq!(answer.status, 207, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["successes"].as_array().unwrap().len(), 2);
    assert_eq!((&answer["failures"][0]["id"], &answer["failures"][0]["error_code"]), (&json!("c"), &json!(429)));
    // Nothing is left to begin with.
    let refused = app.post(&path).document(JSON, &body).send().await;
    assert_limited(&refused, &format!("requests per second of topic {topic}"));
}
