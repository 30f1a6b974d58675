/// The kinds of schema that a registry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// Apache Avro.
    Avro,
    /// JSON Schema.
    JsonSchema,
    /// Protocol Buffers.
    Protobuf,
}

impl SchemaType {
    /// Returns the name that the registry has for it.
    pub fn name(self) -> &'static str {
        match self {
            SchemaType::Avro => "AVRO",
            SchemaType::JsonSchema => "JSON",
            SchemaType::Protobuf => "PROTOBUF",
        }
    }

    /// Returns the kind that the registry calls `name`; a schema without one is Avro, which is the caller's to know.
    pub fn named(name: &str) -> Option<SchemaType> {
        [SchemaType::Avro, SchemaType::JsonSchema, SchemaType::Protobuf].into_iter().find(|kind| kind.name() == name)
    }
}
