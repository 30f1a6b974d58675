//! Committed offsets of groups: an extension, in the style of the rest.

use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::offset_reset::{self, Move, Target};
use crate::domain::admin::offsets::{self, Scope};
use crate::error::{Kind, Result};
use crate::http::fields::Fields;
use crate::http::permit;
use crate::http::resource::{Routes, get as on_get, post, resource};
use crate::http::v2::consumers::timestamp_ms;
use crate::http::v3::cluster::{Cluster, CouldNotBeFound, done};
use crate::http::v3::document::{Document, exactly, present};
use crate::http::v3::failures::unless_failed;
use crate::http::v3::paths::{GroupPath, PlacePath};
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{PartitionId, PartitionOffset, Right, Subject, TopicName};

/// Registers the endpoints of committed offsets.
pub fn routes(routes: &mut Routes) {
    let below = |path: &str| format!("/clusters/{{cluster}}/consumer-groups/{{group}}/offsets{path}");
    let changes = |summary, takes| docs::changes(summary, takes).gives::<V3>(207, "Failures");
    routes
        .service(resource(
            &below(""),
            vec![on_get("api.v3.consumer-group-offsets.list", permit::DESCRIBE_GROUP, list).doc(docs::many::<
                OffsetFields,
            >(
                "List the committed offsets of a consumer group",
                "KafkaConsumerGroupOffsetList",
            ))],
        ))
        .service(resource(
            &below("/{topic}/partitions/{partition}"),
            vec![on_get("api.v3.consumer-group-offsets.get", permit::DESCRIBE_GROUP_AND_TOPIC, get).doc(docs::one::<
                OffsetFields,
            >(
                "Get the committed offset of a consumer group in a partition",
                "KafkaConsumerGroupOffset",
            ))],
        ))
        .service(resource(
            &below(":alter"),
            vec![
                post("api.v3.consumer-group-offsets.alter", permit::ALTER_GROUP, alter).doc(
                    changes("Set committed offsets of an empty consumer group", "AlterOffsets").gives_nothing(204),
                ),
            ],
        ))
        .service(resource(
            &below(":reset"),
            vec![
                post("api.v3.consumer-group-offsets.reset", permit::ALTER_GROUP, reset).doc(
                    changes(
                        "Reset committed offsets of an empty consumer group, or tell what that would do",
                        "ResetOffsets",
                    )
                    .gives_as::<V3, Collection<MoveFields>>(200, "KafkaConsumerGroupOffsetResetList"),
                ),
            ],
        ))
        .service(resource(
            &below(":delete"),
            vec![
                post("api.v3.consumer-group-offsets.delete", permit::ALTER_GROUP, delete)
                    .doc(changes("Delete committed offsets of a consumer group", "DeleteOffsets").gives_nothing(204)),
            ],
        ));
}

/// `GET C/consumer-groups/{group}/offsets`: what the group has committed, sorted by topic and partition.
async fn list(cluster: Cluster<CouldNotBeFound>, GroupPath(group): GroupPath) -> Result<HttpResponse> {
    let view = cluster.caller.view(Right::Describe);
    let mut committed = offsets::committed(&cluster.caller.admin, &group).await?;
    committed.retain(|offset| view.shows(Subject::Topic(offset.topic.as_str())));
    let list = move |cluster: &Cluster<CouldNotBeFound>| {
        let data = committed.iter().map(|offset| rendered(cluster, &group, offset)).collect();
        Collection::new("KafkaConsumerGroupOffsetList", cluster.url(&["consumer-groups", &group, "offsets"]), data)
    };
    cluster.list(list).await
}

/// `GET C/consumer-groups/{group}/offsets/{topic}/partitions/{partition}`.
async fn get(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    PlacePath(topic, partition): PlacePath,
) -> Result<HttpResponse> {
    let committed = offsets::committed(&cluster.caller.admin, &group).await?;
    let found = committed.iter().find(|it| it.topic.as_str() == topic && it.partition.get() == partition);
    let unknown = || Kind::NotFound.because("The group has committed no offset of this partition.");
    cluster.ok(&rendered(&cluster, &group, found.ok_or_else(unknown)?))
}

/// `POST C/consumer-groups/{group}/offsets:alter`: commits for a group without members, which may be a new one.
async fn alter(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    document: Document,
) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let data = fields.objects("data")?;
    fields.finish()?;
    let offsets = present("data", data)?.into_iter().map(new_offset).collect::<Result<Vec<_>>>()?;
    cluster.caller.may_all(Right::Read, offsets.iter().map(|offset| &offset.topic))?;
    let failed = offsets::alter(&cluster.caller.admin, &group, &offsets).await?;
    unless_failed(&cluster, failed, done())
}

/// `POST C/consumer-groups/{group}/offsets:delete`: of partitions that no member is subscribed to.
async fn delete(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    document: Document,
) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let scope = scope(&mut fields)?;
    fields.finish()?;
    if scope == Scope::Committed {
        return Err(Kind::BadRequest.because("Say which offsets: name topics or partitions."));
    }
    may_read(&cluster, &scope)?;
    let failed = offsets::delete(&cluster.caller.admin, &group, &scope).await?;
    unless_failed(&cluster, failed, done())
}

/// `POST C/consumer-groups/{group}/offsets:reset`: moves a group without members, or tells what that would do.
async fn reset(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    document: Document,
) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let (target, scope) = (target(&mut fields)?, scope(&mut fields)?);
    let dry_run = fields.boolean("dry_run")?.unwrap_or(false);
    fields.finish()?;
    let scope = within_rules(&cluster, &group, scope).await?;
    let reset = offset_reset::reset(&cluster.caller.admin, &group, target, &scope, dry_run).await?;
    if !reset.failed.is_empty() {
        return unless_failed(&cluster, reset.failed, done());
    }
    let list = move |cluster: &Cluster<CouldNotBeFound>| {
        let data = reset.moves.iter().map(|it| rendered_move(cluster, &group, it)).collect();
        let address = cluster.url(&["consumer-groups", &group, "offsets"]);
        Collection::new("KafkaConsumerGroupOffsetResetList", address, data)
    };
    cluster.list(list).await
}

/// Refuses what is about topics that the caller may not read.
fn may_read(cluster: &Cluster<CouldNotBeFound>, scope: &Scope) -> Result<()> {
    match scope {
        Scope::Committed => Ok(()),
        Scope::Topics(topics) => cluster.caller.may_all(Right::Read, topics),
        Scope::Partitions(partitions) => cluster.caller.may_all(Right::Read, partitions.iter().map(|(topic, _)| topic)),
    }
}

/// Returns what a request is about, with nothing in it that the caller may not read: where there are rules, everything
/// that is committed becomes what is committed now.
async fn within_rules(cluster: &Cluster<CouldNotBeFound>, group: &str, scope: Scope) -> Result<Scope> {
    if scope != Scope::Committed || cluster.caller.rules.are_off() {
        may_read(cluster, &scope)?;
        return Ok(scope);
    }
    let committed = offsets::committed(&cluster.caller.admin, group).await?;
    if committed.is_empty() {
        return Ok(scope);
    }
    let scope = Scope::Partitions(committed.into_iter().map(|offset| (offset.topic, offset.partition)).collect());
    may_read(cluster, &scope).map(|()| scope)
}

/// Reads an entry `{"topic_name", "partition_id", "offset", "commit_metadata"?}`.
fn new_offset(mut entry: Fields) -> Result<PartitionOffset> {
    let (topic, partition) = partition(&mut entry)?;
    let offset = present("offset", entry.integer("offset")?)?;
    let metadata = entry.text("commit_metadata")?.unwrap_or_default();
    entry.finish()?;
    if offset < 0 {
        return Err(Kind::BadRequest.because("offset is below 0: delete the offset instead."));
    }
    Ok(PartitionOffset { topic, partition, offset, metadata })
}

fn partition(entry: &mut Fields) -> Result<(TopicName, PartitionId)> {
    let topic = present("topic_name", entry.text("topic_name")?)?;
    let partition = present("partition_id", entry.small_integer("partition_id")?)?;
    Ok((TopicName::try_from(topic.as_str())?, PartitionId::try_from(partition)?))
}

/// Reads `topics` or `partitions`, of which one may be there.
fn scope(fields: &mut Fields) -> Result<Scope> {
    match (fields.texts("topics")?, fields.objects("partitions")?) {
        (None, None) => Ok(Scope::Committed),
        (Some(topics), None) => {
            let names = topics.iter().map(|topic| TopicName::try_from(topic.as_str()));
            Ok(Scope::Topics(names.collect::<Result<_>>()?))
        }
        (None, Some(entries)) => {
            let checked = |mut entry: Fields| {
                let partition = partition(&mut entry)?;
                entry.finish()?;
                Ok(partition)
            };
            Ok(Scope::Partitions(entries.into_iter().map(checked).collect::<Result<_>>()?))
        }
        (Some(_), Some(_)) => Err(Kind::BadRequest.because("Name either topics or partitions, not both.")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Earliest,
    Latest,
    Timestamp,
    Offset,
    ShiftBy,
}

const TARGETS: &[(&str, To)] = &[
    ("EARLIEST", To::Earliest),
    ("LATEST", To::Latest),
    ("TIMESTAMP", To::Timestamp),
    ("OFFSET", To::Offset),
    ("SHIFT_BY", To::ShiftBy),
];

/// Reads `to` and the value that goes with it; a value that does not is refused, as it would be lost.
fn target(fields: &mut Fields) -> Result<Target> {
    let to = exactly("to", &present("to", fields.text("to")?)?, TARGETS)?;
    let (timestamp, offset) = (fields.text("timestamp")?, fields.integer("offset")?);
    let shift_by = fields.integer("shift_by")?;
    let given = [("timestamp", To::Timestamp, timestamp.is_some()), ("offset", To::Offset, offset.is_some())];
    let given = given.into_iter().chain([("shift_by", To::ShiftBy, shift_by.is_some())]);
    if let Some((name, ..)) = given.into_iter().find(|(_, goes_with, there)| *there && *goes_with != to) {
        return Err(Kind::BadRequest.because(format!("The field {name} does not go with this value of the field to.")));
    }
    Ok(match to {
        To::Earliest => Target::Earliest,
        To::Latest => Target::Latest,
        To::Timestamp => Target::Timestamp(instant(&present("timestamp", timestamp)?)?),
        To::Offset => Target::Offset(present("offset", offset)?),
        To::ShiftBy => Target::ShiftBy(present("shift_by", shift_by)?),
    })
}

/// Reads milliseconds since 1970, or an instant.
fn instant(text: &str) -> Result<i64> {
    text.parse().or_else(|_| timestamp_ms(text))
}

#[derive(JsonSchema, Serialize)]
struct OffsetFields {
    cluster_id: String,
    consumer_group_id: String,
    topic_name: String,
    partition_id: i32,
    offset: i64,
    commit_metadata: String,
    partition: Related,
}

fn rendered(cluster: &Cluster<CouldNotBeFound>, group: &str, committed: &PartitionOffset) -> Resource<OffsetFields> {
    let fields = OffsetFields {
        cluster_id: cluster.id.clone(),
        consumer_group_id: group.to_owned(),
        topic_name: committed.topic.to_string(),
        partition_id: committed.partition.get(),
        offset: committed.offset,
        commit_metadata: committed.metadata.clone(),
        partition: cluster.related(&[
            "topics",
            committed.topic.as_str(),
            "partitions",
            &committed.partition.to_string(),
        ]),
    };
    at_offset(cluster, "KafkaConsumerGroupOffset", group, (&committed.topic, committed.partition), fields)
}

#[derive(JsonSchema, Serialize)]
struct MoveFields {
    cluster_id: String,
    consumer_group_id: String,
    topic_name: String,
    partition_id: i32,
    old_offset: Option<i64>,
    new_offset: i64,
}

fn rendered_move(cluster: &Cluster<CouldNotBeFound>, group: &str, it: &Move) -> Resource<MoveFields> {
    let fields = MoveFields {
        cluster_id: cluster.id.clone(),
        consumer_group_id: group.to_owned(),
        topic_name: it.topic.to_string(),
        partition_id: it.partition.get(),
        old_offset: it.old,
        new_offset: it.new,
    };
    at_offset(cluster, "KafkaConsumerGroupOffsetReset", group, (&it.topic, it.partition), fields)
}

/// Returns a resource with the address and name of a committed offset.
fn at_offset<T: Serialize>(
    cluster: &Cluster<CouldNotBeFound>,
    kind: &'static str,
    group: &str,
    partition: (&TopicName, PartitionId),
    fields: T,
) -> Resource<T> {
    let (topic, number) = (partition.0.as_str(), partition.1.to_string());
    cluster.resource(
        kind,
        &["consumer-groups", group, "offsets", topic, "partitions", &number],
        &[("consumer-group", group), ("offset", topic), ("partition", &number)],
        fields,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::required(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_target_has_its_value_and_no_other() {
        for (body, expected) in [
            (r#"{"to":"EARLIEST"}"#, Some(Target::Earliest)),
            (r#"{"to":"LATEST"}"#, Some(Target::Latest)),
            (r#"{"to":"TIMESTAMP","timestamp":1500}"#, Some(Target::Timestamp(1500))),
            (r#"{"to":"TIMESTAMP","timestamp":"1970-01-01T00:00:02Z"}"#, Some(Target::Timestamp(2000))),
            (r#"{"to":"OFFSET","offset":7}"#, Some(Target::Offset(7))),
            (r#"{"to":"SHIFT_BY","shift_by":-3}"#, Some(Target::ShiftBy(-3))),
            (r#"{}"#, None),
            (r#"{"to":"latest"}"#, None),
            (r#"{"to":"OFFSET"}"#, None),
            (r#"{"to":"OFFSET","offset":1,"shift_by":1}"#, None),
            (r#"{"to":"EARLIEST","offset":1}"#, None),
            (r#"{"to":"TIMESTAMP","timestamp":"yesterday"}"#, None),
        ] {
            let read = target(&mut fields(body));
            assert!(read.as_ref().err().is_none_or(|error| error.kind() == Kind::BadRequest), "{body}");
            assert_eq!(read.ok(), expected, "{body}");
        }
    }

    #[test]
    fn topics_or_partitions_are_named_or_none() {
        let topic = TopicName::try_from("t").unwrap();
        let partition = PartitionId::try_from(1).unwrap();
        assert_eq!(scope(&mut fields("{}")).unwrap(), Scope::Committed);
        assert_eq!(scope(&mut fields(r#"{"topics":["t"]}"#)).unwrap(), Scope::Topics(vec![topic.clone()]));
        let body = r#"{"partitions":[{"topic_name":"t","partition_id":1}]}"#;
        assert_eq!(scope(&mut fields(body)).unwrap(), Scope::Partitions(vec![(topic, partition)]));
        for bad in
            [r#"{"topics":[1]}"#, r#"{"topics":["t"],"partitions":[]}"#, r#"{"partitions":[{"topic_name":"t"}]}"#]
        {
            assert_eq!(scope(&mut fields(bad)).unwrap_err().kind(), Kind::BadRequest, "{bad}");
        }
    }

    #[test]
    fn an_offset_is_complete_and_not_below_zero() {
        let read = |body| new_offset(fields(body)).map_err(|error| error.kind());
        assert_eq!(read(r#"{"topic_name":"t","partition_id":0,"offset":5}"#).map(|it| it.offset), Ok(5));
        assert_eq!(read(r#"{"topic_name":"t","partition_id":0}"#), Err(Kind::BadRequest));
        assert_eq!(read(r#"{"topic_name":"t","partition_id":0,"offset":-1}"#), Err(Kind::BadRequest));
        assert_eq!(read(r#"{"topic_name":"t","partition_id":-1,"offset":1}"#), Err(Kind::PartitionNotFound));
        assert_eq!(read(r#"{"topic_name":"t","partition_id":0,"offset":1,"x":1}"#), Err(Kind::Unprocessable));
    }
}
