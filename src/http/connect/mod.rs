//! Kafka Connect: a worker's API for the default cluster at the root, and for each cluster below `/connect/{cluster}`.

mod docs;
mod forward;
mod incoming;
mod rules;
mod v1;

use actix_web::http::Method;
use actix_web::http::header::HeaderName;

use crate::domain::connect::{Operation, Outcome};
use crate::error::Kind;
use crate::http::connect::forward::forward;
use crate::http::permit;
use crate::http::resource::{Endpoint, Routes, Verb, delete, get, patch, post, put, resource};

/// Says what became of a change whose answer does not tell.
pub const OUTCOME: HeaderName = HeaderName::from_static("x-connect-gateway-outcome");

/// Where the clusters are by their names.
const CLUSTER: &str = "/connect/{cluster}";

pub use v1::schemas;

/// Registers what this proxy adds, then what workers have.
pub fn routes(routes: &mut Routes) {
    routes.configure(v1::routes);
    for prefix in ["", CLUSTER] {
        for endpoint in endpoints(prefix) {
            // Workers take the configurations of tasks from each other there; not from anybody else.
            let is_internal = endpoint.path.ends_with("/tasks");
            routes.service(if is_internal { endpoint.hiding(Method::POST) } else { endpoint });
        }
    }
}

/// Returns what an error says about the change that was asked for.
pub fn outcome_of(kind: Kind) -> Option<Outcome> {
    match kind {
        Kind::ConnectUnknown => Some(Outcome::Unknown),
        Kind::ConnectUnavailable
        | Kind::ConnectBusy
        | Kind::ConnectPolicy
        | Kind::ConnectMasked
        | Kind::ConnectInvalid => Some(Outcome::NotApplied),
        _ => None,
    }
}

/// Returns the paths of a worker below `prefix`, each with all its verbs.
fn endpoints(prefix: &'static str) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    // At the root these two are the proxy's own.
    let is_served =
        |operation: &Operation| !prefix.is_empty() || !matches!(operation, Operation::Root | Operation::Health);
    for operation in Operation::ALL.into_iter().filter(is_served) {
        let path = format!("{prefix}{}", operation.row().path);
        let verb = verb(operation, prefix).doc(docs::doc(operation));
        match endpoints.iter_mut().find(|endpoint| endpoint.path == path) {
            Some(endpoint) => endpoint.verbs.push(verb),
            None => endpoints.push(resource(&path, vec![verb])),
        }
    }
    endpoints
}

fn verb(operation: Operation, prefix: &'static str) -> Verb {
    let handler =
        move |request, answer, body, state, base| forward(operation, prefix, request, answer, body, state, base);
    let (name, access) = (name(operation), permit::connect_needs(operation));
    match operation.row().method {
        "POST" => post(name, access, handler),
        "PUT" => put(name, access, handler),
        "PATCH" => patch(name, access, handler),
        "DELETE" => delete(name, access, handler),
        _ => get(name, access, handler),
    }
}

/// Returns what an operation is called in `endpoints.allow` and `endpoints.block`.
fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Root => "connect.root.get",
        Operation::Health => "connect.health.get",
        Operation::List => "connect.connectors.list",
        Operation::Create => "connect.connectors.create",
        Operation::Connector => "connect.connectors.get",
        Operation::Delete => "connect.connectors.delete",
        Operation::Config => "connect.connectors.get-config",
        Operation::PutConfig => "connect.connectors.update-config",
        Operation::PatchConfig => "connect.connectors.patch-config",
        Operation::Status => "connect.connectors.get-status",
        Operation::Restart => "connect.connectors.restart",
        Operation::Pause => "connect.connectors.pause",
        Operation::Resume => "connect.connectors.resume",
        Operation::Stop => "connect.connectors.stop",
        Operation::Topics => "connect.connectors.list-topics",
        Operation::ResetTopics => "connect.connectors.reset-topics",
        Operation::Offsets => "connect.offsets.get",
        Operation::PatchOffsets => "connect.offsets.alter",
        Operation::DeleteOffsets => "connect.offsets.delete",
        Operation::Tasks => "connect.tasks.list",
        Operation::TasksConfig => "connect.tasks.list-configs",
        Operation::TaskStatus => "connect.tasks.get-status",
        Operation::RestartTask => "connect.tasks.restart",
        Operation::Plugins => "connect.plugins.list",
        Operation::PluginConfig => "connect.plugins.get-config",
        Operation::Validate => "connect.plugins.validate",
        Operation::Loggers => "connect.loggers.list",
        Operation::Logger => "connect.loggers.get",
        Operation::SetLogger => "connect.loggers.update",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_served_by_its_method() {
        let endpoints = endpoints(CLUSTER);
        let verbs = endpoints.iter().flat_map(|endpoint| endpoint.verbs.iter().map(move |verb| (verb, endpoint)));
        let served: Vec<_> = verbs.map(|(verb, endpoint)| (verb.method.as_str(), endpoint.path.as_str())).collect();
        assert_eq!(served.len(), Operation::ALL.len());
        for operation in Operation::ALL {
            let row = operation.row();
            assert!(served.contains(&(row.method, format!("{CLUSTER}{}", row.path).as_str())), "{operation:?}");
        }
    }
}
