//! Avro: the binary encoding against Avro's JSON encoding.

mod binary;
mod cursor;
mod decode;
mod encode;
mod logical;
mod node;
mod number;
mod parser;
mod record;
mod union;

use std::sync::Arc;

use serde_json::value::RawValue;

use decode::Decoder;
use encode::{Encoder, Mode};
use node::Graph;

use crate::format::schema::{BadSchema, Mismatch, Reference, Undecodable};

/// An Avro schema that was parsed; shared.
#[derive(Clone)]
pub struct AvroSchema(Arc<Graph>);

impl AvroSchema {
    /// Parses a schema that may use the named types of `references`, of which each comes after those it needs.
    pub fn parse(text: &str, references: &[Reference<'_>]) -> Result<AvroSchema, BadSchema> {
        Ok(AvroSchema(Arc::new(parser::parse(text, references)?)))
    }

    /// Returns the full name of the schema if it is a named type.
    pub fn record_name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Appends the binary encoding of `json`, which is in Avro's JSON encoding: values of unions are tagged, `bytes` and
    /// `fixed` are strings of the characters U+0000 to U+00FF, all fields are there. Members that are no fields are
    /// dropped, as in the reference; logical types are their base type.
    ///
    /// `lenient` also takes untagged values of unions if one branch fits, absent fields with a default, and the usual
    /// texts of dates, times, UUIDs and decimals; decimals are then numbers or their texts, never bytes.
    pub fn encode(&self, json: &RawValue, lenient: bool, out: &mut Vec<u8>) -> Result<(), Mismatch> {
        let mode = if lenient { Mode::Lenient } else { Mode::Strict };
        Encoder::new(&self.0, mode, json.get(), out).write()
    }

    /// Appends the JSON encoding of `payload`, which was written with this schema and is nothing but one value.
    pub fn decode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
        Decoder::new(&self.0, payload, out).read()
    }
}
