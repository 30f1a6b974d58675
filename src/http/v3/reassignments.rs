use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::reassignments;
use crate::error::{Kind, Result};
use crate::http::fields::Fields;
use crate::http::path::TopicPath;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, done};
use crate::http::v3::document::{Document, present};
use crate::http::v3::failures::unless_failed;
use crate::http::v3::paths::PartitionNumber;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{NewAssignment, Reassignment, Right, Subject, TopicName};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/topics/-/partitions/-/reassignment",
            vec![
                resource::get("api.v3.partition-reassignments.list", permit::DESCRIBE_TOPICS, list_all)
                    .doc(docs::many::<Move>("List the reassignments under way", "KafkaReassignmentList")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/-/partitions/-/reassignment:alter",
            vec![
                resource::post("api.v3.partition-reassignments.alter", permit::ALTER_TOPICS, alter_many).doc(
                    docs::changes("Begin and cancel reassignments", "AlterReassignments")
                        .gives_nothing(202)
                        .gives::<V3>(207, "Failures"),
                ),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/-/reassignment",
            vec![
                resource::get("api.v3.partition-reassignments.search-by-topic", permit::DESCRIBE_TOPIC, list)
                    .doc(docs::many::<Move>("List the reassignments of a topic under way", "KafkaReassignmentList")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/{partition}/reassignment",
            vec![
                resource::get("api.v3.partition-reassignments.get", permit::DESCRIBE_TOPIC, get)
                    .doc(docs::one::<Move>("Get the reassignment of a partition", "KafkaReassignment")),
                resource::put("api.v3.partition-reassignments.update", permit::ALTER_TOPIC, begin).doc(
                    docs::changes("Reassign a partition to other brokers", "Reassignment")
                        .gives_as::<V3, Resource<Move>>(202, "KafkaReassignment")
                        .gives_nothing(204),
                ),
                resource::delete("api.v3.partition-reassignments.delete", permit::ALTER_TOPIC, cancel)
                    .doc(docs::removes("Cancel the reassignment of a partition")),
            ],
        ));
}

#[derive(JsonSchema, Serialize)]
struct Move {
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    adding_replicas: Vec<i32>,
    removing_replicas: Vec<i32>,
    replicas: Related,
}

/// `GET C/topics/-/partitions/-/reassignment`: all moves under way, by topic and partition.
async fn list_all(cluster: Cluster<CannotBeFound>) -> Result<HttpResponse> {
    listed(&cluster, None).await
}

/// `GET C/topics/{topic}/partitions/-/reassignment`: those of one topic, which may not exist.
async fn list(cluster: Cluster<CannotBeFound>, topic: TopicPath) -> Result<HttpResponse> {
    listed(&cluster, Some(topic.0)).await
}

async fn listed(cluster: &Cluster<CannotBeFound>, topic: Option<TopicName>) -> Result<HttpResponse> {
    let view = cluster.caller.view(Right::Describe);
    let mut moves = cluster.caller.admin.list_reassignments(topic.as_ref()).await?;
    moves.retain(|found| view.shows(Subject::Topic(found.topic.as_str())));
    let topic = topic.as_ref().map_or("-", TopicName::as_str);
    let url = cluster.url(&["topics", topic, "partitions", "-", "reassignment"]);
    let data = moves.into_iter().map(|found| rendered(cluster, found)).collect();
    cluster.ok(&Collection::new("KafkaReassignmentList", url, data))
}

/// `GET C/topics/{topic}/partitions/{partition}/reassignment`: one that is under way.
async fn get(cluster: Cluster<CannotBeFound>, topic: TopicPath, partition: PartitionNumber) -> Result<HttpResponse> {
    let found = reassignments::find(&cluster.caller.admin, &topic.0, partition.0).await?;
    cluster.ok(&rendered(&cluster, found.ok_or(Kind::NotFound)?))
}

/// `PUT C/topics/{topic}/partitions/{partition}/reassignment`: begins a move to other brokers. An extension.
///
/// 202 with the move, or 204 where there is nothing to move.
async fn begin(
    cluster: Cluster<CannotBeFound>,
    TopicPath(topic): TopicPath,
    PartitionNumber(partition): PartitionNumber,
    document: Document,
) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let replicas = present("replicas", fields.small_integers("replicas")?)?;
    fields.finish()?;
    let wanted = NewAssignment { topic: topic.clone(), partition, replicas: Some(replicas) };
    reassignments::alter_one(&cluster.caller.admin, wanted).await?;
    match reassignments::find(&cluster.caller.admin, &topic, partition).await {
        Ok(Some(found)) => cluster.answer(StatusCode::ACCEPTED, &rendered(&cluster, found)),
        Ok(None) => Ok(done()),
        // It has begun all the same.
        Err(_) => Ok(HttpResponse::Accepted().finish()),
    }
}

/// `DELETE C/topics/{topic}/partitions/{partition}/reassignment`: ends a move and goes back. An extension.
async fn cancel(
    cluster: Cluster<CannotBeFound>,
    TopicPath(topic): TopicPath,
    PartitionNumber(partition): PartitionNumber,
) -> Result<HttpResponse> {
    let wanted = NewAssignment { topic, partition, replicas: None };
    reassignments::alter_one(&cluster.caller.admin, wanted).await?;
    Ok(done())
}

/// `POST C/topics/-/partitions/-/reassignment:alter`: begins and, where `replicas` is null, ends several. An extension.
async fn alter_many(cluster: Cluster<CannotBeFound>, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let entries = present("data", fields.objects("data")?)?;
    fields.finish()?;
    let wanted = entries.into_iter().map(assignment).collect::<Result<Vec<_>>>()?;
    cluster.caller.may_all(Right::Alter, wanted.iter().map(|one| &one.topic))?;
    let failed = reassignments::alter(&cluster.caller.admin, wanted).await?;
    unless_failed(&cluster, failed, HttpResponse::Accepted().finish())
}

fn assignment(mut fields: Fields) -> Result<NewAssignment> {
    let topic = present("topic_name", fields.text("topic_name")?)?;
    let partition = present("partition_id", fields.small_integer("partition_id")?)?;
    let replicas = fields.small_integers("replicas")?;
    fields.finish()?;
    Ok(NewAssignment { topic: TopicName::try_from(topic.as_str())?, partition, replicas })
}

/// In lists too the links lead here; the reference has a plural there, which is no path.
fn rendered(cluster: &Cluster<CannotBeFound>, found: Reassignment) -> Resource<Move> {
    let (topic, id) = (found.topic.as_str(), found.partition.to_string());
    let at = ["topics", topic, "partitions", &id];
    let fields = Move {
        cluster_id: cluster.id.clone(),
        topic_name: topic.to_owned(),
        partition_id: found.partition,
        adding_replicas: found.adding,
        removing_replicas: found.removing,
        replicas: cluster.related(&[&at[..], &["replicas"]].concat()),
    };
    let name = [
        ("kafka", Some(cluster.id.as_str())),
        ("topic", Some(topic)),
        ("partition", Some(&id)),
        ("reassignment", None),
    ];
    let url = cluster.url(&[&at[..], &["reassignment"]].concat());
    Resource::new("KafkaReassignment", url, fields).named(cluster.links.resource_name(&name))
}
