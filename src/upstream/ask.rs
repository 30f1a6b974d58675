use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::tls::Tls;
use crate::upstream::failure::chain;

/// The most that is read of an answer.
const BODY_LIMIT: usize = 64 * 1024;

/// What was answered.
pub struct Asked {
    /// The status.
    pub status: u16,
    /// The body, as text.
    pub text: String,
}

/// Sends one GET on a connection of its own to `http://`, `https://` or `unix:/SOCKET[:/PATH]`; without a path to `path`.
///
/// Does not look at the server's certificate: nothing secret is sent, and what comes is not believed. The error is a
/// sentence for the operator.
pub async fn ask(url: &str, path: &str, limit: Duration) -> Result<Asked, String> {
    timeout(limit, connect_and_ask(url, path)).await.map_err(|_| format!("no answer within {limit:?}"))?
}

async fn connect_and_ask(url: &str, path: &str) -> Result<Asked, String> {
    if let Some(socket) = url.strip_prefix("unix:") {
        let (socket, path) = socket.split_once(":/").map_or((socket, path.to_owned()), |(s, p)| (s, format!("/{p}")));
        let stream = UnixStream::connect(Path::new(socket)).await.map_err(|why| format!("no connection: {why}"))?;
        return send(stream, "localhost", &path).await;
    }
    let uri: Uri = url.parse().map_err(|_| format!("{url} is not a URL"))?;
    let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
        return Err(format!("{url} has no host"));
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let path = match uri.path_and_query().map_or("/", |path| path.as_str()) {
        "/" => path,
        given => given,
    };
    let is_tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        Some(_) | None => return Err(format!("{url} is neither http://, https:// nor unix:/")),
    };
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(|why| format!("no connection: {why}"))?;
    if !is_tls {
        return send(stream, authority.as_str(), path).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} cannot be the name of a server"))?;
    let connector = TlsConnector::from(anybody().client()?);
    let stream = connector.connect(name, stream).await.map_err(|why| format!("no TLS: {why}"))?;
    send(stream, authority.as_str(), path).await
}

/// Returns TLS that takes any certificate.
fn anybody() -> Tls {
    Tls {
        ca_location: None,
        ca_pem: None,
        certificate_location: None,
        certificate_pem: None,
        key_location: None,
        key_pem: None,
        key_password: None,
        verify: false,
        verify_name: false,
    }
}

async fn send<S>(stream: S, host: &str, path: &str) -> Result<Asked, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lost = |why: hyper::Error| format!("no answer: {}", chain(&why));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    // It ends when the sender is dropped.
    tokio::task::spawn(connection);
    let request = Request::get(path)
        .header(HOST, host)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("kafka-rest-proxy/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|_| format!("{path} is not a path"))?;
    let answer = sender.send_request(request).await.map_err(lost)?;
    let status = answer.status().as_u16();
    let body =
        Limited::new(answer.into_body(), BODY_LIMIT).collect().await.map_err(|why| format!("half an answer: {why}"))?;
    Ok(Asked { status, text: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
}
