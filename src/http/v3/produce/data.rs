use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use actix_web::web::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::schemas::{Known, Named, Naming, Part, Serializer, Strategy, Which};
use crate::error::Result;
use crate::format::{Arena, Codec, encode_text};
use crate::http::v3::produce::record::{Field, unknown_field};
use crate::model::{Format, SchemaType};

/// A key or value as it is written in a record.
#[derive(Debug)]
pub struct Data<'a> {
    encoding: Encoding,
    data: Option<&'a RawValue>,
}

/// How the data is to be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Encoding {
    /// Base64 for any bytes.
    Binary,
    /// Any JSON, stored in compact form.
    Json,
    /// A text, stored as UTF-8.
    String,
    /// By a schema that the record names or has with it.
    Schema(Arc<Named>),
}

/// What a receipt says of a key or value.
#[derive(Clone)]
pub struct Written {
    /// The `type`.
    pub name: &'static str,
    /// The schema, where there is one.
    pub schema: Option<Arc<Serializer>>,
    /// Bytes on the log; `None` is null.
    pub size_bytes: Option<usize>,
}

impl Data<'_> {
    /// Returns the schema that is to be looked up.
    pub fn named(&self) -> Option<&Arc<Named>> {
        match &self.encoding {
            Encoding::Binary | Encoding::Json | Encoding::String => None,
            Encoding::Schema(named) => Some(named),
        }
    }

    /// Returns the format, as far as it is known.
    pub fn format(&self, known: &Known) -> Format {
        match &self.encoding {
            Encoding::Binary => Format::Binary,
            Encoding::Json => Format::Json,
            Encoding::String => Format::Text,
            Encoding::Schema(named) => known.get(Part::Value, named).map(|found| found.kind.into()).unwrap_or_default(),
        }
    }

    /// Returns the bytes for the log and what the receipt says of them; `document` is what this was parsed from.
    pub fn encode(
        &self,
        part: Part,
        document: &Bytes,
        known: &Known,
        arena: &mut Arena,
    ) -> Result<(Option<Bytes>, Written)> {
        let (name, schema) = match &self.encoding {
            Encoding::Binary => ("BINARY", None),
            Encoding::Json => ("JSON", None),
            Encoding::String => ("STRING", None),
            Encoding::Schema(named) => {
                let serializer = known.get(part, named)?;
                (type_name(serializer.kind), Some(serializer))
            }
        };
        let bytes = match (self.data, &self.encoding, &schema) {
            (None, _, _) => None,
            (Some(data), _, Some(serializer)) => Some(serializer.framed.encode(data)?),
            (Some(data), Encoding::Binary, None) => Some(Codec::Binary.encode(data, document, arena)?),
            (Some(data), Encoding::Json, None) => Some(Codec::Json.encode(data, document, arena)?),
            (Some(data), Encoding::String | Encoding::Schema(_), None) => Some(encode_text(data, document)?),
        };
        let written = Written { name, schema, size_bytes: bytes.as_ref().map(Bytes::len) };
        Ok((bytes, written))
    }
}

/// Returns the `type` of a schema.
fn type_name(kind: SchemaType) -> &'static str {
    match kind {
        SchemaType::Avro => "AVRO",
        SchemaType::JsonSchema => "JSONSCHEMA",
        SchemaType::Protobuf => "PROTOBUF",
    }
}

/// Returns the kind of schema that has this `type`.
fn kind_named(name: &str) -> Option<SchemaType> {
    [SchemaType::Avro, SchemaType::JsonSchema, SchemaType::Protobuf].into_iter().find(|kind| type_name(*kind) == name)
}

/// The fields that choose a schema, as far as they are there.
#[derive(Default)]
struct Chosen<'a> {
    kind: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    strategy: Option<Strategy>,
    id: Option<i32>,
    version: Option<i32>,
    schema: Option<Cow<'a, str>>,
}

impl Chosen<'_> {
    /// Returns the encoding; an error is a rule of contract/v3.md 3.4 that the fields break.
    fn encoding(self) -> Result<Encoding, String> {
        if self.subject.is_some() && self.strategy.is_some() {
            return Err("Only one of 'subject' or 'subject_name_strategy' can be used.".into());
        }
        if [self.id.is_some(), self.version.is_some(), self.schema.is_some()].into_iter().filter(|is| *is).count() > 1 {
            return Err("Only one of 'schema_id', 'schema_version' or 'schema' can be used.".into());
        }
        let Some(kind) = self.kind.as_deref() else {
            return if self.schema.is_some() { Err("'schema' needs a 'type'.".into()) } else { self.schema() };
        };
        let encoding = match kind {
            "BINARY" => Encoding::Binary,
            "JSON" => Encoding::Json,
            "STRING" => Encoding::String,
            kind => match kind_named(kind) {
                None => {
                    return Err(format!(
                        "'{kind}' is not a type: use BINARY, JSON, STRING, AVRO, JSONSCHEMA or PROTOBUF."
                    ));
                }
                Some(_) if self.schema.is_none() => return Err(format!("'type={kind}' needs a 'schema'.")),
                Some(_) => return self.schema(),
            },
        };
        if self.names_schema() {
            return Err(format!("'type={kind}' cannot be used with a schema, a subject or a strategy."));
        }
        Ok(encoding)
    }

    fn names_schema(&self) -> bool {
        self.subject.is_some()
            || self.strategy.is_some()
            || self.id.is_some()
            || self.version.is_some()
            || self.schema.is_some()
    }

    /// Returns the encoding by the schema that is named.
    fn schema(self) -> Result<Encoding, String> {
        let kind = self.kind.as_deref().and_then(kind_named).unwrap_or(SchemaType::Avro);
        let which = match (self.schema, self.id, self.version) {
            (Some(text), _, _) => Which::Text(kind, text.into_owned()),
            (None, Some(id), _) => Which::Id(id),
            (None, None, Some(version)) => Which::Version(version),
            (None, None, None) => Which::Latest,
        };
        let strategy = self.strategy.unwrap_or_default();
        if strategy.needs_schema() && matches!(which, Which::Version(_) | Which::Latest) {
            return Err("This 'subject_name_strategy' needs a 'schema' or a 'schema_id'.".into());
        }
        let subject = self.subject.map_or(Naming::By(strategy), |name| Naming::Subject(name.into_owned()));
        Ok(Encoding::Schema(Arc::new(Named { subject, which })))
    }
}

/// Reads a strategy; one that does not exist is an error.
fn strategy(name: Option<Field<'_>>) -> Result<Option<Strategy>, String> {
    let Some(name) = name.map(|name| name.0) else { return Ok(None) };
    match Strategy::named(&name) {
        None => Err(format!("'{name}' is not a strategy: use TOPIC_NAME, RECORD_NAME or TOPIC_RECORD_NAME.")),
        found => Ok(found),
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
                        "subject" => chosen.subject = map.next_value::<Option<Field>>()?.map(|name| name.0),
                        "subject_name_strategy" => {
                            chosen.strategy = strategy(map.next_value()?).map_err(A::Error::custom)?
                        }
                        "schema_id" => chosen.id = map.next_value()?,
                        "schema_version" => chosen.version = map.next_value()?,
                        "schema" => chosen.schema = map.next_value::<Option<Field>>()?.map(|text| text.0),
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
