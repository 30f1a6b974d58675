use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::Query;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, Kind, Result};
use crate::http::doc::{Doc, Parameter};
use crate::http::fields::Fields;
use crate::http::permit;
use crate::http::resource::{Routes, delete as on_delete, get, post, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster, done};
use crate::http::v3::document::{Document, exactly, present};
use crate::http::v3::parameters::choice;
use crate::http::v3::rendering::{Collection, Resource};
use crate::http::v3::{V3, docs};
use crate::model::{Acl, AclFilter, AclOperation, PatternType, Permission, ResourceType};

/// Registers the endpoints of ACLs.
pub fn routes(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/acls",
            vec![
                get("api.v3.acls.list", permit::DESCRIBE_CLUSTER, list)
                    .doc(docs::many::<AclFields>("List the ACLs", "KafkaAclList").query(FILTER)),
                post("api.v3.acls.create", permit::ALTER_CLUSTER, create)
                    .doc(docs::changes("Create an ACL", "NewAcl").gives_nothing(201)),
                on_delete("api.v3.acls.delete", permit::ALTER_CLUSTER, delete).doc(
                    Doc::of("Delete the ACLs that a filter matches").query(FILTER).gives::<V3>(200, "DeletedAcls"),
                ),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/acls:batch",
            vec![
                post("api.v3.acls.batch-create", permit::ALTER_CLUSTER, create_all)
                    .doc(docs::changes("Create ACLs", "NewAcls").gives_nothing(204)),
            ],
        ));
}

/// The query, for [`docs`].
const FILTER: &[Parameter] = &[
    ("resource_type", "string", "TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, DELEGATION_TOKEN or ANY."),
    ("resource_name", "string", "The name of the resource; none is any."),
    ("pattern_type", "string", "LITERAL, PREFIXED, MATCH or ANY."),
    ("principal", "string", "Such as User:alice; none is any."),
    ("host", "string", "An address or *; none is any."),
    ("operation", "string", "Such as READ, WRITE, ALL or ANY."),
    ("permission", "string", "ALLOW, DENY or ANY."),
];

/// `GET C/acls`: those that the filter finds, sorted.
async fn list(cluster: Cluster<CannotBeFound>, Query(query): Query<AclQuery>) -> Result<HttpResponse> {
    let filter = query.to_search()?;
    let found = cluster.caller.admin.describe_acls(&filter).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let data = found.iter().map(|acl| rendered(cluster, acl)).collect();
        Collection::new("KafkaAclList", search(cluster, &filter), data)
    };
    cluster.list(list).await
}

/// `POST C/acls`: creates one; it may exist already.
async fn create(cluster: Cluster<CannotBeFound>, document: Document) -> Result<HttpResponse> {
    let acl = new_acl(document.required("Null input provided. Data is required.")?)?;
    create_each(&cluster, std::slice::from_ref(&acl)).await?;
    Ok(HttpResponse::Created().insert_header((LOCATION, search(&cluster, &exact(&acl)))).finish())
}

/// `POST C/acls:batch`: creates several; nothing is created unless all can be read.
async fn create_all(cluster: Cluster<CannotBeFound>, document: Document) -> Result<HttpResponse> {
    let mut fields = document.required("Null input provided. Data is required.")?;
    let data = fields.objects("data")?;
    fields.finish()?;
    let data =
        data.ok_or_else(|| Kind::InvalidPayload.because("Payload error. Empty input provided. Data is required."))?;
    let acls = data.into_iter().map(new_acl).collect::<Result<Vec<_>>>()?;
    create_each(&cluster, &acls).await?;
    Ok(done())
}

/// `DELETE C/acls`: deletes those that the filter finds, which has to say what it means.
async fn delete(cluster: Cluster<CannotBeFound>, Query(query): Query<AclQuery>) -> Result<HttpResponse> {
    let filter = query.to_deletion()?;
    let deleted = cluster.caller.admin.delete_acls(&filter).await?;
    let acls: Vec<_> = deleted.iter().map(|acl| rendered(&cluster, acl)).collect();
    cluster.ok(&json!({ "data": acls }))
}

async fn create_each(cluster: &Cluster<CannotBeFound>, acls: &[Acl]) -> Result<()> {
    cluster.caller.admin.create_acls(acls).await?.into_iter().collect()
}

/// A closed set as requests name it. What is not in it, such as what a later Kafka adds, is shown as `UNKNOWN`.
struct Set<T: 'static> {
    parameter: &'static str,
    title: &'static str,
    values: &'static [T],
    name: fn(T) -> &'static str,
}

const RESOURCE_TYPE: Set<ResourceType> = Set {
    parameter: "resource_type",
    title: "ResourceType",
    values: ResourceType::ALL.split_at(ResourceType::User as usize).0,
    name: ResourceType::name,
};
const PATTERN_TYPE: Set<PatternType> =
    Set { parameter: "pattern_type", title: "PatternType", values: PatternType::ALL, name: PatternType::name };
const OPERATION: Set<AclOperation> = Set {
    parameter: "operation",
    title: "Operation",
    values: AclOperation::ALL.split_at(AclOperation::CreateTokens as usize).0,
    name: AclOperation::name,
};
const PERMISSION: Set<Permission> =
    Set { parameter: "permission", title: "Permission", values: Permission::ALL, name: Permission::name };

impl<T: Copy + PartialEq> Set<T> {
    fn named(&self) -> Vec<(&'static str, T)> {
        self.values.iter().map(|value| ((self.name)(*value), *value)).collect()
    }

    /// Reads a parameter, in any case.
    fn parameter(&self, text: Option<&str>) -> Result<Option<T>> {
        text.map(|text| choice(self.title, text, &self.named())).transpose()
    }

    /// Takes a field, in this very case, that is none of `refused`.
    fn field(&self, fields: &mut Fields, refused: &[T]) -> Result<T> {
        let value = exactly(self.parameter, &text(fields, self.parameter)?, &self.named())?;
        if refused.contains(&value) {
            Err(self.refused(&format!("cannot be {}", self.shown(value))))
        } else {
            Ok(value)
        }
    }

    fn refused(&self, why: &str) -> Error {
        Kind::BadRequest.because(format!("Bad Request: {} {why}", self.parameter))
    }

    fn shown(&self, value: T) -> &'static str {
        if self.values.contains(&value) { (self.name)(value) } else { "UNKNOWN" }
    }
}

/// The query of a search or deletion.
#[derive(Deserialize)]
struct AclQuery {
    resource_type: Option<String>,
    resource_name: Option<String>,
    pattern_type: Option<String>,
    principal: Option<String>,
    host: Option<String>,
    operation: Option<String>,
    permission: Option<String>,
}

impl AclQuery {
    /// Returns the filter of a search: what is not said can be whatever it is.
    fn to_search(&self) -> Result<AclFilter> {
        let why = "cannot be UNKNOWN";
        self.to_filter(
            RESOURCE_TYPE.parameter(self.resource_type.as_deref())?.unwrap_or(ResourceType::Any),
            PATTERN_TYPE.parameter(self.pattern_type.as_deref())?.unwrap_or(PatternType::Any),
            OPERATION.parameter(self.operation.as_deref())?.unwrap_or(AclOperation::Any),
            PERMISSION.parameter(self.permission.as_deref())?.unwrap_or(Permission::Any),
            why,
        )
    }

    /// Returns the filter of a deletion, in which the sets have to be said.
    fn to_deletion(&self) -> Result<AclFilter> {
        let why = "cannot be unspecified or UNKNOWN";
        self.to_filter(
            RESOURCE_TYPE.parameter(self.resource_type.as_deref())?.unwrap_or(ResourceType::Unknown),
            PATTERN_TYPE.parameter(self.pattern_type.as_deref())?.unwrap_or(PatternType::Unknown),
            OPERATION.parameter(self.operation.as_deref())?.unwrap_or(AclOperation::Unknown),
            PERMISSION.parameter(self.permission.as_deref())?.unwrap_or(Permission::Unknown),
            why,
        )
    }

    fn to_filter(
        &self,
        resource_type: ResourceType,
        pattern_type: PatternType,
        operation: AclOperation,
        permission: Permission,
        why: &str,
    ) -> Result<AclFilter> {
        if resource_type == ResourceType::Unknown {
            return Err(RESOURCE_TYPE.refused(why));
        }
        if pattern_type == PatternType::Unknown {
            return Err(PATTERN_TYPE.refused(why));
        }
        if operation == AclOperation::Unknown {
            return Err(OPERATION.refused(why));
        }
        if permission == Permission::Unknown {
            return Err(PERMISSION.refused(why));
        }
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (resource_name, principal) = (said(&self.resource_name), said(&self.principal));
        let host = said(&self.host);
        Ok(AclFilter { resource_type, resource_name, pattern_type, principal, host, operation, permission })
    }
}

/// Reads an ACL that is to be created: complete, and concrete.
fn new_acl(mut fields: Fields) -> Result<Acl> {
    let acl = Acl {
        resource_type: RESOURCE_TYPE.field(&mut fields, &[ResourceType::Unknown, ResourceType::Any])?,
        resource_name: text(&mut fields, "resource_name")?,
        pattern_type: PATTERN_TYPE.field(&mut fields, &[PatternType::Unknown, PatternType::Any, PatternType::Match])?,
        principal: text(&mut fields, "principal")?,
        host: text(&mut fields, "host")?,
        operation: OPERATION.field(&mut fields, &[AclOperation::Unknown, AclOperation::Any])?,
        permission: PERMISSION.field(&mut fields, &[Permission::Unknown, Permission::Any])?,
    };
    fields.finish()?;
    Ok(acl)
}

fn text(fields: &mut Fields, name: &str) -> Result<String> {
    present(name, fields.text(name)?)
}

#[derive(JsonSchema, Serialize)]
struct AclFields {
    cluster_id: String,
    resource_type: &'static str,
    resource_name: String,
    pattern_type: &'static str,
    principal: String,
    host: String,
    operation: &'static str,
    permission: &'static str,
}

fn rendered(cluster: &Cluster<CannotBeFound>, acl: &Acl) -> Resource<AclFields> {
    let fields = AclFields {
        cluster_id: cluster.id.clone(),
        resource_type: RESOURCE_TYPE.shown(acl.resource_type),
        resource_name: acl.resource_name.clone(),
        pattern_type: PATTERN_TYPE.shown(acl.pattern_type),
        principal: acl.principal.clone(),
        host: acl.host.clone(),
        operation: OPERATION.shown(acl.operation),
        permission: PERMISSION.shown(acl.permission),
    };
    Resource::new("KafkaAcl", search(cluster, &exact(acl)), fields)
}

/// Returns the filter that finds this ACL alone.
fn exact(acl: &Acl) -> AclFilter {
    AclFilter {
        resource_type: acl.resource_type,
        resource_name: Some(acl.resource_name.clone()),
        pattern_type: acl.pattern_type,
        principal: Some(acl.principal.clone()),
        host: Some(acl.host.clone()),
        operation: acl.operation,
        permission: acl.permission,
    }
}

/// Returns the URL of a search, which says everything.
fn search(cluster: &Cluster<CannotBeFound>, filter: &AclFilter) -> String {
    cluster.links.search(
        &["clusters", &cluster.id, "acls"],
        &[
            ("resource_type", RESOURCE_TYPE.shown(filter.resource_type)),
            ("resource_name", filter.resource_name.as_deref().unwrap_or_default()),
            ("pattern_type", PATTERN_TYPE.shown(filter.pattern_type)),
            ("principal", filter.principal.as_deref().unwrap_or_default()),
            ("host", filter.host.as_deref().unwrap_or_default()),
            ("operation", OPERATION.shown(filter.operation)),
            ("permission", PERMISSION.shown(filter.permission)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> AclQuery {
        Query::<AclQuery>::from_query(text).unwrap().into_inner()
    }

    fn body(change: &str, value: &str) -> Result<Acl> {
        let whole = r#"{"resource_type":"TOPIC","resource_name":"t","pattern_type":"LITERAL","principal":"User:a","host":"*","operation":"READ","permission":"ALLOW"}"#;
        let mut document: serde_json::Value = serde_json::from_str(whole).unwrap();
        if !change.is_empty() {
            document[change] = serde_json::from_str(value).unwrap();
        }
        new_acl(Fields::required(document.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn a_search_leaves_open_what_is_not_said() {
        assert_eq!(query("").to_search().unwrap(), AclFilter::any());
        assert_eq!(query("principal=&host=&resource_name=").to_search().unwrap(), AclFilter::any());
        let filter = query("resource_type=group&operation=Read&principal=User%3Aa").to_search().unwrap();
        assert_eq!((filter.resource_type, filter.operation), (ResourceType::Group, AclOperation::Read));
        assert_eq!(filter.principal.as_deref(), Some("User:a"));
    }

    #[test]
    fn a_search_for_what_does_not_exist_is_refused() {
        for (text, status, message) in [
            ("resource_type=UNKNOWN", 400, "Bad Request: resource_type cannot be UNKNOWN"),
            ("permission=unknown", 400, "Bad Request: permission cannot be UNKNOWN"),
            ("operation=bogus", 404, "The valid values for Operation do not include 'bogus'"),
            ("pattern_type=", 404, "The valid values for PatternType do not include ''"),
            ("resource_type=user", 404, "The valid values for ResourceType do not include 'user'"),
        ] {
            let error = query(text).to_search().unwrap_err();
            assert_eq!((error.kind().status(), error.message()), (status, message), "{text}");
        }
    }

    #[test]
    fn a_deletion_has_to_say_the_sets() {
        let error = query("resource_type=GROUP&pattern_type=ANY&permission=ANY").to_deletion().unwrap_err();
        assert_eq!(error.message(), "Bad Request: operation cannot be unspecified or UNKNOWN");
        assert!(query("resource_type=ANY&pattern_type=ANY&permission=ANY&operation=ANY").to_deletion().is_ok());
    }

    #[test]
    fn a_new_acl_is_complete_and_concrete() {
        assert_eq!(body("", "").unwrap().operation, AclOperation::Read);
        for (field, value, status) in [
            ("resource_type", "\"ANY\"", 400),
            ("resource_type", "\"topic\"", 400),
            ("pattern_type", "\"MATCH\"", 400),
            ("operation", "\"CREATE_TOKENS\"", 400),
            ("permission", "null", 400),
            ("principal", "null", 400),
            ("more", "1", 422),
        ] {
            assert_eq!(body(field, value).unwrap_err().kind().status(), status, "{field}");
        }
        assert_eq!(body("operation", "\"ANY\"").unwrap_err().message(), "Bad Request: operation cannot be ANY");
    }

    #[test]
    fn what_the_contract_does_not_name_is_unknown() {
        assert_eq!(RESOURCE_TYPE.shown(ResourceType::User), "UNKNOWN");
        assert_eq!(RESOURCE_TYPE.shown(ResourceType::DelegationToken), "DELEGATION_TOKEN");
        assert_eq!(OPERATION.shown(AclOperation::IdempotentWrite), "IDEMPOTENT_WRITE");
        assert_eq!(OPERATION.shown(AclOperation::TwoPhaseCommit), "UNKNOWN");
    }
}
