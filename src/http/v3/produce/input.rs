use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use tokio::time::{Sleep, sleep};

use crate::format::{Piece, Splitter};
use crate::http::gate::{Gate, Share};
use crate::http::v2::RECORD_BYTES;

/// What a stream reads before it hands over what it has: as much as is decoded and sent without keeping others waiting.
const BATCH_RECORDS: usize = 2000;
const BATCH_BYTES: usize = 256 * 1024;

/// How long it waits for the rest of a body whose length is known: small pieces cost Kafka more than one that is whole.
const GATHER: Duration = Duration::from_millis(5);

/// The documents of a request body, in batches of what is there.
pub struct Input {
    chunks: LocalBoxStream<'static, Result<Bytes, PayloadError>>,
    splitter: Splitter,
    gate: Gate,
    /// The document whose end has not come.
    partial: Share,
    batch: Batch,
    /// Whether the length of the body was announced: what comes within moments then goes together.
    has_length: bool,
    gathering: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

/// Documents that came together.
pub struct Batch {
    /// In order.
    pub documents: Vec<Bytes>,
    /// Their bytes.
    pub bytes: usize,
    /// Why nothing comes after them, where that is not just the end of the body.
    pub broken: Option<Broken>,
    /// Counts them against the bytes under way.
    share: Share,
}

/// What ends a stream before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Something that is no JSON, or a document that is cut off.
    Garbage,
    /// A document of more than `limits.stream_record_bytes`.
    TooLarge,
    /// Too many bytes are under way in the whole proxy.
    Overloaded,
    /// The body cannot be read.
    Unreadable,
}

impl Batch {
    fn new(gate: &Gate) -> Batch {
        Batch { documents: Vec::new(), bytes: 0, broken: None, share: gate.body() }
    }

    fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.broken.is_none()
    }

    fn is_full(&self) -> bool {
        self.documents.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES || self.broken.is_some()
    }
}

impl Input {
    /// Returns the documents of `chunks`, each of up to `limit` bytes; `has_length` tells whether the length of the body
    /// was announced.
    pub fn new(
        chunks: LocalBoxStream<'static, Result<Bytes, PayloadError>>,
        has_length: bool,
        limit: usize,
        gate: Gate,
    ) -> Input {
        let (partial, batch, splitter) = (gate.body(), Batch::new(&gate), Splitter::new(limit));
        Input { chunks, splitter, gate, partial, batch, has_length, gathering: None, ended: false }
    }

    /// Tells whether nothing more will come.
    pub fn is_ended(&self) -> bool {
        self.ended && self.batch.is_empty()
    }

    /// Tells whether the beginning of a document is here and its end is not.
    pub fn is_amid_document(&self) -> bool {
        self.splitter.is_amid_document()
    }

    /// Reads no more.
    ///
    /// The body is kept: one that was dropped before its end the server would read on for as long as it comes; for one
    /// that is there at the end of the answer it closes the connection.
    pub fn end(&mut self) {
        self.ended = true;
        self.batch = Batch::new(&self.gate);
    }

    /// Returns all documents that are here, up to the size of a batch; `None` at the end of the body. Sets `came` where
    /// any bytes came, whether or not they end a document.
    pub fn poll_batch(&mut self, context: &mut Context<'_>, came: &mut bool) -> Poll<Option<Batch>> {
        loop {
            self.take_documents();
            self.charge_partial();
            if self.batch.is_full() || self.ended {
                break;
            }
            match self.chunks.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(chunk))) => {
                    *came = true;
                    self.splitter.push(chunk);
                }
                Poll::Ready(Some(Err(_))) => self.breaks(Broken::Unreadable),
                Poll::Ready(None) => {
                    self.ended = true;
                    let rest = self.splitter.finish();
                    self.take(rest);
                }
                Poll::Pending if self.waits_for_more(context) => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        if !self.batch.is_empty() {
            return Poll::Ready(Some(self.close_batch()));
        }
        if self.ended { Poll::Ready(None) } else { Poll::Pending }
    }

    fn waits_for_more(&mut self, context: &mut Context<'_>) -> bool {
        if !self.has_length || self.batch.is_empty() {
            return false;
        }
        let timer = self.gathering.get_or_insert_with(|| Box::pin(sleep(GATHER)));
        timer.as_mut().poll(context).is_pending()
    }

    fn take_documents(&mut self) {
        while !self.ended && !self.batch.is_full() {
            let Some(piece) = self.splitter.next_piece() else { break };
            self.take(Some(piece));
        }
    }

    fn take(&mut self, piece: Option<Piece>) {
        match piece {
            None => {}
            Some(Piece::Document(document)) => {
                self.batch.bytes += document.len();
                self.batch.documents.push(document);
            }
            Some(Piece::Garbage) => self.breaks(Broken::Garbage),
            Some(Piece::TooLarge) => self.breaks(Broken::TooLarge),
        }
    }

    fn breaks(&mut self, why: Broken) {
        self.batch.broken = Some(why);
        self.ended = true;
    }

    /// Counts the beginning of a document against the bytes under way, as that may be all that a client sends.
    fn charge_partial(&mut self) {
        let bytes = self.splitter.partial_bytes();
        if self.partial.bytes() == bytes as u64 {
            return;
        }
        self.partial = self.gate.body();
        if self.gate.grow(&mut self.partial, bytes).is_err() {
            self.breaks(Broken::Overloaded);
        }
    }

    /// Returns the batch, counted against the bytes under way.
    fn close_batch(&mut self) -> Batch {
        let mut batch = std::mem::replace(&mut self.batch, Batch::new(&self.gate));
        self.gathering = None;
        let charged = batch.bytes + batch.documents.len() * RECORD_BYTES;
        if self.gate.grow(&mut batch.share, charged).is_err() {
            batch.documents.clear();
            batch.broken = Some(Broken::Overloaded);
            self.ended = true;
        }
        batch
    }
}
