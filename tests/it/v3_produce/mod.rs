//! Producing with v3, as seen by the client and on the log.

mod batch;
mod duplex;
mod ends;
mod load;
mod records;
mod refusals;
mod schemas;

use serde_json::Value;

use crate::harness::app::App;
use crate::harness::http::{Answer, JSON};
use crate::harness::wire::Wire;

fn path(topic: &str) -> String {
    format!("/v3/clusters/a-cluster/topics/{topic}/records")
}

/// Sends a body whose length is known, and returns the answer.
async fn post(app: &App, topic: &str, body: impl Into<Vec<u8>>) -> Answer {
    app.post(&path(topic)).body(JSON, body).send().await
}

/// Sends a body and returns its receipts.
async fn produce(app: &App, topic: &str, body: impl Into<Vec<u8>>) -> Vec<Value> {
    let answer = post(app, topic, body).await;
    assert_eq!((answer.status, answer.media()), (200, Some(JSON)), "{}", answer.text());
    receipts(&answer.body)
}

/// Returns the receipts of a text that ends with one; each has a line of its own.
#[track_caller]
fn receipts(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).expect("receipts are UTF-8");
    assert!(text.is_empty() || text.ends_with("\r\n"), "{text}");
    text.split_terminator("\r\n").map(|line| serde_json::from_str(line).expect("a receipt is JSON")).collect()
}

fn codes(receipts: &[Value]) -> Vec<u64> {
    receipts.iter().map(|receipt| receipt["error_code"].as_u64().expect("a code")).collect()
}

fn offsets(receipts: &[Value]) -> Vec<i64> {
    receipts.iter().map(|receipt| receipt["offset"].as_i64().unwrap_or(-1)).collect()
}

/// A record whose value is a text.
fn text_record(text: &str) -> String {
    serde_json::json!({ "value": { "type": "STRING", "data": text } }).to_string()
}

/// A request that is open, whose receipts are read while it is.
struct Open {
    wire: Wire,
    answered: bool,
    received: Vec<Value>,
}

impl Open {
    async fn new(app: &App, topic: &str) -> Open {
        let mut wire = app.wire().await;
        wire.start_chunked(&path(topic), JSON).await;
        Open { wire, answered: false, received: Vec::new() }
    }

    async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.wire.send_chunk(text).await;
    }

    /// Ends the body and returns the receipts that are left.
    async fn finish(mut self) -> Vec<Value> {
        self.wire.send("0\r\n\r\n").await;
        self.rest().await
    }

    /// Returns the receipts until the end of the answer.
    async fn rest(mut self) -> Vec<Value> {
        while self.read().await {}
        self.received
    }

    /// Waits for as many receipts and returns them.
    async fn receipts(&mut self, count: usize) -> Vec<Value> {
        while self.received.len() < count {
            assert!(self.read().await, "the answer ended after {:?}", self.received);
        }
        self.received.drain(..count).collect()
    }

    /// Reads some more receipts; `false` is the end.
    async fn read(&mut self) -> bool {
        if !std::mem::replace(&mut self.answered, true) {
            assert_eq!(self.wire.answer_to_head().await.status, 200);
        }
        let chunk = self.wire.chunk().await;
        self.received.extend(receipts(&chunk));
        !chunk.is_empty()
    }
}
