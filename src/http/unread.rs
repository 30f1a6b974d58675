//! Answers to requests whose bodies nobody reads.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::web::Bytes;

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
