//! Producing with v2, as seen by the client and on the log.

mod bodies;
mod failures;
mod placement;
mod records;
mod refusals;
mod topics;

use serde_json::{Value, json};

use crate::harness::app::App;
use crate::harness::http::Answer;

/// Sends records to a topic.
async fn produce(app: &App, topic: &str, media: &str, records: Value) -> Answer {
    app.post(&format!("/topics/{topic}")).document(media, &json!({ "records": records })).send().await
}

/// Sends records to a partition.
async fn produce_to(app: &App, topic: &str, partition: impl std::fmt::Display, media: &str, records: Value) -> Answer {
    let path = format!("/topics/{topic}/partitions/{partition}");
    app.post(&path).document(media, &json!({ "records": records })).send().await
}
