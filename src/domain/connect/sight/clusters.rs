use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Deserialize;

use crate::domain::connect::Clusters;
use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::operation::Operation;
use crate::domain::connect::workers::View;

/// How long a cluster may take to say that it is there.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// A cluster as it is found.
#[derive(Debug)]
pub struct ClusterSeen {
    /// What it is called here.
    pub name: String,
    /// What its workers say; `None` where none answers.
    pub root: Option<Root>,
    /// What is known of its workers.
    pub view: View,
}

/// What a worker says of itself.
#[derive(Debug, Deserialize)]
pub struct Root {
    /// The version of Kafka Connect.
    pub version: String,
    /// The Kafka cluster that it is on.
    pub kafka_cluster_id: String,
}

/// Looks at all clusters at once; takes a few seconds where one does not answer.
pub async fn clusters(clusters: &Clusters) -> Vec<ClusterSeen> {
    join_all(clusters.all().map(|cluster| look(cluster))).await
}

async fn look(cluster: &Cluster) -> ClusterSeen {
    let deadline = Instant::now() + LOOK_LIMIT.min(cluster.settings.request_timeout);
    let asked = tokio::time::timeout_at(deadline.into(), cluster.ask(&Call::new(Operation::Root, &[]), deadline)).await;
    let answer = asked.ok().and_then(Result::ok).filter(|reply| reply.status == 200);
    ClusterSeen {
        name: cluster.name.clone(),
        root: answer.and_then(|reply| serde_json::from_slice(reply.bytes()).ok()),
        view: cluster.workers.view(),
    }
}
