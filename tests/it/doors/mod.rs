//! How the proxy is reached and left: TLS, listeners, health, drain, reload, and clients that mean no good.

mod clients;
mod commands;
mod drain;
mod health;
mod hostile;
mod http2;
mod management;
mod reload;
mod rotation;
mod sockets;
mod start;

use std::net::SocketAddr;

use kafka_rest_proxy::config::Config;

use crate::harness::app::{self, App};
use crate::harness::binary::Proxy;
use crate::harness::certificates::Certificates;
use crate::harness::{PATIENCE, kafka};

/// Returns an authority that has issued a certificate for the proxy.
fn certificates() -> Certificates {
    let certificates = Certificates::new();
    certificates.issue("proxy", &["127.0.0.1", "localhost"]);
    certificates
}

/// Returns the settings for a listener with TLS, each as `KEY=VALUE`.
fn tls_settings(certificates: &Certificates) -> Vec<String> {
    vec![
        format!("server.tls.certificate_file={}", certificates.path("proxy.pem")),
        format!("server.tls.key_file={}", certificates.path("proxy.key")),
        "server.tls.reload_interval=100ms".to_owned(),
    ]
}

/// Returns settings with a listener with TLS on the shared Kafka, and others over them.
fn config(certificates: &Certificates, settings: &[&str]) -> Config {
    let own = tls_settings(certificates);
    let all: Vec<&str> = own.iter().map(String::as_str).chain(settings.iter().copied()).collect();
    let mut config = app::config_with(&kafka::shared().bootstrap, &all);
    config.server.listen = vec!["https://127.0.0.1:0".to_owned()];
    config
}

/// Starts a proxy in this process that listens with TLS.
fn spawn(certificates: &Certificates, settings: &[&str]) -> (App, SocketAddr) {
    let app = app::spawn_app(config(certificates, settings));
    let address = app.addresses()[0];
    (app, address)
}

/// Starts the binary on the shared Kafka with listeners of any kind, and other settings.
fn start(listen: &str, settings: &[String]) -> Proxy {
    let mut args = vec!["--bootstrap-servers".to_owned(), kafka::shared().bootstrap.clone()];
    args.extend(["--listen".to_owned(), listen.to_owned()]);
    args.extend(settings.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]));
    let proxy = Proxy::spawn(args, &[]);
    proxy.wait_for_log(" on ", PATIENCE);
    proxy
}

/// Returns the address behind `text` in the log.
fn address(proxy: &Proxy, text: &str) -> SocketAddr {
    let line = proxy.wait_for_log(text, PATIENCE);
    line.split(text).nth(1).expect("it is in the line").parse().expect("an address")
}
