//! Codecs between JSON documents and the bytes on the log: pure, no I/O.

mod arena;
mod binary;
mod json;
mod members;
mod record;
pub mod schema;
mod splitter;
mod text;

pub use arena::Arena;
pub use binary::decode as decode_base64;
pub use members::{Member, Members};
pub use record::{RecordView, Undecodable, write_record};
pub use splitter::{Piece, Splitter};
pub use text::encode as encode_text;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::error::Result;

/// The formats that need no schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Base64 text for any bytes.
    Binary,
    /// Any JSON value, stored as compact JSON text.
    Json,
}

impl Codec {
    /// Returns the bytes that go on the log for `value`, which is not `null`.
    ///
    /// `body` is the document that `value` was parsed from; what needs no change is a slice of it.
    pub fn encode(self, value: &RawValue, body: &Bytes, arena: &mut Arena) -> Result<Bytes> {
        match self {
            Codec::Binary => binary::encode(value, arena),
            Codec::Json => json::encode(value, body, arena),
        }
    }
}
