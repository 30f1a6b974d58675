use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::configs;
use crate::error::{Error, Result};
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, NotFound, done};
use crate::http::v3::configs::{Config, alteration, setting};
use crate::http::v3::docs;
use crate::http::v3::document::Document;
use crate::http::v3::parameters::{choice, segment};
use crate::http::v3::paths::ConfigName;
use crate::http::v3::rendering::{Collection, Resource};
use crate::model::{ConfigChange, ConfigEntry, ConfigResource};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/{config_type}-configs",
            vec![resource::get("api.v3.cluster-configs.list", permit::DESCRIBE_CLUSTER, list).doc(docs::many::<
                Config<Owner>,
            >(
                "List the configs that are set for all brokers",
                "KafkaClusterConfigList",
            ))],
        ))
        .service(resource(
            "/clusters/{cluster}/{config_type}-configs:alter",
            vec![
                resource::post("api.v3.cluster-configs.alter", permit::ALTER_CLUSTER, alter)
                    .doc(docs::changes("Alter configs for all brokers", "AlterConfigs").gives_nothing(204)),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/{config_type}-configs/{name}",
            vec![
                resource::get("api.v3.cluster-configs.get", permit::DESCRIBE_CLUSTER, get).doc(docs::one::<
                    Config<Owner>,
                >(
                    "Get a config that is set for all brokers",
                    "KafkaClusterConfig",
                )),
                resource::put("api.v3.cluster-configs.update", permit::ALTER_CLUSTER, set)
                    .doc(docs::changes("Set a config for all brokers", "ConfigValue").gives_nothing(204)),
                resource::delete("api.v3.cluster-configs.delete", permit::ALTER_CLUSTER, reset)
                    .doc(docs::removes("Reset a config that is set for all brokers")),
            ],
        ));
}

/// The `{config_type}` of a path, of which only `broker` exists.
struct BrokerType;

impl FromRequest for BrokerType {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = segment(request, "config_type");
        ready(text.and_then(|text| choice("ClusterConfig.Type", &text, &[("BROKER", ())])).map(|()| BrokerType))
    }
}

#[derive(JsonSchema, Serialize)]
struct Owner {
    config_type: &'static str,
}

/// `GET C/broker-configs`: what is set for all brokers, by name.
async fn list(cluster: Cluster<NotFound>, _: BrokerType) -> Result<HttpResponse> {
    let configs = configs::list(&cluster.caller.admin, &ConfigResource::ClusterDefault).await?;
    let data = configs.into_iter().map(|config| rendered(&cluster, config)).collect();
    cluster.ok(&Collection::new("KafkaClusterConfigList", cluster.url(&["broker-configs"]), data))
}

/// `GET C/broker-configs/{name}`: one of them.
async fn get(cluster: Cluster<NotFound>, _: BrokerType, ConfigName(name): ConfigName) -> Result<HttpResponse> {
    let config = configs::get(&cluster.caller.admin, &ConfigResource::ClusterDefault, &name).await?;
    cluster.ok(&rendered(&cluster, config))
}

/// `PUT C/broker-configs/{name}`: sets it for all brokers, whether they know the name or not.
async fn set(
    cluster: Cluster<CannotBeFound>,
    _: BrokerType,
    ConfigName(name): ConfigName,
    document: Document,
) -> Result<HttpResponse> {
    change(&cluster, vec![setting(name, &document)?], false).await
}

/// `DELETE C/broker-configs/{name}`: takes away what is set for all brokers.
async fn reset(cluster: Cluster<NotFound>, _: BrokerType, ConfigName(name): ConfigName) -> Result<HttpResponse> {
    configs::get(&cluster.caller.admin, &ConfigResource::ClusterDefault, &name).await?;
    change(&cluster, vec![ConfigChange::Delete { name }], false).await
}

/// `POST C/broker-configs:alter`: sets and resets several, or none.
async fn alter(cluster: Cluster<CannotBeFound>, _: BrokerType, document: Document) -> Result<HttpResponse> {
    let (changes, validate_only) = alteration(&document)?;
    change(&cluster, changes, validate_only).await
}

async fn change<M>(cluster: &Cluster<M>, changes: Vec<ConfigChange>, validate_only: bool) -> Result<HttpResponse> {
    configs::alter(&cluster.caller.admin, ConfigResource::ClusterDefault, changes, validate_only).await?;
    Ok(done())
}

fn rendered(cluster: &Cluster<NotFound>, config: ConfigEntry) -> Resource<Config<Owner>> {
    let name = config.name.clone();
    cluster.resource(
        "KafkaClusterConfig",
        &["broker-configs", &name],
        &[("broker-config", &name)],
        Config::new(&cluster.id, Owner { config_type: "BROKER" }, config),
    )
}
