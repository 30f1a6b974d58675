use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::Compress;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, Route, web};

/// Returns a resource that knows its verbs: HEAD goes with GET, OPTIONS is answered, other
/// verbs get 405 with `Allow`.
pub fn resource(path: &str, routes: Vec<(Method, Route)>) -> Resource {
    let mut verbs: Vec<&str> = routes.iter().map(|(method, _)| method.as_str()).collect();
    if verbs.contains(&"GET") {
        verbs.push("HEAD");
    }
    verbs.push("OPTIONS");
    let allow = HeaderValue::from_str(&verbs.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"));
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
    let resource = web::resource(path).default_service(web::to(other));
    routes.into_iter().fold(resource, |resource, (_, route)| resource.route(route))
}

/// Returns a route for GET and HEAD; answers are compressed for clients that ask.
pub fn get<F, Args>(handler: F) -> (Method, Route)
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let read = guard::Any(guard::Get()).or(guard::Head());
    (Method::GET, web::route().guard(read).to(handler).wrap(Compress::default()))
}

/// Returns a route for POST; its answers are small or fast, and go as they are.
pub fn post<F, Args>(handler: F) -> (Method, Route)
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    (Method::POST, web::post().to(handler))
}

/// Returns a route for PUT.
pub fn put<F, Args>(handler: F) -> (Method, Route)
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    (Method::PUT, web::put().to(handler))
}

/// Returns a route for PATCH.
pub fn patch<F, Args>(handler: F) -> (Method, Route)
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    (Method::PATCH, web::patch().to(handler))
}

/// Returns a route for DELETE.
pub fn delete<F, Args>(handler: F) -> (Method, Route)
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    (Method::DELETE, web::delete().to(handler))
}

/// Returns a guard on Content-Type and Accept.
pub fn media_guard(names: fn(Option<&str>, Option<&str>) -> bool) -> impl Guard {
    use actix_web::http::header::{ACCEPT, CONTENT_TYPE};
    guard::fn_guard(move |context| {
        let header = |name| context.head().headers().get(name).and_then(|value| value.to_str().ok());
        names(header(CONTENT_TYPE), header(ACCEPT))
    })
}
