//! Who is at the other end of a connection.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::dev::Extensions;

use crate::http::connection::Secure;

/// What the client of a connection with TLS has shown; other connections have none of it.
pub struct Peer {
    /// The client's own certificate, in DER; it is vouched for by one of `server.tls.client_ca_file`.
    pub certificate: Option<Vec<u8>>,
}

/// Counts connections with HTTP/1: they end by themselves when the server stops, those with HTTP/2 do not.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<AtomicUsize>);

/// One of them, for as long as it is open.
struct Open(Connections);

impl Connections {
    /// Returns how many are open.
    pub(super) fn open(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Notes on a new connection who is there.
pub(super) fn greet(connections: &Connections, stream: &dyn Any, data: &mut Extensions) {
    let mut is_http2 = false;
    if let Some(stream) = stream.downcast_ref::<Secure>() {
        let (_, session) = stream.get_ref().get_ref();
        is_http2 = session.alpn_protocol() == Some(b"h2");
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        data.insert(Peer { certificate: leaf.map(|leaf| leaf.to_vec()) });
    }
    if !is_http2 {
        connections.0.fetch_add(1, Ordering::Relaxed);
        data.insert(Open(connections.clone()));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use actix_web::rt::System;
    use actix_web::web::{self, Data};
    use actix_web::{HttpRequest, HttpResponse};
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    use super::*;
    use crate::config::{ClientAuth, Config};
    use crate::domain::Stopper;
    use crate::http::cors::Cors;
    use crate::http::gate::Gate;
    use crate::http::layers::Layers;
    use crate::http::listen::Opening;
    use crate::http::readiness::Readiness;
    use crate::http::sight::Sight;
    use crate::state::State;
    use crate::tls::Identity;

    async fn shown(request: HttpRequest) -> HttpResponse {
        match request.conn_data::<Peer>() {
            None => HttpResponse::Ok().body("no TLS"),
            Some(Peer { certificate: None }) => HttpResponse::Ok().body("no certificate"),
            Some(Peer { certificate: Some(der) }) => HttpResponse::Ok().body(der.clone()),
        }
    }

    #[test]
    fn a_request_knows_the_certificate_of_its_client() {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &authority).unwrap(), key)
        };
        let (server, client) = (issue("localhost"), issue("alice"));
        let dir = std::env::temp_dir().join(format!("krp-peer-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let file = |name: &str, text: String| {
            fs::write(dir.join(name), text).unwrap();
            Some(dir.join(name))
        };
        let mut config = Config::dev();
        config.server.tls.certificate_file = file("certificate", server.0.pem());
        config.server.tls.key_file = file("key", server.1.serialize_pem());
        config.server.tls.client_ca_file = file("ca", authority.pem());
        config.server.tls.client_auth = ClientAuth::Optional;
        let identity = Arc::new(Identity::load(&config.server.tls).unwrap());
        fs::remove_dir_all(&dir).unwrap();

        System::new().block_on(async {
            let state = Data::new(State::new(config).unwrap());
            let gate = Data::new(Gate::new(&state.config.limits, &Arc::default()));
            let readiness = Data::new(Readiness::new(state.clone(), gate.clone()));
            let (sight, cors) = (Data::new(Sight::new(&state)), Data::new(Cors::new(&state.config.cors)));
            let layers = Layers {
                state,
                gate,
                readiness,
                stopping: Data::new(Stopper::new().1),
                unserved: Data::default(),
                sight,
                cors,
            };
            let opening = Opening { identity: Some(identity), connections: Connections::default() };
            let listen = ["https://127.0.0.1:0", "127.0.0.1:0"].map(str::to_owned);
            let register = |config: &mut web::ServiceConfig, _: &Config| {
                config.route("/", web::get().to(shown));
            };
            let opened = opening.open(layers, register, &listen, 1, &mut Vec::new()).unwrap();
            let addresses: Vec<_> = opened.doors.iter().map(|door| door.address().unwrap()).collect();
            let handle = opened.running.handle();
            actix_web::rt::spawn(opened.running);

            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let builder = || {
                ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                    .with_safe_default_protocol_versions()
                    .unwrap()
                    .with_root_certificates(roots.clone())
            };
            let key = PrivateKeyDer::try_from(client.1.serialize_der()).unwrap();
            let chain = vec![client.0.der().clone()];
            let known = builder().with_client_auth_cert(chain, key).unwrap();
            for (config, expected) in
                [(builder().with_no_client_auth(), b"no certificate".to_vec()), (known, client.0.der().to_vec())]
            {
                let stream = tokio::net::TcpStream::connect(addresses[0]).await.unwrap();
                let name = ServerName::try_from("localhost").unwrap();
                let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
                assert!(get(stream).await.ends_with(&expected));
            }
            let plain = tokio::net::TcpStream::connect(addresses[1]).await.unwrap();
            assert!(get(plain).await.ends_with(b"no TLS"));
            handle.stop(false).await;
        });
    }

    async fn get(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> Vec<u8> {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        // Some peers end TLS without saying so.
        let _ = stream.read_to_end(&mut answer).await;
        answer
    }
}
