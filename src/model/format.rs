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
