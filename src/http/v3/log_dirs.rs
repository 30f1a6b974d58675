//! Where brokers keep partitions, and how much room those take: an extension.

use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::log_dirs::{self, PlacedReplica};
use crate::error::Result;
use crate::http::path::TopicPath;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster};
use crate::http::v3::docs;
use crate::http::v3::paths::BrokerPath;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::model::{LogDir, LogDirReplica, Right, Subject};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/brokers/{broker}/log-dirs",
            vec![
                resource::get("api.v3.log-dirs.search-by-broker", permit::DESCRIBE_CLUSTER, of_broker)
                    .doc(docs::many::<Folder>("List the log directories of a broker", "KafkaLogDirList")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/partitions/-/log-dirs",
            vec![resource::get("api.v3.log-dirs.search-by-topic", permit::DESCRIBE_TOPIC, of_topic).doc(docs::many::<
                Placed,
            >(
                "List where the replicas of a topic are, with their sizes",
                "KafkaReplicaLogDirList",
            ))],
        ));
}

#[derive(JsonSchema, Serialize)]
struct Folder {
    cluster_id: String,
    broker_id: i32,
    path: String,
    total_bytes: Option<i64>,
    usable_bytes: Option<i64>,
    replicas: Vec<ReplicaFields>,
    /// Why the replicas are not known.
    error_code: Option<u32>,
    message: Option<String>,
}

#[derive(JsonSchema, Serialize)]
struct ReplicaFields {
    topic_name: String,
    partition_id: i32,
    size_bytes: i64,
    offset_lag: i64,
    is_future: bool,
}

/// `GET C/brokers/{broker}/log-dirs`: its folders, with what is in each by topic and partition.
async fn of_broker(cluster: Cluster<CannotBeFound>, BrokerPath(broker): BrokerPath) -> Result<HttpResponse> {
    let view = cluster.caller.view(Right::Describe);
    let mut folders = log_dirs::of_broker(&cluster.caller.admin, broker).await?;
    for replicas in folders.iter_mut().filter_map(|folder| folder.replicas.as_mut().ok()) {
        replicas.retain(|replica| view.shows(Subject::Topic(replica.topic.as_str())));
    }
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let id = broker.to_string();
        let at = ["brokers", id.as_str(), "log-dirs"];
        let data = folders.into_iter().map(|found| {
            let path = found.path.clone();
            // There is no path of one folder; it is found in the list.
            let name = [("broker", id.as_str()), ("log-dir", path.as_str())];
            cluster.resource("KafkaLogDir", &at, &name, folder(cluster, broker, found))
        });
        Collection::new("KafkaLogDirList", cluster.url(&at), data.collect())
    };
    cluster.list(list).await
}

fn folder(cluster: &Cluster<CannotBeFound>, broker: i32, folder: LogDir) -> Folder {
    let (replicas, error) = match folder.replicas {
        Ok(replicas) => (replicas, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    Folder {
        cluster_id: cluster.id.clone(),
        broker_id: broker,
        path: folder.path,
        total_bytes: folder.total_bytes,
        usable_bytes: folder.usable_bytes,
        replicas: replicas.into_iter().map(ReplicaFields::from).collect(),
        error_code: error.as_ref().map(|error| error.kind().code()),
        message: error.map(|error| error.message().to_owned()),
    }
}

impl From<LogDirReplica> for ReplicaFields {
    fn from(replica: LogDirReplica) -> ReplicaFields {
        ReplicaFields {
            topic_name: replica.topic.to_string(),
            partition_id: replica.partition,
            size_bytes: replica.size_bytes,
            offset_lag: replica.offset_lag,
            is_future: replica.is_future,
        }
    }
}

#[derive(JsonSchema, Serialize)]
struct Placed {
    cluster_id: String,
    broker_id: i32,
    path: String,
    #[serde(flatten)]
    copy: ReplicaFields,
    broker: Related,
}

/// `GET C/topics/{topic}/partitions/-/log-dirs`: every copy of its partitions, by partition and broker.
async fn of_topic(cluster: Cluster<CannotBeFound>, topic: TopicPath) -> Result<HttpResponse> {
    let placed = log_dirs::of_topic(&cluster.caller.admin, &topic.0).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let url = cluster.url(&["topics", topic.0.as_str(), "partitions", "-", "log-dirs"]);
        let data = placed.into_iter().map(|placed| rendered(cluster, placed)).collect();
        Collection::new("KafkaReplicaLogDirList", url, data)
    };
    cluster.list(list).await
}

fn rendered(cluster: &Cluster<CannotBeFound>, placed: PlacedReplica) -> Resource<Placed> {
    let (topic, partition) = (placed.replica.topic.clone(), placed.replica.partition.to_string());
    let broker = placed.broker.to_string();
    let path = placed.path.clone();
    let fields = Placed {
        cluster_id: cluster.id.clone(),
        broker_id: placed.broker,
        path: placed.path,
        copy: ReplicaFields::from(placed.replica),
        broker: cluster.related(&["brokers", &broker]),
    };
    cluster.resource(
        "KafkaReplicaLogDir",
        &["topics", topic.as_str(), "partitions", &partition, "replicas", &broker],
        &[("topic", topic.as_str()), ("partition", &partition), ("replica", &broker), ("log-dir", &path)],
        fields,
    )
}
