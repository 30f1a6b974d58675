use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::connect::status::Status;

/// A connector in an expanded list: what was asked for of it.
#[derive(Deserialize)]
pub struct Listed<'a> {
    #[serde(borrow)]
    info: Option<Info<'a>>,
    /// How it is, and its tasks.
    pub status: Option<Status>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    config: &'a RawValue,
}

/// The class in a configuration; what else is in it is not kept.
#[derive(Default, Deserialize)]
struct Class {
    #[serde(default, rename = "connector.class")]
    name: Option<String>,
}

impl<'a> Listed<'a> {
    /// Reads what a worker tells of it.
    pub fn read(json: &'a [u8]) -> Option<Listed<'a>> {
        serde_json::from_slice(json).ok()
    }

    /// Returns its configuration, as the worker wrote it.
    pub fn config(&self) -> Option<&'a [u8]> {
        Some(self.info.as_ref()?.config.get().as_bytes())
    }

    /// Returns the class as the configuration has it; empty where it has none.
    pub fn class(&self) -> Option<String> {
        let class: Class = serde_json::from_slice(self.config()?).unwrap_or_default();
        Some(class.name.unwrap_or_default())
    }
}
