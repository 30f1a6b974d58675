use std::collections::BTreeMap;

use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::domain::admin::configs;
use crate::error::{Error, Result};
use crate::http::fields::Fields;
use crate::http::path::TopicPath;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, NotFound, done};
use crate::http::v3::configs::{Config, NO_DATA, alteration, changes, setting};
use crate::http::v3::document::{Document, present};
use crate::http::v3::failures::unless_any_failed;
use crate::http::v3::paths::ConfigName;
use crate::http::v3::rendering::{Collection, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{ConfigChange, ConfigEntry, ConfigResource, Right, Subject, TopicName};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/topics/-/configs",
            vec![resource::get("api.v3.topic-configs.list-all", permit::DESCRIBE_TOPICS, list_all).doc(docs::many::<
                Config<Owner>,
            >(
                "List the configs of all topics",
                "KafkaTopicConfigList",
            ))],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/-/configs:alter",
            vec![
                resource::post("api.v3.topic-configs.alter-multi", permit::ALTER_TOPICS, alter_many).doc(
                    docs::changes("Alter configs of topics", "AlterTopicConfigs")
                        .gives_nothing(204)
                        .gives::<V3>(207, "Failures"),
                ),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/configs",
            vec![resource::get("api.v3.topic-configs.list", permit::DESCRIBE_TOPIC, list).doc(docs::many::<
                Config<Owner>,
            >(
                "List the configs of a topic",
                "KafkaTopicConfigList",
            ))],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/configs:alter",
            vec![
                resource::post("api.v3.topic-configs.alter", permit::ALTER_TOPIC, alter)
                    .doc(docs::changes("Alter configs of a topic", "AlterConfigs").gives_nothing(204)),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/configs/{name}",
            vec![
                resource::get("api.v3.topic-configs.get", permit::DESCRIBE_TOPIC, get)
                    .doc(docs::one::<Config<Owner>>("Get a config of a topic", "KafkaTopicConfig")),
                resource::put("api.v3.topic-configs.update", permit::ALTER_TOPIC, set)
                    .doc(docs::changes("Set a config of a topic", "ConfigValue").gives_nothing(204)),
                resource::delete("api.v3.topic-configs.delete", permit::ALTER_TOPIC, reset)
                    .doc(docs::removes("Reset a config of a topic")),
            ],
        ));
}

#[derive(JsonSchema, Serialize)]
struct Owner {
    topic_name: String,
}

/// `GET C/topics/-/configs`: those of all topics but Kafka's own, topic by topic.
async fn list_all(cluster: Cluster<CannotBeFound>) -> Result<HttpResponse> {
    let view = cluster.caller.view(Right::Describe);
    let mut topics = configs::of_topics(&cluster.caller.admin).await?;
    topics.retain(|(topic, _)| view.shows(Subject::Topic(topic.as_str())));
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let of_topic = |(topic, configs): (TopicName, Vec<ConfigEntry>)| {
            configs.into_iter().map(move |config| rendered(cluster, &topic, config))
        };
        let data = topics.into_iter().flat_map(of_topic).collect();
        Collection::new("KafkaTopicConfigList", cluster.url(&["topics", "-", "configs"]), data)
    };
    cluster.list(list).await
}

/// `GET C/topics/{topic}/configs`: by name.
async fn list(cluster: Cluster<NotFound>, TopicPath(topic): TopicPath) -> Result<HttpResponse> {
    let configs = configs::list(&cluster.caller.admin, &ConfigResource::Topic(topic.clone())).await?;
    let data = configs.into_iter().map(|config| rendered(&cluster, &topic, config)).collect();
    let url = cluster.url(&["topics", topic.as_str(), "configs"]);
    cluster.ok(&Collection::new("KafkaTopicConfigList", url, data))
}

/// `GET C/topics/{topic}/configs/{name}`: one of them.
async fn get(
    cluster: Cluster<NotFound>,
    TopicPath(topic): TopicPath,
    ConfigName(name): ConfigName,
) -> Result<HttpResponse> {
    let config = configs::get(&cluster.caller.admin, &ConfigResource::Topic(topic.clone()), &name).await?;
    cluster.ok(&rendered(&cluster, &topic, config))
}

/// `PUT C/topics/{topic}/configs/{name}`: sets it for this topic.
async fn set(
    cluster: Cluster<NotFound>,
    TopicPath(topic): TopicPath,
    ConfigName(name): ConfigName,
    document: Document,
) -> Result<HttpResponse> {
    change(&cluster, topic, vec![setting(name, &document)?], false).await
}

/// `DELETE C/topics/{topic}/configs/{name}`: gives it back the default of the brokers.
async fn reset(
    cluster: Cluster<NotFound>,
    TopicPath(topic): TopicPath,
    ConfigName(name): ConfigName,
) -> Result<HttpResponse> {
    change(&cluster, topic, vec![ConfigChange::Delete { name }], false).await
}

/// `POST C/topics/{topic}/configs:alter`: sets and resets several, or none.
async fn alter(cluster: Cluster<NotFound>, TopicPath(topic): TopicPath, document: Document) -> Result<HttpResponse> {
    let (changes, validate_only) = alteration(&document)?;
    change(&cluster, topic, changes, validate_only).await
}

async fn change(
    cluster: &Cluster<NotFound>,
    topic: TopicName,
    changes: Vec<ConfigChange>,
    validate_only: bool,
) -> Result<HttpResponse> {
    configs::alter(&cluster.caller.admin, ConfigResource::Topic(topic), changes, validate_only).await?;
    Ok(done())
}

/// `POST C/topics/-/configs:alter`: the same for several topics; of each all changes are made or none.
async fn alter_many(cluster: Cluster<CannotBeFound>, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required(NO_DATA)?;
    let entries = present("data", fields.objects("data")?)?;
    let validate_only = fields.boolean("validate_only")?.unwrap_or(false);
    fields.finish()?;
    // Of entries for the same topic the last one counts.
    let changes = entries.into_iter().map(topic_changes).collect::<Result<BTreeMap<_, _>>>()?;
    cluster.caller.may_all(Right::Alter, changes.keys())?;
    let failed = configs::alter_topics(&cluster.caller.admin, changes, validate_only).await?;
    let named = |(topic, error): (TopicName, Error)| (json!({ "topic_name": topic.as_str() }), error);
    unless_any_failed(&cluster, failed.into_iter().map(named), done())
}

fn topic_changes(mut fields: Fields) -> Result<(TopicName, Vec<ConfigChange>)> {
    let topic = present("topic_name", fields.text("topic_name")?)?;
    let changes = changes(&mut fields, "configs")?;
    fields.finish()?;
    Ok((TopicName::try_from(topic.as_str())?, changes))
}

fn rendered<M>(cluster: &Cluster<M>, topic: &TopicName, config: ConfigEntry) -> Resource<Config<Owner>> {
    let (topic, name) = (topic.as_str(), config.name.clone());
    cluster.resource(
        "KafkaTopicConfig",
        &["topics", topic, "configs", &name],
        &[("topic", topic), ("config", &name)],
        Config::new(&cluster.id, Owner { topic_name: topic.to_owned() }, config),
    )
}
