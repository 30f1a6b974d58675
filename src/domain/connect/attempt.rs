use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use crate::domain::connect::call::Call;
use crate::domain::connect::operation::{Effect, Operation};
use crate::domain::connect::reply::{Body, Reply, may_stream};
use crate::domain::connect::verdict::{Verdict, WorkerError};
use crate::domain::connect::workers::Worker;
use crate::upstream::{Answer, Failure};

/// What is read of an answer that may be large before it goes to the client: until then another worker can be asked.
const READ_AHEAD: usize = 1 << 20;

/// What came of sending a request to a worker once.
pub(super) enum Attempt {
    /// The worker answered, and this is the answer.
    Answered(Reply),
    /// The worker could not do it now; the answer if nobody can.
    NotNow(Reply),
    /// Nothing was done; why.
    NotDone(String),
    /// It may have been done: no answer, or (the reply) one that does not tell.
    Unclear(String, Option<Reply>),
    /// It may have been done, or may be later: there was no answer while it was worth waiting for one.
    Late(String),
    /// There is an answer that cannot be passed on; the sentence for the client.
    Unusable(String),
}

impl Attempt {
    /// Returns what a worker answered that does not tell.
    pub(super) fn reply(self) -> Option<Reply> {
        match self {
            Attempt::Unclear(_, reply) => reply,
            Attempt::Answered(_)
            | Attempt::NotNow(_)
            | Attempt::NotDone(_)
            | Attempt::Late(_)
            | Attempt::Unusable(_) => None,
        }
    }
}

/// Sends a call to a worker, once; does not wait for a worker that is found to be gone meanwhile.
pub(super) async fn attempt(worker: &Worker, call: &Call, limit: Duration, most_bytes: u64) -> Attempt {
    tokio::select! {
        biased;
        came = exchange(worker, call, limit, most_bytes) => came,
        () = worker.gone() => Attempt::Late("the worker went away".to_owned()),
    }
}

async fn exchange(worker: &Worker, call: &Call, limit: Duration, most_bytes: u64) -> Attempt {
    let end = Instant::now() + limit;
    let answer = match worker.client.send(&worker.url, &call.request(), limit).await {
        Ok(answer) => answer,
        Err(Failure::NotSent(why)) => return Attempt::NotDone(why),
        Err(failure) => return unanswered(&failure),
    };
    let head = Head::of(&answer, worker, call);
    if !head.is_json && answer.status() == 404 {
        // A worker that is starting has no resources yet, and tells so in HTML; whoever says it has done nothing.
        return Attempt::NotDone("it does not serve the Connect API".to_owned());
    }
    match read(answer, call.operation, end, most_bytes).await {
        Ok(body) => head.judge(call.operation, body),
        Err(Failure::TooLarge(limit)) if head.is_success() && call.operation.is_write() => {
            Attempt::Unclear(format!("the answer is larger than {limit} bytes"), None)
        }
        Err(Failure::TooLarge(limit)) => Attempt::Unusable(format!(
            "The answer of the Kafka Connect worker is larger than {limit} bytes (max_answer_bytes): ask for less."
        )),
        Err(failure) => unanswered(&failure),
    }
}

fn unanswered(failure: &Failure) -> Attempt {
    match failure {
        Failure::TimedOut(_) => Attempt::Late(failure.to_string()),
        Failure::NotSent(_) | Failure::Lost(_) | Failure::TooLarge(_) => Attempt::Unclear(failure.to_string(), None),
    }
}

/// What is known of an answer before its body.
struct Head {
    status: u16,
    is_json: bool,
    location: Option<String>,
    worker: String,
}

impl Head {
    fn of(answer: &Answer, worker: &Worker, call: &Call) -> Head {
        // What Connect's framework answers has no type, although it is JSON.
        let is_json =
            answer.content_type().is_none_or(|media| media.to_ascii_lowercase().starts_with("application/json"));
        let location = answer.location().and_then(|url| place(url, &worker.url)).filter(|_| call.operation.is_write());
        Head { status: answer.status(), is_json, location, worker: worker.id().to_owned() }
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn judge(self, operation: Operation, body: Body) -> Attempt {
        if self.is_success() {
            return match self.is_json || is_empty(&body) {
                true => Attempt::Answered(self.reply(body)),
                false => Attempt::Unclear("what answered is no Connect worker".to_owned(), None),
            };
        }
        let status = self.status;
        let Body::Whole(text) = &body else { return Attempt::Unclear("an error without an end".to_owned(), None) };
        match WorkerError::read(text) {
            Some(error) => match error.verdict(operation, status) {
                Verdict::Final => Attempt::Answered(self.reply(body)),
                Verdict::Transient => Attempt::NotNow(self.reply(body)),
                Verdict::Ambiguous => Attempt::Unclear("the worker does not know".to_owned(), Some(self.reply(body))),
            },
            // Health is told in a shape of its own.
            None if operation == Operation::Health && self.is_json => Attempt::NotNow(self.reply(body)),
            None => self.foreign(),
        }
    }

    /// Returns what an error means that no worker wrote.
    fn foreign(self) -> Attempt {
        match self.status {
            401 | 403 => Attempt::Unusable(
                "The Kafka Connect worker refuses the credentials of this proxy (username, certificate_file)."
                    .to_owned(),
            ),
            // Jetty's own, before anything is done.
            400 | 405 | 414 | 431 => Attempt::Unusable(format!(
                "HTTP {}: the Kafka Connect worker does not take this request; mend its path and headers.",
                self.status
            )),
            404 => Attempt::NotDone("it does not serve the Connect API".to_owned()),
            status => Attempt::Unclear(format!("an answer {status} that is no Connect worker's"), None),
        }
    }

    fn reply(self, body: Body) -> Reply {
        let Head { status, location, worker, .. } = self;
        Reply { status, body, location, worker, outcome: None, settled: None }
    }
}

fn is_empty(body: &Body) -> bool {
    matches!(body, Body::Whole(bytes) if bytes.is_empty())
}

/// Returns what a worker says of where something is, below its own address, which is not the client's affair.
fn place(url: &str, base: &str) -> Option<String> {
    let path = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.find('/').map(|at| rest[at..].to_owned())
    };
    let (place, base) = (path(url)?, path(base).unwrap_or_default());
    Some(place.strip_prefix(&base).map(str::to_owned).unwrap_or(place))
}

async fn read(answer: Answer, operation: Operation, end: Instant, most_bytes: u64) -> Result<Body, Failure> {
    let limit = end.saturating_duration_since(Instant::now());
    let is_success = (200..300).contains(&answer.status());
    let body = async {
        match may_stream(operation) && is_success {
            true => read_ahead(answer).await,
            false => answer.whole(most_bytes).await.map(Body::Whole),
        }
    };
    timeout(limit, body).await.unwrap_or(Err(Failure::TimedOut(limit)))
}

/// Returns a body whose first piece is there, or all of it.
async fn read_ahead(mut answer: Answer) -> Result<Body, Failure> {
    let mut ahead = BytesMut::new();
    while ahead.len() < READ_AHEAD {
        match answer.chunk().await? {
            None => return Ok(Body::Whole(ahead.freeze())),
            Some(chunk) => ahead.extend_from_slice(&chunk),
        }
    }
    let first: Bytes = ahead.freeze();
    Ok(Body::Stream(stream::once(async { Ok(first) }).chain(answer.stream()).boxed()))
}

/// Returns how long one worker may take, when `before` were asked already.
///
/// A read that a rebalance holds up is worth a longer wait when no other worker was faster.
pub(super) fn patience(effect: Effect, read: Duration, write: Duration, before: u32) -> Duration {
    match effect {
        Effect::Snapshot | Effect::Read => read.saturating_mul(1 << before.min(4)),
        Effect::Repeatable | Effect::Once | Effect::Disruptive => write,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_below_the_worker_whatever_its_address_is_called() {
        assert_eq!(place("http://w:8083/connectors/a%20b", "http://10.0.0.1:8083").unwrap(), "/connectors/a%20b");
        assert_eq!(place("http://w:8083/x/connectors/a", "http://w/x").unwrap(), "/connectors/a");
        assert_eq!(place("/connectors/a", "http://w").unwrap(), "/connectors/a");
        assert_eq!(place("nonsense", "http://w"), None);
    }

    #[test]
    fn a_read_waits_longer_for_each_worker() {
        let second = Duration::from_secs(1);
        assert_eq!(patience(Effect::Read, second, second * 90, 2), second * 4);
        assert_eq!(patience(Effect::Once, second, second * 90, 2), second * 90);
    }
}
