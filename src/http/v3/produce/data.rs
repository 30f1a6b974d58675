use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Kind, Result};
use crate::format::{Arena, Codec, encode_text};
use crate::http::v3::produce::record::{Field, unknown_field};

use actix_web::web::Bytes;

/// A key or value as it is written in a record.
#[derive(Debug)]
pub struct Data<'a> {
    encoding: Encoding,
    data: Option<&'a RawValue>,
}

/// How the data is to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Base64 for any bytes.
    Binary,
    /// Any JSON, stored in compact form.
    Json,
    /// A text, stored as UTF-8.
    String,
    /// By a schema that the record names or has with it.
    Schema,
}

/// What a receipt says of a key or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The `type`.
    pub name: &'static str,
    /// Bytes on the log; `None` is null.
    pub size_bytes: Option<usize>,
}

impl Data<'_> {
    /// Returns the bytes for the log and what the receipt says of them; `document` is what this was parsed from.
    pub fn encode(&self, document: &Bytes, arena: &mut Arena) -> Result<(Option<Bytes>, Part)> {
        let name = match self.encoding {
            Encoding::Binary => "BINARY",
            Encoding::Json => "JSON",
            Encoding::String => "STRING",
            Encoding::Schema => return Err(Kind::SchemaWithoutRegistry.into()),
        };
        let Some(data) = self.data else { return Ok((None, Part { name, size_bytes: None })) };
        let bytes = match self.encoding {
            Encoding::Binary => Codec::Binary.encode(data, document, arena)?,
            Encoding::Json => Codec::Json.encode(data, document, arena)?,
            Encoding::String | Encoding::Schema => encode_text(data, document)?,
        };
        let part = Part { name, size_bytes: Some(bytes.len()) };
        Ok((Some(bytes), part))
    }
}

/// The names of the types that need a schema.
const SCHEMA_TYPES: [&str; 3] = ["AVRO", "JSONSCHEMA", "PROTOBUF"];

/// The fields that choose a schema, as far as they are there.
#[derive(Default)]
struct Chosen<'a> {
    kind: Option<Cow<'a, str>>,
    subject: bool,
    strategy: bool,
    id: bool,
    version: bool,
    schema: bool,
}

impl Chosen<'_> {
    /// Returns the encoding; an error is a rule of contract/v3.md 3.4 that the fields break.
    fn encoding(&self) -> Result<Encoding, String> {
        if self.subject && self.strategy {
            return Err("Only one of 'subject' or 'subject_name_strategy' can be used.".into());
        }
        if u8::from(self.id) + u8::from(self.version) + u8::from(self.schema) > 1 {
            return Err("Only one of 'schema_id', 'schema_version' or 'schema' can be used.".into());
        }
        let Some(kind) = self.kind.as_deref() else {
            return if self.schema { Err("'schema' needs a 'type'.".into()) } else { Ok(Encoding::Schema) };
        };
        let encoding = match kind {
            "BINARY" => Encoding::Binary,
            "JSON" => Encoding::Json,
            "STRING" => Encoding::String,
            kind if SCHEMA_TYPES.contains(&kind) => {
                return if self.schema {
                    Ok(Encoding::Schema)
                } else {
                    Err(format!("'type={kind}' needs a 'schema'."))
                };
            }
            kind => {
                return Err(format!("'{kind}' is not a type: use BINARY, JSON, STRING, AVRO, JSONSCHEMA or PROTOBUF."));
            }
        };
        if self.subject || self.strategy || self.id || self.version || self.schema {
            return Err(format!("'type={kind}' cannot be used with a schema, a subject or a strategy."));
        }
        Ok(encoding)
    }
}

/// Tells whether a strategy is given; one that does not exist is an error.
fn strategy(name: Option<Field<'_>>) -> Result<bool, String> {
    match name.as_ref().map(|name| name.0.as_ref()) {
        None => Ok(false),
        Some("TOPIC_NAME" | "RECORD_NAME" | "TOPIC_RECORD_NAME") => Ok(true),
        Some(other) => Err(format!("'{other}' is not a strategy: use TOPIC_NAME, RECORD_NAME or TOPIC_RECORD_NAME.")),
    }
}

impl<'de> Deserialize<'de> for Data<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DataVisitor;

        impl<'de> Visitor<'de> for DataVisitor {
            type Value = Data<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with type and data")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut chosen, mut data) = (Chosen::default(), None);
                while let Some(field) = map.next_key::<Field>()? {
                    match field.0.as_ref() {
                        "data" => data = map.next_value()?,
                        "type" => chosen.kind = map.next_value::<Option<Field>>()?.map(|name| name.0),
                        "subject" => chosen.subject = map.next_value::<Option<Field>>()?.is_some(),
                        "subject_name_strategy" => {
                            chosen.strategy = strategy(map.next_value()?).map_err(A::Error::custom)?
                        }
                        "schema_id" => chosen.id = map.next_value::<Option<i32>>()?.is_some(),
                        "schema_version" => chosen.version = map.next_value::<Option<i32>>()?.is_some(),
                        "schema" => chosen.schema = map.next_value::<Option<Field>>()?.is_some(),
                        unknown => return Err(unknown_field(unknown)),
                    }
                }
                let encoding = chosen.encoding().map_err(A::Error::custom)?;
                Ok(Data { encoding, data })
            }
        }
        deserializer.deserialize_map(DataVisitor)
    }
}
