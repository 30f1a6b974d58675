use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::domain::connect::workers::health::ask;
use crate::domain::connect::workers::worker::{Health, Worker};
use crate::upstream::Request;

const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// Finds out who leads where Kafka does not tell; `known` is who led before.
///
/// While a rebalance keeps the workers from answering it is whoever it was.
pub(super) async fn find(workers: &[Arc<Worker>], known: Option<&Arc<Worker>>) -> Option<Arc<Worker>> {
    if workers.len() < 2 {
        return None;
    }
    let mut told = None;
    if let Some(known) = known.filter(|known| known.health().is_usable()) {
        told = is_leader(known).await;
        if told == Some(true) {
            return Some(Arc::clone(known));
        }
    }
    let is_other = |worker: &&Arc<Worker>| known.is_none_or(|known| known.url != worker.url);
    let others: Vec<_> = workers.iter().filter(is_other).filter(|one| one.health() == Health::Healthy).collect();
    let answers = join_all(others.iter().map(|worker| is_leader(worker))).await;
    let found =
        others.iter().zip(answers).find(|(_, leads)| *leads == Some(true)).map(|(worker, _)| Arc::clone(worker));
    found.or_else(|| known.filter(|known| told.is_none() && known.health().is_usable()).cloned())
}

/// Asks a worker to delete what does not exist without asking the leader: the leader says so, others that they do not
/// lead. Nothing changes.
async fn is_leader(worker: &Worker) -> Option<bool> {
    let path = format!("/connectors/{}?forward=false", Uuid::new_v4());
    let request = Request { method: "DELETE", path, content_type: None, body: Bytes::new() };
    let answer = ask(worker, &request, PROBE_LIMIT).await.ok()?;
    answer.body.as_ref()?.get("error_code")?;
    match answer.status {
        404 => Some(true),
        409 => Some(false),
        _ => None,
    }
}
