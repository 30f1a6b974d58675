use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::http::{Method, Version};
use actix_web::web::Data;

use crate::error::Error;
use crate::http::caller::Caller;
use crate::http::sight::Sight;
use crate::http::sight::body::{WatchedBody, count_payload, declared};
use crate::http::sight::request_id::{REQUEST_ID, settle};
use crate::http::sight::route::{UNMATCHED, label};
use crate::http::sight::seen::Seen;
use crate::http::sight::tracing::context;
use crate::logging::Access;
use crate::metrics::{GONE, InFlight, Requests};
use crate::spans::Span;
use crate::trace::Context;

/// One request from its head to the end of its answer. Dropped before, its client has gone.
pub struct Watch {
    sight: Data<Sight>,
    seen: Rc<Seen>,
    began: Instant,
    began_at: SystemTime,
    method: &'static str,
    draft: Option<Draft>,
    status: Option<u16>,
    error: Option<&'static str>,
    pub(super) bytes_out: u64,
    is_over: bool,
    _in_flight: InFlight,
}

/// What the access log needs beside.
struct Draft {
    path: String,
    bytes_in: Option<u64>,
    principal: Option<String>,
    remote: Option<SocketAddr>,
}

impl Watch {
    pub(super) fn begin(sight: Data<Sight>, request: &mut ServiceRequest) -> Watch {
        let headers = request.headers();
        let seen = Rc::new(Seen {
            id: settle(headers),
            route: Cell::new(UNMATCHED),
            bytes_in: Cell::new(0),
            is_cut: Cell::new(false),
            context: context(&sight.tracing, headers),
        });
        request.extensions_mut().insert(Rc::clone(&seen));
        let is_open = is_open(request);
        if is_open {
            count_payload(request, &seen);
        }
        let draft = sight.access_log.is_some().then(|| Draft::of(request, is_open));
        Watch {
            method: Requests::method(request.method().as_str()),
            _in_flight: sight.metrics.requests.begin(),
            sight,
            seen,
            began: Instant::now(),
            began_at: SystemTime::now(),
            draft,
            status: None,
            error: None,
            bytes_out: 0,
            is_over: false,
        }
    }

    pub(super) fn context(&self) -> Option<Context> {
        self.seen.context.clone()
    }

    /// Counts the answer and lets it go; the request is over with the end of its body.
    pub(super) fn answered(mut self, mut response: ServiceResponse) -> ServiceResponse<BoxBody> {
        if let Some(error) = response.response().error().and_then(|error| error.as_error::<Error>()) {
            self.error = Some(error.kind().label());
            self.sight.metrics.errors.count(error.kind());
        }
        if let Some(draft) = &mut self.draft {
            draft.principal = principal(&response);
        }
        self.count(response.status().as_u16());
        response.headers_mut().insert(REQUEST_ID, self.seen.id.clone());
        self.sight.security.add(&mut response);
        let is_head = response.request().method() == Method::HEAD;
        match response.response().body().size() {
            BodySize::Stream if !is_head => {
                response.map_body(|_, inner| BoxBody::new(WatchedBody { inner, watch: self }))
            }
            BodySize::Sized(bytes) if !is_head => {
                self.bytes_out = bytes;
                self.ended();
                response
            }
            BodySize::None | BodySize::Stream | BodySize::Sized(_) => {
                self.ended();
                response
            }
        }
    }

    /// Counts a request that the framework answers by itself.
    pub(super) fn failed(mut self, error: &actix_web::Error) {
        self.count(error.as_response_error().status_code().as_u16());
        self.ended();
    }

    /// Says that the answer has come to its end; where the request did not, its client has gone amid both.
    pub(super) fn ended(&mut self) {
        let is_cut = self.seen.is_cut.get();
        if is_cut {
            self.sight.metrics.requests.answers_cut.add(1);
        }
        self.finish(!is_cut);
    }

    fn count(&mut self, status: u16) {
        self.status = Some(status);
        let metrics = &self.sight.metrics;
        if metrics.enabled {
            metrics.requests.count(self.seen.route.get(), self.method, status, self.began.elapsed());
        }
    }

    /// Tells of the request, once.
    fn finish(&mut self, complete: bool) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let (route, took) = (label(self.seen.route.get()), self.began.elapsed());
        let (status, method, error, began) = (self.status.unwrap_or(GONE), self.method, self.error, self.began_at);
        if let (Some(spans), Some(context)) = (&self.sight.spans, &self.seen.context)
            && context.sampled
        {
            spans.put(Span { context: context.clone(), method, route, status, error, began, took });
        }
        if let (Some(log), Some(draft)) = (&self.sight.access_log, self.draft.take()) {
            log.put(&Access {
                began,
                took,
                method,
                route,
                path: draft.path,
                status,
                bytes_in: draft.bytes_in.or_else(|| Some(self.seen.bytes_in.get())),
                bytes_out: self.bytes_out,
                principal: draft.principal,
                remote: draft.remote,
                request_id: self.seen.id().to_owned(),
                trace_id: self.seen.context.as_ref().map(|context| context.trace.to_string()),
                error,
                complete,
            });
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        match self.status {
            None => self.count(GONE),
            Some(_) => self.sight.metrics.requests.answers_cut.add(1),
        }
        self.finish(false);
    }
}

impl Draft {
    fn of(request: &ServiceRequest, is_open: bool) -> Draft {
        Draft {
            path: request.path().to_owned(),
            bytes_in: if is_open { None } else { declared(request).or(Some(0)) },
            principal: None,
            remote: request.peer_addr(),
        }
    }
}

/// Tells whether a body comes whose length is not told: in chunks, or as HTTP/2 does by itself.
fn is_open(request: &ServiceRequest) -> bool {
    let is_framed = request.version() == Version::HTTP_2 && declared(request).is_none();
    request.headers().contains_key(TRANSFER_ENCODING) || is_framed
}

/// Returns who asked, where they said so.
fn principal(response: &ServiceResponse) -> Option<String> {
    let extensions = response.request().extensions();
    let caller = extensions.get::<Caller>()?;
    (!caller.principal.is_anonymous()).then(|| caller.principal.name().to_owned())
}
