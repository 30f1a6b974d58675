use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Result;
use crate::http::answer::Answer;
use crate::http::caller::Caller;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{Cluster, NotFound};
use crate::http::v3::links::Links;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::http::v3::{V3, docs};
use crate::model;

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters",
            vec![
                resource::get("api.v3.clusters.list", permit::ANYBODY, list)
                    .doc(docs::many::<Fields>("List the cluster", "KafkaClusterList")),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}",
            vec![
                resource::get("api.v3.clusters.get", permit::ANYBODY, get)
                    .doc(docs::one::<Fields>("Get the cluster", "KafkaCluster")),
            ],
        ));
}

#[derive(JsonSchema, Serialize)]
struct Fields {
    cluster_id: String,
    controller: Option<Related>,
    acls: Related,
    brokers: Related,
    broker_configs: Related,
    consumer_groups: Related,
    topics: Related,
    partition_reassignments: Related,
}

/// `GET /v3/clusters`: the one cluster of this proxy.
async fn list(answer: Answer<V3>, links: Links, caller: Caller) -> Result<HttpResponse> {
    let cluster = caller.admin.describe_cluster(false).await?;
    answer.json(&Collection::new("KafkaClusterList", links.url(&["clusters"]), vec![rendered(&links, cluster)]))
}

/// `GET C`: the same by its id.
async fn get(cluster: Cluster<NotFound>) -> Result<HttpResponse> {
    let described = cluster.caller.admin.describe_cluster(false).await?;
    cluster.ok(&rendered(&cluster.links, described))
}

fn rendered(links: &Links, cluster: model::Cluster) -> Resource<Fields> {
    let related = |segments: &[&str]| Related::to(links, &[&["clusters", cluster.id.as_str()], segments].concat());
    let fields = Fields {
        controller: cluster.controller.map(|id| related(&["brokers", &id.to_string()])),
        acls: related(&["acls"]),
        brokers: related(&["brokers"]),
        broker_configs: related(&["broker-configs"]),
        consumer_groups: related(&["consumer-groups"]),
        topics: related(&["topics"]),
        partition_reassignments: related(&["topics", "-", "partitions", "-", "reassignment"]),
        cluster_id: cluster.id.clone(),
    };
    let name = links.resource_name(&[("kafka", Some(&cluster.id))]);
    Resource::new("KafkaCluster", links.url(&["clusters", &cluster.id]), fields).named(name)
}
