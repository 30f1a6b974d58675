//! The plug-ins that the fake workers have, and what they say of a config.

use serde_json::{Map, Value, json};

pub(super) const VERSION: &str = "4.3.1";

pub(super) struct Plugin {
    pub(super) class: &'static str,
    pub(super) kind: &'static str,
    /// Name, type and whether it is required.
    keys: &'static [(&'static str, &'static str, bool)],
}

const PLUGINS: &[Plugin] = &[
    Plugin {
        class: "org.apache.kafka.connect.file.FileStreamSinkConnector",
        kind: "sink",
        keys: &[("file", "STRING", false), ("topics", "LIST", false)],
    },
    Plugin {
        class: "org.apache.kafka.connect.file.FileStreamSourceConnector",
        kind: "source",
        keys: &[("file", "STRING", false), ("topic", "STRING", true)],
    },
    Plugin {
        class: "org.example.DatabaseSourceConnector",
        kind: "source",
        keys: &[
            ("connection.url", "STRING", true),
            ("connection.user", "STRING", false),
            ("connection.password", "PASSWORD", false),
            ("license", "PASSWORD", false),
        ],
    },
];

const COMMON_KEYS: &[(&str, &str, bool)] =
    &[("name", "STRING", true), ("connector.class", "STRING", true), ("tasks.max", "INT", false)];

/// Finds a plug-in by its class or alias.
pub(super) fn find(class: &str) -> Option<&'static Plugin> {
    PLUGINS.iter().find(|plugin| plugin.class == class || aliases(plugin).contains(&class))
}

fn aliases(plugin: &'static Plugin) -> [&'static str; 2] {
    let simple = plugin.class.rsplit('.').next().unwrap_or_default();
    [simple, simple.trim_end_matches("Connector")]
}

pub(super) fn list(connectors_only: bool) -> Value {
    let converter =
        json!({"class": "org.apache.kafka.connect.storage.StringConverter", "type": "converter", "version": VERSION});
    let connectors =
        PLUGINS.iter().map(|plugin| json!({"class": plugin.class, "type": plugin.kind, "version": VERSION}));
    connectors.chain((!connectors_only).then_some(converter)).collect()
}

impl Plugin {
    fn keys(&self) -> impl Iterator<Item = &(&'static str, &'static str, bool)> {
        COMMON_KEYS.iter().chain(self.keys)
    }

    pub(super) fn definitions(&self) -> Value {
        self.keys().map(|(name, kind, required)| definition(name, kind, *required)).collect()
    }

    /// Returns what a worker answers to a validation of a config.
    pub(super) fn validate(&self, config: &Map<String, Value>) -> Value {
        let known = self.keys().map(|(name, kind, required)| {
            let value = config.get(*name).cloned().unwrap_or_default();
            let errors = if *required && value.is_null() { vec![missing(name)] } else { Vec::new() };
            let shown = if *kind == "PASSWORD" && !value.is_null() { json!("[hidden]") } else { value };
            json!({"definition": definition(name, kind, *required), "value": value_info(name, &shown, &errors)})
        });
        let is_unknown = |name: &str| self.keys().all(|(key, ..)| *key != name);
        let unknown = config.iter().filter(|(name, _)| is_unknown(name));
        let unknown = unknown.map(|(name, value)| json!({"definition": null, "value": value_info(name, value, &[])}));
        let configs: Vec<Value> = known.chain(unknown).collect();
        let count = self.errors(config).len();
        json!({"name": config.get("connector.class"), "error_count": count, "groups": ["Common"], "configs": configs})
    }

    /// Returns what is wrong with a config, a sentence each.
    pub(super) fn errors(&self, config: &Map<String, Value>) -> Vec<String> {
        let required = self.keys().filter(|(.., required)| *required);
        required
            .filter(|(name, ..)| config.get(*name).is_none_or(Value::is_null))
            .map(|(name, ..)| missing(name))
            .collect()
    }
}

fn missing(name: &str) -> String {
    format!("Missing required configuration \"{name}\" which has no default value.")
}

fn definition(name: &str, kind: &str, required: bool) -> Value {
    json!({
        "name": name, "type": kind, "required": required, "default_value": null, "importance": "HIGH",
        "documentation": "", "group": "Common", "width": "MEDIUM", "display_name": name, "dependents": [],
        "order_in_group": 1,
    })
}

fn value_info(name: &str, value: &Value, errors: &[String]) -> Value {
    json!({"name": name, "value": value, "recommended_values": [], "errors": errors, "visible": true})
}
