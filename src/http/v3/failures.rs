use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::domain::admin::partitions::Failed;
use crate::error::Result;
use crate::http::v3::cluster::Cluster;

#[derive(Serialize)]
struct Failures {
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct Failure {
    topic_name: String,
    partition_id: i32,
    error_code: u32,
    message: String,
}

/// Returns `done` where nothing failed, else 207 with what failed; the rest was done.
pub fn unless_failed<M>(cluster: &Cluster<M>, failed: Vec<Failed>, done: HttpResponse) -> Result<HttpResponse> {
    if failed.is_empty() {
        return Ok(done);
    }
    let failure = |Failed((topic, partition), error)| Failure {
        topic_name: topic.to_string(),
        partition_id: partition,
        error_code: error.kind().code(),
        message: error.message().to_owned(),
    };
    cluster.answer(StatusCode::MULTI_STATUS, &Failures { failures: failed.into_iter().map(failure).collect() })
}
