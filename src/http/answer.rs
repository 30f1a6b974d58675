//! Extractors that negotiate: what the request is in, what the answer will be in.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::body::MessageBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use serde::Serialize;

use crate::config::PlainJson;
use crate::error::{Error, Kind, Result};
use crate::http::media::{Chosen, JSON, Offer, best_offer, essence};
use crate::state::State;

/// What an endpoint answers in; stated beside its route.
pub trait Offers: 'static {
    /// The first of equal weight is preferred.
    const OFFERS: &'static [Offer];
}

/// What an endpoint takes; stated beside its route.
pub trait Takes: 'static {
    /// What a Content-Type means here.
    type Meaning: Copy;
    /// The types, in the order in which a refusal names them.
    const TYPES: &'static [(&'static str, Self::Meaning)];
    /// The meaning of a request without a Content-Type.
    const ABSENT: Self::Meaning;

    /// Returns what plain JSON means under a setting; `None` refuses it.
    fn plain_json(_setting: PlainJson) -> Option<Self::Meaning> {
        None
    }
}

/// The media type chosen for the answer; errors of the request are labelled with it too.
pub struct Answer<O> {
    media: &'static str,
    exact: bool,
    offers: PhantomData<O>,
}

impl<O> Answer<O> {
    /// Returns 200 with `body` as JSON.
    pub fn json(&self, body: &impl Serialize) -> Result<HttpResponse> {
        let text = serde_json::to_vec(body).map_err(|error| Kind::Internal.caused_by(error))?;
        Ok(self.text(StatusCode::OK, text))
    }

    /// Returns `body`, which is JSON text.
    pub fn text(&self, status: StatusCode, body: Vec<u8>) -> HttpResponse {
        self.body(status, body)
    }

    /// Returns `body`, whose bytes are JSON text.
    pub fn body(&self, status: StatusCode, body: impl MessageBody + 'static) -> HttpResponse {
        HttpResponse::build(status).insert_header((CONTENT_TYPE, self.media)).body(body)
    }

    /// Returns the type of the answer.
    pub fn media(&self) -> &'static str {
        self.media
    }

    /// Tells whether the client named this very type, rather than leaving the choice.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Puts another type in the place of one that the client left to choose.
    pub fn relabel(&mut self, request: &HttpRequest, media: &'static str) {
        self.media = media;
        request.extensions_mut().insert(Label(media));
    }
}

/// Remembers the negotiated type in the request, for the label of an error.
pub(super) struct Label(pub(super) &'static str);

impl<O: Offers> FromRequest for Answer<O> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match best_offer(accept(request.headers()).as_deref(), O::OFFERS) {
            Some(Chosen { media, exact }) => {
                request.extensions_mut().insert(Label(media));
                Ok(Answer { media, exact, offers: PhantomData })
            }
            None => Err(not_acceptable(O::OFFERS)),
        })
    }
}

fn not_acceptable(offers: &[Offer]) -> Error {
    // Where all there is is plain JSON, clients match on the reference's text.
    if let [(JSON, _)] = offers {
        return Kind::NotAcceptable.into();
    }
    let offered: Vec<_> = offers.iter().map(|(media, _)| *media).collect();
    Kind::NotAcceptable.because(format!("HTTP 406 Not Acceptable: this answer comes as {}.", offered.join(" or ")))
}

/// What the Content-Type of the request means.
pub struct Content<T: Takes>(pub T::Meaning);

impl<T: Takes> FromRequest for Content<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(meaning::<T>(request).map(Content))
    }
}

fn meaning<T: Takes>(request: &HttpRequest) -> Result<T::Meaning> {
    let Some(header) = request.headers().get(CONTENT_TYPE) else {
        return Ok(T::ABSENT);
    };
    let header = header.to_str().unwrap_or_default();
    let find = |wanted: &str| T::TYPES.iter().find(|(media, _)| *media == wanted).map(|(_, meaning)| *meaning);
    if let Some(exact) = find(header) {
        return Ok(exact);
    }
    let essence = essence(header);
    let plain = || {
        let state = request.app_data::<Data<State>>()?;
        (essence.as_deref() == Some(JSON)).then(|| T::plain_json(state.config.producer.plain_json)).flatten()
    };
    essence.as_deref().and_then(find).or_else(plain).ok_or_else(unsupported::<T>)
}

fn unsupported<T: Takes>() -> Error {
    let taken: Vec<_> = T::TYPES.iter().map(|(media, _)| *media).collect();
    Kind::UnsupportedMediaType
        .because(format!("HTTP 415 Unsupported Media Type: set the Content-Type to one of {}.", taken.join(", ")))
}

/// Returns the Accept header; several lines count as one list.
pub(super) fn accept(headers: &HeaderMap) -> Option<String> {
    joined(headers, &ACCEPT)
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut lines = headers.get_all(name).filter_map(|value| value.to_str().ok());
    let first = lines.next()?.to_string();
    Some(lines.fold(first, |list, line| list + "," + line))
}
