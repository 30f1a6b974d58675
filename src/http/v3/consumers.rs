use actix_web::{HttpRequest, HttpResponse};
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::groups;
use crate::error::{Kind, Result};
use crate::http::permit;
use crate::http::resource::{Routes, get as on_get, resource};
use crate::http::v3::cluster::{Cluster, CouldNotBeFound};
use crate::http::v3::docs;
use crate::http::v3::parameters::{number, segment};
use crate::http::v3::paths::GroupPath;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::model::{GroupMember, Right, Subject, TopicName};

/// Registers the endpoints of members of groups and of what they are assigned.
pub fn routes(routes: &mut Routes) {
    let below = |path: &str| format!("/clusters/{{cluster}}/consumer-groups/{{group}}/consumers{path}");
    routes
        .service(resource(
            &below(""),
            vec![
                on_get("api.v3.consumers.list", permit::DESCRIBE_GROUP, list)
                    .doc(docs::many::<ConsumerFields>("List the members of a consumer group", "KafkaConsumerList")),
            ],
        ))
        .service(resource(
            &below("/{consumer}"),
            vec![
                on_get("api.v3.consumers.get", permit::DESCRIBE_GROUP, get)
                    .doc(docs::one::<ConsumerFields>("Get a member of a consumer group", "KafkaConsumer")),
            ],
        ))
        .service(resource(
            &below("/{consumer}/assignments"),
            vec![
                on_get("api.v3.consumer-assignments.list", permit::DESCRIBE_GROUP, list_assignments).doc(docs::many::<
                    AssignmentFields,
                >(
                    "List the partitions of a member",
                    "KafkaConsumerAssignmentList",
                )),
            ],
        ))
        .service(resource(
            &below("/{consumer}/assignments/{topic}/partitions/{partition}"),
            vec![
                on_get("api.v3.consumer-assignments.get", permit::DESCRIBE_GROUP_AND_TOPIC, get_assignment)
                    .doc(docs::one::<AssignmentFields>("Get a partition of a member", "KafkaConsumerAssignment")),
            ],
        ));
}

/// `GET C/consumer-groups/{group}/consumers`: sorted by id.
async fn list(cluster: Cluster<CouldNotBeFound>, GroupPath(group): GroupPath) -> Result<HttpResponse> {
    let mut members = members(&cluster, &group).await?;
    members.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let list = move |cluster: &Cluster<CouldNotBeFound>| {
        let data = members.iter().map(|member| rendered(cluster, &group, member)).collect();
        Collection::new("KafkaConsumerList", cluster.url(&["consumer-groups", &group, "consumers"]), data)
    };
    cluster.list(list).await
}

/// `GET C/consumer-groups/{group}/consumers/{consumer}`.
async fn get(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let member = member(&cluster, &group, &request).await?;
    cluster.ok(&rendered(&cluster, &group, &member))
}

/// `GET ../consumers/{consumer}/assignments`: the partitions that it has, sorted.
async fn list_assignments(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let member = member(&cluster, &group, &request).await?;
    let view = cluster.caller.view(Right::Describe);
    let list = move |cluster: &Cluster<CouldNotBeFound>| {
        let assigned = member.assignment.iter().filter(|(topic, _)| view.shows(Subject::Topic(topic.as_str())));
        let rendered = assigned.map(|(topic, number)| rendered_assignment(cluster, &group, &member, topic, *number));
        let address = cluster.url(&["consumer-groups", &group, "consumers", &member.id, "assignments"]);
        Collection::new("KafkaConsumerAssignmentList", address, rendered.collect())
    };
    cluster.list(list).await
}

/// `GET ../consumers/{consumer}/assignments/{topic}/partitions/{partition}`.
async fn get_assignment(
    cluster: Cluster<CouldNotBeFound>,
    GroupPath(group): GroupPath,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (topic, partition) = (segment(&request, "topic")?, number(&request, "partition")?);
    let member = member(&cluster, &group, &request).await?;
    let is_meant = |(assigned, number): &&(TopicName, i32)| assigned.as_str() == topic && *number == partition;
    let Some((topic, partition)) = member.assignment.iter().find(is_meant) else {
        return Err(Kind::NotFound
            .because(format!("Partition {partition} of topic {topic} is not assigned to consumer {}.", member.id)));
    };
    cluster.ok(&rendered_assignment(&cluster, &group, &member, topic, *partition))
}

async fn members(cluster: &Cluster<CouldNotBeFound>, group: &str) -> Result<Vec<GroupMember>> {
    let found = groups::find(&cluster.caller.admin, group).await?;
    let unknown = || Kind::NotFound.because(format!("Consumer Group {group} does not exist."));
    Ok(found.ok_or_else(unknown)?.members)
}

/// Returns the member that the path names.
async fn member(cluster: &Cluster<CouldNotBeFound>, group: &str, request: &HttpRequest) -> Result<GroupMember> {
    let id = segment(request, "consumer")?;
    let member = members(cluster, group).await?.into_iter().find(|member| member.id == id);
    member.ok_or_else(|| Kind::NotFound.because(format!("Consumer {id} of group {group} could not be found.")))
}

#[derive(JsonSchema, Serialize)]
struct ConsumerFields {
    cluster_id: String,
    consumer_group_id: String,
    consumer_id: String,
    instance_id: Option<String>,
    client_id: String,
    assignments: Related,
}

fn rendered(cluster: &Cluster<CouldNotBeFound>, group: &str, member: &GroupMember) -> Resource<ConsumerFields> {
    let fields = ConsumerFields {
        cluster_id: cluster.id.clone(),
        consumer_group_id: group.to_owned(),
        consumer_id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        assignments: cluster.related(&["consumer-groups", group, "consumers", &member.id, "assignments"]),
    };
    cluster.resource(
        "KafkaConsumer",
        &["consumer-groups", group, "consumers", &member.id],
        &[("consumer-group", group), ("consumer", &member.id)],
        fields,
    )
}

#[derive(JsonSchema, Serialize)]
struct AssignmentFields {
    cluster_id: String,
    consumer_group_id: String,
    consumer_id: String,
    topic_name: String,
    partition_id: i32,
    partition: Related,
    lag: Related,
}

fn rendered_assignment(
    cluster: &Cluster<CouldNotBeFound>,
    group: &str,
    member: &GroupMember,
    topic: &TopicName,
    partition: i32,
) -> Resource<AssignmentFields> {
    let (topic, number) = (topic.as_str(), partition.to_string());
    let fields = AssignmentFields {
        cluster_id: cluster.id.clone(),
        consumer_group_id: group.to_owned(),
        consumer_id: member.id.clone(),
        topic_name: topic.to_owned(),
        partition_id: partition,
        partition: cluster.related(&["topics", topic, "partitions", &number]),
        lag: cluster.related(&["consumer-groups", group, "lags", topic, "partitions", &number]),
    };
    cluster.resource(
        "KafkaConsumerAssignment",
        &["consumer-groups", group, "consumers", &member.id, "assignments", topic, "partitions", &number],
        &[("consumer-group", group), ("consumer", &member.id), ("assignment", topic), ("partition", &number)],
        fields,
    )
}
