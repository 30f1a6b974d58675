use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::brokers;
use crate::error::Result;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster};
use crate::http::v3::docs;
use crate::http::v3::paths::BrokerPath;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::http::v3::replicas;
use crate::model::{self, Right, Subject};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/brokers",
            vec![
                resource::get("api.v3.brokers.list", permit::DESCRIBE_CLUSTER, list)
                    .doc(docs::many::<Fields>("List the brokers", "KafkaBrokerList")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/brokers/{broker}",
            vec![
                resource::get("api.v3.brokers.get", permit::DESCRIBE_CLUSTER, get)
                    .doc(docs::one::<Fields>("Get a broker", "KafkaBroker")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/brokers/{broker}/partition-replicas",
            vec![
                resource::get("api.v3.replicas.search-by-broker", permit::DESCRIBE_CLUSTER, partition_replicas)
                    .doc(docs::many::<replicas::Fields>("List the replicas on a broker", "KafkaReplicaList")),
            ],
        ));
}

#[derive(JsonSchema, Serialize)]
struct Fields {
    cluster_id: String,
    broker_id: i32,
    host: Option<String>,
    port: Option<i32>,
    rack: Option<String>,
    configs: Related,
    partition_replicas: Related,
}

/// `GET C/brokers`: in the order in which the cluster tells them.
async fn list(cluster: Cluster<CannotBeFound>) -> Result<HttpResponse> {
    let described = cluster.caller.admin.describe_cluster(false).await?;
    let brokers = described.brokers.into_iter().map(|broker| rendered(&cluster, broker)).collect();
    cluster.ok(&Collection::new("KafkaBrokerList", cluster.url(&["brokers"]), brokers))
}

/// `GET C/brokers/{broker}`: one of them.
async fn get(cluster: Cluster<CannotBeFound>, broker: BrokerPath) -> Result<HttpResponse> {
    let broker = brokers::get(&cluster.caller.admin, broker.0).await?;
    cluster.ok(&rendered(&cluster, broker))
}

/// `GET C/brokers/{broker}/partition-replicas`: what it has copies of, by topic and partition.
async fn partition_replicas(cluster: Cluster<CannotBeFound>, broker: BrokerPath) -> Result<HttpResponse> {
    let view = cluster.caller.view(Right::Describe);
    let mut found = brokers::replicas(&cluster.caller.admin, broker.0).await?;
    found.retain(|(topic, ..)| view.shows(Subject::Topic(topic.as_str())));
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let url = cluster.url(&["brokers", &broker.0.to_string(), "partition-replicas"]);
        let rendered = |(topic, partition, replica)| replicas::rendered(cluster, &topic, partition, replica);
        Collection::new("KafkaReplicaList", url, found.into_iter().map(rendered).collect())
    };
    cluster.list(list).await
}

fn rendered(cluster: &Cluster<CannotBeFound>, broker: model::Broker) -> Resource<Fields> {
    let id = broker.id.to_string();
    let fields = Fields {
        cluster_id: cluster.id.clone(),
        broker_id: broker.id,
        host: Some(broker.host).filter(|host| !host.is_empty()),
        port: Some(broker.port).filter(|port| *port >= 0),
        rack: broker.rack,
        configs: cluster.related(&["brokers", &id, "configs"]),
        partition_replicas: cluster.related(&["brokers", &id, "partition-replicas"]),
    };
    cluster.resource("KafkaBroker", &["brokers", &id], &[("broker", &id)], fields)
}
