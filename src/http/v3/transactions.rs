//! Transactions and the producers of a partition: an extension, in the style of the rest.

use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::admin::transactions;
use crate::error::{Kind, Result};
use crate::http::doc::Parameter;
use crate::http::permit;
use crate::http::resource::{Routes, get as on_get, resource};
use crate::http::v3::cluster::{CannotBeFound, Cluster};
use crate::http::v3::docs;
use crate::http::v3::parameters::{choice, number, segment};
use crate::http::v3::rendering::{Collection, Related, Resource};
use crate::model::{
    ActiveProducer, Right, Subject, TopicName, TransactionDescription, TransactionFilter, TransactionListing,
};

/// Registers the endpoints of transactions and producers.
pub fn routes(routes: &mut Routes) {
    let producers = "/clusters/{cluster}/topics/{topic}/partitions/{partition}/producers";
    let filter: &[Parameter] = &[
        ("state", "string", "Only transactions in this state; several with commas between."),
        ("producer_id", "string", "Only transactions of this producer; several with commas between."),
    ];
    routes
        .service(resource(
            "/clusters/{cluster}/transactions",
            vec![
                on_get("api.v3.transactions.list", permit::DESCRIBE_CLUSTER, list)
                    .doc(docs::many::<ListingFields>("List the transactions", "KafkaTransactionList").query(filter)),
            ],
        ))
        .service(resource(
            "/clusters/{cluster}/transactions/{transaction}",
            vec![
                on_get("api.v3.transactions.get", permit::DESCRIBE_CLUSTER, get)
                    .doc(docs::one::<TransactionFields>("Get a transaction", "KafkaTransaction")),
            ],
        ))
        .service(resource(
            producers,
            vec![
                on_get("api.v3.producers.list", permit::READ_TOPIC, list_producers)
                    .doc(docs::many::<ProducerFields>("List the producers of a partition", "KafkaProducerList")),
            ],
        ))
        .service(resource(
            &format!("{producers}/{{producer}}"),
            vec![
                on_get("api.v3.producers.get", permit::READ_TOPIC, get_producer)
                    .doc(docs::one::<ProducerFields>("Get a producer of a partition", "KafkaProducer")),
            ],
        ));
}

/// States as this API names them, and as Kafka does.
const STATES: &[(&str, &str)] = &[
    ("EMPTY", "Empty"),
    ("ONGOING", "Ongoing"),
    ("PREPARE_COMMIT", "PrepareCommit"),
    ("PREPARE_ABORT", "PrepareAbort"),
    ("COMPLETE_COMMIT", "CompleteCommit"),
    ("COMPLETE_ABORT", "CompleteAbort"),
    ("DEAD", "Dead"),
    ("PREPARE_EPOCH_FENCE", "PrepareEpochFence"),
];

/// What a list is limited to; each is one value, or several with commas between.
#[derive(Deserialize)]
struct TransactionQuery {
    state: Option<String>,
    producer_id: Option<String>,
}

impl TransactionQuery {
    fn to_filter(&self) -> Result<TransactionFilter> {
        let state = |text: &str| choice("TransactionState", text.trim(), STATES).map(str::to_owned);
        let producer = |text: &str| {
            text.trim().parse().map_err(|_| Kind::BadRequest.because("Bad Request: producer_id is not a whole number"))
        };
        let states = self.state.iter().flat_map(|text| text.split(','));
        let producers = self.producer_id.iter().flat_map(|text| text.split(','));
        Ok(TransactionFilter {
            states: states.map(state).collect::<Result<_>>()?,
            producer_ids: producers.map(producer).collect::<Result<_>>()?,
            ..TransactionFilter::default()
        })
    }
}

/// `GET C/transactions`: sorted by transactional id.
async fn list(cluster: Cluster<CannotBeFound>, Query(query): Query<TransactionQuery>) -> Result<HttpResponse> {
    let found = cluster.caller.admin.list_transactions(&query.to_filter()?).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let limits = [("state", query.state), ("producer_id", query.producer_id)];
        let limits: Vec<_> = limits.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let address = cluster.links.search(&["clusters", &cluster.id, "transactions"], &limits);
        let data = found.iter().map(|transaction| rendered_listing(cluster, transaction)).collect();
        Collection::new("KafkaTransactionList", address, data)
    };
    cluster.list(list).await
}

/// `GET C/transactions/{transaction}`.
async fn get(cluster: Cluster<CannotBeFound>, request: HttpRequest) -> Result<HttpResponse> {
    let id = segment(&request, "transaction")?;
    let found = transactions::find(&cluster.caller.admin, &id).await?;
    let unknown = || Kind::NotFound.because(format!("Transaction {id} could not be found."));
    let (mut found, view) = (found.ok_or_else(unknown)?, cluster.caller.view(Right::Describe));
    found.partitions.retain(|(topic, _)| view.shows(Subject::Topic(topic.as_str())));
    cluster.ok(&rendered(&cluster, &found))
}

/// `GET C/topics/{topic}/partitions/{partition}/producers`: those that the partition knows, sorted by id.
async fn list_producers(cluster: Cluster<CannotBeFound>, request: HttpRequest) -> Result<HttpResponse> {
    let partition = partition(&request)?;
    let producers = producers(&cluster, &partition).await?;
    let list = move |cluster: &Cluster<CannotBeFound>| {
        let data = producers.iter().map(|producer| rendered_producer(cluster, &partition, producer)).collect();
        let (topic, number) = (partition.0.as_str(), partition.1.to_string());
        Collection::new("KafkaProducerList", cluster.url(&["topics", topic, "partitions", &number, "producers"]), data)
    };
    cluster.list(list).await
}

/// `GET C/topics/{topic}/partitions/{partition}/producers/{producer}`.
async fn get_producer(cluster: Cluster<CannotBeFound>, request: HttpRequest) -> Result<HttpResponse> {
    let partition = partition(&request)?;
    let id = segment(&request, "producer")?;
    let producers = producers(&cluster, &partition).await?;
    let found = producers.iter().find(|producer| producer.id.to_string() == id);
    let unknown = || Kind::NotFound.because(format!("Producer {id} is not known to the partition."));
    cluster.ok(&rendered_producer(&cluster, &partition, found.ok_or_else(unknown)?))
}

type Partition = (TopicName, i32);

fn partition(request: &HttpRequest) -> Result<Partition> {
    Ok((TopicName::try_from(segment(request, "topic")?.as_str())?, number(request, "partition")?))
}

async fn producers(cluster: &Cluster<CannotBeFound>, partition: &Partition) -> Result<Vec<ActiveProducer>> {
    let described = cluster.caller.admin.describe_producers(std::slice::from_ref(partition)).await?.pop();
    let mut producers = described.map_or(Ok(Vec::new()), |(_, producers)| producers)?;
    producers.sort_unstable_by_key(|producer| producer.id);
    Ok(producers)
}

/// Returns the name for a state of Kafka.
fn state(kafka: &str) -> &'static str {
    STATES.iter().find(|(_, known)| *known == kafka).map_or("UNKNOWN", |(name, _)| name)
}

#[derive(JsonSchema, Serialize)]
struct ListingFields {
    cluster_id: String,
    transactional_id: String,
    producer_id: i64,
    state: &'static str,
}

fn rendered_listing(cluster: &Cluster<CannotBeFound>, it: &TransactionListing) -> Resource<ListingFields> {
    let fields = ListingFields {
        cluster_id: cluster.id.clone(),
        transactional_id: it.id.clone(),
        producer_id: it.producer_id,
        state: state(&it.state),
    };
    cluster.resource("KafkaTransaction", &["transactions", &it.id], &[("transaction", &it.id)], fields)
}

#[derive(JsonSchema, Serialize)]
struct TransactionFields {
    #[serde(flatten)]
    listing: ListingFields,
    producer_epoch: i16,
    timeout_ms: i32,
    start_timestamp_ms: Option<i64>,
    coordinator: Option<Related>,
    partitions: Vec<PartitionFields>,
}

#[derive(JsonSchema, Serialize)]
struct PartitionFields {
    topic_name: String,
    partition_id: i32,
    partition: Related,
}

fn rendered(cluster: &Cluster<CannotBeFound>, it: &TransactionDescription) -> Resource<TransactionFields> {
    let listing = ListingFields {
        cluster_id: cluster.id.clone(),
        transactional_id: it.id.clone(),
        producer_id: it.producer_id,
        state: state(&it.state),
    };
    let partition = |(topic, number): &Partition| PartitionFields {
        topic_name: topic.to_string(),
        partition_id: *number,
        partition: cluster.related(&["topics", topic.as_str(), "partitions", &number.to_string()]),
    };
    let fields = TransactionFields {
        listing,
        producer_epoch: it.producer_epoch,
        timeout_ms: it.timeout_ms,
        start_timestamp_ms: it.started_ms,
        coordinator: it.coordinator.map(|broker| cluster.related(&["brokers", &broker.to_string()])),
        partitions: it.partitions.iter().map(partition).collect(),
    };
    cluster.resource("KafkaTransaction", &["transactions", &it.id], &[("transaction", &it.id)], fields)
}

#[derive(JsonSchema, Serialize)]
struct ProducerFields {
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    producer_id: i64,
    producer_epoch: i32,
    last_sequence: i32,
    last_timestamp_ms: i64,
    coordinator_epoch: Option<i32>,
    transaction_start_offset: Option<i64>,
}

fn rendered_producer(
    cluster: &Cluster<CannotBeFound>,
    partition: &Partition,
    it: &ActiveProducer,
) -> Resource<ProducerFields> {
    let (topic, number, id) = (partition.0.as_str(), partition.1.to_string(), it.id.to_string());
    let fields = ProducerFields {
        cluster_id: cluster.id.clone(),
        topic_name: topic.to_owned(),
        partition_id: partition.1,
        producer_id: it.id,
        producer_epoch: it.epoch,
        last_sequence: it.last_sequence,
        last_timestamp_ms: it.last_timestamp_ms,
        coordinator_epoch: it.coordinator_epoch,
        transaction_start_offset: it.transaction_start_offset,
    };
    cluster.resource(
        "KafkaProducer",
        &["topics", topic, "partitions", &number, "producers", &id],
        &[("topic", topic), ("partition", &number), ("producer", &id)],
        fields,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> Result<TransactionFilter> {
        Query::<TransactionQuery>::from_query(query).unwrap().to_filter()
    }

    #[test]
    fn a_list_is_limited_to_states_and_producers() {
        let both = filter("state=ongoing,COMPLETE_ABORT&producer_id=1,-2").unwrap();
        assert_eq!(both.states, ["Ongoing", "CompleteAbort"]);
        assert_eq!(both.producer_ids, [1, -2]);
        assert_eq!(filter("").unwrap(), TransactionFilter::default());
        assert_eq!(filter("state=open").unwrap_err().kind(), Kind::NotFound);
        assert_eq!(filter("producer_id=x").unwrap_err().kind(), Kind::BadRequest);
    }

    #[test]
    fn a_state_of_a_later_kafka_is_unknown() {
        assert_eq!(state("PrepareEpochFence"), "PREPARE_EPOCH_FENCE");
        assert_eq!(state("Sleeping"), "UNKNOWN");
    }
}
