//! Schemas that are written by hand, for `/openapi.json`.

use serde_json::{Map, Value, json};

/// Returns an object of which the fields `required` are always there.
pub fn object(required: &[&str], fields: &[(&str, Value)]) -> Value {
    let properties: Map<_, _> = fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// Returns an object whose fields are all there.
pub fn whole(fields: &[(&str, Value)]) -> Value {
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    object(&names, fields)
}

/// Returns a list.
pub fn list(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}
