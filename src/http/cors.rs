//! CORS: which pages of others may use this proxy from a browser (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
//!
//! actix-cors refuses what it does not like with bodies of its own, and answers preflights with 200; here a page that is
//! not allowed gets the answers of everybody else, without the headers that would show them to it.

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::config;
use crate::http::sight::{PREFLIGHT, set_route};

/// What a preflight's answer depends on.
const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// The settings as headers.
pub struct Cors {
    origins: Vec<String>,
    credentials: bool,
    methods: HeaderValue,
    headers: HeaderValue,
    exposed: HeaderValue,
    max_age: HeaderValue,
}

impl Cors {
    pub fn new(settings: &config::Cors) -> Cors {
        // The settings are tokens, which are values.
        let list = |items: &[String]| HeaderValue::try_from(items.join(", ")).unwrap_or(HeaderValue::from_static(""));
        Cors {
            origins: settings.origins.clone(),
            credentials: settings.credentials,
            methods: list(&settings.methods),
            headers: list(&settings.headers),
            exposed: list(&settings.exposed_headers),
            max_age: HeaderValue::from(settings.max_age.as_secs()),
        }
    }

    /// Returns what a page is told that is allowed to; `None` for others.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        match self.origins.iter().find(|allowed| *allowed == "*" || allowed.as_bytes() == origin.as_bytes()) {
            Some(any) if any == "*" => Some(HeaderValue::from_static("*")),
            Some(_) => Some(origin.clone()),
            None => None,
        }
    }

    fn preflight(&self, request: &ServiceRequest) -> HttpResponse {
        let mut response = HttpResponse::NoContent().finish();
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static(PREFLIGHT_VARY));
        if let Some(origin) = self.allowed(request.headers()) {
            self.allow(headers, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
            headers.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        response
    }

    fn allow(&self, headers: &mut HeaderMap, origin: HeaderValue) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// Answers preflights, whatever else a request would need, and marks all other answers.
pub async fn cors(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(cors) = request.app_data::<Data<Cors>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    if is_preflight(&request) {
        set_route(&request, PREFLIGHT);
        let response = cors.preflight(&request);
        return Ok(request.into_response(response));
    }
    let origin = cors.allowed(request.headers());
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        cors.allow(headers, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, cors.exposed.clone());
    }
    Ok(response)
}

/// Other requests with OPTIONS are for the API.
fn is_preflight(request: &ServiceRequest) -> bool {
    let has = |name: HeaderName| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD)
}
