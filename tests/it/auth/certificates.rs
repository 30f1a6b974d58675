//! Client certificates, and what is read again when the operator asks for it.

use super::{Authorized, File, INSIDE, basic, line};
use crate::harness::app;
use crate::harness::binary::Proxy;
use crate::harness::certificates::Certificates;
use crate::harness::http;
use crate::harness::tls::TlsClient;
use crate::harness::{PATIENCE, eventually};

#[tokio::test]
async fn a_client_is_who_its_certificate_is_for() {
    let (own, trusted) = (Certificates::new(), Certificates::new());
    own.issue("proxy", &["127.0.0.1"]);
    trusted.issue("alice", &["alice"]);
    trusted.issue("bob", &["bob"]);
    let settings = [
        format!("server.tls.certificate_file={}", own.path("proxy.pem")),
        format!("server.tls.key_file={}", own.path("proxy.key")),
        format!("server.tls.client_ca_file={}", trusted.path("ca.pem")),
        "server.tls.client_auth=optional".to_owned(),
        "auth.methods=certificate".to_owned(),
        "auth.certificate_rules=RULE:^CN=alice$/alice/".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let mut config = app::config_with("127.0.0.1:1", &settings);
    config.server.listen = vec!["https://127.0.0.1:0".to_owned()];
    let app = app::spawn_app(config);
    let address = app.addresses()[0];
    for client in [TlsClient::new(&own), TlsClient::new(&own).http2()] {
        let status = async |client: &TlsClient, path: &str| client.get(address, path).await.unwrap().status;
        assert_eq!(status(&client.clone().showing(&trusted, "alice"), INSIDE).await, 200);
        // Somebody vouches for bob, but no rule has a name for him.
        assert_eq!(status(&client.clone().showing(&trusted, "bob"), INSIDE).await, 401);
        assert_eq!(status(&client, INSIDE).await, 401);
        assert_eq!(status(&client, "/live").await, 200);
    }
    own.remove();
    trusted.remove();
}

#[tokio::test]
async fn sighup_has_users_read_again() {
    let users = File::of_users(&[("alice", "a")]);
    let users_set = users.set("auth.users_file");
    let args = ["--dev", "--set", "auth.methods=basic", "--set", "auth.files_interval=1h", "--set", &users_set];
    let proxy = Proxy::start(&args, &[]);
    let status = async |name: &str| http::get(&proxy.url(INSIDE)).authorized(&basic(name, "a")).send().await.status;
    assert_eq!((status("alice").await, status("bob").await), (200, 401));
    users.replace(&line("bob", "a"));
    proxy.signal("HUP");
    eventually("bob is known", PATIENCE, async || (status("bob").await == 200).then_some(())).await;
    assert_eq!(status("alice").await, 401);
    users.replace("bob:broken\n");
    proxy.signal("HUP");
    proxy.wait_for_log("line 1: its hash is neither", PATIENCE);
    assert_eq!(status("bob").await, 200);
}
