//! Produce: a stream of records with a receipt each, and a batch of a few.

mod admission;
mod batch;
mod data;
mod decoding;
mod encoder;
mod input;
mod receipt;
mod record;
mod stream;

pub use batch::produce as batch;

use std::time::Duration;

use actix_web::dev::Decompress;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use actix_web::http::{StatusCode, Version};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::LocalBoxStream;
use futures_util::{StreamExt, TryStreamExt};

use actix_web::body::BodyStream;
use actix_web::error::PayloadError;

use crate::domain::Stopping;
use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Content};
use crate::http::body::is_packed;
use crate::http::caller::Caller;
use crate::http::gate::Gate;
use crate::http::media::charset;
use crate::http::v3::document::untyped;
use crate::http::v3::parameters::segment;
use crate::http::v3::produce::admission::Admission;
use crate::http::v3::produce::input::Input;
use crate::http::v3::produce::stream::Receipts;
use crate::http::v3::{Json, Typed, V3};

/// How long the head of an answer waits for the first receipt: the server keeps the connection for other requests only
/// if the body has been read by then.
const HEAD_WAIT: Duration = Duration::from_millis(250);

/// `POST /clusters/{cluster}/topics/{topic}/records`: a receipt for each record, while the body still comes.
pub async fn stream(
    request: HttpRequest,
    content: Content<Json>,
    answer: Answer<V3>,
    payload: Payload,
    caller: Caller,
    gate: Data<Gate>,
    stopping: Data<Stopping>,
) -> Result<HttpResponse> {
    let headers = request.headers();
    if !has_body(&request) {
        return Err(Kind::InvalidPayload.into());
    }
    if content.0 == Typed::Not {
        return Err(untyped());
    }
    check_charset(headers)?;
    let limit = usize::try_from(caller.config.limits.stream_record_bytes).unwrap_or(usize::MAX);
    let input = Input::new(chunks(headers, payload)?, headers.contains_key(CONTENT_LENGTH), limit, Gate::clone(&gate));
    let (cluster, topic) = (segment(&request, "cluster")?, segment(&request, "topic")?);
    let admission = Admission::of(&request, &caller, &topic);
    let mut receipts = Receipts::new(caller, admission, input, Stopping::clone(&stopping), &cluster, &topic);
    receipts.wait_for_first(HEAD_WAIT).await;
    Ok(answer.body(StatusCode::OK, BodyStream::new(receipts)))
}

/// Tells whether a body is announced that may have something in it; HTTP/2 needs no header for that.
fn has_body(request: &HttpRequest) -> bool {
    let headers = request.headers();
    match headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()) {
        Some(length) => length.trim() != "0" || headers.contains_key(TRANSFER_ENCODING),
        None => headers.contains_key(TRANSFER_ENCODING) || request.version() == Version::HTTP_2,
    }
}

/// The reference takes two charsets, and reads UTF-8 whichever it is.
fn check_charset(headers: &HeaderMap) -> Result<()> {
    let charset = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).and_then(charset);
    match charset.as_deref() {
        None | Some("utf-8" | "iso-8859-1") => Ok(()),
        Some(_) => Err(Kind::BadRequest
            .because("Unsupported charset in Content-Type header. Supports \"UTF-8\" and \"ISO-8859-1\".")),
    }
}

fn chunks(headers: &HeaderMap, payload: Payload) -> Result<LocalBoxStream<'static, Result<Bytes, PayloadError>>> {
    Ok(if is_packed(headers)? {
        Decompress::from_headers(payload, headers).boxed_local()
    } else {
        payload.into_stream().boxed_local()
    })
}
