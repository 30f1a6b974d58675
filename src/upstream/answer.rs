use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Response, header};
use tokio::time::timeout;

use crate::upstream::failure::{Failure, chain};

/// How long nothing may come of a body that has begun.
const PAUSE_LIMIT: Duration = Duration::from_secs(30);

/// An answer whose body has not been read.
pub struct Answer {
    response: Response<Incoming>,
}

impl Answer {
    pub(super) fn new(response: Response<Incoming>) -> Answer {
        Answer { response }
    }

    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Returns the Content-Type, if it is text.
    pub fn content_type(&self) -> Option<&str> {
        self.header(header::CONTENT_TYPE)
    }

    /// Returns the Location, if it is text.
    pub fn location(&self) -> Option<&str> {
        self.header(header::LOCATION)
    }

    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Returns the next piece of the body, `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            match timeout(PAUSE_LIMIT, self.response.body_mut().frame()).await {
                Err(_) => return Err(Failure::TimedOut(PAUSE_LIMIT)),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(Failure::Lost(chain(&error))),
                // What is no data are trailers, which nobody reads.
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    Err(_) => continue,
                },
            }
        }
    }

    /// Returns the whole body if it has at most `limit` bytes.
    pub async fn whole(mut self, limit: u64) -> Result<Bytes, Failure> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() as u64 + chunk.len() as u64 > limit {
                return Err(Failure::TooLarge(limit));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// Returns the rest of the body as it comes.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, Failure>> {
        stream::try_unfold(self, |mut answer| async move { Ok(answer.chunk().await?.map(|chunk| (chunk, answer))) })
    }
}
