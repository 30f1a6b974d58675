//! The outermost layer: admits the request, gives every error its envelope and label, and logs it once.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, Uri, Version};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpResponse};
use log::{debug, error};

use crate::error::{Error, Kind};
use crate::http::answer::{Label, accept};
use crate::http::gate::{Gate, Share};
use crate::http::health;
use crate::http::media::JSON;
use crate::http::sight::id_of;
use crate::http::unread::Rest;
use crate::http::{unread, v3};

/// The types that an error is labelled with where nothing was negotiated yet and the Accept header names one.
const LABELS: [&str; 4] =
    [JSON, "application/vnd.kafka.v2+json", "application/vnd.kafka.v1+json", "application/vnd.kafka+json"];

/// Wraps every request; see the module.
pub async fn envelope(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let gate = request.app_data::<Data<Gate>>().cloned();
    let admitted = gate.as_ref().and_then(|gate| gate.enter());
    if admitted.is_none() && !health::owns(request.path()) {
        let (refused, id) = (Error::from(Kind::Overloaded), id_of(request.request()));
        debug!("{} {}: {} (request {id})", request.method(), request.path(), refused.log_line());
        return Ok(unread::answer(request, HttpResponse::from_error(refused)));
    }
    let mut request = request;
    trim_slash(&mut request);
    let rest = (request.version() == Version::HTTP_2).then(|| unread::lend(&mut request));
    let mut response = next.call(request).await?.map_into_boxed_body();
    if response.status().is_client_error() || response.status().is_server_error() {
        response = label(response);
    }
    if gate.is_some_and(|gate| gate.is_closing()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Some(rest) = rest {
        // A connection has any number of requests there, so nothing else bounds the answers that are under way.
        response = response.map_body(|_, body| BoxBody::new(Held { body: Some(body), rest, _admitted: admitted }));
    }
    Ok(response)
}

/// The body of an answer whose request is under way until all of it is sent, and what was left of the request is read.
struct Held {
    /// Dropped at its end, as it may have the body of the request.
    body: Option<BoxBody>,
    rest: Rest,
    _admitted: Option<Share>,
}

impl MessageBody for Held {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.as_ref().map_or(BodySize::None, BoxBody::size)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(body) = &mut self.body {
            match ready!(Pin::new(body).poll_next(context)) {
                None => self.body = None,
                piece => return Poll::Ready(piece),
            }
        }
        self.rest.poll_end(context).map(|()| None)
    }
}

/// Takes one slash off the end of the path: clients may write it, routes do not. Two are another path.
fn trim_slash(request: &mut ServiceRequest) {
    let path = request.path();
    if path.len() < 2 || !path.ends_with('/') || path.ends_with("//") {
        return;
    }
    let trimmed = &path[..path.len() - 1];
    let target = match request.query_string() {
        "" => trimmed.to_string(),
        query => format!("{trimmed}?{query}"),
    };
    let mut parts = request.head().uri.clone().into_parts();
    // A path is one without its last character too; if not, the request stays as it is.
    let Ok(target) = target.parse() else { return };
    parts.path_and_query = Some(target);
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

fn label(response: ServiceResponse) -> ServiceResponse {
    let status = response.status();
    let own = response.response().error().and_then(|error| error.as_error::<Error>());
    let is_json = response.headers().contains_key(CONTENT_TYPE) && (own.is_some() || has_offsets(&response));
    let line = own.map(Error::log_line);
    let request = response.request();
    let id = || id_of(request);
    match (&line, status.is_server_error()) {
        (Some(line), true) => {
            error!("{} {} answered {status}: {line} (request {})", request.method(), request.path(), id())
        }
        (Some(line), false) => {
            debug!("{} {} answered {status}: {line} (request {})", request.method(), request.path(), id())
        }
        (None, _) => debug!("{} {} answered {status} (request {})", request.method(), request.path(), id()),
    }
    // Extractors are all asked before one fails: a 415 comes before the answer's type is settled.
    let settled = own.is_none_or(|error| error.kind() != Kind::UnsupportedMediaType);
    let negotiated = request.extensions().get::<Label>().map(|label| label.0).filter(|_| settled);
    let named = || if v3::owns(request.path()) { JSON } else { accepted_label(request.headers()) };
    let media = negotiated.unwrap_or_else(named);
    let mut response = if is_json { response } else { replace(response) };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// Tells whether a handler of ours wrote the body: produce answers 401, 403 and 5xx with the offsets.
fn has_offsets(response: &ServiceResponse) -> bool {
    response.request().extensions().get::<Label>().is_some() && response.response().error().is_none()
}

/// Puts the envelope in the place of a body that the framework wrote; status and other headers, `Allow` too, stay.
fn replace(response: ServiceResponse) -> ServiceResponse {
    let status = response.status();
    let message = format!("HTTP {} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let body = serde_json::json!({ "error_code": status.as_u16(), "message": message }).to_string();
    let (request, old) = response.into_parts();
    let mut new = HttpResponse::build(status).body(body);
    for (name, value) in old.headers() {
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, new)
}

fn accepted_label(headers: &HeaderMap) -> &'static str {
    let accept = accept(headers).unwrap_or_default();
    let named = |item: &str| LABELS.into_iter().find(|label| *label == item.trim());
    accept.split(',').find_map(named).unwrap_or(JSON)
}
