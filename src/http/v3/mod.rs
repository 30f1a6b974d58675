//! API v3, `application/json` below `/v3`: contract/v3.md.

mod acls;
mod broker_configs;
mod brokers;
mod client_quotas;
mod cluster;
mod cluster_configs;
mod clusters;
mod configs;
mod consumer_groups;
mod consumer_lags;
mod consumer_offsets;
mod consumers;
mod docs;
mod document;
mod elections;
mod failures;
mod links;
mod log_dirs;
mod parameters;
mod partitions;
mod paths;
mod produce;
mod reassignments;
mod rendering;
mod replicas;
mod schemas;
mod scram_users;
mod topic_configs;
mod topics;
mod transactions;

use crate::http::answer::{Offers, Takes};
use crate::http::media::{JSON, Offer};
use crate::http::permit;
use crate::http::resource::{Routes, post, resource};

pub use schemas::schemas;

/// Where the API is; Confluent Server has it at the second place, and clients written for that look there.
const ROOTS: [&str; 2] = ["/v3", "/kafka/v3"];

/// Answers of every endpoint.
pub struct V3;

impl Offers for V3 {
    const OFFERS: &'static [Offer] = &[(JSON, 1000)];
}

/// What every endpoint takes; a request without a body needs no type.
pub struct Json;

/// Whether a request says what its body is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// It is JSON.
    Json,
    /// There is no Content-Type.
    Not,
}

impl Takes for Json {
    type Meaning = Typed;
    const TYPES: &'static [(&'static str, Typed)] = &[(JSON, Typed::Json)];
    const ABSENT: Typed = Typed::Not;
}

/// Tells whether `path` is of this API, so that every error is labelled as it labels them.
pub fn owns(path: &str) -> bool {
    root_of(path).is_some()
}

/// Returns which of [`ROOTS`] `path` is below.
fn root_of(path: &str) -> Option<&'static str> {
    let below = |root: &&str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ROOTS.into_iter().find(below)
}

/// Registers the endpoints of v3, in both places.
pub fn routes(routes: &mut Routes) {
    for root in ROOTS {
        routes.below(root, tree);
    }
}

fn tree(routes: &mut Routes) {
    routes
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/records",
            vec![
                post("api.v3.produce.produce-to-topic", permit::WRITE_RECORDS, produce::stream).doc(
                    docs::changes("Write a stream of records: documents in, receipts out", "NewRecord")
                        .gives::<V3>(200, "Receipt"),
                ),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/topics/{topic}/records:batch",
            vec![
                post("api.v3.batch-produce.produce-to-topic", permit::WRITE_RECORDS, produce::batch)
                    .doc(docs::changes("Write a few records", "RecordBatch").gives::<V3>(207, "BatchReceipts")),
            ],
        ))
        .configure(clusters::routes)
        .configure(acls::routes)
        .configure(consumer_groups::routes)
        .configure(consumers::routes)
        .configure(consumer_lags::routes)
        .configure(consumer_offsets::routes)
        .configure(client_quotas::routes)
        .configure(scram_users::routes)
        .configure(transactions::routes)
        .configure(broker_configs::routes)
        .configure(brokers::routes)
        .configure(cluster_configs::routes)
        .configure(topic_configs::routes)
        .configure(topics::routes)
        .configure(partitions::routes)
        .configure(replicas::routes)
        .configure(reassignments::routes)
        .configure(elections::routes)
        .configure(log_dirs::routes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_of_this_api_in_both_places() {
        for (path, root) in [
            ("/v3", Some("/v3")),
            ("/v3/clusters", Some("/v3")),
            ("/kafka/v3/clusters/c", Some("/kafka/v3")),
            ("/v3x", None),
            ("/topics/v3", None),
        ] {
            assert_eq!(root_of(path), root, "{path}");
        }
    }
}
