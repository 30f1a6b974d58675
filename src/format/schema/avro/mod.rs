//! Avro: the binary encoding against Avro's JSON encoding.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::format::schema::{BadSchema, Mismatch, Reference, Undecodable};

/// An Avro schema that was parsed; shared.
#[derive(Clone)]
pub struct AvroSchema(Arc<()>);

impl AvroSchema {
    /// Parses a schema that may use the named types of `references`, of which each comes after those it needs.
    pub fn parse(_text: &str, _references: &[Reference<'_>]) -> Result<AvroSchema, BadSchema> {
        Err(BadSchema::new("Avro is not supported."))
    }

    /// Returns the full name of the schema if it is a named type.
    pub fn record_name(&self) -> Option<&str> {
        None
    }

    /// Appends the binary encoding of `json`.
    pub fn encode(&self, _json: &RawValue, _lenient: bool, _out: &mut Vec<u8>) -> Result<(), Mismatch> {
        Err(Mismatch::new("another format", "Avro"))
    }

    /// Appends the JSON encoding of `payload`.
    pub fn decode(&self, _payload: &[u8], _out: &mut Vec<u8>) -> Result<(), Undecodable> {
        Err(Undecodable::new("Avro is not supported."))
    }
}
