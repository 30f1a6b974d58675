//! `--dev`: the first five minutes.

use std::process::Command;

use crate::harness::PATIENCE;
use crate::harness::binary::Proxy;
use crate::harness::http::{self, BINARY_V2, JSON_V2};
use serde_json::{Value, json};

#[tokio::test]
async fn the_curl_lines_of_the_banner_work_as_printed() {
    let mut proxy = Proxy::start(&["--dev"], &[]);
    proxy.wait_for_log("/partitions/", PATIENCE);
    let banner = proxy.log();
    assert!(banner.contains("in memory"), "{banner}");
    let lines: Vec<_> = banner.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 3, "{banner}");
    for round in 1..=2 {
        let answers: Vec<Value> = lines.iter().map(|line| answer_to(line)).collect();
        assert_eq!(answers[0]["offsets"][0]["offset"], json!(round - 1), "{answers:?}");
        assert_eq!(answers[1], json!(["hello"]));
        assert_eq!(answers[2], json!({ "beginning_offset": 0, "end_offset": round }));
    }
    proxy.signal("TERM");
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
}

fn answer_to(line: &str) -> Value {
    let output = Command::new("sh").args(["-c", line]).output().expect("sh runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text} {output:?}"))
}

#[tokio::test]
async fn topics_are_made_on_first_use_and_metadata_works() {
    let proxy = Proxy::start(&["--dev"], &[]);
    for (number, media) in [JSON_V2, BINARY_V2].into_iter().enumerate() {
        let url = proxy.url(&format!("/topics/dev-{number}"));
        let body = json!({ "records": [{ "key": "YQ==", "value": "YQ==" }, { "value": null }] });
        assert_eq!(http::post(&url).document(media, &body).send().await.placed().len(), 2, "{media}");
        assert_eq!(http::get(&url).send().await.ok()["partitions"].as_array().map(Vec::len), Some(4));
    }
    assert_eq!(http::get(&proxy.url("/topics")).send().await.ok(), json!(["dev-0", "dev-1"]));
    assert_eq!(http::get(&proxy.url("/brokers")).send().await.ok(), json!({ "brokers": [1] }));
    assert_eq!(http::get(&proxy.url("/topics/other")).send().await.error(), (404, 40401));
    assert_eq!(http::get(&proxy.url("/topics/dev-0/partitions/4")).send().await.error(), (404, 40402));
}
