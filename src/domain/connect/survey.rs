use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use log::debug;
use tokio::time::timeout_at;

use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::operation::Operation;
use crate::error::{Error, Kind, Result};
use crate::format::{Member, Members};
use crate::upstream::Failure;

/// The most that is read of one connector: its configuration, and the traces of its tasks.
const MOST_MEMBER_BYTES: usize = 8 << 20;

/// What is read before others get their turn on the thread: it takes a fraction of a millisecond.
const BYTES_AT_A_TIME: usize = 64 << 10;

/// How often the list is begun anew when the worker that sends it goes away.
const ATTEMPTS: u32 = 3;

/// Reads every connector of a cluster, one at a time: the whole list may be tens of megabytes and is never held.
///
/// `expand` is the query that says what of each is read. The result is `start` with every connector added; a list that
/// breaks off is read again from its beginning, by another worker if there is one.
pub(super) async fn survey<T>(
    cluster: &Cluster,
    expand: &str,
    deadline: Instant,
    start: impl Fn() -> T,
    add: impl Fn(&mut T, String, &[u8]) -> Option<()>,
) -> Result<T> {
    for attempt in 1.. {
        let mut found = start();
        let mut list = List::open(cluster, expand, deadline).await?;
        match list.read(deadline, |name, value| add(&mut found, name, value)).await {
            Ok(()) => return Ok(found),
            Err(Broken::Off(why)) if attempt < ATTEMPTS && Instant::now() < deadline => {
                debug!("connect {}: the list of connectors broke off: {why}", cluster.name);
            }
            Err(broken) => return Err(broken.into()),
        }
    }
    Err(Kind::ConnectTimeout.into())
}

/// Why a list was not read to its end.
enum Broken {
    /// The worker went away.
    Off(Failure),
    /// The time is over.
    Late,
    /// It is no list of connectors.
    Nonsense,
    /// One connector is larger than what is read.
    TooLarge,
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Error {
        match broken {
            Broken::Off(_) | Broken::Late => Kind::ConnectTimeout.into(),
            Broken::Nonsense => {
                Kind::ConnectAnswer.because("The Kafka Connect worker's list of its connectors cannot be read.")
            }
            Broken::TooLarge => Kind::ConnectAnswer
                .because(format!("The Kafka Connect worker tells more than {MOST_MEMBER_BYTES} bytes of a connector.")),
        }
    }
}

/// The answer of a worker as it comes.
struct List {
    chunks: BoxStream<'static, Result<Bytes, Failure>>,
    members: Members,
}

impl List {
    async fn open(cluster: &Cluster, expand: &str, deadline: Instant) -> Result<List> {
        let reply = cluster.ask(&Call::new(Operation::List, &[]).query(expand), deadline).await?;
        if reply.status != 200 {
            return Err(Kind::ConnectAnswer.because(format!(
                "A Kafka Connect worker answered {} when it was asked for its connectors.",
                reply.status
            )));
        }
        Ok(List { chunks: reply.body.stream(), members: Members::new(MOST_MEMBER_BYTES) })
    }

    async fn read(
        &mut self,
        deadline: Instant,
        mut add: impl FnMut(String, &[u8]) -> Option<()>,
    ) -> Result<(), Broken> {
        let mut read = 0;
        while let Some(chunk) = timeout_at(deadline.into(), self.chunks.next()).await.map_err(|_| Broken::Late)? {
            self.members.push(chunk.map_err(Broken::Off)?);
            while let Some(member) = self.members.next_member() {
                match member {
                    Member::Of { name, value } => {
                        let name = serde_json::from_slice(&name).map_err(|_| Broken::Nonsense)?;
                        add(name, &value).ok_or(Broken::Nonsense)?;
                        read += value.len();
                        if read >= BYTES_AT_A_TIME {
                            tokio::task::yield_now().await;
                            read = 0;
                        }
                    }
                    Member::Garbage => return Err(Broken::Nonsense),
                    Member::TooLarge => return Err(Broken::TooLarge),
                }
            }
        }
        if self.members.is_complete() { Ok(()) } else { Err(Broken::Off(Failure::Lost("within the list".to_owned()))) }
    }
}
