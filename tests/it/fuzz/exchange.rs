//! One request on one connection, whatever its bytes are.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take: longer than every deadline that the proxy is given in these tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
pub struct Seen {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

/// Sends the bytes, ends the sending, and reads to the end; `None` where nothing came, the error says what hung.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Result<Option<Seen>, &'static str> {
    let talk = async {
        let mut stream = TcpStream::connect(address).await.expect("the proxy listens");
        // The proxy may have answered, and closed, before it has read everything.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let mut chunk = [0; 16384];
        loop {
            match stream.read(&mut chunk).await {
                Ok(0) => break,
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("{error}"),
            }
        }
        bytes
    };
    let bytes = timeout(PATIENCE, talk).await.map_err(|_| "the answer does not end")?;
    Ok(Seen::read(&bytes))
}

impl Seen {
    fn read(bytes: &[u8]) -> Option<Seen> {
        let mut rest = bytes;
        loop {
            let end = rest.windows(4).position(|window| window == b"\r\n\r\n")?;
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            let status = head.split(' ').nth(1)?.parse().ok()?;
            rest = &rest[end + 4..];
            if status != 100 {
                let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
                let body = if is_chunked { unchunked(rest) } else { rest.to_vec() };
                return Some(Seen { status, head, body });
            }
        }
    }

    /// Returns the `error_code` of a body that is the envelope.
    pub fn error_code(&self) -> Option<u64> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let says = body["message"].as_str().is_some_and(|message| !message.trim().is_empty());
        body["error_code"].as_u64().filter(|_| says)
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && end + 2 + size <= rest.len()) else { break };
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    body
}
