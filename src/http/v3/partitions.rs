use actix_web::HttpResponse;
use actix_web::web::Query;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::admin::{partitions, topics};
use crate::error::{Kind, Result};
use crate::http::path::TopicPath;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, NotFound};
use crate::http::v3::document::{Document, present};
use crate::http::v3::paths::PartitionNumber;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{PartitionDescription, TopicName};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions",
            vec![
                resource::get("api.v3.partitions.list", permit::DESCRIBE_TOPIC, list)
                    .doc(docs::many::<Fields>("List the partitions of a topic", "KafkaPartitionList")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/{partition}",
            vec![
                resource::get("api.v3.partitions.get", permit::DESCRIBE_TOPIC, get)
                    .doc(docs::one::<Fields>("Get a partition", "KafkaPartition")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/{partition}/offset",
            vec![resource::get("api.v3.partitions.list.offsets", permit::DESCRIBE_TOPIC, offset).doc(docs::one::<
                Offsets,
            >(
                "Get the first offset and the high watermark of a partition",
                "KafkaPartitionWithOffsets",
            ))],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/{partition}/records:delete",
            vec![
                resource::post("api.v3.partitions.delete-records", permit::DELETE_TOPIC, delete_records).doc(
                    docs::changes("Delete the records of a partition before an offset", "DeleteRecords")
                        .gives_as::<V3, Resource<DeletedRecords>>(200, "KafkaDeletedRecords"),
                ),
            ],
        ));
}

#[derive(JsonSchema, Serialize)]
struct Fields {
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    leader: Option<Related>,
    replicas: Related,
    reassignment: Related,
}

/// `GET C/topics/{topic}/partitions`: in the order of their numbers.
async fn list(cluster: Cluster<CannotBeFound>, topic: TopicPath) -> Result<HttpResponse> {
    let described = topics::describe(&cluster.caller.admin, &topic.0, false).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let data = described.partitions.iter().map(|partition| rendered(cluster, &topic.0, partition)).collect();
        Collection::new("KafkaPartitionList", cluster.url(&["topics", topic.0.as_str(), "partitions"]), data)
    };
    cluster.list(list).await
}

/// `GET C/topics/{topic}/partitions/{partition}`: one of them.
async fn get(cluster: Cluster<NotFound>, topic: TopicPath, partition: PartitionNumber) -> Result<HttpResponse> {
    let found = partitions::find(&cluster.caller.admin, &topic.0, partition.0).await?.ok_or(Kind::NotFound)?;
    cluster.ok(&rendered(&cluster, &topic.0, &found))
}

fn rendered<M>(cluster: &Cluster<M>, topic: &TopicName, partition: &PartitionDescription) -> Resource<Fields> {
    let (topic, id) = (topic.as_str(), partition.id.to_string());
    let at = ["topics", topic, "partitions", &id];
    let related = |below: &[&str]| cluster.related(&[&at, below].concat());
    let fields = Fields {
        cluster_id: cluster.id.clone(),
        topic_name: topic.to_owned(),
        partition_id: partition.id,
        leader: partition.leader.map(|leader| related(&["replicas", &leader.to_string()])),
        replicas: related(&["replicas"]),
        reassignment: related(&["reassignment"]),
    };
    cluster.resource("KafkaPartition", &at, &[("topic", topic), ("partition", &id)], fields)
}

/// What a request for offsets may say.
#[derive(Deserialize)]
struct OffsetQuery {
    offset_type: Option<String>,
}

/// The only one there is.
const OFFSET_TYPE: &str = "earliest_and_latest";

#[derive(JsonSchema, Serialize)]
struct Offsets {
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    earliest_offset: i64,
    latest_offset: i64,
}

/// `GET C/topics/{topic}/partitions/{partition}/offset`: the first offset and the high watermark, as they are now.
async fn offset(
    cluster: Cluster<NotFound>,
    topic: TopicPath,
    partition: PartitionNumber,
    query: Query<OffsetQuery>,
) -> Result<HttpResponse> {
    if let Some(other) = query.offset_type.as_deref().filter(|wanted| *wanted != OFFSET_TYPE) {
        return Err(Kind::BadRequest.because(format!("Bad Request: offset_type:{other} is invalid")));
    }
    let offsets = partitions::watermarks(&cluster.caller.admin, &topic.0, partition.0).await?;
    let fields = Offsets {
        cluster_id: cluster.id.clone(),
        topic_name: topic.0.to_string(),
        partition_id: partition.0,
        earliest_offset: offsets.beginning,
        latest_offset: offsets.end,
    };
    let (topic, id) = (topic.0.as_str(), partition.0.to_string());
    let name = [("topic", topic), ("partition", &id), ("offset_type", OFFSET_TYPE)];
    cluster.ok(&cluster.resource(
        "KafkaPartitionWithOffsets",
        &["topics", topic, "partitions", &id, "offset"],
        &name,
        fields,
    ))
}

#[derive(JsonSchema, Serialize)]
struct DeletedRecords {
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    low_watermark: i64,
    offset: Related,
}

/// `POST C/topics/{topic}/partitions/{partition}/records:delete`: deletes the records before an offset, or all.
///
/// An extension.
async fn delete_records(
    cluster: Cluster<CannotBeFound>,
    topic: TopicPath,
    partition: PartitionNumber,
    document: Document,
) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let before = present("before_offset", fields.integer("before_offset")?)?;
    fields.finish()?;
    let before = match before {
        ALL_RECORDS => None,
        0.. => Some(before),
        _ => return Err(Kind::BadRequest.because("before_offset is neither an offset nor -1, which is all records.")),
    };
    let low_watermark = partitions::delete_records(&cluster.caller.admin, &topic.0, partition.0, before).await?;
    let (topic, id) = (topic.0.as_str(), partition.0.to_string());
    let at = ["topics", topic, "partitions", &id];
    let fields = DeletedRecords {
        cluster_id: cluster.id.clone(),
        topic_name: topic.to_owned(),
        partition_id: partition.0,
        low_watermark,
        offset: cluster.related(&["topics", topic, "partitions", &id, "offset"]),
    };
    cluster.ok(&cluster.resource("KafkaDeletedRecords", &at, &[("topic", topic), ("partition", &id)], fields))
}

/// The offset that stands for the end of the partition.
const ALL_RECORDS: i64 = -1;
