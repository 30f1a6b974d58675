//! What the binary does beside serving.

use crate::doors::{address, certificates, start, tls_settings};
use crate::harness::binary::Proxy;
use crate::harness::{PATIENCE, free_port, unique};

/// Runs the binary to its end; returns exit code and output.
fn run(args: &[&str], envs: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut proxy = Proxy::spawn(args, envs);
    let status = proxy.wait(PATIENCE);
    (status.code(), proxy.log())
}

#[test]
fn a_health_check_is_0_where_the_proxy_is_ready() {
    let certificates = certificates();
    let socket = std::env::temp_dir().join(&unique("h")[..12]);
    let listen = format!("127.0.0.1:0,https://127.0.0.1:0,unix:{}", socket.display());
    let mut settings = tls_settings(&certificates);
    settings.push("server.management_listen=127.0.0.1:0".to_owned());
    let mut proxy = start(&listen, &settings);
    let urls = [
        format!("http://{}", address(&proxy, "listening on http://")),
        format!("https://{}/", address(&proxy, "listening on https://")),
        format!("http://{}/live", address(&proxy, "management on http://")),
        format!("unix:{}", socket.display()),
        format!("unix:{}:/health", socket.display()),
    ];
    for url in &urls {
        let (code, output) = run(&["healthcheck", "--url", url], &[]);
        assert_eq!(code, Some(0), "{url}: {output}");
        assert_eq!(output.lines().count(), 1, "{output}");
    }
    let (code, output) = run(&["healthcheck", "--url", &format!("{}/config", urls[0])], &[]);
    assert!(code == Some(1) && output.contains("HTTP 404"), "{output}");

    proxy.signal("TERM");
    proxy.wait(PATIENCE);
    for url in &urls {
        assert_eq!(run(&["healthcheck", "--url", url], &[]).0, Some(1), "{url}");
    }
    certificates.remove();
}

#[test]
fn a_health_check_finds_the_proxy_by_its_configuration() {
    let (main, management) = (free_port(), free_port());
    let proxy = Proxy::spawn(["--dev", "--listen", &format!("0.0.0.0:{main}")], &[]);
    proxy.wait_for_log("listening on", PATIENCE);
    let listen = format!("0.0.0.0:{main}");
    // Where Kafka is does not matter, and is often given to the proxy alone.
    let (code, output) = run(&["healthcheck"], &[("KAFKA_REST_SERVER__LISTEN", &listen)]);
    assert_eq!(code, Some(0), "{output}");
    let set = format!("server.management_listen=127.0.0.1:{management}");
    let (code, output) = run(&["--listen", &listen, "--set", &set, "healthcheck"], &[]);
    assert!(code == Some(1) && output.contains(&management.to_string()), "the management listener first: {output}");
    let (code, output) = run(&["healthcheck", "--set", "server.listen=127.0.0.1:0"], &[]);
    assert!(code == Some(1) && output.contains("--url"), "{output}");
}

#[test]
fn a_health_check_ends_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{}", silent.local_addr().unwrap());
        let (code, output) = run(&["healthcheck", "--url", &url, "--timeout", "200ms"], &[]);
        assert!(code == Some(1) && output.contains("no answer within 200ms"), "{output}");
    }
}

#[test]
fn the_man_page_and_completions_know_every_flag() {
    let (code, page) = run(&["man"], &[]);
    assert!(code == Some(0) && page.contains(".TH kafka-rest-proxy 1"), "{page}");
    let (flags, commands) = (["config", "bootstrap-servers", "listen", "set", "dev", "check"], ["healthcheck", "man"]);
    for name in flags.iter().chain(&commands) {
        assert!(page.contains(&name.replace('-', "\\-")), "{name}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script) = run(&["completions", shell], &[]);
        assert_eq!(code, Some(0), "{shell}");
        for name in flags.iter().chain(&commands) {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
    assert_eq!(run(&["completions", "cmd"], &[]).0, Some(64));
}
