use actix_web::dev::{Decompress, Payload};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

use crate::config::Limits;
use crate::error::{Error, Kind, Result};
use crate::http::gate::{Gate, Share};
use crate::http::permit::metered;
use crate::state::State;

/// The whole body of a request, unpacked, within the limits of size, time and bytes under way.
pub struct Body {
    /// The bytes; a byte order mark is cut off.
    pub bytes: Bytes,
    gate: Gate,
    /// Given back when the request is answered.
    share: Share,
}

impl Body {
    /// Counts what the body was turned into against the bytes under way; 503 where there are too many.
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        self.gate.grow(&mut self.share, bytes)
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = payload.take();
        let request = request.clone();
        Box::pin(async move {
            let (Some(state), Some(gate)) = (request.app_data::<Data<State>>(), request.app_data::<Data<Gate>>())
            else {
                return Err(Kind::Internal.into());
            };
            let limit = state.config.server.body_timeout;
            match timeout(limit, read(request.headers(), payload, &state.config.limits, gate)).await {
                Ok(body) => {
                    if let (Ok(body), Some(meter)) = (&body, metered(&request)) {
                        meter.charge_in(body.bytes.len() as u64);
                    }
                    body
                }
                Err(_) => Err(Kind::BodyTimeout.into()),
            }
        })
    }
}

async fn read(headers: &HeaderMap, payload: Payload, limits: &Limits, gate: &Gate) -> Result<Body> {
    let packed = is_packed(headers)?;
    let declared = declared_length(headers);
    if declared.is_some_and(|length| length > limits.body_bytes) {
        return Err(too_large("request body", limits.body_bytes));
    }
    if packed {
        collect(
            Decompress::from_headers(payload, headers),
            "unpacked request body",
            limits.unpacked_bytes,
            declared,
            gate,
        )
        .await
    } else {
        collect(payload, "request body", limits.body_bytes, declared, gate).await
    }
}

async fn collect(
    mut chunks: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    what: &str,
    limit: u64,
    declared: Option<u64>,
    gate: &Gate,
) -> Result<Body> {
    let mut share = gate.body();
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(unreadable)?;
        let length = first.len() + whole.len() + chunk.len();
        if length as u64 > limit {
            return Err(too_large(what, limit));
        }
        gate.grow(&mut share, chunk.len())?;
        // Most bodies are one chunk, which is kept as it is.
        if first.is_empty() && whole.is_empty() {
            first = chunk;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(declared.map_or(length, |declared| length.max(declared as usize)));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&chunk);
    }
    let bytes = if whole.is_empty() { first } else { whole.freeze() };
    let bytes = if bytes.starts_with(b"\xef\xbb\xbf") { bytes.slice(3..) } else { bytes };
    Ok(Body { bytes, gate: gate.clone(), share })
}

/// Tells whether the body is compressed; an encoding that is not known is refused rather than read as it is.
pub(super) fn is_packed(headers: &HeaderMap) -> Result<bool> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else {
        return Ok(false);
    };
    match encoding.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "deflate" | "zstd" => Ok(true),
        _ => Err(Kind::UnsupportedMediaType
            .because("This Content-Encoding is not supported: use gzip, deflate or zstd, or send the body as it is.")),
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(what: &str, limit: u64) -> Error {
    Kind::PayloadTooLarge.because(format!("The {what} is larger than {limit} bytes: send it in smaller parts."))
}

fn unreadable(error: PayloadError) -> Error {
    let kind = Kind::BadRequest;
    match error {
        PayloadError::Overflow => Kind::PayloadTooLarge.into(),
        PayloadError::Incomplete(_) => kind.because("The request body ended before it was complete."),
        PayloadError::EncodingCorrupted | PayloadError::Io(_) => {
            kind.because("The request body is not what its Content-Encoding or Transfer-Encoding says.")
        }
        // What is left are protocol errors below the body: unknown length, HTTP/2 frames.
        other => kind.because("The request body cannot be read.").caused_by(std::io::Error::other(other.to_string())),
    }
}
