use serde_json::{Value, json};

use crate::http::schema::whole;

/// Returns the schemas of the documents of v2 and v1, as `/openapi.json` has them.
pub fn schemas() -> Value {
    let place = json!({ "topic": { "type": "string" }, "partition": { "type": "integer" } });
    let place_with = |name: &str, schema: Value| {
        let mut fields = place.clone();
        fields[name] = schema;
        json!({ "type": "array", "items": { "type": "object", "required": ["topic", "partition"], "properties": fields } })
    };
    let integer = || json!({ "type": "integer", "format": "int64" });
    let mut offsets = place_with("offset", integer());
    offsets["items"]["properties"]["metadata"] = json!({ "type": "string" });
    json!({
        "Object": { "type": "object", "properties": {} },
        "Names": { "type": "array", "items": { "type": "string" } },
        "Brokers": whole(&[("brokers", json!({ "type": "array", "items": { "type": "integer" } }))]),
        "Topic": whole(&[
            ("name", json!({ "type": "string" })),
            ("configs", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
            ("partitions", json!({ "$ref": "#/components/schemas/Partitions" })),
        ]),
        "Partitions": { "type": "array", "items": { "$ref": "#/components/schemas/Partition" } },
        "Partition": whole(&[
            ("partition", json!({ "type": "integer" })),
            ("leader", json!({ "type": "integer" })),
            ("replicas", json!({ "type": "array", "items": whole(&[
                ("broker", json!({ "type": "integer" })),
                ("leader", json!({ "type": "boolean" })),
                ("in_sync", json!({ "type": "boolean" })),
            ]) })),
        ]),
        "Ends": whole(&[("beginning_offset", integer()), ("end_offset", integer())]),
        "ProduceRequest": {
            "type": "object",
            "required": ["records"],
            "properties": { "records": { "type": "array", "minItems": 1, "items": {
                "type": "object",
                "properties": {
                    "key": { "description": "Base64, or JSON, as the media type says; null is none." },
                    "value": { "description": "Base64, or JSON, as the media type says; null deletes." },
                    "partition": { "type": ["integer", "null"] },
                    "timestamp": { "type": ["integer", "null"], "description": "Milliseconds since 1970." },
                    "headers": { "type": "array", "items": whole(&[
                        ("key", json!({ "type": "string" })),
                        ("value", json!({ "type": ["string", "null"], "contentEncoding": "base64" })),
                    ]) },
                },
            } } },
        },
        "Offsets": whole(&[
            ("offsets", json!({ "type": "array", "items": whole(&[
                ("partition", json!({ "type": ["integer", "null"] })),
                ("offset", json!({ "type": ["integer", "null"] })),
                ("error_code", json!({ "type": ["integer", "null"] })),
                ("error", json!({ "type": ["string", "null"] })),
            ]) })),
            ("key_schema_id", json!({ "type": ["integer", "null"] })),
            ("value_schema_id", json!({ "type": ["integer", "null"] })),
        ]),
        "NewInstance": {
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "format": { "enum": ["binary", "json", "avro", "jsonschema", "protobuf"] },
                "key_format": { "enum": ["binary", "json", "string", "avro", "jsonschema", "protobuf"] },
                "value_format": { "enum": ["binary", "json", "string", "avro", "jsonschema", "protobuf"] },
                "auto.offset.reset": { "enum": ["earliest", "latest", "none", "smallest", "largest"] },
                "auto.commit.enable": { "type": ["boolean", "string"] },
                "fetch.min.bytes": { "type": ["integer", "string"] },
                "consumer.request.timeout.ms": { "type": ["integer", "string"] },
                "properties": { "type": "object", "additionalProperties": { "type": ["string", "integer"] } },
            },
        },
        "Instance": whole(&[("instance_id", json!({ "type": "string" })), ("base_uri", json!({ "type": "string" }))]),
        "NewSubscription": {
            "type": "object",
            "properties": {
                "topics": { "type": "array", "items": { "type": "string" } },
                "topic_pattern": { "type": "string", "format": "regex" },
            },
        },
        "Subscription": whole(&[("topics", json!({ "type": "array", "items": { "type": "string" } }))]),
        "PlaceList": whole(&[("partitions", json!({ "type": "array", "items": {
            "type": "object", "required": ["topic", "partition"], "properties": place,
        } }))]),
        "Positions": {
            "type": "object",
            "properties": { "offsets": offsets, "timestamps": place_with("timestamp", json!({ "type": ["string", "integer"] })) },
        },
        "Commit": { "type": ["object", "null"], "properties": { "offsets": offsets } },
        "Committed": whole(&[("offsets", offsets.clone())]),
        "CommittedV1": { "type": "array", "items": { "type": "object" } },
        "Records": { "type": "array", "items": {
            "type": "object",
            "required": ["topic", "key", "value", "partition", "offset"],
            "properties": {
                "topic": { "type": "string" },
                "key": {},
                "value": {},
                "partition": { "type": "integer" },
                "offset": integer(),
                "timestamp": integer(),
                "headers": { "type": "array", "items": { "type": "object" } },
            },
        } },
    })
}
