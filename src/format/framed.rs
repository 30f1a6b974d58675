use bytes::Bytes;
use serde_json::value::RawValue;

use crate::error::{Kind, Result};
use crate::format::schema::{FRAME_BYTES, Schema, frame};

/// Writes keys or values by a schema of the registry.
#[derive(Clone)]
pub struct Framed {
    /// The schema's id, which stands before every payload.
    pub id: i32,
    /// The schema.
    pub schema: Schema,
    /// Whether documents are taken that the strict encoding refuses but that have one meaning only.
    pub lenient: bool,
}

impl Framed {
    /// Returns the bytes for the log; 400 for what does not fit the schema.
    pub fn encode(&self, value: &RawValue) -> Result<Bytes> {
        let mut out = Vec::with_capacity(FRAME_BYTES + value.get().len());
        out.extend_from_slice(&frame(self.id));
        match self.schema.encode(value, self.lenient, &mut out) {
            Ok(()) => Ok(out.into()),
            Err(mismatch) => Err(Kind::SchemaMismatch.because(format!("Bad Request: {mismatch}"))),
        }
    }
}
