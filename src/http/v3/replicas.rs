use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::partitions;
use crate::error::{Kind, Result};
use crate::http::path::TopicPath;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{Cluster, NotFound};
use crate::http::v3::docs;
use crate::http::v3::paths::{BrokerPath, PartitionNumber};
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::model::{PartitionDescription, Replica, TopicName};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/{partition}/replicas",
            vec![
                resource::get("api.v3.replicas.list", permit::DESCRIBE_TOPIC, list)
                    .doc(docs::many::<Fields>("List the replicas of a partition", "KafkaReplicaList")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/{partition}/replicas/{broker}",
            vec![
                resource::get("api.v3.replicas.get", permit::DESCRIBE_TOPIC, get)
                    .doc(docs::one::<Fields>("Get a replica", "KafkaReplica")),
            ],
        ));
}

/// The fields of a replica.
#[derive(JsonSchema, Serialize)]
pub struct Fields {
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    broker_id: i32,
    is_leader: bool,
    is_in_sync: bool,
    broker: Related,
}

/// `GET C/topics/{topic}/partitions/{partition}/replicas`: the preferred leader first.
async fn list(
    cluster: Cluster<NotFound>,
    topic: TopicPath,
    PartitionNumber(partition): PartitionNumber,
) -> Result<HttpResponse> {
    let found = found(&cluster, &topic.0, partition).await?;
    let url = cluster.url(&["topics", topic.0.as_str(), "partitions", &partition.to_string(), "replicas"]);
    let rendered = |replica| rendered(&cluster, &topic.0, partition, replica);
    cluster.ok(&Collection::new("KafkaReplicaList", url, found.copies().map(rendered).collect()))
}

/// `GET C/topics/{topic}/partitions/{partition}/replicas/{broker}`: one of them.
async fn get(
    cluster: Cluster<NotFound>,
    topic: TopicPath,
    PartitionNumber(partition): PartitionNumber,
    BrokerPath(broker): BrokerPath,
) -> Result<HttpResponse> {
    let found = found(&cluster, &topic.0, partition).await?;
    let replica = found.copies().find(|replica| replica.broker == broker).ok_or(Kind::NotFound)?;
    cluster.ok(&rendered(&cluster, &topic.0, partition, replica))
}

async fn found(cluster: &Cluster<NotFound>, topic: &TopicName, partition: i32) -> Result<PartitionDescription> {
    let found = partitions::find(&cluster.caller.admin, topic, partition).await?;
    found.ok_or_else(|| {
        let cluster = &cluster.id;
        Kind::NotFound
            .because(format!("Partition {partition} of topic {topic} could not be found on cluster {cluster}."))
    })
}

/// Returns a replica as it is answered.
pub fn rendered<M>(cluster: &Cluster<M>, topic: &TopicName, partition: i32, replica: Replica) -> Resource<Fields> {
    let fields = Fields {
        cluster_id: cluster.id.clone(),
        topic_name: topic.to_string(),
        partition_id: partition,
        broker_id: replica.broker,
        is_leader: replica.leader,
        is_in_sync: replica.in_sync,
        broker: cluster.related(&["brokers", &replica.broker.to_string()]),
    };
    let (topic, partition, broker) = (topic.as_str(), partition.to_string(), replica.broker.to_string());
    cluster.resource(
        "KafkaReplica",
        &["topics", topic, "partitions", &partition, "replicas", &broker],
        &[("topic", topic), ("partition", &partition), ("replica", &broker)],
        fields,
    )
}
