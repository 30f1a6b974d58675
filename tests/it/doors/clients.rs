//! Certificates of clients.

use std::net::SocketAddr;

use crate::doors::{certificates, spawn};
use crate::harness::certificates::Certificates;
use crate::harness::tls::TlsClient;
use crate::harness::{PATIENCE, eventually};

/// Returns two authorities that have issued certificates for clients.
fn authorities() -> (Certificates, Certificates) {
    let (trusted, other) = (Certificates::new(), Certificates::new());
    trusted.issue("alice", &["alice"]);
    other.issue("mallory", &["mallory"]);
    (trusted, other)
}

/// Tells whether a request of a client is answered; in TLS 1.3 it learns of a refusal only after the handshake.
async fn is_served(client: &TlsClient, address: SocketAddr) -> bool {
    matches!(client.get(address, "/").await, Ok(answer) if answer.status == 200)
}

#[tokio::test]
async fn required_lets_in_only_those_that_an_authority_vouches_for() {
    let (certificates, (trusted, other)) = (certificates(), authorities());
    let ca = format!("server.tls.client_ca_file={}", trusted.path("ca.pem"));
    let (_app, address) = spawn(&certificates, &["server.tls.client_auth=required", &ca]);
    for client in [TlsClient::new(&certificates), TlsClient::new(&certificates).only_tls_12()] {
        for client in [client.clone(), client.http2()] {
            assert!(!is_served(&client, address).await, "none");
            assert!(!is_served(&client.clone().showing(&other, "mallory"), address).await, "of another authority");
            assert!(is_served(&client.showing(&trusted, "alice"), address).await);
        }
    }
}

#[tokio::test]
async fn optional_lets_in_those_without_one_too() {
    let (certificates, (trusted, other)) = (certificates(), authorities());
    let ca = format!("server.tls.client_ca_file={}", trusted.path("ca.pem"));
    let (_app, address) = spawn(&certificates, &["server.tls.client_auth=optional", &ca]);
    let client = TlsClient::new(&certificates);
    assert!(is_served(&client, address).await);
    assert!(is_served(&client.clone().showing(&trusted, "alice"), address).await);
    assert!(!is_served(&client.showing(&other, "mallory"), address).await);
}

#[tokio::test]
async fn authorities_change_for_new_connections() {
    let (certificates, (trusted, other)) = (certificates(), authorities());
    let ca = format!("server.tls.client_ca_file={}", trusted.path("ca.pem"));
    let (_app, address) = spawn(&certificates, &["server.tls.client_auth=required", &ca]);
    let (alice, mallory) = (
        TlsClient::new(&certificates).showing(&trusted, "alice"),
        TlsClient::new(&certificates).showing(&other, "mallory"),
    );
    let mut kept = alice.connect(address).await.unwrap();
    assert_eq!(kept.get("/").await.unwrap().status, 200);

    std::fs::copy(other.path("ca.pem"), trusted.path("ca.pem")).unwrap();

    eventually("the other authority counts", PATIENCE, async || is_served(&mallory, address).await.then_some(())).await;
    assert!(!is_served(&alice, address).await);
    assert_eq!(kept.get("/").await.unwrap().status, 200, "what is open stays open");
}

#[tokio::test]
async fn an_old_version_of_tls_is_refused_where_only_the_new_one_is_wanted() {
    let certificates = certificates();
    let (_app, address) = spawn(&certificates, &["server.tls.min_version=1.3"]);
    assert!(is_served(&TlsClient::new(&certificates), address).await);
    assert!(!is_served(&TlsClient::new(&certificates).only_tls_12(), address).await);
}
