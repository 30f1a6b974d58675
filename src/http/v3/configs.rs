//! What the configs of topics, of brokers and of all brokers have in common.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Result;
use crate::http::fields::Fields;
use crate::http::v3::document::{Document, exactly, present};
use crate::model::{ConfigChange, ConfigEntry, ConfigSource, ConfigSynonym};

/// What a request without a body is told, behind `Payload error.`
pub const NO_DATA: &str = "Null input provided. Data is required.";

/// The fields of a config; `Owner` has those that say whose it is.
#[derive(JsonSchema, Serialize)]
pub struct Config<Owner> {
    cluster_id: String,
    #[serde(flatten)]
    owner: Owner,
    name: String,
    value: Option<String>,
    is_default: bool,
    is_read_only: bool,
    is_sensitive: bool,
    source: &'static str,
    synonyms: Vec<Synonym>,
}

#[derive(JsonSchema, Serialize)]
struct Synonym {
    name: String,
    value: Option<String>,
    source: &'static str,
}

impl<Owner> Config<Owner> {
    pub fn new(cluster_id: &str, owner: Owner, config: ConfigEntry) -> Config<Owner> {
        let synonym = |synonym: ConfigSynonym| Synonym {
            name: synonym.name,
            value: synonym.value,
            source: synonym.source.name(),
        };
        Config {
            cluster_id: cluster_id.to_owned(),
            owner,
            name: config.name,
            value: config.value,
            is_default: config.source == ConfigSource::Default,
            is_read_only: config.read_only,
            is_sensitive: config.sensitive,
            source: config.source.name(),
            synonyms: config.synonyms.into_iter().map(synonym).collect(),
        }
    }
}

/// Reads `{"value": ..}`, which sets the config `name`.
pub fn setting(name: String, document: &Document) -> Result<ConfigChange> {
    let mut fields = document.required(NO_DATA)?;
    let value = fields.text("value")?;
    fields.finish()?;
    Ok(ConfigChange::Set { name, value })
}

/// Reads `{"data": [change, ..], "validate_only": ..}`; without a `validate_only` it is false.
pub fn alteration(document: &Document) -> Result<(Vec<ConfigChange>, bool)> {
    let mut fields = document.required(NO_DATA)?;
    let changes = changes(&mut fields, "data")?;
    let validate_only = fields.boolean("validate_only")?.unwrap_or(false);
    fields.finish()?;
    Ok((changes, validate_only))
}

/// Takes a list of changes, which has to be there.
pub fn changes(fields: &mut Fields, name: &str) -> Result<Vec<ConfigChange>> {
    present(name, fields.objects(name)?)?.into_iter().map(change).collect()
}

fn change(mut fields: Fields) -> Result<ConfigChange> {
    let name = present("name", fields.text("name")?)?;
    let value = fields.text("value")?;
    let operation = fields.text("operation")?;
    fields.finish()?;
    Ok(match exactly("operation", operation.as_deref().unwrap_or("SET"), OPERATIONS)? {
        Operation::Set => ConfigChange::Set { name, value },
        Operation::Delete => ConfigChange::Delete { name },
    })
}

#[derive(Clone, Copy)]
enum Operation {
    Set,
    Delete,
}

const OPERATIONS: &[(&str, Operation)] = &[("SET", Operation::Set), ("DELETE", Operation::Delete)];
