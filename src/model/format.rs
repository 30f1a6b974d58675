/// The embedded format of keys and values: how a JSON document stands for bytes on the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Base64 text for any bytes.
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

    /// Tells whether it needs a schema of the registry.
    pub fn needs_schema(self) -> bool {
        match self {
            Format::Binary | Format::Json | Format::Text => false,
            Format::Avro | Format::JsonSchema | Format::Protobuf => true,
        }
    }
}
