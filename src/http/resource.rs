use std::rc::Rc;

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use actix_web::middleware::Compress;
use actix_web::web::ServiceConfig;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, Route, web};

use crate::config::Endpoints;
use crate::http::doc::Doc;
use crate::http::permit::{Access, Check};
use crate::http::sight;

/// Tells by Content-Type and Accept whether a request is for some routes.
pub type MediaGuard = fn(Option<&str>, Option<&str>) -> bool;

/// The endpoints of a part of the API in the order in which they are tried; `/openapi.json` is made of the same list.
#[derive(Default)]
pub struct Routes(Vec<Item>);

enum Item {
    Endpoint(Endpoint),
    /// What is below a prefix, for the requests that the guard lets in; no other item is tried for them.
    Scope {
        prefix: &'static str,
        guard: Option<MediaGuard>,
        routes: Routes,
    },
}

/// A path and what can be done with it.
pub struct Endpoint {
    /// As actix has it: `{name}` is a segment.
    pub path: String,
    /// What can be done.
    pub verbs: Vec<Verb>,
    /// What is answered as if the path were not there.
    hidden: Vec<Method>,
}

/// One method of a path.
pub struct Verb {
    /// The method.
    pub method: Method,
    /// What it is called in `endpoints.allow` and `endpoints.block`; where it ends in `.` or `-` it has a name for each
    /// of [`FORMATS`], which are appended.
    pub name: &'static str,
    /// What its callers have to be allowed.
    pub access: Access,
    /// What is said of it.
    pub doc: Doc,
    route: Route,
    is_compressed: bool,
}

/// The formats by which a name may be told from others of the same endpoint.
pub const FORMATS: [&str; 5] = ["binary", "json", "avro", "json-schema", "protobuf"];

impl Routes {
    /// Adds a path.
    pub fn service(&mut self, endpoint: Endpoint) -> &mut Routes {
        self.0.push(Item::Endpoint(endpoint));
        self
    }

    /// Adds what `add` adds.
    pub fn configure(&mut self, add: fn(&mut Routes)) -> &mut Routes {
        add(self);
        self
    }

    /// Adds what `add` adds below `prefix`; nothing else is tried for requests below it.
    pub fn below(&mut self, prefix: &'static str, add: fn(&mut Routes)) -> &mut Routes {
        self.scope(prefix, None, add)
    }

    /// Adds what `add` adds for requests whose Content-Type and Accept say so; nothing else is tried for them.
    pub fn when(&mut self, guard: MediaGuard, add: fn(&mut Routes)) -> &mut Routes {
        self.scope("", Some(guard), add)
    }

    fn scope(&mut self, prefix: &'static str, guard: Option<MediaGuard>, add: fn(&mut Routes)) -> &mut Routes {
        let mut routes = Routes::default();
        add(&mut routes);
        self.0.push(Item::Scope { prefix, guard, routes });
        self
    }

    /// Hands everything to the framework that is served.
    pub fn register(self, config: &mut ServiceConfig, served: &Endpoints) {
        self.register_below("", config, served);
    }

    fn register_below(self, above: &str, config: &mut ServiceConfig, served: &Endpoints) {
        for item in self.0 {
            match item {
                Item::Endpoint(endpoint) => {
                    let path = format!("{above}{}", endpoint.path);
                    config.service(endpoint.serving(served).into_resource(&path, served))
                }
                Item::Scope { prefix, guard, routes } => {
                    let below = format!("{above}{prefix}");
                    let scope = web::scope(prefix).configure(|config| routes.register_below(&below, config, served));
                    config.service(match guard {
                        Some(names) => scope.guard(media_guard(names)),
                        None => scope,
                    })
                }
            };
        }
    }

    /// Calls `see` with every path, in order, and with whether it is one only for requests that a guard lets in.
    pub fn visit(&self, see: &mut dyn FnMut(&str, &Endpoint, bool)) {
        for item in &self.0 {
            match item {
                Item::Endpoint(endpoint) => see(&endpoint.path, endpoint, false),
                Item::Scope { prefix, guard, routes } => routes.visit(&mut |path, endpoint, is_guarded| {
                    see(&format!("{prefix}{path}"), endpoint, is_guarded || guard.is_some());
                }),
            }
        }
    }
}

impl Endpoint {
    /// Answers 404 to a method that others have there, and that this proxy is not to show.
    pub fn hiding(mut self, method: Method) -> Endpoint {
        self.hidden.push(method);
        self
    }

    /// Leaves out what is not served: it is 404 for GET and 405 for other methods, as in the reference.
    fn serving(mut self, served: &Endpoints) -> Endpoint {
        if self.unserved(served).contains(&Method::GET) {
            self.hidden.extend([Method::GET, Method::HEAD]);
        }
        self.verbs.retain(|verb| verb.is_served(served));
        self
    }

    /// Returns the methods that are not served.
    pub fn unserved(&self, served: &Endpoints) -> Vec<Method> {
        let unserved = self.verbs.iter().filter(|verb| !verb.is_served(served));
        unserved.map(|verb| verb.method.clone()).collect()
    }

    /// Hands it to the framework; requests are counted under `route`.
    pub fn into_resource(self, route: &str, served: &Endpoints) -> Resource {
        let allow = HeaderValue::from_str(&self.allow(served)).unwrap_or(HeaderValue::from_static("OPTIONS"));
        let hidden = self.hidden;
        let other = move |request: HttpRequest| {
            let response = if hidden.contains(request.method()) {
                HttpResponse::NotFound().finish()
            } else if request.method() == Method::OPTIONS {
                HttpResponse::Ok().insert_header((ALLOW, allow.clone())).finish()
            } else {
                HttpResponse::MethodNotAllowed().insert_header((ALLOW, allow.clone())).finish()
            };
            async move { response }
        };
        let pattern: Rc<str> = self.path.as_str().into();
        let resource = web::resource(self.path).guard(sight::sees(route)).default_service(web::to(other));
        self.verbs.into_iter().fold(resource, |resource, verb| resource.route(verb.into_route(&pattern)))
    }

    /// Returns the methods that are served, as the header has them.
    pub fn allow(&self, served: &Endpoints) -> String {
        let verbs = self.verbs.iter().filter(|verb| verb.is_served(served));
        let mut verbs: Vec<&str> = verbs.map(|verb| verb.method.as_str()).collect();
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

    /// Returns all names that it goes by.
    pub fn names(&self) -> Vec<String> {
        match self.name.ends_with(['.', '-']) {
            true => FORMATS.iter().map(|format| format!("{}{format}", self.name)).collect(),
            false => vec![self.name.to_owned()],
        }
    }

    /// Tells whether it is served under any of its names.
    pub fn is_served(&self, served: &Endpoints) -> bool {
        served.are_all() || self.names().iter().any(|name| served.serve(name))
    }

    fn new(method: Method, name: &'static str, access: Access, route: Route) -> Verb {
        Verb { method, name, access, doc: Doc::default(), route, is_compressed: false }
    }

    fn into_route(self, pattern: &Rc<str>) -> Route {
        let route = self.route.wrap(Check { access: self.access, pattern: Rc::clone(pattern) });
        // Bytes are counted before they are compressed.
        if self.is_compressed { route.wrap(Compress::default()) } else { route }
    }
}

/// Returns a path that knows its verbs: HEAD goes with GET, OPTIONS is answered, other verbs get 405 with `Allow`.
pub fn resource(path: &str, verbs: Vec<Verb>) -> Endpoint {
    Endpoint { path: path.to_owned(), verbs, hidden: Vec::new() }
}

/// Returns a verb for GET and HEAD; answers are compressed for clients that ask.
pub fn get<F, Args>(name: &'static str, access: Access, handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let read = guard::Any(guard::Get()).or(guard::Head());
    let verb = Verb::new(Method::GET, name, access, web::route().guard(read).to(handler));
    Verb { is_compressed: true, ..verb }
}

/// Returns a verb for POST; its answers are small or fast, and go as they are.
pub fn post<F, Args>(name: &'static str, access: Access, handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::POST, name, access, web::post().to(handler))
}

/// Returns a verb for PUT.
pub fn put<F, Args>(name: &'static str, access: Access, handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::PUT, name, access, web::put().to(handler))
}

/// Returns a verb for PATCH.
pub fn patch<F, Args>(name: &'static str, access: Access, handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::PATCH, name, access, web::patch().to(handler))
}

/// Returns a verb for DELETE.
pub fn delete<F, Args>(name: &'static str, access: Access, handler: F) -> Verb
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Verb::new(Method::DELETE, name, access, web::delete().to(handler))
}

fn media_guard(names: MediaGuard) -> impl Guard {
    guard::fn_guard(move |context| {
        let header = |name| context.head().headers().get(name).and_then(|value| value.to_str().ok());
        names(header(CONTENT_TYPE), header(ACCEPT))
    })
}
