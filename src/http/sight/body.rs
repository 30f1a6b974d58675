use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Bytes;
use futures_util::StreamExt;

use crate::http::sight::seen::Seen;
use crate::http::sight::watch::Watch;

/// An answer that goes out piece by piece; the request is over when it ends.
pub struct WatchedBody {
    pub(super) inner: BoxBody,
    pub(super) watch: Watch,
}

impl MessageBody for WatchedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let piece = ready!(Pin::new(&mut self.inner).poll_next(context));
        match &piece {
            Some(Ok(bytes)) => self.watch.bytes_out += bytes.len() as u64,
            // What is dropped without its end was cut.
            Some(Err(_)) => {}
            None => self.watch.ended(),
        }
        Poll::Ready(piece)
    }
}

/// Returns the length that a request says its body has.
pub(super) fn declared(request: &ServiceRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Counts the bytes of a body as they come, and notes where it does not come to its end.
pub(super) fn count_payload(request: &mut ServiceRequest, seen: &Rc<Seen>) {
    let seen = Rc::clone(seen);
    let counted = request.take_payload().inspect(move |piece| match piece {
        Ok(bytes) => seen.bytes_in.set(seen.bytes_in.get() + bytes.len() as u64),
        Err(_) => seen.is_cut.set(true),
    });
    request.set_payload(Payload::Stream { payload: Box::pin(counted) });
}
