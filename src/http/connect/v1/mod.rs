//! What this proxy adds to Kafka Connect: sight of whole clusters, and sets of connectors as they are wanted.

mod clusters;
mod connectors;
mod cursor;
mod declared;
mod fields;
mod overview;
mod schemas;

pub use schemas::schemas;

use std::sync::Arc;

use actix_web::HttpRequest;

use crate::domain::connect::Cluster;
use crate::error::{Kind, Result};
use crate::http::connect::docs::{PlainBody, READ_FAILS};
use crate::http::doc::{Doc, Parameter};
use crate::http::health::Plain;
use crate::http::permit;
use crate::http::resource::{Routes, get, post, resource};
use crate::state::State;

const CLUSTERS: &str = "/connect/v1/clusters";

const PLAN_FAILS: &[Kind] = &[
    Kind::BadRequest,
    Kind::ConnectNotConfigured,
    Kind::PayloadTooLarge,
    Kind::Unprocessable,
    Kind::ConnectAnswer,
    Kind::ConnectUnavailable,
    Kind::ConnectTimeout,
];
const APPLY_FAILS: &[Kind] = &[
    Kind::BadRequest,
    Kind::ConnectNotConfigured,
    Kind::PayloadTooLarge,
    Kind::Unprocessable,
    Kind::ConnectInvalid,
    Kind::ConnectAnswer,
    Kind::ConnectUnavailable,
    Kind::ConnectTimeout,
];

const FILTER: &[Parameter] = &[
    ("state", "string", "Only connectors in this state; failed is also one of whose tasks any has failed."),
    ("type", "string", "Only connectors of this type: source, sink or unknown."),
    ("class", "string", "Only connectors of this class: its full name, the end of that, or an alias."),
    ("prefix", "string", "Only connectors whose names begin so."),
    ("limit", "integer", "How many at the most: 1 to 1000, by default 100."),
    ("cursor", "string", "next_cursor of the page before."),
];

/// Registers what is below `/connect/v1`; no cluster has this name.
pub fn routes(routes: &mut Routes) {
    let below = |path: &str| format!("{CLUSTERS}/{{cluster}}/{path}");
    let one = |summary| Doc::of(summary).fails(READ_FAILS);
    let set = |summary| Doc::of(summary).takes::<PlainBody>("ConnectorSet");
    routes
        .service(resource(
            CLUSTERS,
            vec![
                get("connect.v1.clusters.list", permit::DESCRIBE_CONNECTS, clusters::list).doc(
                    Doc::of("List the Kafka Connect clusters and their workers")
                        .gives_as::<Plain, fields::Clusters>(200, "ConnectClusters"),
                ),
            ],
        ))
        .service(resource(
            &below("overview"),
            vec![
                get("connect.v1.overview.get", permit::DESCRIBE_CONNECTORS, overview::show).doc(
                    one("Count the connectors and tasks of a cluster, and list what has failed")
                        .gives_as::<Plain, fields::Overview>(200, "ConnectOverview"),
                ),
            ],
        ))
        .service(resource(
            &below("connectors"),
            vec![
                get("connect.v1.connectors.list", permit::DESCRIBE_CONNECTORS, connectors::list).doc(
                    one("List the connectors of a cluster in pages, without their configurations")
                        .query(FILTER)
                        .gives_as::<Plain, fields::Connectors>(200, "ConnectorPage"),
                ),
            ],
        ))
        .service(resource(
            &below("plan"),
            vec![
                post("connect.v1.connectors.plan", permit::ALTER_CONNECTORS, declared::plan).doc(
                    set("Tell what has to change that a cluster has these connectors")
                        .gives_as::<Plain, fields::PlannedSet>(200, "PlannedConnectorSet")
                        .fails(PLAN_FAILS),
                ),
            ],
        ))
        .service(resource(
            &below("apply"),
            vec![
                post("connect.v1.connectors.apply", permit::ALTER_CONNECTORS, declared::apply).doc(
                    set("Change what has to change that a cluster has these connectors")
                        .gives_as::<Plain, fields::PlannedSet>(200, "PlannedConnectorSet")
                        .gives_as::<Plain, fields::PlannedSet>(207, "PlannedConnectorSet")
                        .fails(APPLY_FAILS),
                ),
            ],
        ));
}

/// Returns the cluster that the path names.
fn cluster<'a>(request: &HttpRequest, state: &'a State) -> Result<&'a Arc<Cluster>> {
    state.connect.named(request.match_info().query("cluster"))
}
