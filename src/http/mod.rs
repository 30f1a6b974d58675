//! HTTP: routes, negotiation, bodies, answers; one folder an API version.

mod answer;
mod base_url;
mod body;
mod caller;
mod doc;
mod envelope;
mod error;
mod fields;
mod gate;
mod media;
mod openapi;
mod passing;
mod path;
mod records_body;
mod resource;
mod schema;
mod server;

mod connect;
mod health;
mod v1;
mod v2;
mod v3;

pub use media::{best_offer, names_v1};
pub use server::{Server, bind};
pub use v2::{PartitionField, wire as v2_wire};

use actix_web::web::ServiceConfig;

use crate::http::resource::Routes;

/// Registers every endpoint; the first that matches path and guard answers.
fn routes(config: &mut ServiceConfig) {
    table().register(config);
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
