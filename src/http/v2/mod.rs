//! API v2, `application/vnd.kafka.v2+json`: contract/v2.md.

mod brokers;
pub mod consumers;
mod partitions;
mod produce;
mod root;
mod topics;
pub mod wire;

pub use brokers::list as list_brokers;
pub use partitions::{get as get_partition, list as list_partitions};
pub use produce::{PartitionField, ProduceQuery, RECORD_BYTES, plain_json, records_for, respond};
pub use root::alive;
pub use topics::{get as get_topic, list as list_topics};

use actix_web::web::ServiceConfig;

use crate::config::PlainJson;
use crate::http::answer::{Offers, Takes};
use crate::http::media::{JSON, Offer};
use crate::http::resource::{get, post, resource};
use crate::model::Format;

/// Answers of every endpoint that returns no records.
pub struct V2;

impl Offers for V2 {
    const OFFERS: &'static [Offer] = &[("application/vnd.kafka.v2+json", 1000), (JSON, 500)];
}

/// What produce takes.
pub struct Records;

impl Takes for Records {
    type Meaning = Format;
    const TYPES: &'static [(&'static str, Format)] = &[
        ("application/vnd.kafka.json.v2+json", Format::Json),
        ("application/vnd.kafka.binary.v2+json", Format::Binary),
        ("application/vnd.kafka.avro.v2+json", Format::Avro),
        ("application/vnd.kafka.jsonschema.v2+json", Format::JsonSchema),
        ("application/vnd.kafka.protobuf.v2+json", Format::Protobuf),
    ];
    const ABSENT: Format = Format::Binary;

    fn plain_json(setting: PlainJson) -> Option<Format> {
        produce::plain_json(setting)
    }
}

/// Registers the endpoints of v2.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/", vec![get(root::alive::<V2>), post(root::alive_post)]))
        .service(resource("/brokers", vec![get(brokers::list::<V2>)]))
        .service(resource("/topics", vec![get(topics::list::<V2>)]))
        .service(resource("/topics/{topic}", vec![get(topics::get::<V2>), post(produce::to_topic)]))
        .service(resource("/topics/{topic}/partitions", vec![get(partitions::list::<V2>)]))
        .service(resource(
            "/topics/{topic}/partitions/{partition}",
            vec![get(partitions::get::<V2>), post(produce::to_partition)],
        ))
        .service(resource("/topics/{topic}/partitions/{partition}/offsets", vec![get(partitions::offsets)]))
        .configure(consumers::routes);
}
