//! One connection on which a test writes the bytes itself, for what a well-behaved client never sends.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::http::Answer;
use crate::harness::waiting::PATIENCE;

pub struct Wire {
    stream: TcpStream,
    /// Read and not yet taken.
    buffer: Vec<u8>,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Wire {
        Wire { stream: TcpStream::connect(address).await.expect("the proxy listens"), buffer: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.expect("the connection is open");
    }

    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Sends the head of a POST whose body has `length` bytes.
    pub async fn send_head(&mut self, path: &str, media: &str, length: usize) {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: proxy\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n");
        self.send(head).await;
    }

    /// Starts a POST whose body will have `length` bytes, and waits until the proxy asks for them: it is under way then.
    pub async fn start_post(&mut self, path: &str, media: &str, length: usize) {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: proxy\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n");
        self.send(head + "Expect: 100-continue\r\n\r\n").await;
        assert_eq!(self.answer_to_head().await.status, 100);
    }

    /// Reads one answer with its body.
    pub async fn answer(&mut self) -> Answer {
        let mut answer = self.answer_to_head().await;
        let length = answer.header("content-length").map_or(0, |length| length.parse().expect("a number"));
        while self.buffer.len() < length {
            assert!(self.read(PATIENCE).await > 0, "the body ended early: {:?}", String::from_utf8_lossy(&self.buffer));
        }
        answer.body = self.buffer.drain(..length).collect();
        answer
    }

    /// Reads the head of one answer and nothing behind it.
    pub async fn answer_to_head(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert!(self.read(PATIENCE).await > 0, "no answer but {:?}", String::from_utf8_lossy(&self.buffer));
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        parse_head(&String::from_utf8(head).expect("a head is text"))
    }

    /// Starts a POST whose body comes in chunks.
    pub async fn start_chunked(&mut self, path: &str, media: &str) {
        let head = format!("POST {path} HTTP/1.1\r\nHost: proxy\r\nContent-Type: {media}\r\n");
        self.send(head + "Transfer-Encoding: chunked\r\n\r\n").await;
    }

    /// Sends a chunk; an empty one ends the body.
    pub async fn send_chunk(&mut self, chunk: impl AsRef<[u8]>) {
        let chunk = chunk.as_ref();
        self.send([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await;
    }

    /// Reads one chunk of an answer whose head was read; the end is an empty one.
    pub async fn chunk(&mut self) -> Vec<u8> {
        let end = loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                break end;
            }
            assert!(self.read(PATIENCE).await > 0, "the answer ended early");
        };
        let length = std::str::from_utf8(&self.buffer[..end]).expect("a length is text");
        let length = usize::from_str_radix(length, 16).expect("a length is hexadecimal");
        while self.buffer.len() < end + 2 + length + 2 {
            assert!(self.read(PATIENCE).await > 0, "the answer ended early");
        }
        let chunk = self.buffer[end + 2..end + 2 + length].to_vec();
        self.buffer.drain(..end + 2 + length + 2);
        chunk
    }

    /// Waits until the proxy closes the connection and returns what else it sent until then.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.read(PATIENCE).await > 0 {}
        std::mem::take(&mut self.buffer)
    }

    /// Returns whether anything, or the end, has come within `limit`.
    pub async fn has_answer_within(&mut self, limit: Duration) -> bool {
        let mut byte = [0];
        timeout(limit, self.stream.peek(&mut byte)).await.is_ok()
    }

    async fn read(&mut self, limit: Duration) -> usize {
        let mut chunk = [0; 16 * 1024];
        // A reset connection has nothing more to say either.
        let read = timeout(limit, self.stream.read(&mut chunk)).await.expect("the proxy answers in time").unwrap_or(0);
        self.buffer.extend_from_slice(&chunk[..read]);
        read
    }
}

fn parse_head(head: &str) -> Answer {
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: HeaderMap = lines.filter_map(|line| line.split_once(':')).map(parse_header).collect();
    Answer { status: status.unwrap_or_else(|| panic!("no status: {head}")), headers, body: Vec::new() }
}

fn parse_header((name, value): (&str, &str)) -> (HeaderName, HeaderValue) {
    (name.parse().expect("the name of a header"), value.trim().parse().expect("the value of a header"))
}
