//! Requests as they came over the wire.

use std::io;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;

/// A request that a fake worker got.
#[derive(Clone, Debug)]
pub struct Request {
    /// The index of the worker.
    pub worker: usize,
    pub method: String,
    /// The path with its query, as it was sent.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Returns the path as it was sent.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Returns the values of a query parameter.
    pub fn parameters(&self, name: &str) -> Vec<&str> {
        let pairs = self.query().unwrap_or_default().split('&');
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
    }

    /// Returns whether a parameter says so, as Connect reads it.
    pub fn says(&self, name: &str) -> bool {
        self.parameters(name).iter().any(|value| value.eq_ignore_ascii_case("true"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// Returns whether method and path match; `*` is any text. The probe for the leader never does.
    pub fn matches(&self, method: &str, pattern: &str) -> bool {
        matches(self, method, pattern)
    }

    /// Returns the parts of the path between the slashes, decoded.
    pub(in crate::harness) fn segments(&self) -> Vec<String> {
        let parts = self.path().trim_matches('/').split('/').filter(|part| !part.is_empty());
        parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
    }
}

pub(super) fn matches(request: &Request, method: &str, pattern: &str) -> bool {
    // Who asks a worker whether it leads does so at times that no test knows.
    let is_probe = request.parameters("forward") == ["false"];
    !is_probe && (method == "*" || method == request.method) && is_like(request.path(), pattern)
}

fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| is_like(&rest[at..], after))
        }),
    }
}

/// Reads a request up to its body; `None` at the end of the connection.
pub(in crate::harness) async fn read_head(
    stream: &mut BufReader<TcpStream>,
    worker: usize,
) -> io::Result<Option<Request>> {
    let first = read_line(stream).await?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    Ok(Some(Request { worker, method, target, headers, body: Vec::new() }))
}

pub(in crate::harness) async fn read_body(stream: &mut BufReader<TcpStream>, request: &mut Request) -> io::Result<()> {
    if request.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        while let length @ 1.. = read_chunk_length(stream).await? {
            read_exactly(stream, length, &mut request.body).await?;
            read_line(stream).await?;
        }
        read_line(stream).await?;
    } else if let Some(length) = request.header("content-length").and_then(|length| length.parse().ok()) {
        read_exactly(stream, length, &mut request.body).await?;
    }
    Ok(())
}

async fn read_chunk_length(stream: &mut BufReader<TcpStream>) -> io::Result<u64> {
    u64::from_str_radix(&read_line(stream).await?, 16).map_err(|_| io::ErrorKind::InvalidData.into())
}

async fn read_exactly(stream: &mut BufReader<TcpStream>, length: u64, into: &mut Vec<u8>) -> io::Result<()> {
    let read = stream.take(length).read_to_end(into).await?;
    if (read as u64) < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
