//! Starts that fail, each with a line that names the setting.

use crate::doors::{certificates, tls_settings};
use crate::harness::PATIENCE;
use crate::harness::binary::Proxy;
use crate::harness::certificates::Certificates;

// For this test alone; made with openssl.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh4zoNOrlPTbgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENrZmMwGd5XpCO2ODTqRQ44EQBST
CW8Pe0ixf4xxhx0gOmlUOcvT1RGndC9CB9Gf7VHBYfcUHOqjLRGvu13C2sj3cyE/
H7bz9R7v8PsS8vBxEOg=
-----END ENCRYPTED PRIVATE KEY-----
";

/// Runs the binary to its end; returns exit code and output.
fn run(settings: &[String], flags: &[&str]) -> (Option<i32>, String) {
    let mut args = vec!["--bootstrap-servers", "127.0.0.1:1", "--listen", "https://127.0.0.1:0"];
    args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    args.extend(flags);
    let mut proxy = Proxy::spawn(args, &[]);
    let status = proxy.wait(PATIENCE);
    (status.code(), proxy.log())
}

fn with(certificates: &Certificates, setting: &str, file: &str) -> Vec<String> {
    let mut settings = tls_settings(certificates);
    settings.push(format!("server.tls.{setting}={}", certificates.path(file)));
    settings
}

#[test]
fn files_that_are_not_good_are_told_with_their_setting() {
    let certificates = certificates();
    certificates.issue("other", &["127.0.0.1"]);
    for (name, text) in [("garbage", "no PEM"), ("encrypted", ENCRYPTED)] {
        std::fs::write(certificates.path(name), text).unwrap();
    }
    let cases = [
        ("certificate_file", "missing", "server.tls.certificate_file"),
        ("certificate_file", "garbage", "server.tls.certificate_file"),
        ("key_file", "missing", "server.tls.key_file"),
        ("key_file", "garbage", "server.tls.key_file"),
        ("key_file", "other.key", "server.tls.key_file does not go with server.tls.certificate_file"),
        ("key_file", "encrypted", "server.tls.key_password"),
    ];
    for (setting, file, named) in cases {
        let settings = with(&certificates, setting, file);
        let (code, output) = run(&settings, &[]);
        assert_eq!((code, output.lines().count()), (Some(1), 1), "{setting} {file}: {output}");
        assert!(output.contains("ERROR") && output.contains(named), "{output}");
        let (code, output) = run(&settings, &["--check"]);
        assert_eq!(code, Some(64), "{setting} {file}: {output}");
        assert!(output.contains(named), "{output}");
    }
    certificates.remove();
}

#[test]
fn settings_that_are_missing_are_told_like_all_others() {
    let certificates = certificates();
    let complete = tls_settings(&certificates);
    let extra = |setting: &str| [complete.clone(), vec![setting.to_owned()]].concat();
    let cases = [
        (vec![], "is required where server.listen"),
        (vec![complete[0].clone()], "server.tls.key_file (proxy.toml"),
        (extra("server.tls.client_auth=required"), "server.tls.client_ca_file (proxy.toml"),
        (extra("server.tls.client_ca_file=/ca.pem"), "server.tls.client_ca_file (--set)"),
        (extra("server.tls.min_version=1.1"), "server.tls.min_version"),
        (extra("server.management_listen=here"), "server.management_listen"),
    ];
    for (settings, named) in cases {
        let (code, output) = run(&settings, &[]);
        assert_eq!(code, Some(64), "{output}");
        assert!(output.contains(named), "{named}: {output}");
    }
    assert_eq!(run(&complete, &["--check"]), (Some(0), "the configuration is good".to_owned()));
    certificates.remove();
}
