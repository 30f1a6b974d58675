//! Quotas of clients: an extension, in the style of the rest.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::HttpResponse;
use actix_web::web::Query;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::error::{Error, Kind, Result};
use crate::http::doc::Parameter;
use crate::http::fields::Fields;
use crate::http::permit;
use crate::http::resource::{Routes, get, post, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, done};
use crate::http::v3::document::{Document, exactly, present};
use crate::http::v3::failures::unless_any_failed;
use crate::http::v3::parameters::flag;
use crate::http::v3::rendering::{Collection, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{Quota, QuotaChange, QuotaEntity, QuotaFilter, QuotaMatch};

/// Registers the endpoints of quotas.
pub fn routes(routes: &mut Routes) {
    let filter: &[Parameter] = &[
        ("user", "string", "A name, * for any, or empty for the default."),
        ("client_id", "string", "A name, * for any, or empty for the default."),
        ("ip", "string", "An address, * for any, or empty for the default."),
        ("strict", "boolean", "Only entities that have nothing but what is named."),
    ];
    routes
        .service(resource(
            "/clusters/{cluster}/client-quotas",
            vec![
                get("api.v3.client-quotas.list", permit::DESCRIBE_CLUSTER, list)
                    .doc(docs::many::<QuotaFields>("List the client quotas", "KafkaClientQuotaList").query(filter)),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/client-quotas:alter",
            vec![post("api.v3.client-quotas.alter", permit::ALTER_CLUSTER, alter).doc(
                docs::changes("Alter client quotas", "AlterQuotas").gives_nothing(204).gives::<V3>(207, "Failures"),
            )],
        ));
}

/// The kinds of entities, as parameters call them and as Kafka does.
const ENTITY_TYPES: &[(&str, &str)] = &[("user", "user"), ("client_id", "client-id"), ("ip", "ip")];

/// What stands for any name in a search.
const ANY: &str = "*";

/// What a list is limited to: a name, `*` for any, or empty for the default.
#[derive(Deserialize)]
struct QuotaQuery {
    user: Option<String>,
    client_id: Option<String>,
    ip: Option<String>,
    strict: Option<String>,
}

impl QuotaQuery {
    fn to_filter(&self) -> QuotaFilter {
        let given = [&self.user, &self.client_id, &self.ip];
        let part = |((_, kind), text): (&(&str, &str), &Option<String>)| {
            let wanted = match text.as_deref()? {
                "" => QuotaMatch::Default,
                ANY => QuotaMatch::Any,
                name => QuotaMatch::Exact(name.to_owned()),
            };
            Some(((*kind).to_owned(), wanted))
        };
        let parts = ENTITY_TYPES.iter().zip(given).filter_map(part).collect();
        QuotaFilter { parts, strict: flag(self.strict.as_deref()) }
    }
}

/// `GET C/client-quotas`: sorted by entity.
async fn list(cluster: Cluster<CannotBeFound>, Query(query): Query<QuotaQuery>) -> Result<HttpResponse> {
    let quotas = cluster.caller.admin.describe_quotas(&query.to_filter()).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let limits = [("user", query.user), ("client_id", query.client_id), ("ip", query.ip), ("strict", query.strict)];
        let limits: Vec<_> = limits.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let address = cluster.links.search(&["clusters", &cluster.id, "client-quotas"], &limits);
        let data = quotas.iter().map(|quota| rendered(cluster, quota)).collect();
        Collection::new("KafkaClientQuotaList", address, data)
    };
    cluster.list(list).await
}

/// `POST C/client-quotas:alter`: each entity by itself.
async fn alter(cluster: Cluster<CannotBeFound>, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let data = present("data", fields.objects("data")?)?;
    let validate_only = fields.boolean("validate_only")?.unwrap_or(false);
    fields.finish()?;
    let changes = data.into_iter().map(change).collect::<Result<Vec<_>>>()?;
    let entities: BTreeSet<_> = changes.iter().map(|change| &change.entity).collect();
    if entities.len() < changes.len() {
        return Err(Kind::BadRequest.because("An entity is named twice: name each once."));
    }
    if changes.is_empty() {
        return Ok(done());
    }
    answered(&cluster, cluster.caller.admin.alter_quotas(&changes, validate_only).await?)
}

/// Answers 204, 207 where some were refused, or the first error where all were.
fn answered(cluster: &Cluster<CannotBeFound>, results: Vec<(QuotaEntity, Result<()>)>) -> Result<HttpResponse> {
    let asked = results.len();
    let mut refused: Vec<(QuotaEntity, Error)> =
        results.into_iter().filter_map(|(entity, result)| Some((entity, result.err()?))).collect();
    if !refused.is_empty() && refused.len() == asked {
        return Err(refused.swap_remove(0).1);
    }
    let named = |(entity, error)| (Named { entity: entity_fields(&entity) }, error);
    unless_any_failed(cluster, refused.into_iter().map(named), done())
}

/// Reads `{"entity": [{"type", "name"}], "quotas": [{"name", "value", "operation"?}]}`.
fn change(mut fields: Fields) -> Result<QuotaChange> {
    let entity = present("entity", fields.objects("entity")?)?;
    let quotas = present("quotas", fields.objects("quotas")?)?;
    fields.finish()?;
    let entity = once("entity", entity.into_iter().map(entity_part).collect::<Result<_>>()?)?;
    let values = once("quotas", quotas.into_iter().map(quota).collect::<Result<_>>()?)?;
    if entity.is_empty() {
        return Err(Kind::BadRequest.because("entity is empty: name a user, a client id, both, or an ip."));
    }
    Ok(QuotaChange { entity, values })
}

fn once<T>(what: &str, pairs: Vec<(String, T)>) -> Result<BTreeMap<String, T>> {
    let given = pairs.len();
    let map: BTreeMap<_, _> = pairs.into_iter().collect();
    if map.len() < given {
        return Err(Kind::BadRequest.because(format!("{what} has something twice: name each once.")));
    }
    Ok(map)
}

/// Reads a part of an entity; without a name it is the default.
fn entity_part(mut fields: Fields) -> Result<(String, Option<String>)> {
    let kind = exactly("type", &present("type", fields.text("type")?)?, ENTITY_TYPES)?;
    let name = fields.text("name")?;
    fields.finish()?;
    Ok((kind.to_owned(), name))
}

#[derive(Clone, Copy)]
enum Operation {
    Set,
    Delete,
}

const OPERATIONS: &[(&str, Operation)] = &[("SET", Operation::Set), ("DELETE", Operation::Delete)];

/// Reads a quota and its value; none where it is to be deleted.
fn quota(mut fields: Fields) -> Result<(String, Option<f64>)> {
    let name = present("name", fields.text("name")?)?;
    let value = fields.take("value");
    let operation = fields.text("operation")?;
    fields.finish()?;
    let operation = operation.map_or(Ok(Operation::Set), |text| exactly("operation", &text, OPERATIONS))?;
    match operation {
        Operation::Delete => Ok((name, None)),
        Operation::Set => {
            let number = value.as_ref().and_then(Value::as_f64);
            let number = number.ok_or_else(|| {
                Kind::BadRequest.because(format!("value of {name} is not a number; to remove it say DELETE."))
            })?;
            Ok((name, Some(number)))
        }
    }
}

#[derive(JsonSchema, Serialize)]
struct QuotaFields {
    cluster_id: String,
    entity: Vec<EntityFields>,
    quotas: Vec<ValueFields>,
}

#[derive(JsonSchema, Serialize)]
struct EntityFields {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
}

#[derive(JsonSchema, Serialize)]
struct ValueFields {
    name: String,
    value: Value,
}

/// An entity that was refused.
#[derive(Serialize)]
struct Named {
    entity: Vec<EntityFields>,
}

fn rendered(cluster: &Cluster<CannotBeFound>, quota: &Quota) -> Resource<QuotaFields> {
    let value = |(name, value): (&String, &f64)| ValueFields { name: name.clone(), value: number(*value) };
    let fields = QuotaFields {
        cluster_id: cluster.id.clone(),
        entity: entity_fields(&quota.entity),
        quotas: quota.values.iter().map(value).collect(),
    };
    Resource::new("KafkaClientQuota", search(cluster, &quota.entity), fields)
}

/// Returns the parts of an entity under the names that parameters have; one of a later Kafka keeps its own.
fn entity_fields(entity: &QuotaEntity) -> Vec<EntityFields> {
    let part = |(kind, name): (&String, &Option<String>)| {
        let known = ENTITY_TYPES.iter().find(|(_, wire)| wire == kind).map(|(name, _)| (*name).to_owned());
        EntityFields { kind: known.unwrap_or_else(|| kind.clone()), name: name.clone() }
    };
    entity.iter().map(part).collect()
}

/// Returns the URL of the search that finds this entity alone.
fn search(cluster: &Cluster<CannotBeFound>, entity: &QuotaEntity) -> String {
    let part = |(name, kind): &(&'static str, &str)| Some((*name, entity.get(*kind)?.as_deref().unwrap_or_default()));
    let mut parameters: Vec<_> = ENTITY_TYPES.iter().filter_map(part).collect();
    parameters.push(("strict", "true"));
    cluster.links.search(&["clusters", &cluster.id, "client-quotas"], &parameters)
}

/// Returns a number without a fraction where it has none, as Kafka counts bytes in it too.
fn number(value: f64) -> Value {
    // Up to here every whole number is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> QuotaFilter {
        Query::<QuotaQuery>::from_query(text).unwrap().to_filter()
    }

    fn read(body: &str) -> Result<QuotaChange> {
        change(Fields::required(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_search_names_one_any_or_the_default() {
        assert_eq!(filter(""), QuotaFilter::default());
        let found = filter("user=alice&client_id=&ip=*&strict=true");
        let expected = [
            ("client-id", QuotaMatch::Default),
            ("ip", QuotaMatch::Any),
            ("user", QuotaMatch::Exact("alice".to_owned())),
        ];
        assert_eq!(found.parts, expected.map(|(kind, wanted)| (kind.to_owned(), wanted)).into());
        assert!(found.strict);
    }

    #[test]
    fn a_change_has_an_entity_and_quotas() {
        let body = r#"{"entity":[{"type":"user","name":"alice"},{"type":"client_id","name":null}],"quotas":[{"name":"a","value":1.5},{"name":"b","operation":"DELETE"}]}"#;
        let change = read(body).unwrap();
        let entity = [("client-id".to_owned(), None), ("user".to_owned(), Some("alice".to_owned()))];
        assert_eq!(change.entity, entity.into());
        assert_eq!(change.values, [("a".to_owned(), Some(1.5)), ("b".to_owned(), None)].into());
        for bad in [
            r#"{"entity":[],"quotas":[]}"#,
            r#"{"entity":[{"type":"topic","name":"t"}],"quotas":[]}"#,
            r#"{"entity":[{"type":"user"},{"type":"user"}],"quotas":[]}"#,
            r#"{"entity":[{"type":"user"}],"quotas":[{"name":"a"}]}"#,
            r#"{"entity":[{"type":"user"}],"quotas":[{"name":"a","value":"1"}]}"#,
            r#"{"entity":[{"type":"user"}]}"#,
        ] {
            assert_eq!(read(bad).unwrap_err().kind(), Kind::BadRequest, "{bad}");
        }
    }

    #[test]
    fn whole_numbers_have_no_fraction() {
        assert_eq!(number(1024.0).to_string(), "1024");
        assert_eq!(number(0.5).to_string(), "0.5");
        assert_eq!(number(f64::INFINITY), Value::Null);
    }
}
