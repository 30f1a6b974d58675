use actix_web::HttpResponse;
use serde_json::json;

use crate::error::Result;
use crate::http::answer::{Answer, Offers};
use crate::http::doc::Doc;
use crate::http::media::{JSON, Offer};
use crate::http::permit;
use crate::http::resource::{Routes, get, resource};

/// Plain JSON.
pub struct Plain;

impl Offers for Plain {
    const OFFERS: &'static [Offer] = &[(JSON, 1000)];
}

/// Registers what tells that this process serves.
pub fn routes(routes: &mut Routes) {
    let doc = Doc::of("Tell that this proxy serves requests").gives::<Plain>(200, "Object");
    routes.service(resource("/health", vec![get("proxy.health", permit::OPEN, health).doc(doc)]));
}

/// `GET /health`: as a Connect worker has it, for this proxy itself; says nothing of Kafka.
async fn health(answer: Answer<Plain>) -> Result<HttpResponse> {
    answer.json(&json!({ "status": "healthy", "message": "This proxy serves requests." }))
}
