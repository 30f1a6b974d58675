use std::time::Instant;

use log::debug;
use tokio::time::timeout_at;

use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::list::{Broken, List};
use crate::domain::connect::operation::Operation;
use crate::error::{Error, Kind, Result};
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
        let mut list = open(cluster, expand, deadline).await?;
        match read(&mut list, deadline, |name, value| add(&mut found, name, value)).await {
            Ok(()) => return Ok(found),
            Err(Broken::Off(why)) if attempt < ATTEMPTS && Instant::now() < deadline => {
                debug!("connect {}: the list of connectors broke off: {why}", cluster.name);
            }
            Err(broken) => return Err(error(broken)),
        }
    }
    Err(Kind::ConnectTimeout.into())
}

async fn open(cluster: &Cluster, expand: &str, deadline: Instant) -> Result<List> {
    let reply = cluster.ask(&Call::new(Operation::List, &[]).query(expand), deadline).await?;
    if reply.status != 200 {
        return Err(Kind::ConnectAnswer.because(format!(
            "A Kafka Connect worker answered {} when it was asked for its connectors.",
            reply.status
        )));
    }
    Ok(List::new(reply.body.stream(), MOST_MEMBER_BYTES))
}

async fn read(
    list: &mut List,
    deadline: Instant,
    mut add: impl FnMut(String, &[u8]) -> Option<()>,
) -> Result<(), Broken> {
    let limit = deadline.saturating_duration_since(Instant::now());
    let late = |_| Broken::Off(Failure::TimedOut(limit));
    let mut read = 0;
    while let Some((name, value)) = timeout_at(deadline.into(), list.next()).await.map_err(late)?? {
        let name = serde_json::from_slice(&name).map_err(|_| Broken::Nonsense)?;
        add(name, &value).ok_or(Broken::Nonsense)?;
        read += value.len();
        if read >= BYTES_AT_A_TIME {
            tokio::task::yield_now().await;
            read = 0;
        }
    }
    Ok(())
}

fn error(broken: Broken) -> Error {
    match broken {
        Broken::Off(_) => Kind::ConnectTimeout.into(),
        Broken::Nonsense => {
            Kind::ConnectAnswer.because("The Kafka Connect worker's list of its connectors cannot be read.")
        }
        Broken::TooLarge => Kind::ConnectAnswer
            .because(format!("The Kafka Connect worker tells more than {MOST_MEMBER_BYTES} bytes of a connector.")),
    }
}
