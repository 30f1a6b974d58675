//! What one caller costs: `cargo test --test it -- --ignored --nocapture what_a_caller_costs`.

use std::time::Duration;

use kafka_rest_proxy::model::{AclOperation, ResourceType};
use serde_json::json;

use crate::harness::binary::Proxy;
use crate::harness::http::{self, Call, JSON_V2, V2};
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};
use crate::passthrough::{As, User, secured};

const CALLERS: usize = 40;

#[tokio::test]
#[ignore = "a measurement"]
async fn what_a_caller_costs() {
    let bootstrap = secured().broker.kafka().bootstrap.clone();
    let settings = secured().settings("SCRAM-SHA-256").into_iter().map(|setting| format!("--set={setting}"));
    let args: Vec<String> = ["--bootstrap-servers".to_owned(), bootstrap].into_iter().chain(settings).collect();
    let proxy = Proxy::start(&args.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let users = futures_util::future::join_all((0..CALLERS).map(|_| secured().user())).await;
    let (topic, group) = (app::topic_on(secured().broker.kafka(), 1), unique("group"));
    for user in &users {
        secured().allow(&user.name, AclOperation::All, ResourceType::Topic, &topic).await;
        secured().allow(&user.name, AclOperation::Read, ResourceType::Group, &group).await;
    }
    let call = |method: &str, path: &str| http::call(method, &proxy.url(path));
    let body = json!({ "records": [{ "value": 1 }] });
    let partition = json!({ "partitions": [{ "topic": topic, "partition": 0 }] });
    let create = json!({ "name": "i", "format": "json" });
    let steps: [(&str, &dyn Fn() -> Call); 6] = [
        ("logged in", &|| call("GET", "/")),
        ("administers", &|| call("GET", "/v3/clusters")),
        ("looks up", &|| call("GET", "/topics")),
        ("produces", &|| call("POST", &format!("/topics/{topic}")).document(JSON_V2, &body)),
        ("reads without an instance", &|| call("GET", &format!("/topics/{topic}/partitions/0/records"))),
        ("has an instance", &|| call("POST", &format!("/consumers/{group}")).document(V2, &create)),
    ];
    let mut before = settled(&proxy).await;
    println!("{CALLERS} callers; each step besides those before, a caller:");
    for (what, step) in steps {
        each(&users, step).await;
        if what == "has an instance" {
            let assign =
                || call("POST", &format!("/consumers/{group}/instances/i/assignments")).document(V2, &partition);
            each(&users, &assign).await;
        }
        let now = settled(&proxy).await;
        let a_caller = |now: f64, before: f64| (now - before) / CALLERS as f64;
        let [kilobytes, threads, sockets] = [0, 1, 2].map(|at| a_caller(now[at], before[at]));
        println!("{what}: {kilobytes:.0} kB, {threads:.1} threads, {sockets:.1} connections");
        before = now;
    }
}

async fn each(users: &[User], step: &dyn Fn() -> Call) {
    for user in users {
        eventually("it is allowed", PATIENCE, async || {
            let answer = step().by(user).send().await;
            matches!(answer.status, 200 | 204).then_some(())
        })
        .await;
    }
}

/// Returns memory in kB, threads and sockets once they rest.
async fn settled(proxy: &Proxy) -> [f64; 3] {
    let look = || [proxy.memory_bytes() as f64 / 1024.0, proxy.threads() as f64, proxy.sockets() as f64];
    let mut last = look();
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = look();
        if now[1..] == last[1..] {
            return now;
        }
        last = now;
    }
}
