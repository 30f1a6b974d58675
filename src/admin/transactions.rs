use std::collections::BTreeMap;

use futures_util::future::join_all;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::{PartitionResponse, ProducerState};
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::list_transactions_response::TransactionState as ListedTransaction;
use kafka_protocol::messages::{
    DescribeProducersRequest, DescribeProducersResponse, DescribeTransactionsRequest, DescribeTransactionsResponse,
    ListTransactionsRequest, ProducerId, TransactionalId,
};

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::convert::{sorted_partitions, text, topic, wire, wire_topic};
use crate::admin::coordinators::CoordinatorKind;
use crate::admin::failure::Repeat;
use crate::admin::operation::{Operation, Route};
use crate::admin::rounds::Part;
use crate::error::{Kind, Result};
use crate::model::{
    ActiveProducer, TopicName, TopicPartition, TransactionDescription, TransactionFilter, TransactionListing,
};

impl Admin {
    /// Lists the transactions of all brokers that the proxy's Kafka user may see, sorted by id.
    pub async fn list_transactions(&self, filter: &TransactionFilter) -> Result<Vec<TransactionListing>> {
        let operation = self.operation()?;
        let brokers = operation.broker_ids().await?;
        let mut transactions = BTreeMap::new();
        for answer in join_all(brokers.into_iter().map(|broker| operation.list_transactions_at(broker, filter))).await {
            match answer {
                Ok(listed) => transactions.extend(listed.into_iter().map(|it| (it.id.clone(), it))),
                // It has left the cluster meanwhile, and others have its transactions.
                Err(error) if error.kind() == Kind::BrokerNotAvailable => {}
                Err(error) => return Err(error),
            }
        }
        Ok(transactions.into_values().collect())
    }

    /// Describes transactions by their transactional ids, in their order; one that does not exist has an error with
    /// [`Code::TRANSACTIONAL_ID_NOT_FOUND`] in its place.
    pub async fn describe_transactions(&self, ids: &[String]) -> Result<Vec<(String, Result<TransactionDescription>)>> {
        let build = |ids: &[String], _| {
            let ids = ids.iter().map(|id| TransactionalId(wire(id))).collect();
            DescribeTransactionsRequest::default().with_transactional_ids(ids)
        };
        let read = |answer: DescribeTransactionsResponse| answer.transaction_states.into_iter().map(part).collect();
        let operation = self.operation()?;
        let mut described =
            operation.at_coordinators(CoordinatorKind::Transaction, ids, Repeat::Harmless, build, read).await?;
        for (id, description) in &mut described {
            if let Ok(description) = description {
                description.coordinator = self.coordinators.known(CoordinatorKind::Transaction, id);
            }
        }
        Ok(described)
    }

    /// Returns the producers that partitions know, in the order of the partitions.
    pub async fn describe_producers(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, Result<Vec<ActiveProducer>>)>> {
        let build = |led: &[TopicPartition], _| DescribeProducersRequest::default().with_topics(by_topic(led));
        self.operation()?.at_leaders(partitions, Repeat::Harmless, build, producers).await
    }
}

impl Operation<'_> {
    async fn list_transactions_at(&self, broker: i32, filter: &TransactionFilter) -> Result<Vec<TransactionListing>> {
        let request = |_| {
            ListTransactionsRequest::default()
                .with_state_filters(filter.states.iter().map(|state| wire(state)).collect())
                .with_producer_id_filters(filter.producer_ids.iter().map(|id| ProducerId(*id)).collect())
                .with_duration_filter(filter.longer_than_ms.unwrap_or(-1))
                .with_transactional_id_pattern(filter.id_pattern.as_deref().map(wire))
        };
        let answer = self.call(Route::Broker(broker), Repeat::Harmless, request).await?;
        let listing = |it: ListedTransaction| TransactionListing {
            id: it.transactional_id.to_string(),
            producer_id: it.producer_id.0,
            state: it.transaction_state.to_string(),
        };
        Ok(answer.transaction_states.into_iter().map(listing).collect())
    }
}

fn part(found: TransactionState) -> Part<String, TransactionDescription> {
    let id = found.transactional_id.to_string();
    let partitions = found.topics.iter().map(|data| (&data.topic, data.partitions.as_slice()));
    let partitions = sorted_partitions(partitions);
    Part {
        key: id.clone(),
        code: Code(found.error_code),
        message: None,
        value: TransactionDescription {
            id,
            coordinator: None,
            state: found.transaction_state.to_string(),
            producer_id: found.producer_id.0,
            producer_epoch: found.producer_epoch,
            timeout_ms: found.transaction_timeout_ms,
            started_ms: Some(found.transaction_start_time_ms).filter(|started| *started >= 0),
            partitions,
        },
    }
}

fn by_topic(partitions: &[TopicPartition]) -> Vec<TopicRequest> {
    let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    let wanted =
        |(topic, partitions)| TopicRequest::default().with_name(wire_topic(topic)).with_partition_indexes(partitions);
    topics.into_iter().map(wanted).collect()
}

fn producers(answer: DescribeProducersResponse) -> Vec<Part<TopicPartition, Vec<ActiveProducer>>> {
    let mut parts = Vec::new();
    for answered in answer.topics {
        let Ok(topic) = topic(&answered.name) else { continue };
        parts.extend(answered.partitions.into_iter().map(|partition| producers_of(topic.clone(), partition)));
    }
    parts
}

fn producers_of(topic: TopicName, found: PartitionResponse) -> Part<TopicPartition, Vec<ActiveProducer>> {
    Part {
        key: (topic, found.partition_index),
        code: Code(found.error_code),
        message: text(found.error_message),
        value: found.active_producers.iter().map(producer).collect(),
    }
}

fn producer(found: &ProducerState) -> ActiveProducer {
    ActiveProducer {
        id: found.producer_id.0,
        epoch: found.producer_epoch,
        last_sequence: found.last_sequence,
        last_timestamp_ms: found.last_timestamp,
        coordinator_epoch: Some(found.coordinator_epoch).filter(|epoch| *epoch >= 0),
        transaction_start_offset: Some(found.current_txn_start_offset).filter(|offset| *offset >= 0),
    }
}
