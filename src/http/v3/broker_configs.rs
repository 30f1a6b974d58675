use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::admin::configs;
use crate::error::Result;
use crate::http::permit;
use crate::http::resource::{self, Routes, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, NotFound, done};
use crate::http::v3::configs::{Config, alteration, setting};
use crate::http::v3::docs;
use crate::http::v3::document::Document;
use crate::http::v3::paths::{BrokerPath, ConfigName};
use crate::http::v3::rendering::{Collection, Resource};
use crate::model::{ConfigChange, ConfigEntry, ConfigResource};

pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/brokers/-/configs",
            vec![resource::get("api.v3.brokers-configs.list", permit::DESCRIBE_CLUSTER, list_all).doc(docs::many::<
                Config<Owner>,
            >(
                "List the configs of all brokers",
                "KafkaBrokerConfigList",
            ))],
        ))
        .service(resource(
            "/clusters/{cluster}/brokers/{broker}/configs",
            vec![resource::get("api.v3.broker-configs.list", permit::DESCRIBE_CLUSTER, list).doc(docs::many::<
                Config<Owner>,
            >(
                "List the configs of a broker",
                "KafkaBrokerConfigList",
            ))],
        ))
        .service(resource(
            "/clusters/{cluster}/brokers/{broker}/configs:alter",
            vec![
                resource::post("api.v3.broker-configs.alter", permit::ALTER_CLUSTER, alter)
                    .doc(docs::changes("Alter configs of a broker", "AlterConfigs").gives_nothing(204)),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/brokers/{broker}/configs/{name}",
            vec![
                resource::get("api.v3.broker-configs.get", permit::DESCRIBE_CLUSTER, get)
                    .doc(docs::one::<Config<Owner>>("Get a config of a broker", "KafkaBrokerConfig")),
                resource::put("api.v3.broker-configs.update", permit::ALTER_CLUSTER, set)
                    .doc(docs::changes("Set a config of a broker", "ConfigValue").gives_nothing(204)),
                resource::delete("api.v3.broker-configs.delete", permit::ALTER_CLUSTER, reset)
                    .doc(docs::removes("Reset a config of a broker")),
            ],
        ));
}

#[derive(JsonSchema, Serialize)]
struct Owner {
    broker_id: i32,
}

/// `GET C/brokers/-/configs`: those of all brokers, broker by broker.
async fn list_all(cluster: Cluster<CannotBeFound>) -> Result<HttpResponse> {
    let brokers = configs::of_brokers(&cluster.caller.admin).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let of_broker = |(broker, configs): (i32, Vec<ConfigEntry>)| {
            configs.into_iter().map(move |config| rendered(cluster, broker, config))
        };
        let data = brokers.into_iter().flat_map(of_broker).collect();
        Collection::new("KafkaBrokerConfigList", cluster.url(&["brokers", "-", "configs"]), data)
    };
    cluster.list(list).await
}

/// `GET C/brokers/{broker}/configs`: by name.
async fn list(cluster: Cluster<NotFound>, BrokerPath(broker): BrokerPath) -> Result<HttpResponse> {
    let configs = configs::list(&cluster.caller.admin, &ConfigResource::Broker(broker)).await?;
    let data = configs.into_iter().map(|config| rendered(&cluster, broker, config)).collect();
    let url = cluster.url(&["brokers", &broker.to_string(), "configs"]);
    cluster.ok(&Collection::new("KafkaBrokerConfigList", url, data))
}

/// `GET C/brokers/{broker}/configs/{name}`: one of them.
async fn get(
    cluster: Cluster<NotFound>,
    BrokerPath(broker): BrokerPath,
    ConfigName(name): ConfigName,
) -> Result<HttpResponse> {
    let config = configs::get(&cluster.caller.admin, &ConfigResource::Broker(broker), &name).await?;
    cluster.ok(&rendered(&cluster, broker, config))
}

/// `PUT C/brokers/{broker}/configs/{name}`: sets it for this broker.
async fn set(
    cluster: Cluster<NotFound>,
    BrokerPath(broker): BrokerPath,
    ConfigName(name): ConfigName,
    document: Document,
) -> Result<HttpResponse> {
    change(&cluster, broker, vec![setting(name, &document)?], false).await
}

/// `DELETE C/brokers/{broker}/configs/{name}`: gives it back what it is without being set for this broker.
async fn reset(
    cluster: Cluster<NotFound>,
    BrokerPath(broker): BrokerPath,
    ConfigName(name): ConfigName,
) -> Result<HttpResponse> {
    change(&cluster, broker, vec![ConfigChange::Delete { name }], false).await
}

/// `POST C/brokers/{broker}/configs:alter`: sets and resets several, or none.
async fn alter(cluster: Cluster<NotFound>, BrokerPath(broker): BrokerPath, document: Document) -> Result<HttpResponse> {
    let (changes, validate_only) = alteration(&document)?;
    change(&cluster, broker, changes, validate_only).await
}

async fn change(
    cluster: &Cluster<NotFound>,
    broker: i32,
    changes: Vec<ConfigChange>,
    validate_only: bool,
) -> Result<HttpResponse> {
    configs::alter(&cluster.caller.admin, ConfigResource::Broker(broker), changes, validate_only).await?;
    Ok(done())
}

fn rendered<M>(cluster: &Cluster<M>, broker: i32, config: ConfigEntry) -> Resource<Config<Owner>> {
    let (id, name) = (broker.to_string(), config.name.clone());
    cluster.resource(
        "KafkaBrokerConfig",
        &["brokers", &id, "configs", &name],
        &[("broker", &id), ("config", &name)],
        Config::new(&cluster.id, Owner { broker_id: broker }, config),
    )
}
