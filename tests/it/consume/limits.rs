//! How many instances there may be.

use serde_json::json;

use crate::consume::Instance;
use crate::harness::app;
use crate::harness::http::V2;
use crate::harness::unique;

#[tokio::test]
async fn instances_past_the_limit_of_the_proxy_are_told_to_come_back() {
    let mut config = app::config();
    config.consumer.max_instances = 2;
    let app = app::spawn_app(config);
    let first = Instance::create(&app, &unique("group"), json!({})).await;
    let _second = Instance::create(&app, &unique("group"), json!({ "name": "taken" })).await;

    let refused = app.post(&format!("/consumers/{}", unique("group"))).send().await;

    assert_eq!((refused.error(), refused.header("retry-after")), ((429, 429), Some("1")));
    first.delete().await;
    Instance::create(&app, &unique("group"), json!({})).await;
}

#[tokio::test]
async fn instances_past_the_limit_of_a_group_are_told_to_come_back() {
    let mut config = app::config();
    config.consumer.max_instances_per_group = 1;
    let app = app::spawn_app(config);
    let group = unique("group");
    let first = Instance::create(&app, &group, json!({ "name": "a" })).await;

    let refused = app.post(&format!("/consumers/{group}")).send().await;
    assert_eq!((refused.error(), refused.header("retry-after")), ((429, 429), Some("1")));
    let taken = app.post(&format!("/consumers/{group}")).document(V2, &json!({ "name": "a" })).send().await;
    assert_eq!(taken.error(), (409, 40902), "a name that is taken is told first");

    Instance::create(&app, &unique("group"), json!({})).await;
    first.delete().await;
    Instance::create(&app, &group, json!({})).await;
}
