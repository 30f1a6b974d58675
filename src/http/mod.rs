//! HTTP: routes, negotiation, bodies, answers; one folder an API version.

mod answer;
mod base_url;
mod body;
mod envelope;
mod error;
mod fields;
mod gate;
mod media;
mod path;
mod records_body;
mod resource;
mod server;
mod stopping;

mod v1;
mod v2;
mod v3;

pub use media::{best_offer, names_v1};
pub use server::{Server, bind};
pub use stopping::Stopper;
pub use v2::{PartitionField, wire as v2_wire};

use actix_web::web::ServiceConfig;

/// Registers every endpoint; the first that matches path and guard answers.
fn routes(config: &mut ServiceConfig) {
    v1::routes(config);
    v2::routes(config);
    v3::routes(config);
}
