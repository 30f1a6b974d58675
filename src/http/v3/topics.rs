use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::LOCATION;
use actix_web::web::Query;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::admin::topics;
use crate::error::{Kind, Result};
use crate::http::doc::Parameter;
use crate::http::fields::Fields;
use crate::http::path::TopicPath;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, done};
use crate::http::v3::document::{Document, present};
use crate::http::v3::parameters::flag;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{AclOperation, CreatedTopic, NewTopic, Right, Subject, TopicDescription, TopicName};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/topics",
            vec![
                resource::get("api.v3.topics.list", permit::DESCRIBE_TOPICS, list)
                    .doc(docs::many::<Topic>("List the topics", "KafkaTopicList").query(OPERATIONS)),
                resource::post("api.v3.topics.create", permit::CREATE_TOPICS, create).doc(
                    docs::changes("Create a topic", "NewTopic")
                        .gives_as::<V3, Resource<Topic>>(201, "KafkaTopic")
                        .gives_as::<V3, Resource<Topic>>(200, "KafkaTopic"),
                ),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}",
            vec![
                resource::get("api.v3.topics.get", permit::DESCRIBE_TOPIC, get)
                    .doc(docs::one::<Topic>("Get a topic", "KafkaTopic").query(OPERATIONS)),
                resource::patch("api.v3.topics.partitions", permit::ALTER_TOPIC, grow).doc(
                    docs::changes("Add partitions to a topic", "PartitionsCount")
                        .gives_as::<V3, Resource<Topic>>(200, "KafkaTopic"),
                ),
                resource::delete("api.v3.topics.delete", permit::DELETE_TOPIC, delete)
                    .doc(docs::removes("Delete a topic")),
            ],
        ));
}

/// The query, for [`docs`].
const OPERATIONS: &[Parameter] =
    &[("include_authorized_operations", "boolean", "Tell what the proxy's Kafka user may do.")];

#[derive(JsonSchema, Serialize)]
struct Topic {
    cluster_id: String,
    topic_name: String,
    is_internal: bool,
    replication_factor: usize,
    partitions_count: usize,
    partitions: Related,
    configs: Related,
    partition_reassignments: Related,
    authorized_operations: Vec<&'static str>,
}

/// What a request for topics may say; the reference has the first spelling on the list and the second on a topic.
#[derive(Deserialize)]
struct TopicQuery {
    #[serde(rename = "includeAuthorizedOperations", alias = "include_authorized_operations")]
    authorized_operations: Option<String>,
}

impl TopicQuery {
    fn wants_operations(&self) -> bool {
        flag(self.authorized_operations.as_deref())
    }
}

/// `GET C/topics`: all but Kafka's own, by name.
async fn list(cluster: Cluster<CannotBeFound>, query: Query<TopicQuery>) -> Result<HttpResponse> {
    let topics = topics::list(&cluster.caller.admin, query.wants_operations()).await?;
    let view = cluster.caller.view(Right::Describe);
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let shown = topics.into_iter().filter(|topic| view.shows(Subject::Topic(topic.name.as_str())));
        let data = shown.map(|topic| rendered(cluster, Topic::of(cluster, topic))).collect();
        Collection::new("KafkaTopicList", cluster.url(&["topics"]), data)
    };
    cluster.list(list).await
}

/// `GET C/topics/{topic}`: one topic, also one of Kafka's own.
async fn get(cluster: Cluster<CannotBeFound>, topic: TopicPath, query: Query<TopicQuery>) -> Result<HttpResponse> {
    let topic = topics::describe(&cluster.caller.admin, &topic.0, query.wants_operations()).await?;
    cluster.ok(&rendered(&cluster, Topic::of(&cluster, topic)))
}

/// `POST C/topics`: makes a topic, or with `validate_only` tells whether it could be made.
async fn create(cluster: Cluster<CannotBeFound>, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required("Request body is empty. Data is required.")?;
    let validate_only = fields.boolean("validate_only")?.unwrap_or(false);
    let new = new_topic(fields)?;
    cluster.caller.may(Right::Create, Subject::Topic(new.name.as_str()))?;
    let created = topics::create(&cluster.caller.kafka, &cluster.caller.admin, &new, validate_only).await?;
    let topic = rendered(&cluster, Topic::created(&cluster, new.name.as_str(), &new, &created));
    if validate_only {
        return cluster.ok(&topic);
    }
    let mut response = cluster.answer(StatusCode::CREATED, &topic)?;
    let url = HeaderValue::try_from(cluster.url(&["topics", new.name.as_str()]));
    response.headers_mut().insert(LOCATION, url.map_err(|error| Kind::Internal.caused_by(error))?);
    Ok(response)
}

/// `PATCH C/topics/{topic}`: adds partitions until there are `partitions_count`.
async fn grow(cluster: Cluster<CannotBeFound>, topic: TopicPath, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required("Request body is empty. Partitions_count is required.")?;
    let count = present("partitions_count", fields.small_integer("partitions_count")?)?;
    fields.finish()?;
    let described = topics::grow(&cluster.caller.kafka, &cluster.caller.admin, &topic.0, count).await?;
    // A broker that has not heard of the new partitions yet may have described it.
    let grown = Topic { partitions_count: counted(Some(count)), ..Topic::of(&cluster, described) };
    cluster.ok(&rendered(&cluster, grown))
}

/// `DELETE C/topics/{topic}`: deletes it with all its records.
async fn delete(cluster: Cluster<CannotBeFound>, topic: TopicPath) -> Result<HttpResponse> {
    topics::delete(&cluster.caller.kafka, &cluster.caller.admin, &topic.0).await?;
    Ok(done())
}

fn new_topic(mut fields: Fields) -> Result<NewTopic> {
    let name = present("topic_name", fields.text("topic_name")?)?;
    let partitions = fields.small_integer("partitions_count")?;
    let factor = fields.small_integer("replication_factor")?.map(i16::try_from).transpose();
    let replication_factor =
        factor.map_err(|_| Kind::BadRequest.because("replication_factor is not a whole number of 16 bits."))?;
    let assignments = fields.object("replicas_assignments")?.map(assignments).transpose()?.unwrap_or_default();
    let configs = fields.objects("configs")?.unwrap_or_default().into_iter().map(config).collect::<Result<_>>()?;
    fields.finish()?;
    // -1 is the broker's default, and assignments decide both.
    let given = assignments.is_empty();
    Ok(NewTopic {
        name: TopicName::try_from(name.as_str())
            .map_err(|_| Kind::InvalidPayload.because("Payload error. Invalid topic name."))?,
        partitions: partitions.filter(|count| given && *count != -1),
        replication_factor: replication_factor.filter(|factor| given && *factor != -1),
        assignments,
        configs,
    })
}

fn assignments(mut fields: Fields) -> Result<BTreeMap<i32, Vec<i32>>> {
    let mut assignments = BTreeMap::new();
    for name in fields.names() {
        let partition = name.parse().map_err(|_| {
            Kind::BadRequest.because(format!("replicas_assignments has {name} where a partition is expected."))
        })?;
        assignments.insert(partition, present(&name, fields.small_integers(&name)?)?);
    }
    Ok(assignments)
}

fn config(mut fields: Fields) -> Result<(String, Option<String>)> {
    let config = (present("name", fields.text("name")?)?, fields.text("value")?);
    fields.finish()?;
    Ok(config)
}

impl Topic {
    fn of(cluster: &Cluster<CannotBeFound>, topic: TopicDescription) -> Topic {
        let operations = topic.authorized_operations.unwrap_or_default();
        Topic {
            is_internal: topic.internal,
            replication_factor: topic.partitions.first().map_or(0, |partition| partition.replicas.len()),
            partitions_count: topic.partitions.len(),
            authorized_operations: operations.into_iter().map(AclOperation::name).collect(),
            ..Topic::named(cluster, topic.name.as_str())
        }
    }

    /// Returns a topic that was made just now: what the broker tells of it, else what was asked for.
    fn created(cluster: &Cluster<CannotBeFound>, name: &str, asked: &NewTopic, created: &CreatedTopic) -> Topic {
        let assigned = asked.assignments.first_key_value().map(|(_, brokers)| brokers.len());
        let factor = created.replication_factor.or(asked.replication_factor);
        let partitions = created.partitions.or(asked.partitions);
        Topic {
            replication_factor: assigned.unwrap_or(counted(factor.map(i32::from))),
            partitions_count: if assigned.is_some() { asked.assignments.len() } else { counted(partitions) },
            ..Topic::named(cluster, name)
        }
    }

    fn named(cluster: &Cluster<CannotBeFound>, name: &str) -> Topic {
        Topic {
            cluster_id: cluster.id.clone(),
            topic_name: name.to_owned(),
            is_internal: false,
            replication_factor: 0,
            partitions_count: 0,
            partitions: cluster.related(&["topics", name, "partitions"]),
            configs: cluster.related(&["topics", name, "configs"]),
            partition_reassignments: cluster.related(&["topics", name, "partitions", "-", "reassignment"]),
            authorized_operations: Vec::new(),
        }
    }
}

fn counted(count: Option<i32>) -> usize {
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

fn rendered(cluster: &Cluster<CannotBeFound>, topic: Topic) -> Resource<Topic> {
    let name = topic.topic_name.clone();
    cluster.resource("KafkaTopic", &["topics", &name], &[("topic", &name)], topic)
}
