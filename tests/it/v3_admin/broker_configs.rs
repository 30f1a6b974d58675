use std::time::{Duration, Instant};

use serde_json::json;

use crate::v3_admin::{broker, call, found, get, get_until, send};

async fn configs() -> String {
    format!("/brokers/{}/configs", broker().await)
}

#[tokio::test]
async fn configs_are_sorted_and_secrets_are_kept() {
    let list = get(&configs().await).await.send().await.ok();
    assert_eq!(list["kind"], "KafkaBrokerConfigList");
    let names: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|config| config["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.len() > 100);
    let secret = found(&list, "name", "ssl.keystore.password");
    assert_eq!((&secret["is_sensitive"], &secret["value"]), (&true.into(), &().into()));
    let fixed = found(&list, "name", "node.id");
    assert_eq!(
        (&fixed["is_read_only"], &fixed["source"], &fixed["is_default"]),
        (&true.into(), &"STATIC_BROKER_CONFIG".into(), &false.into())
    );
    assert_eq!(fixed["synonyms"][0]["source"], "STATIC_BROKER_CONFIG");
}

#[tokio::test]
async fn a_config_is_set_for_one_broker_and_reset() {
    let path = format!("{}/log.cleaner.dedupe.buffer.size", configs().await);
    let before = get(&path).await.send().await.ok();
    let set = send("PUT", &path, json!({ "value": 134217729 })).await.send().await;
    assert_eq!((set.status, set.body.len(), set.media()), (204, 0, None));
    let config = get_until(&path, |config| config["value"] == "134217729").await;
    assert_eq!((&config["source"], config["synonyms"].as_array().unwrap().len()), (&"DYNAMIC_BROKER_CONFIG".into(), 2));
    assert_eq!(call("DELETE", &path).await.send().await.status, 204);
    get_until(&path, |config| *config == before).await;
}

#[tokio::test]
async fn several_configs_are_set_together_or_not_at_all() {
    let at = configs().await;
    let alter = format!("{at}:alter");
    let change = |name: &str, value: &str| json!({ "name": name, "value": value });
    let refused = [
        (json!({ "data": [change("log.cleaner.io.max.bytes.per.second", "5"), change("no.such", "1")] }), (404, 404)),
        (json!({ "data": [change("log.cleaner.io.max.bytes.per.second", "5"), change("node.id", "9")] }), (400, 40002)),
        (json!({ "data": [change("max.connections", "5"), change("max.connections", "6")] }), (400, 40002)),
        (json!({ "data": [{ "name": "max.connections" }] }), (400, 40002)),
        (json!({ "data": [{ "name": "max.connections", "operation": "APPEND" }] }), (400, 400)),
        (json!({ "data": [{ "value": "5" }] }), (400, 400)),
        (json!({ "data": "all" }), (400, 400)),
        (json!({}), (400, 400)),
        (json!({ "data": [], "more": 1 }), (422, 422)),
    ];
    for (body, expected) in refused {
        assert_eq!(send("POST", &alter, body.clone()).await.send().await.error(), expected, "{body}");
    }
    assert_eq!(call("POST", &alter).await.send().await.error(), (422, 42206));
    assert_eq!(send("POST", &alter, json!({ "data": [] })).await.send().await.status, 204);
    let checked = json!({ "data": [change("log.cleaner.io.max.bytes.per.second", "5")], "validate_only": true });
    assert_eq!(send("POST", &alter, checked).await.send().await.status, 204);
    let untouched = get(&format!("{at}/log.cleaner.io.max.bytes.per.second")).await.send().await.ok();
    assert_eq!(untouched["source"], "DEFAULT_CONFIG");
}

#[tokio::test]
async fn what_cannot_be_set_says_why() {
    let at = configs().await;
    let fixed = send("PUT", &format!("{at}/log.dirs"), json!({ "value": "/x" })).await.send().await;
    assert_eq!(fixed.error(), (400, 40002));
    assert!(fixed.message().contains("log.dirs"), "{}", fixed.message());
    let unknown = send("PUT", &format!("{at}/no.such"), json!({ "value": "1" })).await.send().await;
    assert_eq!(unknown.error(), (404, 404));
    assert!(unknown.message().starts_with(&format!("Config no.such cannot be found for BROKER {}", broker().await)));
    assert_eq!(get(&format!("{at}/no.such")).await.send().await.error(), (404, 404));
    assert_eq!(call("DELETE", &format!("{at}/no.such")).await.send().await.error(), (404, 404));
    assert_eq!(call("PUT", &format!("{at}/max.connections")).await.send().await.error(), (422, 42206));
}

#[tokio::test]
async fn a_broker_that_does_not_exist_keeps_nobody_waiting() {
    // The time that the proxy takes to start is none of it.
    broker().await;
    let start = Instant::now();
    assert_eq!(get("/brokers/4711/configs/max.connections").await.send().await.error(), (404, 404));
    let set = send("PUT", "/brokers/4711/configs/max.connections", json!({ "value": "1" })).await;
    assert_eq!(set.send().await.error(), (404, 404));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn configs_of_all_brokers_are_one_list() {
    let list = get("/brokers/-/configs").await.send().await.ok();
    let one = get(&configs().await).await.send().await.ok();
    assert_eq!(list["kind"], "KafkaBrokerConfigList");
    assert_eq!(list["data"].as_array().unwrap().len(), one["data"].as_array().unwrap().len());
}
