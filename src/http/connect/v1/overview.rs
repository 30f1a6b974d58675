use actix_web::{HttpRequest, HttpResponse};

use crate::domain::connect::sight::{self, Failure, Overview};
use crate::domain::connect::{RestartSeen, RestartsSeen};
use crate::error::Result;
use crate::http::answer::Answer;
use crate::http::caller::Caller;
use crate::http::connect::rules;
use crate::http::connect::v1::{cluster, fields};
use crate::http::health::Plain;
use crate::model::Right;

/// `GET /connect/v1/clusters/{cluster}/overview`.
pub async fn show(request: HttpRequest, answer: Answer<Plain>, caller: Caller) -> Result<HttpResponse> {
    let cluster = cluster(&request, &caller)?;
    let shown = rules::shown(&caller, &cluster.name, Right::Describe);
    answer.json(&rendered(&cluster.name, sight::overview(cluster, &shown).await?))
}

fn rendered(cluster: &str, seen: Overview) -> fields::Overview {
    fields::Overview {
        cluster: cluster.to_owned(),
        connectors: (&seen.connectors).into(),
        tasks: (&seen.tasks).into(),
        types: fields::Types { source: seen.types.source, sink: seen.types.sink, unknown: seen.types.unknown },
        failed: seen.failed.into_iter().map(failure).collect(),
        more_failed: seen.more_failed,
        waiting_changes: seen.waiting_changes,
        restarts: restarts(seen.restarts),
    }
}

fn failure(failure: Failure) -> fields::Failure {
    let Failure { connector, task, worker_id, error } = failure;
    fields::Failure { connector, task, worker_id, error }
}

fn restarts(seen: RestartsSeen) -> fields::Restarts {
    let one = |seen: RestartSeen| fields::Restart {
        connector: seen.name,
        attempts: seen.attempts,
        next_in_ms: seen.next_in.map(|wait| wait.as_millis() as u64),
        given_up: seen.is_given_up,
    };
    fields::Restarts {
        enabled: seen.is_enabled,
        acting: seen.is_acting,
        connectors: seen.connectors.into_iter().map(one).collect(),
    }
}
