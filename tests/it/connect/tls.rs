//! Workers that want TLS, certificates and passwords.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use crate::connect::requests::{Write, config, reads};
use crate::connect::{Gateway, proxy, told};
use crate::harness::app::App;
use crate::harness::certificates::Certificates;
use crate::harness::connect::fake::FakeWorkers;
use crate::harness::http::Answer;

fn certificates() -> &'static Certificates {
    static CERTIFICATES: OnceLock<Certificates> = OnceLock::new();
    CERTIFICATES.get_or_init(|| {
        let certificates = Certificates::new();
        certificates.issue("worker", &["localhost"]);
        certificates.issue("gateway", &[]);
        certificates
    })
}

/// Listens with TLS before a worker; returns the port.
fn listen(worker: &str, wants_certificate: bool) -> u16 {
    let worker: SocketAddr = worker.trim_start_matches("http://").parse().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server(wants_certificate)));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    // It ends with the tests.
    thread::spawn(move || {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut client = acceptor.accept(stream).await?;
                    let mut worker = TcpStream::connect(worker).await?;
                    copy_bidirectional(&mut client, &mut worker).await
                });
            }
        });
    });
    port
}

fn server(wants_certificate: bool) -> ServerConfig {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = if wants_certificate {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificates().path("ca.pem")).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let certificate = CertificateDer::from_pem_file(certificates().path("worker.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificates().path("worker.key")).unwrap();
    builder.with_single_cert(vec![certificate], key).unwrap()
}

/// Returns a proxy before a worker that is asked as `host`, with these files and settings.
fn gateway(fakes: &FakeWorkers, host: &str, wants_certificate: bool, settings: &[&str]) -> App {
    let port = listen(fakes[0].url(), wants_certificate);
    proxy(&format!("https://{host}:{port}"), settings)
}

fn ca() -> String {
    format!("ca_file={}", certificates().path("ca.pem"))
}

/// Asks without much patience: what cannot be connected to is tried for a while.
async fn ask(app: &App) -> Answer {
    app.get("/connectors/c").header("prefer", "wait=2").send().await
}

#[tokio::test]
async fn workers_are_asked_over_tls() {
    let fakes = FakeWorkers::start(1);
    let app = gateway(&fakes, "localhost", false, &[&ca(), "username=u", "password=p"]);
    fakes.put("c", config());
    for ask in reads("c").into_iter().chain(Write::all().map(|write| write.ask("c"))) {
        fakes.put("c", config());
        let answer = ask.at(&app.url("")).send().await;
        assert!(answer.status < 500, "{ask:?}: {}", answer.text());
    }
    let created = Write::Create.ask("d").at(&app.url("")).send().await;
    assert_eq!((created.status, created.header("location")), (201, Some(app.url("/connectors/d").as_str())));
    assert!(fakes.requests().iter().all(|request| request.header("authorization") == Some("Basic dTpw")));
}

#[tokio::test]
async fn a_worker_that_is_not_trusted_gets_no_request() {
    let fakes = FakeWorkers::start(1);
    fakes.put("c", config());
    let stranger = Certificates::new();
    let foreign = format!("ca_file={}", stranger.path("ca.pem"));
    let ca = ca();
    // Its certificate names localhost and not its address.
    for (host, settings) in [("localhost", foreign.as_str()), ("127.0.0.1", ca.as_str())] {
        let app = gateway(&fakes, host, false, &[settings]);
        let answer = ask(&app).await;
        assert_eq!(answer.error(), (503, 503), "{host}");
        let put = app.call("PUT", "/connectors/c/stop").header("prefer", "wait=1").send().await;
        assert_eq!(told(&put), (503, Some("not-applied")), "{host}");
        let app = gateway(&fakes, host, false, &[settings, "verify=false"]);
        assert_eq!(ask(&app).await.status, 200, "{host}: nobody looks");
        fakes.forget_requests();
    }
    stranger.remove();
}

#[tokio::test]
async fn a_worker_may_want_a_certificate() {
    let fakes = FakeWorkers::start(1);
    fakes.put("c", config());
    let file = |key: &str, name: &str| format!("{key}={}", certificates().path(name));
    let (certificate, key) = (file("certificate_file", "gateway.pem"), file("key_file", "gateway.key"));

    let with = gateway(&fakes, "localhost", true, &[&ca(), &certificate, &key]);
    assert_eq!(ask(&with).await.status, 200);
    assert_eq!(with.call("PUT", "/connectors/c/pause").send().await.status, 202);

    fakes.forget_requests();
    let without = gateway(&fakes, "localhost", true, &[&ca()]);
    let answer = ask(&without).await;
    assert!(matches!(answer.error(), (502..=504, _)), "{}", answer.text());
    assert_eq!(fakes.requests().len(), 0);
}

#[tokio::test]
async fn a_password_that_a_worker_does_not_take_is_told_as_the_proxys_own_affair() {
    for (settings, is_right) in
        [(&["username=u", "password=p"][..], true), (&["username=u", "password=q"], false), (&[], false)]
    {
        let gateway = Gateway::start(2, settings);
        gateway.fakes.put("c", config());
        for worker in 0..2 {
            gateway.fakes[worker].require_authorization("Basic dTpw");
        }
        let read = gateway.get("/connectors/c").header("authorization", "Basic dTpw").send().await;
        let write = gateway.call("PUT", "/connectors/c/pause").header("authorization", "Basic dTpw").send().await;
        if is_right {
            assert_eq!((read.status, write.status), (200, 202));
            continue;
        }
        for answer in [read, write] {
            assert_eq!(answer.error(), (502, 502));
            assert!(answer.message().contains("credentials of this proxy"), "{}", answer.text());
            assert_eq!(answer.header("www-authenticate"), None);
        }
        assert_eq!(gateway.fakes.connector_state("c").as_deref(), Some("RUNNING"));
    }
}
