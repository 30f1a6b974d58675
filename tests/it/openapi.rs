//! What is described is served, and what is served is described.

use serde_json::Value;

use crate::harness::app;
use crate::harness::http::JSON;

#[tokio::test]
async fn every_operation_that_is_described_is_served() {
    let answer = app::shared().get("/openapi.json").send().await;
    assert_eq!(answer.media(), Some(JSON));
    let document = answer.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("an object");
    assert!(paths.len() > 100, "{} paths", paths.len());
    for (path, item) in paths {
        let place = path.split('/').map(example).collect::<Vec<_>>().join("/");
        let options = app::shared().call("OPTIONS", &place).send().await;
        let allowed = options.header("allow").unwrap_or_default().to_owned();
        for method in methods(item) {
            assert!(allowed.split(", ").any(|one| one == method), "{method} {path}: {allowed}");
        }
        let described = methods(item);
        let missing: Vec<_> = allowed
            .split(", ")
            .filter(|one| !["HEAD", "OPTIONS"].contains(one) && !described.contains(&(*one).to_owned()))
            .collect();
        assert!(missing.is_empty(), "{path} is served with {missing:?} too");
    }
}

fn methods(item: &Value) -> Vec<String> {
    item.as_object().expect("an object").keys().map(|method| method.to_ascii_uppercase()).collect()
}

/// Returns a segment with an example in the place of a parameter.
fn example(segment: &str) -> String {
    let Some(start) = segment.find('{') else { return segment.to_owned() };
    let end = segment.find('}').expect("it ends");
    let value = match &segment[start + 1..end] {
        "partition" | "broker" | "replica" | "producer" => "0",
        "config_type" => "broker",
        _ => "x",
    };
    format!("{}{value}{}", &segment[..start], &segment[end + 1..])
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let page = app::shared().get("/docs").send().await;
    assert_eq!((page.status, page.media()), (200, Some("text/html; charset=utf-8")));
    let text = page.text();
    assert!(text.contains("openapi.json"));
    assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("//cdn"), "{text}");
}
