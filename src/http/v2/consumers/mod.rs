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
pub use records::{answer_records, check_format, format_codec};

use actix_web::HttpResponse;
use actix_web::web::ServiceConfig;

use crate::error::{Kind, Result};
use crate::http::answer::{Offers, Takes};
use crate::http::fields::{Fields, missing};
use crate::http::media::{JSON, Offer};
use crate::http::resource::{delete as on_delete, get, post, resource};
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

/// Registers the consumer endpoints and the stateless read.
pub fn routes(config: &mut ServiceConfig) {
    let under = |path: &str| format!("/consumers/{{group}}/instances/{{instance}}{path}");
    config
        .service(resource("/consumers/{group}", vec![post(create::create)]))
        .service(resource(&under(""), vec![on_delete(create::delete::<Consumers>)]))
        .service(resource(
            &under("/subscription"),
            vec![get(subscription::list), post(subscription::subscribe), on_delete(subscription::unsubscribe)],
        ))
        .service(resource(&under("/assignments"), vec![get(assignments::list), post(assignments::assign)]))
        .service(resource(&under("/positions"), vec![post(positions::set)]))
        .service(resource(&under("/positions/beginning"), vec![post(positions::beginning)]))
        .service(resource(&under("/positions/end"), vec![post(positions::end)]))
        .service(resource(&under("/offsets"), vec![get(offsets::committed), post(offsets::commit)]))
        .service(resource(&under("/records"), vec![get(records::read)]))
        .service(resource("/topics/{topic}/partitions/{partition}/records", vec![get(records::read_stateless)]));
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
