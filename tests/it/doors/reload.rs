//! SIGHUP.

use std::fs;
use std::path::PathBuf;

use crate::harness::binary::Proxy;
use crate::harness::http;
use crate::harness::{PATIENCE, kafka, unique};

struct File(PathBuf);

impl File {
    fn new(text: &str) -> File {
        let file = File(std::env::temp_dir().join(unique("proxy.toml")));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        let text = format!("kafka.bootstrap_servers = '{}'\n{text}", kafka::shared().bootstrap);
        fs::write(&self.0, text).unwrap();
    }

    fn start(&self) -> Proxy {
        Proxy::start(&["--config", self.0.to_str().unwrap()], &[])
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn the_level_of_the_log_changes() {
    let file = File::new("log.level = 'info'");
    let proxy = file.start();
    let get = async || http::get(&proxy.url("/no/such/path")).send().await.error();
    assert_eq!(get().await, (404, 404));
    assert!(!proxy.log().contains("DEBUG"), "{}", proxy.log());

    file.write("log.level = 'info,kafka_rest_proxy=debug'");
    proxy.signal("HUP");
    proxy.wait_for_log("SIGHUP: log.level is info,kafka_rest_proxy=debug", PATIENCE);
    assert_eq!(get().await, (404, 404));
    proxy.wait_for_log("GET /no/such/path answered 404", PATIENCE);

    file.write("log.level = 'warn'");
    proxy.signal("HUP");
    let lines = proxy.log().lines().count();
    crate::harness::eventually("it is quiet", PATIENCE, async || {
        let before = proxy.log().lines().count();
        get().await;
        (before >= lines && proxy.log().lines().count() == before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_needs_a_restart_is_named_in_one_line_without_its_value() {
    let file = File::new("log.level = 'info'");
    let proxy = file.start();
    file.write("[kafka.properties]\nsasl.password = 'hunter2'\n[server]\nworkers = 3\n[log]\nlevel = 'debug'");
    proxy.signal("HUP");
    let line = proxy.wait_for_log("needs a restart", PATIENCE);
    assert!(line.ends_with("needs a restart: kafka.properties.sasl.password, server.workers"), "{line}");
    assert!(!proxy.log().contains("hunter2"));
}

#[tokio::test]
async fn a_bad_configuration_is_one_line_and_changes_nothing() {
    let file = File::new("log.level = 'info'");
    let mut proxy = file.start();
    file.write("[log]\nlevel = 'debug'\n[producer]\nlinger = 'long'\n[server]\nworkers = -1");
    proxy.signal("HUP");
    let line = proxy.wait_for_log("nothing changes", PATIENCE);
    for part in ["ERROR", "producer.linger", "server.workers"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(http::get(&proxy.url("/no/such/path")).send().await.error(), (404, 404));
    assert!(!proxy.log().contains("DEBUG"), "{}", proxy.log());
    proxy.signal("TERM");
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0));
}
