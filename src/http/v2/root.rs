use actix_web::HttpResponse;
use serde_json::json;

use crate::error::Result;
use crate::http::answer::{Answer, Content, Offers, Takes};
use crate::http::media::JSON;
use crate::http::v2::V2;

/// What `POST /` takes; it is read by nobody.
pub struct Anything;

impl Takes for Anything {
    type Meaning = ();
    const TYPES: &'static [(&'static str, ())] = &[("application/vnd.kafka.v2+json", ()), (JSON, ())];
    const ABSENT: () = ();
}

/// `GET /`: an empty object, for clients that want to know that somebody is there.
pub async fn alive<O: Offers>(answer: Answer<O>) -> Result<HttpResponse> {
    answer.json(&json!({}))
}

/// `POST /`: the same.
pub async fn alive_post(_content: Content<Anything>, answer: Answer<V2>) -> Result<HttpResponse> {
    answer.json(&json!({}))
}
