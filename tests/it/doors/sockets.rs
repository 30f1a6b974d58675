//! Sockets in the file system, and several listeners at once.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Client;

use crate::doors::{address, certificates, start, tls_settings};
use crate::harness::PATIENCE;
use crate::harness::binary::Proxy;
use crate::harness::http::{self, Answer, V2};
use crate::harness::tls::TlsClient;
use crate::harness::{app, kafka, unique};

/// Short, as the path of a socket has 107 bytes at the most.
fn path() -> PathBuf {
    std::env::temp_dir().join(&unique("s")[..12]).with_extension("sock")
}

async fn get(path: &Path, target: &str) -> reqwest::Result<Answer> {
    let client = Client::builder().unix_socket(path.to_owned()).build().unwrap();
    http::get(&format!("http://proxy{target}")).send_with(&client).await
}

#[tokio::test]
async fn all_kinds_of_listeners_serve_the_same() {
    let (certificates, path, topic) = (certificates(), path(), app::topic(1));
    let listen = format!("127.0.0.1:0,https://127.0.0.1:0,unix:{}", path.display());
    let mut proxy = start(&listen, &tls_settings(&certificates));
    let plain = address(&proxy, "listening on http://");
    let tls = address(&proxy, "listening on https://");
    proxy.wait_for_log(&format!("listening on unix:{}", path.display()), PATIENCE);

    let target = format!("/topics/{topic}/partitions");
    let over_tcp = http::get(&format!("http://{plain}{target}")).send().await.ok();
    assert_eq!(TlsClient::new(&certificates).get(tls, &target).await.unwrap().ok(), over_tcp);
    assert_eq!(get(&path, &target).await.unwrap().ok(), over_tcp);
    let group = format!("http://proxy/consumers/{}", unique("group"));
    let client = Client::builder().unix_socket(path.clone()).build().unwrap();
    let created = http::post(&group).body(V2, "{}").send_with(&client).await.unwrap().ok();
    assert!(created["base_uri"].as_str().unwrap().starts_with("http://proxy/"), "{created}");

    let found = fs::metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o660);
    drop(client);
    proxy.signal("TERM");
    assert_eq!(proxy.wait(PATIENCE).code(), Some(0), "{}", proxy.log());
    assert!(!path.exists(), "it is removed at the end");
    certificates.remove();
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let path = path();
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "who crashed left it there");
    let listen = format!("unix:{}", path.display());
    let first = start(&listen, &["server.unix_socket_mode=0600".to_owned()]);
    assert_eq!(get(&path, "/").await.unwrap().status, 200);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let args = ["--bootstrap-servers", &kafka::shared().bootstrap, "--listen", &listen];
    let mut second = Proxy::spawn(args, &[]);
    assert_eq!(second.wait(PATIENCE).code(), Some(1));
    assert!(second.log().contains(&listen) && second.log().contains("another process"), "{}", second.log());
    assert_eq!(get(&path, "/").await.unwrap().status, 200, "the first one goes on");

    // Killed, it leaves the file; the next one takes its place.
    drop(first);
    let third = start(&listen, &[]);
    assert_eq!(get(&path, "/").await.unwrap().status, 200);
    drop(third);
    fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_ends_the_connection_here_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let path = path();
    let settings = ["server.header_timeout=300ms".to_owned()];
    let _proxy = start(&format!("unix:{}", path.display()), &settings);
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    fs::remove_file(&path).unwrap();
}
