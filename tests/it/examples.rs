//! The examples do what they say.

use std::path::Path;
use std::process::{Command, Output};

use crate::harness::binary::Proxy;
use crate::harness::http::call;
use crate::harness::{app, connect, java, kafka};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

/// Runs an example against `url`; the topic is made by whatever writes to it first.
fn run(example: &str, url: &str, topic: &str) -> Output {
    let mut command = Command::new(format!("{EXAMPLES}/{example}"));
    command.env("PROXY", url).env("TOPIC", topic).output().unwrap_or_else(|error| panic!("{example}: {error}"))
}

#[track_caller]
fn succeed(example: &str, url: &str, topic: &str) -> String {
    let Output { status, stdout, stderr } = run(example, url, topic);
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{example}: {status}\n{stdout}{}", String::from_utf8_lossy(&stderr));
    stdout
}

#[test]
fn the_scripts_work_on_a_proxy_started_with_dev() {
    let proxy = Proxy::start(&["--dev"], &[]);
    let url = proxy.url("");

    let produced = succeed("produce.sh", &url, "hello");
    assert_eq!(produced.matches(r#"{"offsets":["#).count(), 7, "{produced}");
    let placed = succeed("produce.py", &url, "placed");
    assert_eq!(placed.lines().count(), 10, "{placed}");
    let read = succeed("consume.sh", &url, "placed");
    assert!(read.contains(r#""value":{"reading":"#), "{read}");
    let metadata = succeed("metadata.sh", &url, "hello");
    assert!(metadata.contains(r#"{"brokers":[1]}"#) && metadata.contains(r#"["hello","placed"]"#), "{metadata}");
}

#[test]
fn the_walk_through_kafka_connect_passes_on_real_workers() {
    let workers = connect::shared().urls();
    let arguments = ["--bootstrap-servers", &kafka::shared().bootstrap, "--connect-url", &workers];
    let proxy = Proxy::start(&arguments, &[]);
    let walk = succeed("connect/walk.sh", &proxy.url(""), &app::topic(1));
    assert_eq!(walk.lines().filter(|line| line.starts_with("# ") && line.contains(" /")).count(), 26, "{walk}");
    assert!(walk.contains("altered successfully") && walk.contains("reset successfully"), "{walk}");
}

#[test]
fn the_calls_with_schemas_pass_on_a_registry() {
    let arguments = ["--bootstrap-servers", &kafka::shared().bootstrap, "--schema-registry-url", &java::registry()];
    let proxy = Proxy::start(&arguments, &[]);
    let calls = succeed("schemas.sh", &proxy.url(""), &app::topic(1));
    assert!(calls.contains(r#""key":"k","value":{"id":2,"note":null}"#), "{calls}");
    assert!(calls.contains(r#""schema_version":1"#), "{calls}");
}

#[test]
fn the_scripts_end_with_an_error_when_a_call_fails() {
    let proxy = Proxy::start(&["--dev"], &[]);
    for (example, topic) in [
        ("produce.sh", "not%20a%20name"),
        ("produce.py", "not%20a%20name"),
        ("metadata.sh", "unknown"),
        ("consume.sh", "not a name"),
    ] {
        let output = run(example, &proxy.url(""), topic);
        assert!(!output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test]
async fn every_request_of_the_http_file_succeeds() {
    let proxy = Proxy::start(&["--dev"], &[]);
    let file = std::fs::read_to_string(format!("{EXAMPLES}/produce.http")).expect("the file is there");
    let (preamble, requests) = file.split_once("### ").expect("a request begins with ###");
    assert!(preamble.contains("@proxy = http://127.0.0.1:8082") && preamble.contains("@topic = hello"), "{preamble}");

    let requests = requests.replace("{{proxy}}", &proxy.url("")).replace("{{topic}}", "hello");
    let requests: Vec<_> = requests.split("### ").collect();
    assert_eq!(requests.len(), 10);
    for request in requests {
        assert_eq!(send(request).await, 200, "{request}");
    }
}

/// Sends one request of a .http file: a title, a request line, headers and, after an empty line, a body.
async fn send(request: &str) -> u16 {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines().skip(1);
    let (method, url) = lines.next().and_then(|line| line.split_once(' ')).expect("a request line");
    let headers = lines.filter_map(|line| line.split_once(": "));
    let call = headers.fold(call(method, url), |call, header| match header {
        ("Content-Type", media) => call.body(media, body.trim()),
        (name, value) => call.header(name, value),
    });
    call.send().await.status
}

#[test]
fn a_rolling_restart_of_a_fleet_fails_no_request_and_loses_no_record() {
    if !["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"].iter().any(|path| Path::new(path).exists()) {
        println!("there is no nginx on this machine: the fleet was not tried (.ci/run installs it)");
        return;
    }
    let mut command = Command::new(format!("{EXAMPLES}/fleet/run"));
    let output = command.args(["--binary", env!("CARGO_BIN_EXE_kafka-rest-proxy")]).output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("nothing failed, nothing was lost"), "{told}");
}
