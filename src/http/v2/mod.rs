//! API v2, `application/vnd.kafka.v2+json`: contract/v2.md.

mod brokers;
pub mod consumers;
mod partitions;
mod produce;
mod root;
mod schemas;
mod topics;
pub mod wire;

pub use brokers::list as list_brokers;
pub use partitions::{get as get_partition, list as list_partitions};
pub use produce::{PartitionField, ProduceQuery, RECORD_BYTES, formats, plain_json, records_for, respond};
pub use root::alive;
pub use schemas::schemas;
pub use topics::{get as get_topic, list as list_topics};

use crate::config::PlainJson;
use crate::error::Kind;
use crate::http::answer::{Offers, Takes};
use crate::http::doc::Doc;
use crate::http::media::{JSON, Offer};
use crate::http::permit;
use crate::http::resource::{Routes, get, post, resource};
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
pub fn routes(routes: &mut Routes) {
    let nothing = || Doc::of("Tell that the server is there").gives::<V2>(200, "Object");
    let produce = |summary| {
        Doc::of(summary)
            .query(&[("strict", "boolean", "Answer 207 or 5xx where a record failed.")])
            .takes::<Records>("ProduceRequest")
            .gives::<V2>(200, "Offsets")
            .fails(&[
                Kind::InvalidBase64,
                Kind::TopicNotFound,
                Kind::PartitionNotFound,
                Kind::PayloadTooLarge,
                Kind::Unprocessable,
                Kind::QueueFull,
            ])
    };
    let topic = |summary| Doc::of(summary).fails(&[Kind::TopicNotFound]);
    let partition = |summary| Doc::of(summary).fails(&[Kind::TopicNotFound, Kind::PartitionNotFound]);
    routes
        .service(resource(
            "/",
            vec![
                get("api.v2.root.get", permit::OPEN, root::alive::<V2>).doc(nothing()),
                post("api.v2.root.post", permit::OPEN, root::alive_post).doc(nothing()),
            ],
        ))
        .service(resource(
            "/brokers",
            vec![
                get("api.v2.brokers.list", permit::DESCRIBE_CLUSTER, brokers::list::<V2>)
                    .doc(Doc::of("List the ids of the brokers").gives::<V2>(200, "Brokers")),
            ],
        ))
        .service(resource(
            "/topics",
            vec![
                get("api.v2.topics.list", permit::DESCRIBE_TOPICS, topics::list::<V2>)
                    .doc(Doc::of("List the names of the topics").gives::<V2>(200, "Names")),
            ],
        ))
        .service(resource(
            "/topics/{topic}",
            vec![
                get("api.v2.topics.get", permit::DESCRIBE_TOPIC, topics::get::<V2>)
                    .doc(topic("Get a topic with its configuration and partitions").gives::<V2>(200, "Topic")),
                post("api.v2.produce-to-topic.", permit::WRITE_TOPIC, produce::to_topic)
                    .doc(produce("Write records to a topic")),
            ],
        ))
        .service(resource(
            "/topics/{topic}/partitions",
            vec![
                get("api.v2.partitions.list", permit::DESCRIBE_TOPIC, partitions::list::<V2>)
                    .doc(topic("List the partitions of a topic").gives::<V2>(200, "Partitions")),
            ],
        ))
        .service(resource(
            "/topics/{topic}/partitions/{partition}",
            vec![
                get("api.v2.partitions.get", permit::DESCRIBE_TOPIC, partitions::get::<V2>)
                    .doc(partition("Get a partition").gives::<V2>(200, "Partition")),
                post("api.v2.produce-to-partition.", permit::WRITE_TOPIC, produce::to_partition)
                    .doc(produce("Write records to a partition")),
            ],
        ))
        .service(resource(
            "/topics/{topic}/partitions/{partition}/offsets",
            vec![
                get("api.v2.partitions.get-offsets", permit::DESCRIBE_TOPIC, partitions::offsets)
                    .doc(partition("Get the first and the next offset of a partition").gives::<V2>(200, "Ends")),
            ],
        ))
        .configure(consumers::routes);
}
