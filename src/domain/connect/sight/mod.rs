//! What a Connect cluster is doing: all clusters with their workers, one cluster in figures, its connectors in pages.

mod clusters;
mod connectors;
mod overview;
mod states;

pub use clusters::{ClusterSeen, clusters};
pub use connectors::{ConnectorSeen, Filter, Page, connectors};
pub use overview::{Failure, Overview, Types, overview};
pub use states::{State, States};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::connect::status::Status;

/// The query for everything that is known of each connector.
const EVERYTHING: &str = "expand=info&expand=status";

/// One connector of an expanded list.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    info: Info<'a>,
    status: Status,
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
    fn read(json: &'a [u8]) -> Option<Listed<'a>> {
        serde_json::from_slice(json).ok()
    }

    /// Returns the class as the configuration has it; empty where it has none.
    fn class(&self) -> String {
        let class: Class = serde_json::from_str(self.info.config.get()).unwrap_or_default();
        class.name.unwrap_or_default()
    }
}
