//! What is not served (`endpoints.allow`, `endpoints.block`), refused before anybody is asked who they are.
//!
//! It is not registered either ([`Routes::register`]); this only comes before authentication, as in the reference.

use std::collections::HashMap;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::config::Endpoints;
use crate::error::{Kind, Result};
use crate::http::caller::Caller;
use crate::http::media::names_v1;
use crate::http::resource::Routes;
use crate::http::unread;
use crate::model::Format;

/// The methods that are not served, by the path of their endpoint and by whether it is one of v1.
#[derive(Default)]
pub struct Unserved(HashMap<(String, bool), Methods>);

struct Methods {
    unserved: Vec<Method>,
    /// The others.
    allow: String,
}

impl Unserved {
    /// Looks through the endpoints; none where everything is served.
    pub fn of(routes: Routes, served: &Endpoints) -> Unserved {
        let mut all = HashMap::new();
        if !served.are_all() {
            routes.visit(&mut |path, endpoint, is_v1| {
                // Of several endpoints of the same path the first is asked.
                all.entry((path.to_owned(), is_v1))
                    .or_insert_with(|| Methods { unserved: endpoint.unserved(served), allow: endpoint.allow(served) });
            });
            all.retain(|_, methods| !methods.unserved.is_empty());
        }
        Unserved(all)
    }

    /// Tells whether everything is served.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn refusal(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let pattern = request.match_pattern()?;
        let is_v1 = names_v1(header(CONTENT_TYPE), header(ACCEPT));
        let of_v1 = if is_v1 { self.0.get(&(pattern.clone(), true)) } else { None };
        let methods = of_v1.or_else(|| self.0.get(&(pattern, false)).filter(|_| !is_v1))?;
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        methods.unserved.contains(method).then(|| match *method {
            Method::GET => HttpResponse::NotFound().finish(),
            _ => HttpResponse::MethodNotAllowed().insert_header((ALLOW, methods.allow.as_str())).finish(),
        })
    }
}

/// Refuses what is not served.
pub async fn refuse_unserved(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let unserved = request.app_data::<Data<Unserved>>();
    match unserved.and_then(|unserved| unserved.refusal(request.request())) {
        Some(refused) => Ok(unread::answer(request, refused)),
        None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
    }
}

/// Refuses a format of an endpoint that has a name for each, whose names begin so; as the whole endpoint would be.
pub fn check_format(caller: &Caller, family: &str, format: Format) -> Result<()> {
    let served = &caller.config.endpoints;
    let name = match format {
        Format::Binary | Format::Text => "binary",
        Format::Json => "json",
        Format::Avro => "avro",
        Format::JsonSchema => "json-schema",
        Format::Protobuf => "protobuf",
    };
    if served.are_all() || served.serve(&format!("{family}{name}")) {
        return Ok(());
    }
    Err(if family.ends_with('-') { Kind::NotFound } else { Kind::MethodNotAllowed }.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use actix_web::middleware::from_fn;
    use actix_web::{App, rt, test};

    use super::*;
    use crate::config::ENDPOINT_NAMES;
    use crate::http::permit::Access;
    use crate::http::table;

    /// Returns method and path of every verb with its names; a path that is served in several places counts as one.
    fn names() -> BTreeMap<(String, bool), Vec<String>> {
        let mut names: BTreeMap<_, Vec<String>> = BTreeMap::new();
        table().visit(&mut |path, endpoint, is_v1| {
            let path = path.trim_start_matches("/kafka").trim_start_matches("/v3");
            let path = path.strip_prefix("/connect/{cluster}").unwrap_or(path);
            for verb in &endpoint.verbs {
                // Endpoints of v2 are there for requests that name v1 too.
                let is_v1 = is_v1 && verb.name.starts_with("api.v1.");
                let place = (format!("{} {path}", verb.method), is_v1);
                let known = names.entry(place).or_default();
                known.extend(verb.names());
                known.dedup();
            }
        });
        names
    }

    #[test]
    fn every_endpoint_has_a_name_of_its_own() {
        let mut by_name: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
        for (place, names) in names() {
            names.into_iter().for_each(|name| by_name.entry(name).or_default().push(place.clone()));
        }
        // The endpoints that only v1 has are served whatever the request names.
        by_name.values_mut().for_each(|places| places.dedup_by(|one, other| one.0 == other.0));
        let shared: Vec<_> = by_name.iter().filter(|(_, places)| places.len() > 1).collect();
        assert!(shared.is_empty(), "{shared:#?}");
    }

    #[test]
    fn the_settings_know_the_names_of_all_endpoints() {
        let mut all: Vec<String> = names().into_values().flatten().collect();
        all.sort_unstable();
        all.dedup();
        let quoted = all.iter().map(|name| format!("    {name:?},\n")).collect::<String>();
        assert_eq!(ENDPOINT_NAMES, all, "the table should be\n{quoted}");
    }

    #[test]
    fn the_documentation_names_every_endpoint() {
        let documented = include_str!("../../docs/API.md");
        let missing: Vec<_> = ENDPOINT_NAMES.iter().filter(|name| !documented.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "not in docs/API.md: {missing:?}");
    }

    #[test]
    fn only_what_says_nothing_of_kafka_is_open() {
        let mut open = Vec::new();
        table().visit(&mut |_, endpoint, _| {
            open.extend(endpoint.verbs.iter().filter(|verb| verb.access == Access::Open).map(|verb| verb.name));
        });
        open.sort_unstable();
        open.dedup();
        let expected = [
            "api.v1.root.get",
            "api.v1.root.post",
            "api.v2.root.get",
            "api.v2.root.post",
            "proxy.docs",
            "proxy.health",
            "proxy.live",
            "proxy.openapi",
            "proxy.ready",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn what_is_left_out_is_known_by_path_and_version() {
        let served = Endpoints { allow: Vec::new(), block: vec!["api.v1.topics.*".to_owned()] };
        let unserved = Unserved::of(table(), &served);
        let mut paths: Vec<_> = unserved.0.keys().cloned().collect();
        paths.sort_unstable();
        assert_eq!(paths, [("/topics".to_owned(), true), ("/topics/{topic}".to_owned(), true)]);
        assert_eq!(unserved.0[&("/topics/{topic}".to_owned(), true)].allow, "POST, OPTIONS");
    }

    #[test]
    fn what_is_not_served_is_refused_before_anybody_is_asked_who_they_are() {
        let block = ["api.v3.topics.list", "api.v3.topics.delete", "api.v1.topics.list", "connect.connectors.list"];
        let served = Endpoints { allow: Vec::new(), block: block.map(str::to_owned).to_vec() };
        let unserved = Data::new(Unserved::of(table(), &served));
        let answered = rt::System::new().block_on(async {
            let stranger = |request: ServiceRequest, _: Next<BoxBody>| async {
                let (request, _) = request.into_parts();
                Ok::<_, actix_web::Error>(ServiceResponse::new(request, HttpResponse::Unauthorized().finish()))
            };
            let app = App::new().app_data(unserved).wrap(from_fn(stranger)).wrap(from_fn(refuse_unserved));
            let app = test::init_service(app.configure(|config| table().register(config, &served))).await;
            let mut answered = Vec::new();
            for (method, path, accept) in [
                (Method::GET, "/v3/clusters/x/topics", "*/*"),
                (Method::HEAD, "/kafka/v3/clusters/x/topics", "*/*"),
                (Method::POST, "/v3/clusters/x/topics", "*/*"),
                (Method::OPTIONS, "/v3/clusters/x/topics", "*/*"),
                (Method::DELETE, "/v3/clusters/x/topics/t", "*/*"),
                (Method::GET, "/topics", "*/*"),
                (Method::GET, "/topics", "application/vnd.kafka.v1+json"),
                (Method::GET, "/connectors", "*/*"),
                (Method::GET, "/connect/c/connectors", "*/*"),
                (Method::POST, "/connectors", "*/*"),
                (Method::GET, "/nowhere", "*/*"),
            ] {
                let request = test::TestRequest::with_uri(path).method(method).insert_header((ACCEPT, accept));
                answered.push(test::call_service(&app, request.to_request()).await.status().as_u16());
            }
            answered
        });
        assert_eq!(answered, [404, 404, 401, 401, 405, 401, 404, 404, 404, 401, 401]);
    }
}
