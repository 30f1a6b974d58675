use serde_json::{Value, json};

use crate::http::schema::{list, object};

/// Returns the schemas of what v3 takes, and of its answers that are no resources, as `/openapi.json` has them.
pub fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let maybe_text = || json!({ "type": ["string", "null"] });
    let integer = || json!({ "type": "integer" });
    let integers = || json!({ "type": "array", "items": { "type": "integer" } });
    let flag = || json!({ "type": "boolean" });
    let place = [("topic_name", text()), ("partition_id", integer())];
    let places = list(object(&["topic_name", "partition_id"], &place));
    let with = |more: &[(&'static str, Value)]| [place.as_slice(), more].concat();

    let change = object(
        &["name"],
        &[("name", text()), ("value", maybe_text()), ("operation", json!({ "enum": ["SET", "DELETE"] }))],
    );
    let acl: Vec<_> =
        ["resource_type", "resource_name", "pattern_type", "principal", "host", "operation", "permission"]
            .map(|name| (name, text()))
            .into();
    let all_of_acl: Vec<_> = acl.iter().map(|(name, _)| *name).collect();
    let acl = object(&all_of_acl, &acl);
    let data = |item: &Value| ("data", list(item.clone()));
    let part = object(
        &["data"],
        &[
            ("type", json!({ "enum": ["BINARY", "STRING", "JSON", "AVRO", "JSONSCHEMA", "PROTOBUF"] })),
            ("data", json!({ "description": "Null deletes." })),
            ("subject", text()),
            ("subject_name_strategy", json!({ "enum": ["TOPIC_NAME", "RECORD_NAME", "TOPIC_RECORD_NAME"] })),
            ("schema_id", integer()),
            ("schema_version", integer()),
            ("schema", text()),
        ],
    );
    let record = [
        ("partition_id", json!({ "type": ["integer", "null"] })),
        ("headers", list(object(&["name"], &[("name", text()), ("value", maybe_text())]))),
        ("key", part.clone()),
        ("value", part),
        (
            "timestamp",
            json!({ "type": ["string", "number", "null"], "description": "An instant, or seconds since 1970." }),
        ),
    ];
    let written = object(
        &["type", "size"],
        &[
            ("type", text()),
            ("subject", text()),
            ("schema_id", integer()),
            ("schema_version", integer()),
            ("size", integer()),
        ],
    );
    let receipt = [
        ("cluster_id", text()),
        ("topic_name", text()),
        ("partition_id", integer()),
        ("offset", integer()),
        ("timestamp", text()),
        ("key", written.clone()),
        ("value", written),
    ];
    let failure = [("error_code", integer()), ("message", text())];
    let entity =
        list(object(&["type"], &[("type", json!({ "enum": ["user", "client-id", "ip"] })), ("name", maybe_text())]));
    let quota = object(
        &["name"],
        &[
            ("name", text()),
            ("value", json!({ "type": ["number", "null"] })),
            ("operation", json!({ "enum": ["SET", "DELETE"] })),
        ],
    );
    json!({
        "NewTopic": object(&["topic_name"], &[
            ("topic_name", text()),
            ("partitions_count", integer()),
            ("replication_factor", integer()),
            ("replicas_assignments", json!({ "type": "object", "additionalProperties": integers() })),
            ("configs", list(object(&["name"], &[("name", text()), ("value", maybe_text())]))),
            ("validate_only", flag()),
        ]),
        "PartitionsCount": object(&["partitions_count"], &[("partitions_count", integer())]),
        "ConfigValue": object(&["value"], &[("value", maybe_text())]),
        "AlterConfigs": object(&["data"], &[data(&change), ("validate_only", flag())]),
        "AlterTopicConfigs": object(&["data"], &[
            data(&object(&["topic_name", "configs"], &[("topic_name", text()), ("configs", list(change))])),
            ("validate_only", flag()),
        ]),
        "NewAcl": acl,
        "NewAcls": object(&["data"], &[data(&acl)]),
        "DeletedAcls": object(&["data"], &[data(&json!({ "type": "object" }))]),
        "DeleteRecords": object(&["before_offset"], &[("before_offset", integer())]),
        "Reassignment": object(&["replicas"], &[("replicas", integers())]),
        "AlterReassignments": object(&["data"], &[data(&object(
            &["topic_name", "partition_id"],
            &with(&[("replicas", json!({ "type": ["array", "null"], "items": { "type": "integer" } }))]),
        ))]),
        "ElectLeader": object(&["election_type"], &[("election_type", election())]),
        "ElectLeaders": object(&["election_type"], &[
            ("election_type", election()),
            ("data", places.clone()),
            ("all", flag()),
        ]),
        "DeleteGroups": object(&["consumer_group_ids"], &[("consumer_group_ids", list(text()))]),
        "AlterOffsets": object(&["data"], &[data(&object(
            &["topic_name", "partition_id", "offset"],
            &with(&[("offset", integer()), ("commit_metadata", text())]),
        ))]),
        "ResetOffsets": object(&["to"], &[
            ("to", json!({ "enum": ["EARLIEST", "LATEST", "TIMESTAMP", "OFFSET", "SHIFT_BY"] })),
            ("timestamp", text()),
            ("offset", integer()),
            ("shift_by", integer()),
            ("topics", list(text())),
            ("partitions", places.clone()),
            ("dry_run", flag()),
        ]),
        "DeleteOffsets": object(&[], &[("topics", list(text())), ("partitions", places)]),
        "AlterQuotas": object(&["data"], &[
            data(&object(&["entity", "quotas"], &[("entity", entity), ("quotas", list(quota))])),
            ("validate_only", flag()),
        ]),
        "ScramCredential": object(&["mechanism", "password"], &[
            ("mechanism", json!({ "enum": ["SCRAM-SHA-256", "SCRAM-SHA-512"] })),
            ("iterations", integer()),
            ("password", json!({ "type": "string", "format": "password", "writeOnly": true })),
        ]),
        "NewRecord": object(&[], &record),
        "Receipt": object(&["error_code"], &[failure.as_slice(), &receipt].concat()),
        "RecordBatch": object(&["entries"], &[
            ("entries", list(object(&["id"], &[[("id", text())].as_slice(), &record].concat()))),
        ]),
        "BatchReceipts": object(&["successes", "failures"], &[
            ("successes", list(object(&["id"], &[[("id", text())].as_slice(), &receipt].concat()))),
            ("failures", list(object(&["id"], &[[("id", text())].as_slice(), &failure].concat()))),
        ]),
        "Failures": object(&["failures"], &[
            ("failures", list(object(&["error_code"], &failure))),
        ]),
    })
}

fn election() -> Value {
    json!({ "enum": ["PREFERRED", "UNCLEAN"] })
}
