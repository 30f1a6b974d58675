//! Certificates that change while the proxy works.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::doors::{address, certificates, spawn, start, tls_settings};
use crate::harness::certificates::Certificates;
use crate::harness::http::JSON_V2;
use crate::harness::tls::{TlsClient, leaf};
use crate::harness::{PATIENCE, app, eventually, kafka};

const BODY: &str = r#"{"records":[{"value":1}]}"#;

/// Produces over and over, on one connection or on a new one each time, until it is told to stop.
async fn load(client: TlsClient, address: SocketAddr, topic: String, keeps: bool, stop: Arc<AtomicBool>) -> usize {
    let path = format!("/topics/{topic}");
    let (mut session, mut sent) = (None, 0);
    while !stop.load(Ordering::Relaxed) {
        let mut open = match session.take() {
            Some(open) => open,
            None => client.connect(address).await.expect("no connection is refused"),
        };
        open.post(&path, JSON_V2, BODY).await.expect("no request is lost").placed();
        sent += 1;
        session = Some(open).filter(|_| keeps);
    }
    sent
}

async fn wait_until_shown(client: &TlsClient, address: SocketAddr, expected: &[u8]) {
    eventually("the new certificate is shown", PATIENCE, async || {
        let session = client.connect(address).await.expect("no connection is refused");
        (session.leaf == expected).then_some(())
    })
    .await;
}

fn rotate(certificates: &Certificates) -> Vec<u8> {
    let before = leaf(&certificates.path("proxy.pem"));
    certificates.issue("proxy", &["127.0.0.1"]);
    let after = leaf(&certificates.path("proxy.pem"));
    assert_ne!(before, after);
    after
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_certificates_change() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &[]);
    let (topic, stop) = (app::topic(1), Arc::new(AtomicBool::new(false)));
    let client = TlsClient::new(&certificates);
    let mut loads = Vec::new();
    for client in [client.clone(), client.clone().http2()] {
        for keeps in [true, false] {
            loads.push(tokio::spawn(load(client.clone(), address, topic.clone(), keeps, Arc::clone(&stop))));
        }
    }

    for _ in 0..3 {
        let after = rotate(&certificates);
        wait_until_shown(&client, address, &after).await;
    }

    stop.store(true, Ordering::Relaxed);
    let total = AtomicUsize::new(0);
    for load in loads {
        let sent = load.await.expect("no request failed");
        assert!(sent > 0);
        total.fetch_add(sent, Ordering::Relaxed);
    }
    assert_eq!(kafka::shared().read_topic(&topic).len(), total.into_inner());
    certificates.remove();
}

#[tokio::test]
async fn a_broken_certificate_is_logged_and_the_old_one_stays_until_it_is_mended() {
    let certificates = certificates();
    let proxy = start("https://127.0.0.1:0", &tls_settings(&certificates));
    let (address, client) = (address(&proxy, "listening on https://"), TlsClient::new(&certificates));
    let mut kept = client.connect(address).await.unwrap();
    let before = kept.leaf.clone();

    std::fs::write(certificates.path("proxy.pem"), "no certificate").unwrap();
    let line = proxy.wait_for_log("what was loaded stays", PATIENCE);
    assert!(line.contains("ERROR") && line.contains("server.tls.certificate_file"), "{line}");
    assert_eq!(client.connect(address).await.unwrap().leaf, before);

    // A key of another certificate is no better.
    certificates.issue("proxy", &["127.0.0.1"]);
    let after = leaf(&certificates.path("proxy.pem"));
    let key = std::fs::read(certificates.path("proxy.key")).unwrap();
    certificates.issue("other", &["127.0.0.1"]);
    std::fs::copy(certificates.path("other.key"), certificates.path("proxy.key")).unwrap();
    proxy.wait_for_log("server.tls.key_file does not go with", PATIENCE);
    std::fs::write(certificates.path("proxy.key"), key).unwrap();
    wait_until_shown(&client, address, &after).await;

    proxy.wait_for_log("the changed certificate files are in use", PATIENCE);
    assert_eq!(kept.get("/").await.unwrap().status, 200, "the old connection goes on");
    assert!(!proxy.log().contains("PRIVATE KEY"));
    certificates.remove();
}

#[tokio::test]
async fn a_hangup_takes_them_at_once() {
    let certificates = certificates();
    let mut settings = tls_settings(&certificates);
    settings.push("server.tls.reload_interval=1h".to_owned());
    let proxy = start("https://127.0.0.1:0", &settings);
    let (address, client) = (address(&proxy, "listening on https://"), TlsClient::new(&certificates));
    let before = client.connect(address).await.unwrap().leaf;

    let after = rotate(&certificates);
    assert_eq!(client.connect(address).await.unwrap().leaf, before, "nobody looks for an hour");
    proxy.signal("HUP");
    wait_until_shown(&client, address, &after).await;

    std::fs::write(certificates.path("proxy.key"), "no key").unwrap();
    proxy.signal("HUP");
    let line = proxy.wait_for_log("certificates stay as they were", PATIENCE);
    assert!(line.contains("server.tls.key_file"), "{line}");
    assert_eq!(client.connect(address).await.unwrap().leaf, after);
    certificates.remove();
}
