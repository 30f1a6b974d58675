//! Codecs between JSON documents and the bytes on the log: pure, no I/O.

mod arena;
mod authorization;
mod binary;
mod framed;
mod json;
mod members;
mod record;
pub mod schema;
mod splitter;
mod text;

pub use arena::Arena;
pub use authorization::{basic_credentials, token_subject};
pub use binary::decode as decode_base64;
pub use framed::Framed;
pub use members::{Member, Members};
pub use record::{KnownSchemas, RecordView, Undecodable, Unwritten, write_record};
pub use splitter::{Piece, Splitter};
pub use text::encode as encode_text;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::error::Result;

/// How keys or values are written.
#[derive(Clone)]
pub enum Codec {
    /// Base64 text for any bytes.
    Binary,
    /// Any JSON value, stored as compact JSON text.
    Json,
    /// A text, stored as UTF-8.
    Text,
    /// By a schema.
    Schema(Framed),
}

impl Codec {
    /// Returns the bytes that go on the log for `value`, which is not `null`.
    ///
    /// `body` is the document that `value` was parsed from; what needs no change is a slice of it.
    pub fn encode(&self, value: &RawValue, body: &Bytes, arena: &mut Arena) -> Result<Bytes> {
        match self {
            Codec::Binary => binary::encode(value, arena),
            Codec::Json => json::encode(value, body, arena),
            Codec::Text => text::encode(value, body),
            Codec::Schema(framed) => framed.encode(value),
        }
    }
}
