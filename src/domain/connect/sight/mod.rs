//! What a Connect cluster is doing: all clusters with their workers, one cluster in figures, its connectors in pages.

mod clusters;
mod connectors;
mod overview;
mod states;

pub use clusters::{ClusterSeen, clusters};
pub use connectors::{ConnectorSeen, Filter, Page, connectors};
pub use overview::{Failure, Overview, Types, overview};
pub use states::{State, States};

/// The query for everything that is known of each connector.
const EVERYTHING: &str = "expand=info&expand=status";
