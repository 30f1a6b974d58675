use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use crate::domain::consume::Receipt;

/// A body that knows whether it went out: the receipt is confirmed when the connection took all of it.
pub struct RecordsBody {
    body: Option<Bytes>,
    length: u64,
    receipt: Option<Receipt>,
}

impl RecordsBody {
    /// Returns a body whose records count as delivered once it has gone out.
    pub fn new(body: Vec<u8>, receipt: Receipt) -> RecordsBody {
        RecordsBody { length: body.len() as u64, body: Some(body.into()), receipt: Some(receipt) }
    }
}

impl MessageBody for RecordsBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        match self.body.take() {
            Some(body) => Poll::Ready(Some(Ok(body))),
            None => {
                if let Some(receipt) = self.receipt.take() {
                    receipt.confirm();
                }
                Poll::Ready(None)
            }
        }
    }
}
