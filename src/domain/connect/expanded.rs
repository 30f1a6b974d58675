use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::entries::{Entries, last_config_of};
use crate::domain::connect::list::{Broken, List};
use crate::domain::connect::reply::{Body, Reply};
use crate::domain::connect::secrets::{Known, Shape, mask};
use crate::domain::connect::shown::Shown;
use crate::model::decode_segment;
use crate::upstream::Failure;

/// The most that one connector may take in an expanded list: its configuration and its traces.
const CONNECTOR_BYTES: usize = 16 << 20;

/// How long the definition of a plugin may be looked up in the midst of a list.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(10);

/// What is gathered before it goes to the client.
const PIECE_BYTES: usize = 64 << 10;

/// A connector in an expanded list.
pub(super) struct Expanded {
    /// The JSON text of its name, with the quotes.
    pub(super) name: Bytes,
    /// `{"info": .., "status": ..}`, masked.
    pub(super) value: Bytes,
}

/// Which parts a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    info: bool,
    status: bool,
}

impl Parts {
    /// Reads the query of a list as a worker does; `None` is one that is not expanded.
    fn of(query: &str) -> Option<Parts> {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let asked: Vec<_> = pairs.filter(|(key, _)| *key == "expand").map(|(_, value)| decode_segment(value)).collect();
        let asks = |part: &str| asked.iter().any(|value| value == part);
        (!asked.is_empty()).then(|| Parts { info: asks("info"), status: asks("status") })
    }
}

impl Cluster {
    /// Returns the query to send where answers are masked: in words of our own, so that a worker reads in it what was
    /// read here. Traces can only be masked beside the configuration.
    pub(super) fn list_query(&self, call: &Call) -> String {
        let Some(parts) = Parts::of(&call.query).filter(|_| self.guard.masks()) else { return call.query.clone() };
        let query = match parts {
            Parts { status: true, .. } => "expand=info&expand=status",
            Parts { info: true, status: false } => "expand=info",
            // What a worker does not know of gives an empty object for each connector.
            Parts { info: false, status: false } => "expand=none",
        };
        query.to_owned()
    }

    /// Returns an expanded list as the client may see it, as it comes.
    pub(super) async fn veil_list(self: &Arc<Self>, call: &Call, reply: Reply) -> Result<Reply, Failure> {
        if !reply.is_success() || !self.guard.masks() && call.shown.is_all() {
            return Ok(reply);
        }
        let Some(parts) = Parts::of(&call.query) else { return self.names(call, reply).await };
        let is_whole = matches!(reply.body, Body::Whole(_));
        let text = joined(Box::pin(self.expanded(reply.body.stream(), call.shown.clone())), parts);
        let body = match is_whole {
            true => Body::Whole(text.try_fold(BytesMut::new(), append).await?.freeze()),
            false => Body::Stream(text.boxed()),
        };
        Ok(Reply { body, ..reply })
    }

    /// Returns a list of names with those in it that the client may see.
    async fn names(&self, call: &Call, reply: Reply) -> Result<Reply, Failure> {
        if call.shown.is_all() {
            return Ok(reply);
        }
        let text = reply.body.whole(self.settings.max_answer_bytes).await?;
        let nonsense = |_| Failure::Lost("the list is not one of names".to_owned());
        let names: Vec<String> = serde_json::from_slice(&text).map_err(nonsense)?;
        let shown: Vec<_> = names.into_iter().filter(|name| call.shown.shows(name)).collect();
        let body = Body::Whole(serde_json::to_vec(&shown).map_err(nonsense)?.into());
        Ok(Reply { body, ..reply })
    }

    /// Cuts an expanded list into its connectors, masked if that is configured; memory is that of one of them.
    pub(super) fn expanded(
        self: &Arc<Self>,
        text: BoxStream<'static, Result<Bytes, Failure>>,
        shown: Shown,
    ) -> impl Stream<Item = Result<Expanded, Failure>> + Send + 'static {
        let begin = (Arc::clone(self), List::new(text, CONNECTOR_BYTES), shown);
        stream::try_unfold(begin, |(cluster, mut list, shown)| async move {
            loop {
                let Some((name, value)) = list.next().await.map_err(failure)? else { return Ok(None) };
                if shown.shows_json(&name) {
                    let connector = cluster.veil_member(name, value).await?;
                    return Ok(Some((connector, (cluster, list, shown))));
                }
            }
        })
    }

    async fn veil_member(&self, name: Bytes, value: Bytes) -> Result<Expanded, Failure> {
        if !self.guard.masks() {
            return Ok(Expanded { name, value });
        }
        let config = last_config_of(&value).unwrap_or_default();
        let secrets = self.secrets_of(config, Instant::now() + LOOK_UP_LIMIT).await;
        let masked = mask(Shape::Expanded, &value, &secrets, &Known::default());
        masked.map(|value| Expanded { name, value }).map_err(|_| Failure::Lost("the list is not JSON".to_owned()))
    }
}

/// Returns what ends the answer to the client.
fn failure(broken: Broken) -> Failure {
    match broken {
        Broken::Off(why) => why,
        Broken::Nonsense => Failure::Lost("the list is not JSON".to_owned()),
        Broken::TooLarge => Failure::TooLarge(CONNECTOR_BYTES as u64),
    }
}

/// Writes the list again, with the parts that the client asked for, in pieces that are worth sending.
fn joined(
    connectors: impl Stream<Item = Result<Expanded, Failure>> + Send + Unpin + 'static,
    parts: Parts,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    let begin = Some((connectors, BytesMut::from("{")));
    stream::try_unfold(begin, move |state| async move {
        let Some((mut connectors, mut piece)) = state else { return Ok(None) };
        while piece.len() < PIECE_BYTES {
            let Some(connector) = connectors.try_next().await? else {
                // After the last connector there is no comma; it stays in the piece until here.
                if piece.ends_with(b",") {
                    piece.truncate(piece.len() - 1);
                }
                piece.extend_from_slice(b"}");
                return Ok(Some((piece.freeze(), None)));
            };
            piece.extend_from_slice(&connector.name);
            piece.extend_from_slice(b":");
            piece.extend_from_slice(&only(&connector.value, parts));
            piece.extend_from_slice(b",");
        }
        // The comma waits for what follows it.
        piece.truncate(piece.len() - 1);
        Ok(Some((piece.freeze(), Some((connectors, BytesMut::from(","))))))
    })
}

fn only(value: &Bytes, parts: Parts) -> Bytes {
    match parts {
        Parts { info: true, .. } => return value.clone(),
        Parts { info: false, status: false } => return Bytes::from_static(b"{}"),
        Parts { info: false, status: true } => {}
    }
    let status =
        Entries::parse(value).ok().and_then(|entries| entries.last("status").map(|status| status.get().to_owned()));
    status.map_or_else(|| Bytes::from_static(b"{}"), |status| Bytes::from(format!("{{\"status\":{status}}}")))
}

async fn append(mut whole: BytesMut, piece: Bytes) -> Result<BytesMut, Failure> {
    whole.extend_from_slice(&piece);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_a_worker_reads_it() {
        let parts = |info, status| Some(Parts { info, status });
        let cases = [
            ("", None),
            ("expand", parts(false, false)),
            ("expand=info", parts(true, false)),
            ("expand=%69nfo&expand=statu%73", parts(true, true)),
            ("expand=bogus&expand=status", parts(false, true)),
        ];
        for (query, expected) in cases {
            assert_eq!(Parts::of(query), expected, "{query}");
        }
    }

    #[test]
    fn what_was_not_asked_for_is_left_out() {
        let value = Bytes::from_static(br#"{"info":{"a":1},"status":{"b":2}}"#);
        let kept = |info, status| only(&value, Parts { info, status });
        assert_eq!(kept(true, true), value);
        assert_eq!(kept(false, true), r#"{"status":{"b":2}}"#);
        assert_eq!(kept(false, false), "{}");
    }
}
