use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use actix_web::middleware::Compress;
use actix_web::web::ServiceConfig;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, Route, web};

use crate::http::doc::Doc;
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
    hidden: Option<Method>,
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

    /// Hands everything to the framework.
    pub fn register(self, config: &mut ServiceConfig) {
        self.register_below("", config);
    }

    fn register_below(self, above: &str, config: &mut ServiceConfig) {
        for item in self.0 {
            match item {
                Item::Endpoint(endpoint) => {
                    let path = format!("{above}{}", endpoint.path);
                    config.service(endpoint.into_resource(&path))
                }
                Item::Scope { prefix, guard, routes } => {
                    let below = format!("{above}{prefix}");
                    let scope = web::scope(prefix).configure(|config| routes.register_below(&below, config));
                    config.service(match guard {
                        Some(names) => scope.guard(media_guard(names)),
                        None => scope,
                    })
                }
            };
        }
    }

    /// Calls `see` with every path, in order.
    pub fn visit(&self, see: &mut dyn FnMut(&str, &Endpoint)) {
        for item in &self.0 {
            match item {
                Item::Endpoint(endpoint) => see(&endpoint.path, endpoint),
                Item::Scope { prefix, routes, .. } => {
                    routes.visit(&mut |path, endpoint| see(&format!("{prefix}{path}"), endpoint));
                }
            }
        }
    }
}

impl Endpoint {
    /// Answers 404 to a method that others have there, and that this proxy is not to show.
    pub fn hiding(mut self, method: Method) -> Endpoint {
        self.hidden = Some(method);
        self
    }

    /// Hands it to the framework; requests are counted under `route`.
    pub fn into_resource(self, route: &str) -> Resource {
        let allow = HeaderValue::from_str(&self.allow()).unwrap_or(HeaderValue::from_static("OPTIONS"));
        let hidden = self.hidden.clone();
        let other = move |request: HttpRequest| {
            let response = if Some(request.method()) == hidden.as_ref() {
                HttpResponse::NotFound().finish()
            } else if request.method() == Method::OPTIONS {
                HttpResponse::Ok().insert_header((ALLOW, allow.clone())).finish()
            } else {
                HttpResponse::MethodNotAllowed().insert_header((ALLOW, allow.clone())).finish()
            };
            async move { response }
        };
        let resource = web::resource(self.path).guard(sight::sees(route)).default_service(web::to(other));
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
    Endpoint { path: path.to_owned(), verbs, hidden: None }
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
