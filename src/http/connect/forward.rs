use actix_web::body::BodyStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};

use crate::config::DEFAULT_CLUSTER;
use crate::domain::connect::{Body as ReplyBody, Operation, Outcome, Reply};
use crate::error::{Kind, Result};
use crate::http::answer::Answer;
use crate::http::base_url::BaseUrl;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::connect::{OUTCOME, incoming, rules};
use crate::http::health::Plain;
use crate::model::encode_segment;

/// Says which worker answered.
const WORKER: HeaderName = HeaderName::from_static("x-connect-worker");
/// Says what became of the state that was waited for.
const SETTLED: HeaderName = HeaderName::from_static("x-connect-settled");

/// Passes a request on to a Connect cluster, and its answer back.
pub async fn forward(
    operation: Operation,
    prefix: &'static str,
    request: HttpRequest,
    answer: Answer<Plain>,
    body: Body,
    caller: Caller,
    base: BaseUrl,
) -> Result<HttpResponse> {
    let named = request.match_info().get("cluster");
    let cluster = caller.connect.named(named.unwrap_or(DEFAULT_CLUSTER))?;
    if operation.is_about_loggers() && !cluster.settings.loggers {
        return Err(
            Kind::NotFound.because("HTTP 404 Not Found: the loggers of this Kafka Connect cluster are not served.")
        );
    }
    let call = incoming::call(&request, operation, prefix, body.bytes.clone())?;
    let call = rules::within(&caller, &cluster.name, call)?;
    let reply = cluster.call(call).await?;
    let place =
        named.map_or(base.as_str().to_owned(), |name| format!("{}/connect/{}", base.as_str(), encode_segment(name)));
    Ok(respond(&answer, reply, &place))
}

/// Returns a reply as it goes to the client; `place` is where the cluster is for it.
fn respond(answer: &Answer<Plain>, reply: Reply, place: &str) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    if !reply.worker.is_empty() {
        response.insert_header((WORKER, reply.worker));
    }
    if let Some(location) = &reply.location {
        response.insert_header((LOCATION, format!("{place}{location}")));
    }
    if let Some(outcome) = reply.outcome {
        response.insert_header((OUTCOME, outcome.name()));
    }
    if let Some(settled) = reply.settled {
        response.insert_header((SETTLED, settled.name()));
    }
    if reply.outcome == Some(Outcome::NotApplied) && matches!(reply.status, 409 | 503) {
        response.insert_header((RETRY_AFTER, 1));
    }
    match reply.body {
        ReplyBody::Whole(bytes) if bytes.is_empty() => response.finish(),
        ReplyBody::Whole(bytes) => response.insert_header((CONTENT_TYPE, answer.media())).body(bytes),
        ReplyBody::Stream(stream) => {
            response.insert_header((CONTENT_TYPE, answer.media())).body(BodyStream::new(stream))
        }
    }
}
