use serde_json::{Value, json};

use crate::http::schema::{list, object};

/// Returns the schema of a set of connectors, as `/openapi.json` has it.
pub fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let config =
        json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null"] } });
    let connector = object(
        &["name", "config"],
        &[("name", text()), ("config", config), ("state", json!({ "enum": ["RUNNING", "PAUSED", "STOPPED", null] }))],
    );
    let prune = json!({
        "type": ["object", "null"],
        "description": "Deletes connectors that are not in the set and whose names begin so.",
        "required": ["prefix"],
        "properties": { "prefix": { "type": "string", "minLength": 1 } },
    });
    let dry_run = json!({ "type": ["boolean", "null"], "description": "Whether apply only plans." });
    let fields = [("connectors", list(connector)), ("prune", prune), ("dry_run", dry_run)];
    json!({ "ConnectorSet": object(&["connectors"], &fields) })
}
