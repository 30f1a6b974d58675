//! Arguments and configuration.

use std::fs;
use std::net::TcpListener;

use crate::harness::binary::Proxy;
use crate::harness::kafka;
use crate::harness::{PATIENCE, free_port, unique};

/// Runs the binary to its end; returns exit code and output.
fn run(args: &[&str], envs: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut proxy = Proxy::spawn(args, envs);
    let status = proxy.wait(PATIENCE);
    (status.code(), proxy.log())
}

const BOOTSTRAP: [&str; 2] = ["--bootstrap-servers", "127.0.0.1:1"];

#[test]
fn all_that_is_wrong_with_a_configuration_is_told_at_once() {
    let file = std::env::temp_dir().join(unique("proxy.toml"));
    fs::write(&file, "[server]\nlisten = 'nowhere'\n[producer]\nackss = 'all'\n").expect("the folder is writable");
    let path = file.to_str().expect("a temporary folder is UTF-8");
    let args =
        ["--config", path, "--set", "limits.records=0", "--set", "kafka.properties.sasl.password=hunter2", "--check"];

    let (code, output) = run(&args, &[("KAFKA_REST_SERVER__BACKLOG", "many"), ("KAFKA_REST_KAFKA__CLIENT", "x")]);

    fs::remove_file(&file).expect("it is there");
    assert_eq!(code, Some(64), "{output}");
    let expected = [
        "server.listen",
        "nowhere",
        path,
        "producer.ackss",
        "producer.acks",
        "limits.records",
        "--set",
        "server.backlog",
        "KAFKA_REST_SERVER__BACKLOG",
        "KAFKA_REST_KAFKA__CLIENT",
        "kafka.bootstrap_servers",
    ];
    for part in expected {
        assert!(output.contains(part), "{part} is not in:\n{output}");
    }
    assert!(!output.contains("hunter2"), "{output}");
}

#[test]
fn wrong_usage_is_64() {
    let cases: [(&[&str], &str); 6] = [
        (&["--no-such-flag"], "--no-such-flag"),
        (&["produce"], "produce"),
        (&["--listen"], "--listen"),
        (&[], "kafka.bootstrap_servers"),
        (&["--config", "/nowhere/proxy.toml"], "/nowhere/proxy.toml"),
        (&["--dev", "--bootstrap-servers", "127.0.0.1:1"], "--dev"),
    ];
    for (args, named) in cases {
        let (code, output) = run(args, &[]);
        assert_eq!(code, Some(64), "{args:?}: {output}");
        assert!(output.contains(named), "{args:?}: {output}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let (code, output) = run(&["--help"], &[]);
    assert_eq!(code, Some(0));
    for flag in ["--config", "--bootstrap-servers", "--listen", "--dev", "--check", "--set"] {
        assert!(output.contains(flag), "{flag} is not in:\n{output}");
    }
    assert_eq!(run(&["--version"], &[]), (Some(0), format!("kafka-rest-proxy {}", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_property_that_librdkafka_refuses_is_named_without_its_value() {
    let cases = [
        ("kafka.properties.no.such.property=hunter2", "kafka.properties.no.such.property"),
        ("producer.properties.batch.num.messages=hunter2", "producer.properties.batch.num.messages"),
    ];
    for (set, named) in cases {
        let (code, output) = run(&[&BOOTSTRAP[..], &["--set", set, "--check"]].concat(), &[]);
        assert_eq!(code, Some(64), "{output}");
        assert!(output.contains(named) && !output.contains("hunter2"), "{output}");
    }
}

#[test]
fn check_tells_that_a_configuration_is_good_and_starts_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listen = taken.local_addr().expect("it is bound").to_string();
    let (code, output) = run(&[&BOOTSTRAP[..], &["--listen", &listen, "--check"]].concat(), &[]);
    assert_eq!((code, output.lines().count()), (Some(0), 1), "{output}");
}

#[test]
fn a_taken_port_is_told_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listen = taken.local_addr().expect("it is bound").to_string();
    let (code, output) = run(&["--bootstrap-servers", &kafka::shared().bootstrap, "--listen", &listen], &[]);
    assert_eq!(code, Some(1), "{output}");
    assert_eq!(output.lines().count(), 1, "{output}");
    assert!(output.contains("ERROR") && output.contains(&listen), "{output}");
}

#[test]
fn a_broker_that_cannot_be_reached_is_told_in_one_line() {
    let bootstrap = format!("127.0.0.1:{}", free_port());
    let proxy = Proxy::start(&["--bootstrap-servers", &bootstrap, "--set", "kafka.request_timeout=1s"], &[]);
    let line = proxy.wait_for_log("cannot be reached", PATIENCE);
    assert!(line.contains("WARN") && line.contains(&bootstrap), "{line}");
    let told = proxy.log().lines().filter(|line| !line.contains("INFO")).count();
    assert!(told <= 2, "one line at the start, one when all brokers are known to be down:\n{}", proxy.log());
}

#[test]
fn every_address_is_listened_on_and_logged() {
    let (first, second) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let proxy = Proxy::spawn([&BOOTSTRAP[..], &["--listen", &format!("{first},{second}")]].concat(), &[]);
    for address in [&first, &second] {
        proxy.wait_for_log(&format!("listening on http://{address}"), PATIENCE);
        std::net::TcpStream::connect(address).expect("it listens there");
    }
}

#[test]
fn tls_and_the_mechanisms_of_sasl_are_built_in() {
    let cases: [&[&str]; 5] = [
        &["security.protocol=SSL"],
        &["security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", "sasl.username=a", "sasl.password=b"],
        &["security.protocol=SASL_SSL", "sasl.mechanism=SCRAM-SHA-256", "sasl.username=a", "sasl.password=b"],
        &["security.protocol=SASL_PLAINTEXT", "sasl.mechanism=SCRAM-SHA-512", "sasl.username=a", "sasl.password=b"],
        &[
            "security.protocol=SASL_SSL",
            "sasl.mechanism=OAUTHBEARER",
            "enable.sasl.oauthbearer.unsecure.jwt=true",
            "sasl.oauthbearer.config=principal=a",
        ],
    ];
    for properties in cases {
        let settings: Vec<String> =
            properties.iter().map(|property| format!("--set=kafka.properties.{property}")).collect();
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        // It listens only if librdkafka makes its clients.
        Proxy::start(&[&BOOTSTRAP[..], &settings].concat(), &[]);
    }
}
