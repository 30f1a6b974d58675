//! API v1 (KIP-80 and its first implementation), for clients that name its types: contract/v2.md 8.
//!
//! Dropping it is dropping this folder and its line in `http::routes`.

mod consumers;
mod produce;

use crate::config::PlainJson;
use crate::error::Kind;
use crate::http::answer::{Offers, Takes};
use crate::http::doc::Doc;
use crate::http::media::{JSON, Offer};
use crate::http::permit;
use crate::http::resource::{Routes, delete, get, post, resource};
use crate::http::v2;
use crate::model::Format;

/// Answers of every endpoint that returns no records.
pub struct V1;

impl Offers for V1 {
    const OFFERS: &'static [Offer] =
        &[("application/vnd.kafka.v1+json", 900), ("application/vnd.kafka+json", 800), (JSON, 500)];
}

/// What produce takes; the types without a format are binary.
pub struct Records;

impl Takes for Records {
    type Meaning = Format;
    const TYPES: &'static [(&'static str, Format)] = &[
        ("application/vnd.kafka.json.v1+json", Format::Json),
        ("application/vnd.kafka.binary.v1+json", Format::Binary),
        ("application/vnd.kafka.avro.v1+json", Format::Avro),
        ("application/vnd.kafka.v1+json", Format::Binary),
        ("application/vnd.kafka+json", Format::Binary),
        ("application/octet-stream", Format::Binary),
    ];
    const ABSENT: Format = Format::Binary;

    fn plain_json(setting: PlainJson) -> Option<Format> {
        v2::plain_json(setting)
    }
}

/// Registers the endpoints on paths that v2 has too, for requests that name a v1 type.
pub fn routes(routes: &mut Routes) {
    let offsets = || Doc::default().takes::<Records>("ProduceRequest").gives::<V1>(200, "Offsets");
    routes
        .service(resource(
            "/",
            vec![
                get("api.v1.root.get", permit::OPEN, v2::alive::<V1>).doc(gives("Object")),
                post("api.v1.root.post", permit::OPEN, v2::alive::<V1>).doc(gives("Object")),
            ],
        ))
        .service(resource(
            "/brokers",
            vec![get("api.v1.brokers.list", permit::DESCRIBE_CLUSTER, v2::list_brokers::<V1>).doc(gives("Brokers"))],
        ))
        .service(resource(
            "/topics",
            vec![get("api.v1.topics.list", permit::DESCRIBE_TOPICS, v2::list_topics::<V1>).doc(gives("Names"))],
        ))
        .service(resource(
            "/topics/{topic}",
            vec![
                get("api.v1.topics.get", permit::DESCRIBE_TOPIC, v2::get_topic::<V1>).doc(gives("Topic")),
                post("api.v1.produce-to-topic.", permit::WRITE_TOPIC, produce::to_topic).doc(offsets()),
            ],
        ))
        .service(resource(
            "/topics/{topic}/partitions",
            vec![
                get("api.v1.partitions.list", permit::DESCRIBE_TOPIC, v2::list_partitions::<V1>)
                    .doc(gives("Partitions")),
            ],
        ))
        .service(resource(
            "/topics/{topic}/partitions/{partition}",
            vec![
                get("api.v1.partitions.get", permit::DESCRIBE_TOPIC, v2::get_partition::<V1>).doc(gives("Partition")),
                post("api.v1.produce-to-partition.", permit::WRITE_TOPIC, produce::to_partition).doc(offsets()),
            ],
        ))
        .service(resource(
            "/consumers/{group}",
            vec![
                post("api.v1.consumers.create", permit::READ_GROUP, consumers::create)
                    .doc(gives("Instance").takes::<consumers::ConsumerBody>("NewInstance")),
            ],
        ))
        .service(resource(
            "/consumers/{group}/instances/{instance}",
            vec![delete("api.v1.consumers.delete", permit::READ_GROUP, v2::consumers::delete::<V1>)],
        ))
        .service(resource(
            "/consumers/{group}/instances/{instance}/offsets",
            vec![
                post("api.v1.consumers.commit-offsets", permit::READ_GROUP, consumers::commit)
                    .doc(gives("CommittedV1")),
            ],
        ));
}

/// Registers the endpoints on paths that only v1 has.
pub fn own_routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/consumers/{group}/instances/{instance}/topics/{topic}",
            vec![
                get("api.v1.consumers.consume-", permit::READ_GROUP_AND_TOPIC, consumers::read).doc(
                    Doc::of("Read the next records of a topic, which the first read subscribes to (v1)")
                        .query(v2::consumers::READ_QUERY)
                        .gives::<consumers::RecordAnswers>(200, "Records")
                        .fails(&[Kind::TopicNotFound, Kind::InstanceNotFound, Kind::AlreadySubscribed]),
                ),
            ],
        ))
        .service(resource(
            "/topics/{topic}/partitions/{partition}/messages",
            vec![
                get("api.v1.partitions.read", permit::READ_TOPIC, consumers::messages).doc(
                    Doc::of("Read records of a partition without a consumer instance (v1)")
                        .query(&[
                            ("offset", "integer", "The first offset."),
                            ("count", "integer", "The most records; 1 by default."),
                            v2::consumers::KEY_FORMAT,
                            v2::consumers::VALUE_FORMAT,
                        ])
                        .gives::<consumers::RecordAnswers>(200, "Records")
                        .fails(&[Kind::TopicNotFound, Kind::PartitionNotFound]),
                ),
            ],
        ));
}

/// The rest of what is said of a shared path is v2's.
fn gives(schema: &'static str) -> Doc {
    Doc::default().gives::<V1>(200, schema)
}
