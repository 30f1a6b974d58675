//! HTTP: routes, negotiation, bodies, answers; one folder an API version.

mod access;
mod answer;
mod base_url;
mod body;
mod caller;
mod connection;
mod cors;
mod doc;
mod envelope;
mod error;
mod fields;
mod gate;
mod guarded;
mod layers;
mod listen;
mod media;
mod openapi;
mod path;
pub mod peer;
mod permit;
mod readiness;
mod records_body;
mod resource;
mod schema;
mod served;
mod server;
mod sight;
mod unix;
mod unread;

mod connect;
mod health;
mod management;
mod v1;
mod v2;
mod v3;

pub use gate::Gate;
pub use listen::{Door, Sockets};
pub use media::{best_offer, names_v1};
pub use server::{Management, Quiet, Server, bind, check};
pub use v2::{PartitionField, wire as v2_wire};

use actix_web::web::ServiceConfig;

use crate::config::Config;
use crate::http::resource::Routes;

/// Registers every endpoint that is served; the first that matches path and guard answers.
fn routes(config: &mut ServiceConfig, settings: &Config) {
    // Where operators have a listener of their own, metrics are there.
    if settings.server.management_listen.is_empty() {
        sight::routes(config, settings);
    }
    table().register(config, &settings.endpoints);
}

/// Returns every endpoint, in the order in which they are tried.
fn table() -> Routes {
    let mut routes = Routes::default();
    routes
        .configure(v3::routes)
        .configure(openapi::routes)
        .configure(health::routes)
        .configure(connect::routes)
        // A request that names v1 on a path that v1 does not have is v2's to refuse.
        .when(names_v1, |routes| {
            routes.configure(v1::routes).configure(v1::own_routes).configure(v2::routes);
        })
        .configure(v2::routes)
        .configure(v1::own_routes);
    routes
}
