//! The dashboard and the alerts ask for what there is, and the documentation tells of all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;
use serde_json::{Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::connect::requests::config;
use crate::harness::app::{self, config_with, spawn_app};
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::http::JSON_V2;
use crate::harness::kafka;
use crate::harness::registry::Registry;
use crate::harness::{PATIENCE, eventually};
use crate::sight::{Sample, scrape, sum};

/// What Prometheus adds to everything.
const OF_PROMETHEUS: [&str; 2] = ["instance", "job"];

fn read(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns every expression of the dashboard.
fn asked_by_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("examples/observability/grafana-dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let asked: Vec<String> = targets.map(|target| target["expr"].as_str().expect("an expression").to_owned()).collect();
    assert!(asked.len() > 30, "{asked:?}");
    let variable = &dashboard["templating"]["list"][1]["query"]["query"];
    assert_eq!(variable, &json!("label_values(kafka_rest_build_info, instance)"));
    asked
}

/// Returns the alerts with their expressions; each has what an alert needs.
fn asked_by_alerts() -> BTreeMap<String, String> {
    let documents = YamlLoader::load_from_str(&read("examples/observability/alerts.yaml")).expect("YAML");
    let text = |value: &Yaml| value.as_str().unwrap_or_else(|| panic!("no text: {value:?}")).to_owned();
    let groups = documents[0]["groups"].as_vec().expect("groups");
    let rules = groups.iter().flat_map(|group| group["rules"].as_vec().expect("rules"));
    let alerts: BTreeMap<String, String> = rules
        .map(|rule| {
            assert!(["critical", "warning", "info"].contains(&text(&rule["labels"]["severity"]).as_str()), "{rule:?}");
            assert!(!text(&rule["annotations"]["summary"]).is_empty());
            (text(&rule["alert"]), text(&rule["expr"]))
        })
        .collect();
    assert!(alerts.len() > 10);
    alerts
}

/// Returns what a proxy that has done a bit of everything tells, by name: the labels, and their values.
async fn told() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let (fakes, registry) = (FakeWorkers::start(1), Registry::start());
    let settings =
        [format!("connect.default.urls={}", fakes.urls()), format!("schema_registry.urls={}", registry.url())];
    let app = spawn_app(config_with(&kafka::shared().bootstrap, &[&settings[0], &settings[1]]));
    fakes.put("c", config());
    app.get("/connectors/c").send().await.ok();
    let path = format!("/topics/{}", app::topic(1));
    app.post(&path).document(JSON_V2, &json!({ "records": [{ "value": 1 }] })).send().await.placed();
    app.get(&format!("{path}/partitions/0/records")).send().await.ok();
    let mut seen = scrape(&app).await;
    eventually("the brokers are told of", PATIENCE, async || {
        seen = scrape(&app).await;
        (sum(&seen, "kafka_rest_broker_connects_total", &[]) > 0.0).then_some(())
    })
    .await;
    let mut told: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for Sample { name, labels, .. } in seen {
        let known = told.entry(name).or_default();
        for (label, value) in labels {
            known.entry(label).or_default().insert(value);
        }
    }
    told
}

#[tokio::test]
async fn what_is_asked_for_exists_with_its_labels() {
    let told = told().await;
    let metric = Regex::new(r#"\b((?:kafka_rest|process)_[a-z0-9_]+)(\{(?:[^{}"]|"[^"]*")*\})?"#).unwrap();
    let label = Regex::new(r#"([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)""#).unwrap();
    let grouped = Regex::new(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)").unwrap();
    let mut problems = Vec::new();
    let alerts = asked_by_alerts();
    for expression in asked_by_dashboard().iter().chain(alerts.values()) {
        let mut labels_here: BTreeSet<&str> = OF_PROMETHEUS.into();
        let mut found = 0;
        for asked in metric.captures_iter(expression) {
            found += 1;
            let name = &asked[1];
            let Some(known) = told.get(name) else {
                problems.push(format!("{name} does not exist: {expression}"));
                continue;
            };
            labels_here.extend(known.keys().map(String::as_str));
            for selector in label.captures_iter(asked.get(2).map_or("", |found| found.as_str())) {
                if !known.contains_key(&selector[1]) && !OF_PROMETHEUS.contains(&&selector[1]) {
                    problems.push(format!("{name} has no label {}: {expression}", &selector[1]));
                }
            }
        }
        assert!(found > 0, "nothing is asked for: {expression}");
        for group in grouped.captures_iter(expression) {
            for name in group[1].split(',').map(str::trim).filter(|name| !labels_here.contains(name)) {
                problems.push(format!("nothing has the label {name}: {expression}"));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[tokio::test]
async fn the_errors_and_routes_that_alerts_name_exist() {
    let told = told().await;
    let values = |name: &str, label: &str| told[name][label].clone();
    let errors = values("kafka_rest_errors_total", "error");
    let named = Regex::new(r#"\b(error|outcome|route)(?:=~|=)"([^"]*)""#).unwrap();
    for (alert, expression) in asked_by_alerts() {
        for asked in named.captures_iter(&expression) {
            for value in asked[2].split('|') {
                let exists = match &asked[1] {
                    "route" => values("kafka_rest_requests_total", "route").contains(value),
                    // Outcomes are errors, or one of these.
                    _ => errors.contains(value) || ["unavailable", "unknown"].contains(&value),
                };
                assert!(exists, "{alert}: there is no {} {value}", &asked[1]);
            }
        }
    }
}

#[tokio::test]
async fn every_metric_is_documented_and_nothing_else_is() {
    let told = told().await;
    let operations = read("docs/OPERATIONS.md");
    let row = Regex::new(r"(?m)^\| `((?:kafka_rest|process)_[a-z0-9_]+)` \|([^|]*)\|").unwrap();
    let documented: BTreeMap<String, BTreeSet<String>> = row
        .captures_iter(&operations)
        .map(|row| {
            let labels = row[2].split(',').map(|label| label.trim().trim_matches('`').to_owned());
            (row[1].to_owned(), labels.filter(|label| !label.is_empty()).collect())
        })
        .collect();
    let mut families: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in told {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let labels = labels.into_keys().filter(|label| label != "le");
        families.entry(histogram.unwrap_or(&name).to_owned()).or_default().extend(labels);
    }
    assert_eq!(documented, families);
}

#[test]
fn every_alert_is_explained() {
    let operations = read("docs/OPERATIONS.md");
    for alert in asked_by_alerts().into_keys() {
        assert!(operations.contains(&format!("\n| `{alert}` | ")), "{alert} is not in docs/OPERATIONS.md");
    }
}
