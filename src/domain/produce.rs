//! Producing: check everything, then send, then tell what became of each record.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Kind, Result};
use crate::kafka::Kafka;
use crate::model::{Delivery, Header, PartitionId, Record, TopicName};
use crate::trace;

/// Writes `records` to `topic` and returns their deliveries in the same order.
///
/// An unknown topic or partition fails the request before anything is sent, without waiting for it to appear;
/// a topic is created only where the brokers do so by themselves.
pub async fn produce(kafka: &Kafka, topic: &TopicName, mut records: Vec<Record>) -> Result<Vec<Delivery>> {
    let highest = records.iter().filter_map(|record| record.partition).max();
    if let Some(context) = trace::current() {
        mark(&mut records, &context);
    }
    let records = Arc::new(records);
    let sent = match check(kafka, topic, highest).await {
        Ok(()) => kafka.producers.send(topic, Arc::clone(&records)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = &sent {
        records.iter().for_each(|record| count_unsent(kafka, record, error.kind()));
    }
    sent
}

/// Counts a record that was not sent.
pub(super) fn count_unsent(kafka: &Kafka, record: &Record, why: Kind) {
    kafka.metrics.produced.count(record.format, Some(why), record.size_bytes());
}

/// Gives records the headers of the trace that they are part of, where that is wished and they have none.
pub(super) fn mark(records: &mut [Record], context: &trace::Context) {
    if !context.in_records {
        return;
    }
    let header =
        |key: &str, value: &str| Header { key: key.to_owned(), value: Some(Bytes::copy_from_slice(value.as_bytes())) };
    let parent = header("traceparent", &context.traceparent());
    let state = context.state.as_deref().map(|state| header("tracestate", state));
    for record in records {
        if record.headers.iter().all(|header| header.key != "traceparent") {
            record.headers.push(parent.clone());
            record
                .headers
                .extend(state.clone().filter(|_| record.headers.iter().all(|header| header.key != "tracestate")));
        }
    }
}

/// Checks that a topic is there, or is made by writing to it.
pub async fn check_topic(kafka: &Kafka, topic: &TopicName) -> Result<()> {
    check(kafka, topic, None).await
}

/// Checks that records can be sent to `topic` and to its partitions up to `highest`.
pub(super) async fn check(kafka: &Kafka, topic: &TopicName, highest: Option<PartitionId>) -> Result<()> {
    match kafka.metadata.check(&kafka.producers, topic, highest).await {
        // Who may not look may still write; if not, each record tells.
        Err(error) if error.kind() == Kind::KafkaAuthorization => Ok(()),
        checked => checked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_the_trace_that_it_has() {
        let mut context = trace::Context::begin(true);
        context.state = Some("a=1".into());
        let own = Header { key: "traceparent".to_owned(), value: None };
        let mut records = vec![Record::default(), Record { headers: vec![own.clone()], ..Record::default() }];
        mark(&mut records, &context);
        assert!(records[0].headers.is_empty(), "it was not wished");
        context.in_records = true;
        mark(&mut records, &context);
        let names: Vec<_> = records[0].headers.iter().map(|header| header.key.as_str()).collect();
        assert_eq!(names, ["traceparent", "tracestate"]);
        assert_eq!(records[0].headers[0].value.as_deref(), Some(context.traceparent().as_bytes()));
        assert_eq!(records[1].headers, [own]);
    }
}
