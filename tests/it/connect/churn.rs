//! Several clients that change connectors at once, on workers that rebalance with each change.

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::json;

use crate::connect::requests::config;
use crate::connect::{proxy, told};
use crate::harness::app::App;
use crate::harness::connect;
use crate::harness::http::{Call, JSON};
use crate::harness::unique;

const CLIENTS: usize = 4;
const CONNECTORS: usize = 2;

#[tokio::test]
async fn clients_that_change_connectors_at_once_see_no_conflict_and_no_error() {
    let app = proxy(&connect::shared().urls(), &[]);
    join_all((0..CLIENTS).map(|_| async {
        let client = Client::new();
        for _ in 0..CONNECTORS {
            live(&app, &client, &unique("churn")).await;
        }
    }))
    .await;
}

/// Leads a connector through its life.
async fn live(app: &App, client: &Client, name: &str) {
    let path = |rest: &str| format!("/connectors/{name}{rest}");
    let put = |value: u32| {
        let mut config = config();
        config["batch.size"] = json!(value);
        app.call("PUT", &path("/config")).document(JSON, &config)
    };
    let steps: Vec<(Call, u16)> = vec![
        (app.post("/connectors").document(JSON, &json!({"name": name, "config": config()})), 201),
        (app.get(&path("")), 200),
        (put(3), 200),
        (app.get(&path("/config")), 200),
        (app.get(&path("/tasks")), 200),
        (app.call("PATCH", &path("/config")).document(JSON, &json!({"batch.size": 4})), 200),
        (app.call("PUT", &path("/pause")), 202),
        (app.get(&path("/offsets")), 200),
        (app.call("PUT", &path("/resume")), 202),
        (app.call("PUT", &path("/stop")), 204),
        (app.get(&path("/config")), 200),
        (app.call("DELETE", &path("")), 204),
        (app.get(&path("")), 404),
    ];
    for (step, (call, status)) in steps.into_iter().enumerate() {
        let answer = call.send_with(client).await.expect("the gateway answers");
        assert_eq!(told(&answer), (status, None), "step {step} of {name}: {}", answer.text());
    }
}
