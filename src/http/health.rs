use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde_json::json;

use crate::error::{Kind, Result};
use crate::http::answer::{Answer, Offers};
use crate::http::doc::Doc;
use crate::http::media::{JSON, Offer};
use crate::http::permit;
use crate::http::readiness::Readiness;
use crate::http::resource::{Routes, get, resource};

/// Plain JSON.
pub struct Plain;

impl Offers for Plain {
    const OFFERS: &'static [Offer] = &[(JSON, 1000)];
}

/// What is answered however many requests are under way, as whoever asks would end a process that only has much to do.
const PATHS: [&str; 3] = ["/live", "/ready", "/health"];

/// Registers what tells that this process serves.
pub fn routes(routes: &mut Routes) {
    let healthy = Doc::of("Tell that this proxy serves requests").gives::<Plain>(200, "Object");
    let alive = Doc::of("Tell that this process lives").gives::<Plain>(200, "Object");
    let ready = Doc::of("Tell whether this proxy should be sent requests: Kafka can be reached, and it does not stop")
        .gives::<Plain>(200, "Object")
        .gives::<Plain>(503, "Object");
    routes
        .service(resource("/health", vec![get("proxy.health", permit::OPEN, self::health).doc(healthy)]))
        .service(resource("/live", vec![get("proxy.live", permit::OPEN, live).doc(alive)]))
        .service(resource("/ready", vec![get("proxy.ready", permit::OPEN, self::ready).doc(ready)]));
}

/// Tells whether a path is one of these.
pub(super) fn owns(path: &str) -> bool {
    PATHS.contains(&path)
}

/// `GET /health`: as a Connect worker has it, for this proxy itself; says nothing of Kafka.
async fn health(answer: Answer<Plain>) -> Result<HttpResponse> {
    answer.json(&json!({ "status": "healthy", "message": "This proxy serves requests." }))
}

/// `GET /live`: says nothing but that it is answered.
async fn live(answer: Answer<Plain>) -> Result<HttpResponse> {
    answer.json(&json!({ "status": "alive" }))
}

/// `GET /ready`: 503 says which check fails.
async fn ready(answer: Answer<Plain>, readiness: Data<Readiness>) -> Result<HttpResponse> {
    let report = readiness.report().await;
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_vec(&report).map_err(|error| Kind::Internal.caused_by(error))?;
    Ok(answer.text(status, body))
}
