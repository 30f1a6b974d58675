//! Answers to requests whose bodies nobody reads, or not to their end.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpResponse};
use futures_util::{Stream, StreamExt};
use tokio::time::{Sleep, sleep};

/// What is read of a body that no handler wants, and for how long.
const LEFT_BYTES: usize = 64 * 1024;
const LEFT_TIME: Duration = Duration::from_secs(1);

/// Answers a request before its body is read.
pub fn answer(request: ServiceRequest, response: HttpResponse) -> ServiceResponse<BoxBody> {
    // `ServiceRequest::into_response` would lose the error, which the envelope labels and logs.
    let (request, payload) = request.into_parts();
    let response = ServiceResponse::new(request, response);
    response.map_body(|_, answer| BoxBody::new(Unread { answer, _request: payload }))
}

/// The body of an answer, with that of the request, which nobody reads. One that is dropped before the answer has gone out
/// is read to its end, which may never come; one that is still there then has the server close the connection.
struct Unread {
    answer: BoxBody,
    _request: Payload,
}

impl MessageBody for Unread {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}

/// What a handler leaves of the body of a request in HTTP/2.
///
/// A stream that ends with its answer while its body still comes is reset, as RFC 9113 wants it (8.1). Some clients take
/// that for a failure of the request, curl 7.88 among them, so the little that most bodies are is read first.
pub struct Rest {
    left: Rc<RefCell<Option<Payload>>>,
    /// Since the answer is complete but for its end.
    reading: Option<Pin<Box<Sleep>>>,
    bytes: usize,
}

/// A body on loan to a handler.
struct Lent {
    payload: Option<Payload>,
    left: Rc<RefCell<Option<Payload>>>,
}

/// Lets a request keep its body, and returns what will be left of it.
pub fn lend(request: &mut ServiceRequest) -> Rest {
    let left = Rc::default();
    let lent = Lent { payload: Some(request.take_payload()), left: Rc::clone(&left) };
    request.set_payload(Payload::Stream { payload: Box::pin(lent) });
    Rest { left, reading: None, bytes: 0 }
}

impl Stream for Lent {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(payload) = &mut self.payload else { return Poll::Ready(None) };
        let piece = ready!(payload.poll_next_unpin(context));
        if !matches!(piece, Some(Ok(_))) {
            self.payload = None;
        }
        Poll::Ready(piece)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.left.borrow_mut() = self.payload.take();
    }
}

impl Rest {
    /// Reads what was left, if it is little and comes soon.
    pub fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut left = self.left.borrow_mut();
        let Some(payload) = left.as_mut() else { return Poll::Ready(()) };
        let reading = self.reading.get_or_insert_with(|| Box::pin(sleep(LEFT_TIME)));
        while self.bytes <= LEFT_BYTES {
            match payload.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(piece))) => self.bytes += piece.len(),
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return reading.as_mut().poll(context),
            }
        }
        Poll::Ready(())
    }
}
