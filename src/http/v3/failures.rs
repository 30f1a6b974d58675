use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::domain::admin::partitions::Failed;
use crate::error::{Error, Result};
use crate::http::v3::cluster::Cluster;

#[derive(Serialize)]
struct Failures<P> {
    failures: Vec<Failure<P>>,
}

#[derive(Serialize)]
struct Failure<P> {
    #[serde(flatten)]
    part: P,
    error_code: u32,
    message: String,
}

#[derive(Serialize)]
struct Partition {
    topic_name: String,
    partition_id: i32,
}

/// Returns `done` where nothing failed, else 207 with the partitions that did; the rest was done.
pub fn unless_failed<M>(cluster: &Cluster<M>, failed: Vec<Failed>, done: HttpResponse) -> Result<HttpResponse> {
    let named =
        |Failed((topic, partition_id), error)| (Partition { topic_name: topic.to_string(), partition_id }, error);
    unless_any_failed(cluster, failed.into_iter().map(named), done)
}

/// Returns `done` where nothing failed, else 207 with the parts that did, each by the fields that name it.
pub fn unless_any_failed<M, P: Serialize>(
    cluster: &Cluster<M>,
    failed: impl IntoIterator<Item = (P, Error)>,
    done: HttpResponse,
) -> Result<HttpResponse> {
    let failure = |(part, error): (P, Error)| Failure {
        part,
        error_code: error.kind().code(),
        message: error.message().to_owned(),
    };
    let failures: Vec<_> = failed.into_iter().map(failure).collect();
    if failures.is_empty() { Ok(done) } else { cluster.answer(StatusCode::MULTI_STATUS, &Failures { failures }) }
}
