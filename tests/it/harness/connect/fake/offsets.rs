//! Offsets of connectors, which only a stopped one lets be changed.

use serde_json::{Value, json};

use crate::harness::connect::fake::action::Reply;
use crate::harness::connect::fake::connectors::Connector;

pub(super) fn list(connector: &Connector) -> Reply {
    Reply::json(200, &json!({"offsets": connector.offsets}))
}

pub(super) fn delete(connector: &mut Connector) -> Reply {
    if let Some(refused) = refuse(connector) {
        return refused;
    }
    connector.offsets.clear();
    done("The offsets for this connector have been reset successfully")
}

pub(super) fn alter(connector: &mut Connector, body: &[u8]) -> Reply {
    if let Some(refused) = refuse(connector) {
        return refused;
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(changes) = body["offsets"].as_array().filter(|changes| !changes.is_empty()) else {
        return Reply::error(400, "Partitions / offsets need to be provided for an alter offsets request");
    };
    for change in changes {
        connector.offsets.retain(|known| known["partition"] != change["partition"]);
        if !change["offset"].is_null() {
            connector.offsets.push(change.clone());
        }
    }
    done("The offsets for this connector have been altered successfully")
}

fn refuse(connector: &Connector) -> Option<Reply> {
    let is_stopped = connector.state == "STOPPED";
    (!is_stopped)
        .then(|| Reply::error(400, "Connectors must be in the STOPPED state before their offsets can be modified."))
}

fn done(message: &str) -> Reply {
    Reply::json(200, &json!({"message": message}))
}
