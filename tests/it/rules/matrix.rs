use serde_json::json;

use crate::harness::app::{self, App};
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::http::{Answer, JSON, V1};
use crate::harness::{kafka, unique};
use crate::rules::{cluster, started};

/// What says nothing of what lies behind the proxy.
const OPEN: [&str; 6] = ["/", "/health", "/live", "/ready", "/openapi.json", "/docs"];

struct Endpoint {
    method: String,
    pattern: String,
    path: String,
}

/// Returns every endpoint, from the description that is made of the routes, with names in the place of parameters.
async fn endpoints(topic: &str, connect: &str) -> Vec<Endpoint> {
    let described = app::shared().get("/openapi.json").send().await.ok();
    let id = cluster().await.rsplit('/').next().unwrap().to_owned();
    let mut endpoints = Vec::new();
    for (pattern, item) in described["paths"].as_object().unwrap() {
        let is_v3 = pattern.starts_with("/v3") || pattern.starts_with("/kafka");
        let names = [
            ("{cluster}", if is_v3 { id.as_str() } else { connect }),
            ("{config_type}", "broker"),
            ("{topic}", topic),
            ("{partition}", "0"),
            ("{broker}", "1"),
            ("{task}", "0"),
        ];
        let path = names.into_iter().fold(pattern.clone(), |path, (parameter, name)| path.replace(parameter, name));
        let other = unique("none");
        let path = path.split('/').map(|part| if part.starts_with('{') { &other } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        for method in item.as_object().unwrap().keys() {
            endpoints.push(Endpoint { method: method.to_uppercase(), pattern: pattern.clone(), path: path.clone() });
        }
    }
    assert!(endpoints.len() > 150, "the endpoints are found: {}", endpoints.len());
    endpoints
}

async fn send(app: &App, endpoint: &Endpoint, accept: &str) -> Answer {
    let call = app.call(&endpoint.method, &endpoint.path).accept(accept);
    let call = if endpoint.method == "GET" { call } else { call.document(JSON, &json!({})) };
    call.send().await
}

/// Starts a proxy with one rule, before a scripted worker of Kafka Connect.
fn proxy(workers: &FakeWorkers, rule: &[&str]) -> App {
    let rule: Vec<String> = rule.iter().map(|setting| format!("rules.test.{setting}")).collect();
    let urls = format!("connect.default.urls={}", workers.urls());
    let mut settings = vec![urls.as_str(), "connect.default.health_interval=5m"];
    settings.extend(rule.iter().map(String::as_str));
    started(&settings)
}

#[tokio::test]
async fn what_no_rule_allows_is_refused_on_every_endpoint_and_changes_nothing() {
    let (topic, workers) = (app::topic(1), FakeWorkers::start(1));
    let app = proxy(&workers, &["principals=somebody", "verbs=all", "topics=*", "groups=*", "cluster=true"]);
    let configs = format!("{}/topics/{topic}/configs", cluster().await);
    let before = app::shared().get(&configs).send().await.ok();
    workers.forget_requests();
    for endpoint in endpoints(&topic, "default").await {
        for accept in ["*/*", V1] {
            let what = format!("{} {} ({accept})", endpoint.method, endpoint.path);
            let answer = send(&app, &endpoint, accept).await;
            if accept == V1 && answer.status == 405 {
                // Only v2 has the method there.
                continue;
            }
            if OPEN.contains(&endpoint.pattern.as_str()) {
                assert_ne!(answer.status, 403, "{what}");
                continue;
            }
            assert_eq!(answer.error(), (403, 40301), "{what}: {}", answer.text());
            assert!(answer.message().starts_with("No rule of this proxy lets ANONYMOUS "), "{what}: {}", answer.text());
        }
        if endpoint.method == "GET" && !OPEN.contains(&endpoint.pattern.as_str()) {
            assert_eq!(app.call("HEAD", &endpoint.path).send().await.status, 403, "HEAD {}", endpoint.path);
        }
    }
    let asked: Vec<_> =
        workers.requests().into_iter().filter(|request| !matches!(request.path(), "/" | "/health")).collect();
    assert!(asked.is_empty(), "workers were asked: {asked:?}");
    assert_eq!(kafka::shared().partition_count(&topic), 1);
    assert_eq!(app::shared().get(&configs).send().await.ok(), before);
    assert!(kafka::shared().read_topic(&topic).is_empty());
}

#[tokio::test]
async fn a_rule_for_everything_allows_every_endpoint() {
    let (topic, workers) = (app::topic(1), FakeWorkers::start(1));
    let everything = ["principals=*", "verbs=all", "topics=*", "groups=*", "connect=*", "connectors=*", "cluster=true"];
    let app = proxy(&workers, &everything);
    for endpoint in endpoints(&topic, "default").await {
        let answer = send(&app, &endpoint, "*/*").await;
        assert_ne!(answer.status, 403, "{} {}: {}", endpoint.method, endpoint.path, answer.text());
    }
}

/// A rule for reading lets look and read, and change nothing.
#[tokio::test]
async fn a_rule_for_describe_allows_nothing_that_changes() {
    let (topic, workers) = (app::topic(1), FakeWorkers::start(1));
    let describe =
        ["principals=*", "verbs=describe", "topics=*", "groups=*", "connect=*", "connectors=*", "cluster=true"];
    let app = proxy(&workers, &describe);
    for endpoint in endpoints(&topic, "default").await {
        if endpoint.method != "GET" && !OPEN.contains(&endpoint.pattern.as_str()) {
            let answer = send(&app, &endpoint, "*/*").await;
            assert_eq!(answer.error(), (403, 40301), "{} {}", endpoint.method, endpoint.path);
        }
    }
}
