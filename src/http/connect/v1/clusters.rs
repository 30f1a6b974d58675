use actix_web::HttpResponse;

use crate::domain::connect::WorkerView;
use crate::domain::connect::sight::{self, ClusterSeen};
use crate::error::Result;
use crate::http::answer::Answer;
use crate::http::caller::Caller;
use crate::http::connect::v1::fields;
use crate::http::health::Plain;
use crate::model::{Right, Subject};

/// `GET /connect/v1/clusters`: by name; those that cannot be reached too.
pub async fn list(answer: Answer<Plain>, caller: Caller) -> Result<HttpResponse> {
    let view = caller.view(Right::Describe);
    let seen = sight::clusters(&caller.connect).await.into_iter();
    let clusters = seen.filter(|seen| view.shows(Subject::Connect(&seen.name))).map(rendered).collect();
    answer.json(&fields::Clusters { clusters })
}

fn rendered(seen: ClusterSeen) -> fields::Cluster {
    let (version, kafka_cluster_id) = seen.root.map(|root| (root.version, root.kafka_cluster_id)).unzip();
    let group = seen.view.group.map(|group| fields::Group {
        id: group.id,
        state: group.state.name().to_owned(),
        rebalancing: group.is_rebalancing,
    });
    fields::Cluster {
        name: seen.name,
        reachable: version.is_some(),
        kafka_cluster_id,
        version,
        workers: seen.view.workers.into_iter().map(worker).collect(),
        group,
    }
}

fn worker(seen: WorkerView) -> fields::Worker {
    fields::Worker {
        id: seen.id,
        url: seen.url,
        health: seen.health.name(),
        since_s: seen.since.elapsed().as_secs(),
        leader: seen.is_leader,
        connectors: seen.connectors,
        tasks: seen.tasks,
    }
}
