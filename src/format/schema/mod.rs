//! Codecs between JSON documents and payloads that have a schema: pure, no I/O.
//!
//! Schemas, documents and payloads are hostile input: nesting, time and memory are bounded by what came in.

mod avro;
mod frame;
mod json_schema;
mod limits;
mod not_finite;
mod place;
mod problem;
mod protobuf;
mod varint;

pub use avro::AvroSchema;
pub use frame::{FRAME_BYTES, frame, unframed};
pub use json_schema::JsonSchema;
pub use problem::{BadSchema, Mismatch, Undecodable};
pub use protobuf::ProtobufSchema;

use serde_json::value::RawValue;

use crate::model::SchemaType;

/// A schema that was parsed; shared, cheap to clone.
#[derive(Clone)]
pub enum Schema {
    /// Apache Avro.
    Avro(AvroSchema),
    /// JSON Schema.
    JsonSchema(JsonSchema),
    /// Protocol Buffers.
    Protobuf(ProtobufSchema),
}

/// A schema that others refer to, resolved.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// The name it is referred to by: for Avro a full name, for JSON Schema a URI, for Protobuf the path of a file.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Schema {
    /// Parses a schema; each of the `references` comes after those that it refers to itself.
    pub fn parse(kind: SchemaType, text: &str, references: &[Reference<'_>]) -> Result<Schema, BadSchema> {
        match kind {
            SchemaType::Avro => AvroSchema::parse(text, references).map(Schema::Avro),
            SchemaType::JsonSchema => JsonSchema::parse(text, references).map(Schema::JsonSchema),
            SchemaType::Protobuf => ProtobufSchema::parse(text, references).map(Schema::Protobuf),
        }
    }

    /// Returns its type.
    pub fn kind(&self) -> SchemaType {
        match self {
            Schema::Avro(_) => SchemaType::Avro,
            Schema::JsonSchema(_) => SchemaType::JsonSchema,
            Schema::Protobuf(_) => SchemaType::Protobuf,
        }
    }

    /// Returns the full name of the record or message, or the title: what the subject name strategies go by.
    pub fn record_name(&self) -> Option<&str> {
        match self {
            Schema::Avro(schema) => schema.record_name(),
            Schema::JsonSchema(schema) => schema.record_name(),
            Schema::Protobuf(schema) => schema.record_name(),
        }
    }

    /// Appends the payload that `json` stands for, without the magic byte and the schema's id.
    ///
    /// `lenient` takes documents that the strict encoding of the format refuses but that have one meaning only. What is
    /// in `out` after a failure is for the caller to drop.
    pub fn encode(&self, json: &RawValue, lenient: bool, out: &mut Vec<u8>) -> Result<(), Mismatch> {
        match self {
            Schema::Avro(schema) => schema.encode(json, lenient, out),
            Schema::JsonSchema(schema) => schema.encode(json, out),
            Schema::Protobuf(schema) => schema.encode(json, out),
        }
    }

    /// Appends the JSON text of a payload, which comes without the magic byte and the schema's id.
    ///
    /// What is in `out` after a failure is for the caller to drop.
    pub fn decode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
        match self {
            Schema::Avro(schema) => schema.decode(payload, out),
            Schema::JsonSchema(schema) => schema.decode(payload, out),
            Schema::Protobuf(schema) => schema.decode(payload, out),
        }
    }
}
