use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::domain::connect::sight::{self, ClusterSeen, WorkerSeen};
use crate::error::Result;
use crate::http::answer::Answer;
use crate::http::connect::v1::fields;
use crate::http::health::Plain;
use crate::state::State;

/// `GET /connect/v1/clusters`: by name; those that cannot be reached too.
pub async fn list(answer: Answer<Plain>, state: Data<State>) -> Result<HttpResponse> {
    let clusters = sight::clusters(&state.connect).await.into_iter().map(rendered).collect();
    answer.json(&fields::Clusters { clusters })
}

fn rendered(seen: ClusterSeen) -> fields::Cluster {
    let (version, kafka_cluster_id) = seen.root.map(|root| (root.version, root.kafka_cluster_id)).unzip();
    let worker = |worker: WorkerSeen| fields::Worker { id: worker.id, url: worker.url, healthy: worker.is_healthy };
    fields::Cluster {
        name: seen.name,
        reachable: version.is_some(),
        kafka_cluster_id,
        version,
        workers: seen.workers.into_iter().map(worker).collect(),
    }
}
