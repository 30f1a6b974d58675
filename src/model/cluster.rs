use std::collections::BTreeSet;

use crate::model::AclOperation;

/// A cluster and its brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its id.
    pub id: String,
    /// The broker to which requests for the controller go; `None` where there is none at the moment.
    pub controller: Option<i32>,
    /// In the order in which the cluster tells them.
    pub brokers: Vec<Broker>,
    /// What the proxy's Kafka user may do with the cluster; `None` unless it was asked for.
    pub authorized_operations: Option<BTreeSet<AclOperation>>,
}

/// A broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Its id.
    pub id: i32,
    /// Where clients find it.
    pub host: String,
    /// The port there.
    pub port: i32,
    /// Where it stands, if it says so.
    pub rack: Option<String>,
}
