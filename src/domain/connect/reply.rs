use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::domain::connect::operation::Operation;
use crate::upstream::Failure;

/// What the client gets.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Empty where there is no body.
    pub body: Body,
    /// The path of the new connector below the cluster, as the worker encoded it.
    pub location: Option<String>,
    /// The worker that answered, as `HOST:PORT`; empty where this proxy did.
    pub worker: String,
    /// Set where the answer of a worker was lost or does not tell.
    pub outcome: Option<Outcome>,
    /// What became of the state that the client waits for.
    pub settled: Option<Settled>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The state afterwards is as the request wants it.
    Applied,
    /// It is not.
    NotApplied,
    /// It could not be seen.
    Unknown,
    /// It was so before, and was not written again.
    Unchanged,
}

/// What became of the wait for a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The connector and all its tasks are so.
    Reached,
    /// Something failed.
    Failed,
    /// They were not so in time.
    TimedOut,
}

/// The body of a reply: JSON.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// As it comes; an error ends the connection.
    Stream(BoxStream<'static, Result<Bytes, Failure>>),
}

impl Body {
    /// Returns all of it, if it has at most `limit` bytes.
    pub async fn whole(self, limit: u64) -> Result<Bytes, Failure> {
        let mut stream = match self {
            Body::Whole(bytes) => return Ok(bytes),
            Body::Stream(stream) => stream,
        };
        let mut whole = BytesMut::new();
        while let Some(chunk) = stream.try_next().await? {
            whole.extend_from_slice(&chunk);
            if whole.len() as u64 > limit {
                return Err(Failure::TooLarge(limit));
            }
        }
        Ok(whole.freeze())
    }

    /// Returns it in pieces.
    pub fn stream(self) -> BoxStream<'static, Result<Bytes, Failure>> {
        match self {
            Body::Whole(bytes) => stream::once(async { Ok(bytes) }).boxed(),
            Body::Stream(stream) => stream,
        }
    }
}

impl Reply {
    /// Returns an answer that was seen to be true instead of received.
    pub fn seen(status: u16, body: impl Into<Bytes>) -> Reply {
        Reply {
            status,
            body: Body::Whole(body.into()),
            location: None,
            worker: String::new(),
            outcome: Some(Outcome::Applied),
            settled: None,
        }
    }

    /// Returns the body where it is whole.
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Whole(bytes) => bytes,
            Body::Stream(_) => &[],
        }
    }

    /// Returns the body where it is whole, without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self.body {
            Body::Whole(bytes) => bytes,
            Body::Stream(_) => Bytes::new(),
        }
    }

    /// Tells whether the request succeeded.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Outcome {
    /// Returns what the header says.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::NotApplied => "not-applied",
            Outcome::Unknown => "unknown",
            Outcome::Unchanged => "unchanged",
        }
    }
}

impl Settled {
    /// Returns what the header says.
    pub fn name(self) -> &'static str {
        match self {
            Settled::Reached => "reached",
            Settled::Failed => "failed",
            Settled::TimedOut => "timeout",
        }
    }
}

/// Tells whether the answer may be large and goes to the client as it comes.
pub(super) fn may_stream(operation: Operation) -> bool {
    matches!(operation, Operation::List | Operation::Plugins | Operation::PluginConfig | Operation::Loggers)
}
