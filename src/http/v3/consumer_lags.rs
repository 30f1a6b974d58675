use std::cmp::Reverse;

use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::lags::{self, Lag, Owner};
use crate::error::{Kind, Result};
use crate::http::permit;
use crate::http::resource::{Routes, get as on_get, resource};
use crate::http::v3::cluster::{Cluster, CouldNotBeFound};
use crate::http::v3::docs;
use crate::http::v3::paths::{GroupPath, PlacePath};
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::model::{Right, Subject};

/// Registers the endpoints of lags.
pub fn routes(routes: &mut Routes) {
    let below = |path: &str| format!("/clusters/{{cluster}}/consumer-groups/{{group}}{path}");
    routes
        .service(resource(
            &below("/lags"),
            vec![
                on_get("api.v3.consumer-lags.list", permit::DESCRIBE_GROUP, list)
                    .doc(docs::many::<LagFields>("List the lags of a consumer group", "KafkaConsumerLagList")),
            ],
        ))
        .service(resource(
            &below("/lags/{topic}/partitions/{partition}"),
            vec![
                on_get("api.v3.consumer-lags.get", permit::DESCRIBE_GROUP_AND_TOPIC, get)
                    .doc(docs::one::<LagFields>("Get the lag of a consumer group in a partition", "KafkaConsumerLag")),
            ],
        ))
        .service(resource(
            &below("/lag-summary"),
            vec![on_get("api.v3.consumer-group-lag-summary.get", permit::DESCRIBE_GROUP, summary).doc(docs::one::<
                SummaryFields,
            >(
                "Get the largest lag of a consumer group and the sum of all",
                "KafkaConsumerGroupLagSummary",
            ))],
        ));
}

/// `GET C/consumer-groups/{group}/lags`: the largest first, then by topic and partition.
async fn list(cluster: Cluster<CouldNotBeFound>, GroupPath(group): GroupPath) -> Result<HttpResponse> {
    let mut lags = visible(&cluster, &group).await?;
    let list = move |cluster: &Cluster<CouldNotBeFound>| {
        lags.sort_by_key(|lag| Reverse(lag.lag()));
        let data = lags.iter().map(|lag| rendered(cluster, &group, lag)).collect();
        Collection::new("KafkaConsumerLagList", cluster.url(&["consumer-groups", &group, "lags"]), data)
    };
    cluster.list(list).await
}

/// `GET C/consumer-groups/{group}/lags/{topic}/partitions/{partition}`.
async fn get(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    PlacePath(topic, partition): PlacePath,
) -> Result<HttpResponse> {
    let lags = lags::of_group(&cluster.caller.admin, &group).await?;
    let found = lags.iter().find(|lag| lag.topic.as_str() == topic && lag.partition.get() == partition);
    let unknown = || Kind::NotFound.because("Consumer lag not found: the group has no offset of this partition.");
    cluster.ok(&rendered(&cluster, &group, found.ok_or_else(unknown)?))
}

/// `GET C/consumer-groups/{group}/lag-summary`: the largest lag and the sum of all.
async fn summary(cluster: Cluster<CouldNotBeFound>, GroupPath(group): GroupPath) -> Result<HttpResponse> {
    let lags = visible(&cluster, &group).await?;
    let summary = lags::summary(&lags).ok_or_else(|| Kind::NotFound.because("Consumer lags not found."))?;
    cluster.ok(&rendered_summary(&cluster, &group, &summary))
}

/// Returns the lags of a group in the topics that the caller sees.
async fn visible(cluster: &Cluster<CouldNotBeFound>, group: &str) -> Result<Vec<Lag>> {
    let view = cluster.caller.view(Right::Describe);
    let mut lags = lags::of_group(&cluster.caller.admin, group).await?;
    lags.retain(|lag| view.shows(Subject::Topic(lag.topic.as_str())));
    Ok(lags)
}

#[derive(JsonSchema, Serialize)]
struct LagFields {
    cluster_id: String,
    consumer_group_id: String,
    topic_name: String,
    partition_id: i32,
    consumer_id: String,
    instance_id: Option<String>,
    client_id: String,
    current_offset: i64,
    log_end_offset: i64,
    lag: i64,
}

fn rendered(cluster: &Cluster<CouldNotBeFound>, group: &str, lag: &Lag) -> Resource<LagFields> {
    let (topic, number, owner) = (lag.topic.as_str(), lag.partition.to_string(), owner(lag));
    let fields = LagFields {
        cluster_id: cluster.id.clone(),
        consumer_group_id: group.to_owned(),
        topic_name: topic.to_owned(),
        partition_id: lag.partition.get(),
        consumer_id: owner.id,
        instance_id: owner.instance_id,
        client_id: owner.client_id,
        current_offset: lag.committed,
        log_end_offset: lag.end,
        lag: lag.lag(),
    };
    cluster.resource(
        "KafkaConsumerLag",
        &["consumer-groups", group, "lags", topic, "partitions", &number],
        &[("consumer-group", group), ("lag", topic), ("partition", &number)],
        fields,
    )
}

/// Returns the member that has the partition; empty texts where none does.
fn owner(lag: &Lag) -> Owner {
    let nobody = Owner { id: String::new(), instance_id: None, client_id: String::new() };
    lag.member.clone().unwrap_or(nobody)
}

#[derive(JsonSchema, Serialize)]
struct SummaryFields {
    cluster_id: String,
    consumer_group_id: String,
    max_lag_consumer_id: String,
    max_lag_consumer: Related,
    max_lag_instance_id: Option<String>,
    max_lag_client_id: String,
    max_lag_topic_name: String,
    max_lag_partition_id: i32,
    max_lag_partition: Related,
    max_lag: i64,
    total_lag: i64,
}

fn rendered_summary(
    cluster: &Cluster<CouldNotBeFound>,
    group: &str,
    summary: &lags::Summary<'_>,
) -> Resource<SummaryFields> {
    let (largest, owner) = (summary.largest, owner(summary.largest));
    let (topic, number) = (largest.topic.as_str(), largest.partition.to_string());
    let fields = SummaryFields {
        cluster_id: cluster.id.clone(),
        consumer_group_id: group.to_owned(),
        max_lag_consumer: cluster.related(&["consumer-groups", group, "consumers", &owner.id]),
        max_lag_consumer_id: owner.id,
        max_lag_instance_id: owner.instance_id,
        max_lag_client_id: owner.client_id,
        max_lag_topic_name: topic.to_owned(),
        max_lag_partition_id: largest.partition.get(),
        max_lag_partition: cluster.related(&["topics", topic, "partitions", &number]),
        max_lag: largest.lag(),
        total_lag: summary.total,
    };
    let name = [("kafka", Some(cluster.id.as_str())), ("consumer-group", Some(group)), ("lag-summary", None)];
    let address = cluster.url(&["consumer-groups", group, "lag-summary"]);
    Resource::new("KafkaConsumerGroupLagSummary", address, fields).named(cluster.links.resource_name(&name))
}
