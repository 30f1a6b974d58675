use serde_json::json;

use crate::harness::{app, unique};
use crate::v3_admin::{call, found, get, get_until, send};

#[tokio::test]
async fn a_config_is_listed_set_and_reset() {
    let topic = app::topic(1);
    let at = format!("/topics/{topic}/configs");
    let list = get_until(&at, |_| true).await;
    let names: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|config| config["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"retention.ms"));
    let path = format!("{at}/cleanup.policy");
    let before = get(&path).await.send().await.ok();
    assert_eq!(*found(&list, "name", "cleanup.policy"), before);
    assert_eq!(
        before["synonyms"],
        json!([{ "name": "log.cleanup.policy", "value": "delete", "source": "DEFAULT_CONFIG" }])
    );

    assert_eq!(send("PUT", &path, json!({ "value": "compact" })).await.send().await.status, 204);
    let set = get_until(&path, |config| config["value"] == "compact").await;
    assert_eq!((&set["source"], &set["is_default"]), (&"DYNAMIC_TOPIC_CONFIG".into(), &false.into()));
    assert_eq!(call("DELETE", &path).await.send().await.status, 204);
    get_until(&path, |config| *config == before).await;
}

#[tokio::test]
async fn several_change_together_or_not_at_all() {
    let at = format!("/topics/{}/configs", app::topic(1));
    let alter = format!("{at}:alter");
    let change = |name: &str, value: &str| json!({ "name": name, "value": value });
    for (body, expected) in [
        (json!({ "data": [change("retention.ms", "1"), change("no.such", "1")] }), (404, 404)),
        (json!({ "data": [change("retention.ms", "1"), change("cleanup.policy", "no")] }), (400, 40002)),
        (json!({ "data": [change("retention.ms", "1"), change("retention.ms", "2")] }), (400, 40002)),
        (json!({ "data": [{ "name": "retention.ms" }] }), (400, 40002)),
        (json!({ "data": [change("cleanup.policy", "no")], "validate_only": true }), (400, 40002)),
    ] {
        assert_eq!(send("POST", &alter, body.clone()).await.send().await.error(), expected, "{body}");
    }
    let checked = json!({ "data": [change("retention.ms", "1")], "validate_only": true });
    assert_eq!(send("POST", &alter, checked).await.send().await.status, 204);
    assert_eq!(get(&format!("{at}/retention.ms")).await.send().await.ok()["is_default"], true);
    let set = json!({ "data": [change("retention.ms", "3600001"), change("cleanup.policy", "compact")] });
    assert_eq!(send("POST", &alter, set).await.send().await.status, 204);
    get_until(&format!("{at}/retention.ms"), |config| config["value"] == "3600001").await;
    get_until(&format!("{at}/cleanup.policy"), |config| config["value"] == "compact").await;
}

#[tokio::test]
async fn topics_change_in_one_request_and_those_that_failed_are_told() {
    let (good, bad) = (app::topic(1), app::topic(1));
    let entry = |topic: &str, value: &str| json!({ "topic_name": topic, "configs": [{ "name": "retention.ms", "value": value }] });
    let alter = async |body| send("POST", "/topics/-/configs:alter", body).await.send().await;

    let unknown = alter(json!({ "data": [entry(&good, "1"), entry(&unique("no"), "1")] })).await;
    assert_eq!(unknown.error(), (404, 40403));
    let name = json!({ "topic_name": good, "configs": [{ "name": "no.such", "value": "1" }] });
    assert_eq!(alter(json!({ "data": [entry(&bad, "1"), name] })).await.error(), (404, 404));
    assert_eq!(alter(json!({ "data": [{ "topic_name": good }] })).await.error(), (400, 400));

    let some = alter(json!({ "data": [entry(&good, "no"), entry(&bad, "no"), entry(&good, "3600002")] })).await;
    assert_eq!(some.status, 207, "{}", some.text());
    let failures = some.json()["failures"].clone();
    assert_eq!(
        (failures.as_array().unwrap().len(), &failures[0]["topic_name"], &failures[0]["error_code"]),
        (1, &bad.as_str().into(), &40002.into())
    );
    assert!(failures[0]["message"].as_str().unwrap().contains("retention.ms"), "{failures}");
    get_until(&format!("/topics/{good}/configs/retention.ms"), |config| config["value"] == "3600002").await;
    assert_eq!(get(&format!("/topics/{bad}/configs/retention.ms")).await.send().await.ok()["is_default"], true);

    let checked = alter(json!({ "data": [entry(&good, "5"), entry(&bad, "5")], "validate_only": true })).await;
    assert_eq!(checked.status, 204);
    assert_eq!(alter(json!({ "data": [] })).await.status, 204);
    assert_eq!(alter(json!({ "data": [entry(&good, "6"), entry(&bad, "6")] })).await.status, 204);
    let list = get_until("/topics/-/configs", |list| {
        let changed = |topic: &str| {
            list["data"]
                .as_array()
                .unwrap()
                .iter()
                .any(|config| config["topic_name"] == topic && config["value"] == "6")
        };
        changed(&good) && changed(&bad)
    })
    .await;
    assert!(!list["data"].as_array().unwrap().iter().any(|config| config["topic_name"] == "__consumer_offsets"));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let (topic, unknown) = (app::topic(1), unique("no"));
    for path in [format!("/topics/{unknown}/configs"), format!("/topics/{unknown}/configs/retention.ms")] {
        assert_eq!(get(&path).await.send().await.error(), (404, 40403), "{path}");
    }
    let path = format!("/topics/{unknown}/configs/retention.ms");
    assert_eq!(send("PUT", &path, json!({ "value": "1" })).await.send().await.error(), (404, 40403));
    assert_eq!(call("DELETE", &path).await.send().await.error(), (404, 40403));
    let other = format!("/topics/{topic}/configs/no%2Fsuch");
    let refused = get(&other).await.send().await;
    assert_eq!(refused.error(), (404, 404));
    assert!(refused.message().starts_with(&format!("Config no/such cannot be found for TOPIC {topic} in cluster ")));
    assert_eq!(send("PUT", &other, json!({ "value": "1" })).await.send().await.error(), (404, 404));
}
