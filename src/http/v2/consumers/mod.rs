//! Consumer instances of v2: contract/v2.md 3.2 and 6.

mod assignments;
mod create;
mod instance_path;
mod offsets;
mod positions;
mod query;
mod records;
mod subscription;

pub use create::{CreateRequest, created, delete};
pub use instance_path::InstancePath;
pub use query::{RecordsQuery, timestamp_ms};
pub use records::{answer_records, check_format, formats_of};

use actix_web::HttpResponse;

use crate::error::{Kind, Result};
use crate::http::answer::{Offers, Takes};
use crate::http::doc::{Doc, Parameter};
use crate::http::fields::{Fields, missing};
use crate::http::media::{JSON, Offer};
use crate::http::permit;
use crate::http::resource::{Routes, delete as on_delete, get, post, resource};
use crate::model::{PartitionId, TopicName};

/// Answers of every consumer endpoint but records; a client that names a format gets its label.
pub struct Consumers;

impl Offers for Consumers {
    const OFFERS: &'static [Offer] = &[
        ("application/vnd.kafka.v2+json", 900),
        ("application/vnd.kafka.binary.v2+json", 100),
        ("application/vnd.kafka.json.v2+json", 100),
        ("application/vnd.kafka.avro.v2+json", 100),
        ("application/vnd.kafka.jsonschema.v2+json", 100),
        ("application/vnd.kafka.protobuf.v2+json", 100),
        (JSON, 50),
    ];
}

/// What consumer endpoints take: JSON under any of these names.
pub struct ConsumerBody;

impl Takes for ConsumerBody {
    type Meaning = ();
    const TYPES: &'static [(&'static str, ())] = &[
        ("application/vnd.kafka.v2+json", ()),
        (JSON, ()),
        ("application/vnd.kafka.json.v2+json", ()),
        ("application/vnd.kafka.binary.v2+json", ()),
        ("application/vnd.kafka.avro.v2+json", ()),
        ("application/vnd.kafka.jsonschema.v2+json", ()),
        ("application/vnd.kafka.protobuf.v2+json", ()),
    ];
    const ABSENT: () = ();
}

/// The query of a read of an instance.
pub const READ_QUERY: &[Parameter] = &[
    ("timeout", "integer", "The longest wait in milliseconds."),
    ("max_bytes", "integer", "Bytes of keys and values; at least one record is returned."),
    ("include", "string", "`headers`, `timestamp` or both."),
];

/// Names the format of keys, where the type of the answer does not say enough.
pub const KEY_FORMAT: Parameter = ("key_format", "string", "The format of keys, where it is not that of the answer.");
/// Names the format of values.
pub const VALUE_FORMAT: Parameter = ("value_format", "string", "The same for values.");

/// Registers the consumer endpoints and the stateless read.
pub fn routes(routes: &mut Routes) {
    let under = |path: &str| format!("/consumers/{{group}}/instances/{{instance}}{path}");
    let does = |summary| Doc::of(summary).fails(&[Kind::InstanceNotFound, Kind::IllegalState, Kind::Unprocessable]);
    let body = |summary, schema| does(summary).takes::<ConsumerBody>(schema).gives_nothing(204);
    let gives = |summary, schema| does(summary).gives::<Consumers>(200, schema);
    routes
        .service(resource(
            "/consumers/{group}",
            vec![
                post("api.v2.consumers.create", permit::READ_GROUP, create::create).doc(
                    Doc::of("Create a consumer instance")
                        .takes::<ConsumerBody>("NewInstance")
                        .gives::<Consumers>(200, "Instance")
                        .fails(&[
                            Kind::InstanceExists,
                            Kind::ConsumerConfig,
                            Kind::RegistryMissing,
                            Kind::TooManyInstances,
                        ]),
                ),
            ],
        ))
        .service(resource(
            &under(""),
            vec![
                on_delete("api.v2.consumers.delete", permit::READ_GROUP, create::delete::<Consumers>)
                    .doc(Doc::of("Delete a consumer instance").gives_nothing(204).fails(&[Kind::InstanceNotFound])),
            ],
        ))
        .service(resource(
            &under("/subscription"),
            vec![
                get("api.v2.consumers.get-subscription", permit::READ_GROUP, subscription::list)
                    .doc(gives("Get the topics that an instance is subscribed to", "Subscription")),
                post("api.v2.consumers.subscribe", permit::READ_GROUP, subscription::subscribe)
                    .doc(body("Subscribe to topics or a pattern", "NewSubscription")),
                on_delete("api.v2.consumers.unsubscribe", permit::READ_GROUP, subscription::unsubscribe)
                    .doc(does("Unsubscribe").gives_nothing(204)),
            ],
        ))
        .service(resource(
            &under("/assignments"),
            vec![
                get("api.v2.consumers.get-assignments", permit::READ_GROUP, assignments::list)
                    .doc(gives("Get the partitions that an instance reads", "PlaceList")),
                post("api.v2.consumers.assign", permit::READ_GROUP, assignments::assign)
                    .doc(body("Read these partitions, without the group", "PlaceList")),
            ],
        ))
        .service(resource(
            &under("/positions"),
            vec![
                post("api.v2.consumers.seek-to-offset", permit::READ_GROUP, positions::set)
                    .doc(body("Go on at offsets or timestamps", "Positions")),
            ],
        ))
        .service(resource(
            &under("/positions/beginning"),
            vec![
                post("api.v2.consumers.seek-to-beginning", permit::READ_GROUP, positions::beginning)
                    .doc(body("Go on at the first records there are", "PlaceList")),
            ],
        ))
        .service(resource(
            &under("/positions/end"),
            vec![
                post("api.v2.consumers.seek-to-end", permit::READ_GROUP, positions::end)
                    .doc(body("Go on after the last records", "PlaceList")),
            ],
        ))
        .service(resource(
            &under("/offsets"),
            vec![
                get("api.v2.consumers.get-committed-offsets", permit::READ_GROUP, offsets::committed)
                    .doc(gives("Get the committed offsets", "Committed").takes::<ConsumerBody>("PlaceList")),
                post("api.v2.consumers.commit-offsets", permit::READ_GROUP, offsets::commit).doc(
                    gives("Commit these offsets, or without a body what was delivered", "")
                        .takes::<ConsumerBody>("Commit")
                        .or_nothing(),
                ),
            ],
        ))
        .service(resource(
            &under("/records"),
            vec![
                get("api.v2.consumers.consume-", permit::READ_GROUP, records::read).doc(
                    Doc::of("Read the next records")
                        .query(READ_QUERY)
                        .gives::<records::RecordAnswers>(200, "Records")
                        .fails(&[
                            Kind::InstanceNotFound,
                            Kind::FormatMismatch,
                            Kind::Undecodable,
                            Kind::RegistryUnavailable,
                            Kind::IllegalState,
                        ]),
                ),
            ],
        ))
        .service(resource(
            "/topics/{topic}/partitions/{partition}/records",
            vec![
                get("api.v2.partitions.read", permit::READ_TOPIC, records::read_stateless).doc(
                    Doc::of("Read records of a partition without a consumer instance")
                        .query(&[
                            ("offset", "integer", "The first offset; not together with `timestamp`."),
                            ("timestamp", "string", "The first record that is not older: milliseconds or an instant."),
                            ("limit", "integer", "The most records."),
                            ("max_bytes", "integer", "Bytes of keys and values; at least one record is returned."),
                            ("timeout", "integer", "How long to wait where there is nothing, in milliseconds."),
                            ("include", "string", "`headers`, `timestamp` or both."),
                            KEY_FORMAT,
                            VALUE_FORMAT,
                        ])
                        .gives::<records::RecordAnswers>(200, "Records")
                        .fails(&[
                            Kind::TopicNotFound,
                            Kind::PartitionNotFound,
                            Kind::Undecodable,
                            Kind::RegistryUnavailable,
                            Kind::Unprocessable,
                        ]),
                ),
            ],
        ));
}

fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Takes `topic` and `partition` of an entry; the partition has to exist by its number alone.
fn partition_of(entry: &mut Fields) -> Result<(TopicName, PartitionId)> {
    let topic = entry.text("topic")?.ok_or_else(|| missing("topic"))?;
    let topic = TopicName::try_from(topic.as_str()).map_err(|error| error.as_kind(Kind::Unprocessable))?;
    let partition = entry.small_integer("partition")?.ok_or_else(|| missing("partition"))?;
    let partition = PartitionId::try_from(partition).map_err(|error| error.as_kind(Kind::Unprocessable))?;
    Ok((topic, partition))
}

/// Takes the list `partitions`, which has to be there and alone.
fn partitions_of(mut fields: Fields) -> Result<Vec<(TopicName, PartitionId)>> {
    let entries = fields.objects("partitions")?;
    fields.finish()?;
    let entries = entries.ok_or_else(|| missing("partitions"))?;
    let checked = |mut entry: Fields| {
        let partition = partition_of(&mut entry)?;
        entry.finish()?;
        Ok(partition)
    };
    entries.into_iter().map(checked).collect()
}
