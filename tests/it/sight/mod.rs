//! What is seen of requests: metrics, logs, ids and traces, and what browsers are told.

mod access_log;
mod browsers;
mod dashboard;
mod metrics;
mod request_ids;
mod spans;
mod traces;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::app::App;
use crate::harness::eventually;

/// One line of the metrics: name, labels, value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Reads the metrics of a proxy.
pub async fn scrape(app: &App) -> Vec<Sample> {
    let answer = app.get("/metrics").send().await;
    assert_eq!((answer.status, answer.media()), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    parse(&answer.text())
}

/// Reads the older text; panics where a line is no sample, or has no type.
pub fn parse(text: &str) -> Vec<Sample> {
    let types: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let samples: Vec<Sample> = text.lines().filter(|line| !line.starts_with('#')).map(sample).collect();
    for sample in &samples {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| sample.name.strip_suffix(end));
        let known = types.contains(&sample.name.as_str()) || family.is_some_and(|family| types.contains(&family));
        assert!(known, "{} has no type", sample.name);
    }
    samples
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect("it ends")),
        None => (series, ""),
    };
    let pairs = labels.split("\",").filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        (name.to_owned(), value.trim_end_matches('"').to_owned())
    };
    let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    Sample { name: name.to_owned(), labels: pairs.map(pair).collect(), value }
}

/// Returns the sum of the samples of a name that have these labels.
pub fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |sample: &&Sample| {
        sample.name == name && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|is| is == value))
    };
    samples.iter().filter(has).map(|sample| sample.value).sum()
}

/// Waits until a sum is reached; panics when it is passed.
pub async fn reaches(app: &App, name: &str, labels: &[(&str, &str)], expected: f64) {
    let what = format!("{name} {labels:?} is {expected}");
    eventually(&what, Duration::from_secs(30), async || {
        let seen = sum(&scrape(app).await, name, labels);
        assert!(seen <= expected, "{name} {labels:?}: {seen}");
        (seen == expected).then_some(())
    })
    .await;
}
