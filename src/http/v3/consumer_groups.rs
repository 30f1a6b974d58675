use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::Query;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::admin::groups;
use crate::error::{Error, Result};
use crate::http::doc::Parameter;
use crate::http::permit;
use crate::http::resource::{Routes, get as on_get, post, resource};
use crate::http::v3::cluster::{Cluster, CouldNotBeFound, done};
use crate::http::v3::document::{Document, present};
use crate::http::v3::failures::unless_any_failed;
use crate::http::v3::parameters::choice;
use crate::http::v3::paths::GroupPath;
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{GroupDescription, GroupState, GroupType, Right, Subject};

/// Registers the endpoints of consumer groups.
pub fn routes(routes: &mut Routes) {
    let filter: &[Parameter] = &[
        ("state", "string", "Only groups in this state; several with commas between."),
        ("type", "string", "Only groups of this type; several with commas between."),
    ];
    routes
        .service(resource(
            "/clusters/{cluster}/consumer-groups",
            vec![
                on_get("api.v3.consumer-groups.list", permit::DESCRIBE_GROUPS, list)
                    .doc(docs::many::<GroupFields>("List the consumer groups", "KafkaConsumerGroupList").query(filter)),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/consumer-groups:delete",
            vec![
                post("api.v3.consumer-groups.batch-delete", permit::DELETE_GROUPS, delete).doc(
                    docs::changes("Delete consumer groups with their offsets", "DeleteGroups")
                        .gives_nothing(204)
                        .gives::<V3>(207, "Failures"),
                ),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/consumer-groups/{group}",
            vec![
                on_get("api.v3.consumer-groups.get", permit::DESCRIBE_GROUP, get)
                    .doc(docs::one::<GroupFields>("Get a consumer group", "KafkaConsumerGroup")),
            ],
        ));
}

/// What a list is limited to, which is an extension; each is one value, or several with commas between.
#[derive(Deserialize)]
struct GroupQuery {
    state: Option<String>,
    #[serde(rename = "type")]
    group_type: Option<String>,
}

/// `GET C/consumer-groups`: all of them, or those in a state or of a type; sorted by id.
async fn list(cluster: Cluster<CouldNotBeFound>, Query(query): Query<GroupQuery>) -> Result<HttpResponse> {
    let states = chosen("State", query.state.as_deref(), GroupState::ALL, GroupState::name)?;
    let types = chosen("Type", query.group_type.as_deref(), GroupType::ALL, GroupType::name)?;
    let view = cluster.caller.view(Right::Describe);
    let mut groups = groups::list(&cluster.caller.admin, states, types).await?;
    groups.retain(|group| view.shows(Subject::Group(&group.id)));
    let list = move |cluster: &Cluster<CouldNotBeFound>| {
        let limits = [("state", query.state), ("type", query.group_type)];
        let limits: Vec<_> = limits.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let address = cluster.links.search(&["clusters", &cluster.id, "consumer-groups"], &limits);
        let data = groups.into_iter().map(|group| rendered(cluster, group)).collect();
        Collection::new("KafkaConsumerGroupList", address, data)
    };
    cluster.list(list).await
}

/// `GET C/consumer-groups/{group}`.
async fn get(cluster: Cluster<CouldNotBeFound>, GroupPath(group): GroupPath) -> Result<HttpResponse> {
    let found = groups::find_of_any_type(&cluster.caller.admin, &group).await?;
    cluster.ok(&rendered(&cluster, found.ok_or_else(|| groups::unknown(&group))?))
}

/// `POST C/consumer-groups:delete`, an extension: groups without members, with their offsets. DELETE of a group is 405,
/// as in the reference.
async fn delete(cluster: Cluster<CouldNotBeFound>, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let ids = present("consumer_group_ids", fields.texts("consumer_group_ids")?)?;
    fields.finish()?;
    ids.iter().try_for_each(|id| cluster.caller.may(Right::Delete, Subject::Group(id)))?;
    let mut failed = groups::delete(&cluster.caller.admin, &ids).await?;
    if ids.len() == 1
        && let Some((_, only)) = failed.pop()
    {
        return Err(only);
    }
    let named = |(id, error): (String, Error)| (json!({ "consumer_group_id": id }), error);
    unless_any_failed(&cluster, failed.into_iter().map(named), done())
}

/// Reads a parameter that lists values of a closed set; none is all.
fn chosen<T: Copy + Ord>(
    title: &str,
    text: Option<&str>,
    values: &[T],
    name: fn(T) -> &'static str,
) -> Result<BTreeSet<T>> {
    let Some(text) = text else { return Ok(BTreeSet::new()) };
    let named: Vec<_> = values.iter().map(|value| (name(*value), *value)).collect();
    text.split(',').map(|text| choice(title, text.trim(), &named)).collect()
}

#[derive(JsonSchema, Serialize)]
struct GroupFields {
    cluster_id: String,
    consumer_group_id: String,
    is_simple: bool,
    partition_assignor: String,
    state: &'static str,
    #[serde(rename = "type")]
    group_type: &'static str,
    is_mixed_consumer_group: bool,
    coordinator: Option<Related>,
    consumers: Related,
    lag_summary: Related,
}

fn rendered(cluster: &Cluster<CouldNotBeFound>, group: GroupDescription) -> Resource<GroupFields> {
    let at = ["consumer-groups", &group.id];
    let below = |last| cluster.related(&[at[0], at[1], last]);
    let fields = GroupFields {
        cluster_id: cluster.id.clone(),
        consumer_group_id: group.id.clone(),
        is_simple: group.is_simple(),
        partition_assignor: group.assignor.clone(),
        state: group.state.name(),
        group_type: group.group_type.name(),
        is_mixed_consumer_group: group.is_mixed(),
        coordinator: group.coordinator.map(|broker| cluster.related(&["brokers", &broker.to_string()])),
        consumers: below("consumers"),
        lag_summary: below("lag-summary"),
    };
    cluster.resource("KafkaConsumerGroup", &at, &[("consumer-group", &group.id)], fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_limited_to_one_value_or_several() {
        let chosen = |text| chosen("Type", text, GroupType::ALL, GroupType::name);
        assert_eq!(chosen(None).unwrap(), BTreeSet::new());
        assert_eq!(chosen(Some("share, Classic")).unwrap(), BTreeSet::from([GroupType::Classic, GroupType::Share]));
        let refusal = chosen(Some("classic,teapot")).unwrap_err();
        assert_eq!(refusal.message(), "The valid values for Type do not include 'teapot'");
    }
}
