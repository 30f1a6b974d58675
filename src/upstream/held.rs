use std::time::Duration;

use hyper::Uri;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection that nothing is sent on: it ends with the process that listens, also between two requests.
pub struct Held(TcpStream);

impl Held {
    /// Connects to the server at `base`; `None` where that fails.
    pub async fn open(base: &str, limit: Duration) -> Option<Held> {
        let uri: Uri = base.parse().ok()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        timeout(limit, TcpStream::connect((host, port))).await.ok()?.ok().map(Held)
    }

    /// Waits until the server, or something between, ends the connection. Servers also end those that are idle.
    pub async fn ended(&mut self) {
        let mut ignored = [0; 64];
        while matches!(self.0.read(&mut ignored).await, Ok(count) if count > 0) {}
    }
}
