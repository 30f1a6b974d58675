//! The OpenAPI document, made of the routes themselves: a path that is served is in it, and nothing else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::Bytes;
use serde_json::{Map, Value, json};

use crate::error::Kind;
use crate::http::doc::{Content, Doc};
use crate::http::media::JSON;
use crate::http::permit;
use crate::http::resource::{Routes, Verb, get, resource};
use crate::http::{connect, table, v2, v3};

/// The document as text; made when it is asked for first.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));

/// The page that shows it; refers to nothing elsewhere.
const PAGE: &str = include_str!("openapi.html");

/// What the page may do: run its own script, and ask for the document. The digests are of its script and style.
const PAGE_POLICY: &str = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    script-src 'sha256-fRSl8pz+kXFU/0ff3+p38Abt3P1vtXTuOfdjUlPKtcc='; \
    style-src 'sha256-+9R4Yt4D0GemTVZ+iNNrmNUEQsHhs7DUaFPkis5CMYE='";

/// Registers the document and its page.
pub fn routes(routes: &mut Routes) {
    let described = Doc::of("This description of the API");
    routes.service(resource("/openapi.json", vec![get("proxy.openapi", permit::OPEN, serve).doc(described)])).service(
        resource(
            "/docs",
            vec![get("proxy.docs", permit::OPEN, page).doc(Doc::of("A page that shows this description"))],
        ),
    );
}

async fn serve() -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, JSON)).body(DOCUMENT.clone())
}

async fn page() -> HttpResponse {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
    ];
    headers.into_iter().fold(&mut HttpResponse::Ok(), |answer, header| answer.insert_header(header)).body(PAGE)
}

/// Returns the document: OpenAPI 3.1.
pub fn document() -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut schemas = hand_written();
    table().visit(&mut |path, endpoint, _| {
        let item = paths.entry(path.to_owned()).or_default();
        for verb in &endpoint.verbs {
            define(&verb.doc, &mut schemas);
            let method = verb.method.as_str().to_ascii_lowercase();
            match item.get_mut(&method) {
                // v1 and v2 share paths; the media types tell them apart.
                Some(other) => merge(other, operation(path, verb)),
                None => drop(item.insert(method, operation(path, verb))),
            }
        }
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "kafka-rest-proxy",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Apache Kafka for every HTTP client.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        // What is asked for is a setting (`auth.methods`); by default nothing is.
        "security": [{}, { "basic": [] }, { "bearer": [] }, { "certificate": [] }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security_schemes() },
    })
}

fn security_schemes() -> Value {
    json!({
        "basic": { "type": "http", "scheme": "basic" },
        "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
        "certificate": { "type": "mutualTLS" },
    })
}

fn hand_written() -> Map<String, Value> {
    let parts = [own_schemas(), v2::schemas(), v3::schemas(), connect::schemas()];
    let parts = parts.into_iter().filter_map(|part| if let Value::Object(part) = part { Some(part) } else { None });
    parts.flatten().collect()
}

/// Adds the schemas that are made of the types of the answers.
fn define(doc: &Doc, schemas: &mut Map<String, Value>) {
    for content in doc.gives.iter().filter_map(|(_, content)| *content) {
        if let Some(make) = content.define
            && !schemas.contains_key(content.schema)
        {
            schemas.insert(content.schema.to_owned(), make());
        }
    }
}

fn own_schemas() -> Value {
    json!({
        "Error": {
            "type": "object",
            "required": ["error_code", "message"],
            "properties": {
                "error_code": { "type": "integer", "description": "A code of docs/ERRORS.md." },
                "message": { "type": "string", "description": "What to do about it." },
            },
        },
    })
}

fn operation(path: &str, verb: &Verb) -> Value {
    let doc = &verb.doc;
    let mut operation = json!({
        "tags": [tag(path)],
        "summary": doc.summary,
        "operationId": id(path, verb),
        "parameters": parameters(path, doc),
        "responses": responses(doc),
    });
    if let (Some(body), Value::Object(fields)) = (&doc.takes, &mut operation) {
        fields.insert("requestBody".into(), json!({ "required": !doc.may_be_empty, "content": content(body) }));
    }
    operation
}

/// Returns what groups the operations: the version and the family below the cluster, or the first segment.
fn tag(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match *segments.as_slice() {
        ["v3" | "kafka", ..] => {
            let family = path.split("{cluster}/").nth(1).and_then(|rest| rest.split(['/', ':']).next());
            format!("v3 {}", family.unwrap_or("clusters"))
        }
        [first, ..] => first.to_owned(),
        [] => "root".to_owned(),
    }
}

fn id(path: &str, verb: &Verb) -> String {
    let path = path.replace(['{', '}'], "");
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(verb.method.as_str().to_ascii_lowercase(), |id, word| id + "_" + word)
}

fn parameters(path: &str, doc: &Doc) -> Value {
    let in_path = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(|name| {
        let name = name.split(':').next().unwrap_or(name);
        let kind = if matches!(name, "partition" | "broker") { "integer" } else { "string" };
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind } })
    });
    let in_query = doc.query.iter().map(
        |(name, kind, text)| json!({ "name": name, "in": "query", "description": text, "schema": { "type": kind } }),
    );
    in_path.chain(in_query).collect()
}

fn responses(doc: &Doc) -> Value {
    let mut responses = Map::new();
    for (status, body) in &doc.gives {
        let mut response = json!({ "description": "Done." });
        if let (Some(body), Value::Object(fields)) = (body, &mut response) {
            fields.insert("content".into(), content(body));
        }
        responses.insert(status.to_string(), response);
    }
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    doc.fails.iter().for_each(|kind| by_status.entry(kind.status()).or_default().push(*kind));
    for (status, kinds) in by_status {
        let lines: Vec<_> = kinds.iter().map(|kind| format!("{}: {}", kind.code(), kind.title())).collect();
        responses.insert(status.to_string(), error(&lines.join("\n")));
    }
    responses.insert("default".into(), error("Any other error."));
    Value::Object(responses)
}

fn error(description: &str) -> Value {
    json!({ "description": description, "content": { JSON: { "schema": reference("Error") } } })
}

fn content(body: &Content) -> Value {
    let schema = if body.schema.is_empty() { json!({}) } else { reference(body.schema) };
    let types = (body.media)().into_iter().map(|media| (media.to_owned(), json!({ "schema": schema })));
    Value::Object(types.collect())
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// Adds what `new` has and `old` has not; of two lists the longer stays, of two texts the first that says something.
fn merge(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                match old.get_mut(&key) {
                    Some(before) => merge(before, value),
                    None => drop(old.insert(key, value)),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if new.len() > old.len() => *old = new,
        (Value::String(old), Value::String(new)) if old.is_empty() => *old = new,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(document: &Value) -> Vec<(String, Value)> {
        let paths = document["paths"].as_object().expect("an object");
        let below = |(path, item): (&String, &Value)| {
            let methods = item.as_object().expect("an object").clone();
            methods.into_iter().map(|(method, operation)| (format!("{method} {path}"), operation)).collect::<Vec<_>>()
        };
        paths.iter().flat_map(below).collect()
    }

    #[test]
    fn every_operation_is_described() {
        for (name, operation) in operations(&document()) {
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{name} says nothing");
        }
    }

    #[test]
    fn every_schema_that_is_named_is_there_and_used() {
        let document = document();
        let text = document.to_string();
        let named: std::collections::BTreeSet<_> = text
            .split("#/components/schemas/")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap_or_default().to_owned())
            .collect();
        let there = document["components"]["schemas"].as_object().expect("an object").keys().cloned().collect();
        assert_eq!(named, there);
    }

    #[test]
    fn the_page_may_run_its_own_script_and_style() {
        for (tag, directive) in [("script", "script-src"), ("style", "style-src")] {
            let (_, rest) = PAGE.split_once(&format!("<{tag}>")).unwrap();
            let (text, _) = rest.split_once(&format!("</{tag}>")).unwrap();
            let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
            let digest = base64_simd::STANDARD.encode_to_string(digest);
            assert!(PAGE_POLICY.contains(&format!("{directive} 'sha256-{digest}'")), "{directive}: {digest}");
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<_> =
            operations(&document()).into_iter().map(|(_, operation)| operation["operationId"].to_string()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
