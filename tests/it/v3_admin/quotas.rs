use serde_json::{Value, json};

use crate::harness::app;
use crate::harness::http::Answer;
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::v3_admin::{get, path_of, send};

async fn alter(body: Value) -> Answer {
    send("POST", "/client-quotas:alter", body).await.send().await
}

async fn find(query: &str, count: usize) -> Value {
    eventually("the broker knows the quotas", PATIENCE, async || {
        let found = get(&format!("/client-quotas{query}")).await.send().await.ok();
        (found["data"].as_array().unwrap().len() == count).then_some(found)
    })
    .await
}

fn change(user: &str, quotas: Value) -> Value {
    json!({ "entity": [{ "type": "user", "name": user }], "quotas": quotas })
}

#[tokio::test]
async fn quotas_are_set_found_and_deleted() {
    let user = unique("user");
    let set = json!([{ "name": "producer_byte_rate", "value": 1024 }, { "name": "request_percentage", "value": 12.5 }]);
    let checked = alter(json!({ "data": [change(&user, set.clone())], "validate_only": true })).await;
    assert_eq!(checked.status, 204, "{}", checked.text());
    find(&format!("?user={user}"), 0).await;
    let both = json!({ "entity": [{ "type": "user", "name": user }, { "type": "client_id", "name": null }],
        "quotas": [{ "name": "consumer_byte_rate", "value": 1 }] });
    let altered = alter(json!({ "data": [change(&user, set), both] })).await;
    assert_eq!((altered.status, altered.body.len()), (204, 0), "{}", altered.text());

    let found = find(&format!("?user={user}"), 2).await;
    assert_eq!(found["kind"], "KafkaClientQuotaList");
    let strict = find(&format!("?user={user}&strict=true"), 1).await;
    let one = &strict["data"][0];
    assert_eq!(
        (&one["kind"], &one["entity"]),
        (&json!("KafkaClientQuota"), &json!([{ "type": "user", "name": user }]))
    );
    let expected =
        json!([{ "name": "producer_byte_rate", "value": 1024 }, { "name": "request_percentage", "value": 12.5 }]);
    assert_eq!(one["quotas"], expected);
    let of_default = find(&format!("?user={user}&client_id="), 1).await;
    let entity = json!([{ "type": "client_id", "name": null }, { "type": "user", "name": user }]);
    assert_eq!(of_default["data"][0]["entity"], entity);
    for item in [one, &of_default["data"][0]] {
        let address = path_of(&item["metadata"]["self"]);
        assert_eq!(&app::shared().get(&address).send().await.ok()["data"][0], item);
    }
    let any = get("/client-quotas?user=*&strict=true").await.send().await.ok();
    assert!(any["data"].as_array().unwrap().contains(one));

    let gone = json!([{ "name": "producer_byte_rate", "operation": "DELETE" }, { "name": "request_percentage", "operation": "DELETE" }]);
    assert_eq!(alter(json!({ "data": [change(&user, gone)] })).await.status, 204);
    find(&format!("?user={user}&strict=true"), 0).await;
}

#[tokio::test]
async fn what_kafka_refuses_is_named_beside_what_it_did() {
    let (good, bad) = (unique("user"), unique("user"));
    let unknown = change(&bad, json!([{ "name": "no_such_quota", "value": 1 }]));
    let known = change(&good, json!([{ "name": "request_percentage", "value": 50 }]));
    let some = alter(json!({ "data": [known.clone(), unknown.clone()], "validate_only": true })).await;
    assert_eq!(some.status, 207, "{}", some.text());
    let failures = &some.json()["failures"];
    assert_eq!(failures.as_array().unwrap().len(), 1);
    assert_eq!((&failures[0]["error_code"], &failures[0]["entity"][0]["name"]), (&json!(40002), &json!(bad)));
    assert_eq!(alter(json!({ "data": [unknown] })).await.error(), (400, 40002));
    assert_eq!(alter(json!({ "data": [known.clone(), known] })).await.error(), (400, 400));
    assert_eq!(alter(json!({})).await.error(), (400, 400));
    assert_eq!(alter(Value::Null).await.error(), (422, 42206));
    assert_eq!(alter(json!({ "data": [] })).await.status, 204);
}
