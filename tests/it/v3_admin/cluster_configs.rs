use serde_json::json;

use crate::v3_admin::{call, found, get, get_until, send};

const NAME: &str = "log.cleaner.threads";

#[tokio::test]
async fn a_default_for_all_brokers_is_set_listed_and_taken_away() {
    let path = format!("/broker-configs/{NAME}");
    assert_eq!(send("PUT", &path, json!({ "value": "2" })).await.send().await.status, 204);
    let config = get_until(&path, |config| config["value"] == "2").await;
    assert_eq!(
        (&config["config_type"], &config["source"]),
        (&"BROKER".into(), &"DYNAMIC_DEFAULT_BROKER_CONFIG".into())
    );
    assert_eq!(config["synonyms"].as_array().unwrap().len(), 1);
    assert_eq!(*found(&get("/Broker-configs").await.send().await.ok(), "name", NAME), config);
    assert_eq!(call("DELETE", &path).await.send().await.status, 204);
    let gone = async || (get(&path).await.send().await.status == 404).then_some(());
    crate::harness::eventually("it is gone", crate::harness::PATIENCE, gone).await;
    assert_eq!(call("DELETE", &path).await.send().await.error(), (404, 404));
}

#[tokio::test]
async fn several_defaults_change_in_one_request() {
    let names = ["log.cleaner.io.buffer.size", "background.threads"];
    let set: Vec<_> = names.iter().map(|name| json!({ "name": name, "value": "600001" })).collect();
    let refused = send("POST", "/broker-configs:alter", json!({ "data": set })).await.send().await;
    // The second is too large: it may at most double, so nothing is set.
    assert_eq!(refused.error(), (400, 40002), "{}", refused.text());
    assert_eq!(get(&format!("/broker-configs/{}", names[0])).await.send().await.error(), (404, 404));
    let one = json!({ "data": [{ "name": names[0], "value": "600001" }] });
    assert_eq!(send("POST", "/broker-configs:alter", one).await.send().await.status, 204);
    get_until(&format!("/broker-configs/{}", names[0]), |config| config["value"] == "600001").await;
    let reset = json!({ "data": [{ "name": names[0], "operation": "DELETE" }] });
    assert_eq!(send("POST", "/broker-configs:alter", reset).await.send().await.status, 204);
}

#[tokio::test]
async fn there_are_no_other_types() {
    let teapot = get("/teapot-configs").await.send().await;
    assert_eq!(teapot.error(), (404, 404));
    assert!(teapot.message().contains("do not include 'teapot'"), "{}", teapot.message());
    let fixed = send("PUT", "/broker-configs/log.dirs", json!({ "value": "/x" })).await.send().await;
    assert_eq!(fixed.error(), (400, 40002));
}
