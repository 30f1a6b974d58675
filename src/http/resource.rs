use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use actix_web::middleware::Compress;
use actix_web::web::ServiceConfig;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, Route, web};

use crate::http::doc::Doc;

/// Tells by Content-Type and Accept whether a request is for a resource.
pub type MediaGuard = fn(Option<&str>, Option<&str>) -> bool;

/// The endpoints of a part of the API in the order in which they are tried; `/openapi.json` is made of the same list.
#[derive(Default)]
pub struct Routes {
    endpoints: Vec<Endpoint>,
    scopes: Vec<(&'static str, Routes)>,
}

/// A path and what can be done with it.
pub struct Endpoint {
    /// As actix has it: `{name}` is a segment.
    pub path: String,
    /// What can be done.
    pub verbs: Vec<Verb>,
    guard: Option<MediaGuard>,
}

/// One method of a path.
pub struct Verb {
    /// The method.
    pub method: Method,
    /// What is said of it.
    pub doc: Doc,
    route: Route,
}

impl Routes {
    /// Adds a path.
    pub fn service(&mut self, endpoint: Endpoint) -> &mut Routes {
        self.endpoints.push(endpoint);
        self
    }

    /// Adds what `add` adds.
    pub fn configure(&mut self, add: fn(&mut Routes)) -> &mut Routes {
        add(self);
        self
    }

    /// Adds what `add` adds below `prefix`, to be tried after the paths above.
    pub fn scope(&mut self, prefix: &'static str, add: fn(&mut Routes)) -> &mut Routes {
        let mut routes = Routes::default();
        add(&mut routes);
        self.scopes.push((prefix, routes));
        self
    }

    /// Hands everything to the framework.
    pub fn register(self, config: &mut ServiceConfig) {
        for endpoint in self.endpoints {
            config.service(endpoint.into_resource());
        }
        for (prefix, routes) in self.scopes {
            config.service(web::scope(prefix).configure(|config| routes.register(config)));
        }
    }

    /// Calls `see` with every path, in order.
    pub fn visit(&self, see: &mut dyn FnMut(&str, &Endpoint)) {
        self.endpoints.iter().for_each(|endpoint| see(&endpoint.path, endpoint));
        for (prefix, routes) in &self.scopes {
            routes.visit(&mut |path, endpoint| see(&format!("{prefix}{path}"), endpoint));
        }
    }
}

impl Endpoint {
    /// Makes it for requests alone whose Content-Type and Accept say so.
    pub fn when(mut self, guard: MediaGuard) -> Endpoint {
        self.guard = Some(guard);
        self
    }

    fn into_resource(self) -> Resource {
        let allow = HeaderValue::from_str(&self.allow()).unwrap_or(HeaderValue::from_static("OPTIONS"));
        let other = move |request: HttpRequest| {
            let allow = allow.clone();
            async move {
                let mut response = match *request.method() {
                    Method::OPTIONS => HttpResponse::Ok(),
                    _ => HttpResponse::MethodNotAllowed(),
                };
                response.insert_header((ALLOW, allow)).finish()
            }
        };
        let mut resource = web::resource(self.path).default_service(web::to(other));
        if let Some(names) = self.guard {
            resource = resource.guard(media_guard(names));
        }
        self.verbs.into_iter().fold(resource, |resource, verb| resource.route(verb.route))
    }

    fn allow(&self) -> String {
        let mut verbs: Vec<&str> = self.verbs.iter().map(|verb| verb.method.as_str()).collect();
        if verbs.contains(&"GET") {
            verbs.push("HEAD");
        }
        verbs.push("OPTIONS");
        verbs.join(", ")
    }
}

impl Verb {
    /// Says what it does.
    pub fn doc(mut self, doc: Doc) -> Verb {
        self.doc = doc;
        self
    }

    fn new(method: Method, route: Route) -> Verb {
        Verb { method, doc: Doc::default(), route }
    }
}

/// Returns a path that knows its verbs: HEAD goes with GET, OPTIONS is answered, other verbs get 405 with `Allow`.
pub fn resource(path: &str, verbs: Vec<Verb>) -> Endpoint {
    Endpoint { path: path.to_owned(), verbs, guard: None }
}

/// Returns a verb for GET and HEAD; answers are compressed for clients that ask.
pub fn get<F, Args>(handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let read = guard::Any(guard::Get()).or(guard::Head());
    Verb::new(Method::GET, web::route().guard(read).to(handler).wrap(Compress::default()))
}

/// Returns a verb for POST; its answers are small or fast, and go as they are.
pub fn post<F, Args>(handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::POST, web::post().to(handler))
}

/// Returns a verb for PUT.
pub fn put<F, Args>(handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::PUT, web::put().to(handler))
}

/// Returns a verb for PATCH.
pub fn patch<F, Args>(handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::PATCH, web::patch().to(handler))
}

/// Returns a verb for DELETE.
pub fn delete<F, Args>(handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::DELETE, web::delete().to(handler))
}

fn media_guard(names: MediaGuard) -> impl Guard {
    guard::fn_guard(move |context| {
        let header = |name| context.head().headers().get(name).and_then(|value| value.to_str().ok());
        names(header(CONTENT_TYPE), header(ACCEPT))
    })
}
