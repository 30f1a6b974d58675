use schemars::JsonSchema;
use serde::Serialize;

use crate::http::v3::links::Links;

/// A resource: what it is, where it is, and its fields.
#[derive(JsonSchema, Serialize)]
pub struct Resource<T> {
    kind: &'static str,
    metadata: Metadata,
    #[serde(flatten)]
    fields: T,
}

#[derive(JsonSchema, Serialize)]
struct Metadata {
    #[serde(rename = "self")]
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
}

/// All resources of a kind; there is never a next page.
#[derive(JsonSchema, Serialize)]
pub struct Collection<T> {
    kind: &'static str,
    metadata: CollectionMetadata,
    data: Vec<Resource<T>>,
}

#[derive(JsonSchema, Serialize)]
struct CollectionMetadata {
    #[serde(rename = "self")]
    address: String,
    next: Option<String>,
}

/// A link from one resource to another.
#[derive(JsonSchema, Serialize)]
pub struct Related {
    related: String,
}

impl<T: Serialize> Resource<T> {
    /// Returns a resource at the URL `address` (see [`Links::url`]).
    pub fn new(kind: &'static str, address: String, fields: T) -> Resource<T> {
        Resource { kind, metadata: Metadata { address, resource_name: None }, fields }
    }

    /// Adds the name (see [`Links::resource_name`]); ACLs have none.
    pub fn named(mut self, name: String) -> Resource<T> {
        self.metadata.resource_name = Some(name);
        self
    }
}

impl<T: Serialize> Collection<T> {
    /// Returns a collection at the URL `address`; `kind` ends in `List`.
    pub fn new(kind: &'static str, address: String, data: Vec<Resource<T>>) -> Collection<T> {
        Collection { kind, metadata: CollectionMetadata { address, next: None }, data }
    }
}

impl Related {
    /// Returns a link to the resource at `segments` below the root.
    pub fn to(links: &Links, segments: &[&str]) -> Related {
        Related { related: links.url(segments) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Fields {
        host: Option<&'static str>,
    }

    #[test]
    fn resources_and_collections_have_their_shape() {
        let plain = Resource::new("KafkaAcl", "http://h/a".into(), Fields { host: None });
        let named = Resource::new("KafkaAcl", "http://h/b".into(), Fields { host: Some("x") }).named("crn:///n".into());
        let all = Collection::new("KafkaAclList", "http://h".into(), vec![plain, named]);
        assert_eq!(
            serde_json::to_string(&all).unwrap(),
            r#"{"kind":"KafkaAclList","metadata":{"self":"http://h","next":null},"data":[{"kind":"KafkaAcl","metadata":{"self":"http://h/a"},"host":null},{"kind":"KafkaAcl","metadata":{"self":"http://h/b","resource_name":"crn:///n"},"host":"x"}]}"#
        );
    }
}
