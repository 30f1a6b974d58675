use crate::model::SchemaType;

/// The embedded format of keys and values: how a JSON document stands for bytes on the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Base64 text for any bytes.
    #[default]
    Binary,
    /// A JSON value, stored as compact JSON text.
    Json,
    /// A text, stored as UTF-8.
    Text,
    /// Avro with a schema of the registry.
    Avro,
    /// JSON checked by a JSON Schema of the registry.
    JsonSchema,
    /// Protobuf with a schema of the registry.
    Protobuf,
}

impl Format {
    /// Returns a format by the name that parameters and consumers have for it, in any case.
    pub fn named(name: &str) -> Option<Format> {
        match name.to_ascii_lowercase().as_str() {
            "binary" => Some(Format::Binary),
            "json" => Some(Format::Json),
            "string" => Some(Format::Text),
            "avro" => Some(Format::Avro),
            "jsonschema" => Some(Format::JsonSchema),
            "protobuf" => Some(Format::Protobuf),
            _ => None,
        }
    }

    /// Returns the kind of its schemas; `None` where it needs none.
    pub fn schema_type(self) -> Option<SchemaType> {
        match self {
            Format::Binary | Format::Json | Format::Text => None,
            Format::Avro => Some(SchemaType::Avro),
            Format::JsonSchema => Some(SchemaType::JsonSchema),
            Format::Protobuf => Some(SchemaType::Protobuf),
        }
    }

    /// Tells whether it needs a schema of the registry.
    pub fn needs_schema(self) -> bool {
        self.schema_type().is_some()
    }
}

impl From<SchemaType> for Format {
    fn from(kind: SchemaType) -> Format {
        match kind {
            SchemaType::Avro => Format::Avro,
            SchemaType::JsonSchema => Format::JsonSchema,
            SchemaType::Protobuf => Format::Protobuf,
        }
    }
}

/// The formats of keys and of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    /// Of keys.
    pub key: Format,
    /// Of values.
    pub value: Format,
}

impl Formats {
    /// Returns the formats by their names; one that is not given, or empty, is `format`. `None` where a name is none.
    pub fn named(format: Format, key: Option<&str>, value: Option<&str>) -> Option<Formats> {
        let of = |name: Option<&str>| match name {
            None | Some("") => Some(format),
            Some(name) => Format::named(name),
        };
        Some(Formats { key: of(key)?, value: of(value)? })
    }

    /// Tells whether one of them needs schemas of the registry.
    pub fn need_schemas(self) -> bool {
        self.key.needs_schema() || self.value.needs_schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_have_the_format_of_both_unless_they_are_named() {
        let named = |key, value| Formats::named(Format::Avro, key, value).map(|formats| (formats.key, formats.value));
        assert_eq!(named(None, Some("")), Some((Format::Avro, Format::Avro)));
        assert_eq!(named(Some("String"), None), Some((Format::Text, Format::Avro)));
        assert_eq!(named(None, Some("xml")), None);
    }
}
