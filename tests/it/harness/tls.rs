//! A client with TLS, for HTTP/1 and HTTP/2, that shows what it was shown.

use std::convert::Infallible;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::harness::certificates::Certificates;
use crate::harness::http::Answer;
use crate::harness::waiting::PATIENCE;

/// What a client trusts and shows; each connection is made of it.
#[derive(Clone)]
pub struct TlsClient {
    roots: RootCertStore,
    identity: Option<(String, String)>,
    alpn: Vec<&'static str>,
    only_12: bool,
}

/// An open connection.
pub struct Session {
    sender: Sender,
    host: String,
    /// The server's own certificate, in DER.
    pub leaf: Vec<u8>,
}

enum Sender {
    One(http1::SendRequest<Body>),
    Two(http2::SendRequest<Body>),
}

/// What is sent: known from the beginning, or as it comes.
type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An answer that comes while the request is still being sent.
pub struct Duplex {
    pub sending: mpsc::Sender<Bytes>,
    answer: Incoming,
}

impl Duplex {
    /// Returns the next piece of the answer, or nothing at its end.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            let frame = timeout(PATIENCE, self.answer.frame()).await.expect("it comes in time")?;
            let data = frame.expect("the stream is not reset").into_data().expect("there are no trailers");
            // The end comes in a piece of its own.
            if !data.is_empty() {
                return Some(String::from_utf8_lossy(&data).into_owned());
            }
        }
    }
}

impl TlsClient {
    /// Returns a client that trusts an authority, has no certificate and speaks HTTP/1.
    pub fn new(authority: &Certificates) -> TlsClient {
        let mut roots = RootCertStore::empty();
        roots.add(leaf(&authority.path("ca.pem")).into()).unwrap();
        TlsClient { roots, identity: None, alpn: vec!["http/1.1"], only_12: false }
    }

    /// Shows a certificate that `authority` issued for `name`.
    pub fn showing(mut self, authority: &Certificates, name: &str) -> TlsClient {
        self.identity = Some((authority.path(&format!("{name}.pem")), authority.path(&format!("{name}.key"))));
        self
    }

    /// Speaks HTTP/2.
    pub fn http2(mut self) -> TlsClient {
        self.alpn = vec!["h2"];
        self
    }

    /// Speaks TLS 1.2 and nothing newer.
    pub fn only_tls_12(mut self) -> TlsClient {
        self.only_12 = true;
        self
    }

    fn config(&self) -> ClientConfig {
        let versions = if self.only_12 { &[&TLS12][..] } else { &[&TLS13, &TLS12][..] };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_file(key).unwrap();
                builder.with_client_auth_cert(vec![leaf(certificate).into()], key).unwrap()
            }
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }

    /// Returns a connection on which a test writes the bytes itself.
    pub async fn stream(&self, address: SocketAddr) -> Result<TlsStream<TcpStream>, String> {
        let stream = TcpStream::connect(address).await.map_err(text)?;
        let connector = TlsConnector::from(Arc::new(self.config()));
        let name = ServerName::try_from("127.0.0.1").unwrap();
        timeout(PATIENCE, connector.connect(name, stream)).await.map_err(text)?.map_err(text)
    }

    pub async fn connect(&self, address: SocketAddr) -> Result<Session, String> {
        let stream = self.stream(address).await?;
        let (_, session) = stream.get_ref();
        let leaf = session.peer_certificates().unwrap()[0].to_vec();
        let io = TokioIo::new(stream);
        let sender = if self.alpn == ["h2"] {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.map_err(text)?;
            tokio::spawn(connection);
            Sender::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(text)?;
            tokio::spawn(connection);
            Sender::One(sender)
        };
        Ok(Session { sender, host: address.to_string(), leaf })
    }

    /// Sends a GET on a connection of its own.
    pub async fn get(&self, address: SocketAddr, path: &str) -> Result<Answer, String> {
        self.connect(address).await?.get(path).await
    }
}

impl Session {
    pub async fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.send("GET", path, &[], "").await
    }

    pub async fn post(&mut self, path: &str, media: &str, body: &str) -> Result<Answer, String> {
        self.send("POST", path, &[("content-type", media)], body).await
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, String> {
        let body = Full::new(Bytes::from(body.to_owned())).boxed_unsync();
        let request = Request::builder().method(method);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = async {
            match &mut self.sender {
                Sender::One(sender) => {
                    let request = request.uri(path).header("host", &self.host).body(body).unwrap();
                    sender.ready().await?;
                    sender.send_request(request).await
                }
                Sender::Two(sender) => {
                    let uri: Uri = format!("https://{}{path}", self.host).parse().unwrap();
                    sender.send_request(request.uri(uri).body(body).unwrap()).await
                }
            }
        };
        let answer = timeout(PATIENCE, answer).await.map_err(text)?.map_err(|error| format!("{error:?}"))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = timeout(PATIENCE, answer.into_body().collect()).await.map_err(text)?.map_err(text)?;
        Ok(Answer { status, headers, body: body.to_bytes().to_vec() })
    }

    /// Starts a POST whose body comes as it is sent, and waits for the head of the answer; only HTTP/2.
    pub async fn duplex(&mut self, path: &str, media: &str, first: &str) -> Duplex {
        let Sender::Two(sender) = &mut self.sender else { panic!("it has to be HTTP/2") };
        let (sending, pieces) = mpsc::channel(8);
        sending.send(Bytes::from(first.to_owned())).await.unwrap();
        let pieces = stream::unfold(pieces, async |mut pieces: mpsc::Receiver<Bytes>| {
            pieces.recv().await.map(|piece| (Ok::<_, Infallible>(Frame::data(piece)), pieces))
        });
        let body = StreamBody::new(pieces).boxed_unsync();
        let uri: Uri = format!("https://{}{path}", self.host).parse().unwrap();
        let request = Request::post(uri).header("content-type", media).body(body).unwrap();
        let answer = timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap();
        assert_eq!(answer.status(), 200);
        Duplex { sending, answer: answer.into_body() }
    }

    /// Returns another handle for the same connection, which has to be HTTP/2.
    pub fn beside(&self) -> Session {
        let Sender::Two(sender) = &self.sender else { panic!("one request at a time in HTTP/1") };
        Session { sender: Sender::Two(sender.clone()), host: self.host.clone(), leaf: self.leaf.clone() }
    }

    /// Tells whether the server has ended it.
    pub fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::One(sender) => sender.is_closed(),
            Sender::Two(sender) => sender.is_closed(),
        }
    }
}

/// Returns the first certificate of a PEM file, in DER.
pub fn leaf(path: &str) -> Vec<u8> {
    CertificateDer::from_pem_file(path).unwrap().to_vec()
}

/// How long a test looks at what has to stay as it is.
pub const A_WHILE: Duration = Duration::from_millis(500);

fn text(error: impl Display) -> String {
    error.to_string()
}
