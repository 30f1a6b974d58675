use std::time::Duration;

use kafka_rest_proxy::admin::Code;
use kafka_rest_proxy::model::{TopicName, TransactionFilter};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::admin::admin;
use crate::harness::kafka;
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{app, unique};

#[tokio::test]
async fn an_open_transaction_is_seen_from_all_sides() {
    let admin = admin();
    let (name, id, unknown) = (app::topic(2), unique("transaction"), unique("unknown"));
    let topic = TopicName::try_from(name.as_str()).unwrap();
    let producer: BaseProducer = kafka::shared().client().set("transactional.id", &id).create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    producer
        .send(BaseRecord::to(&name).partition(1).key("key").payload("value"))
        .unwrap_or_else(|(why, _)| panic!("{why}"));
    producer.flush(PATIENCE).unwrap();

    let described = eventually("the transaction is open", PATIENCE, async || {
        let described = admin.describe_transactions(&[unknown.clone(), id.clone()]).await.unwrap();
        let missing = described[0].1.as_ref().err().and_then(Code::of);
        assert_eq!(missing, Some(Code::TRANSACTIONAL_ID_NOT_FOUND));
        let found = described.into_iter().nth(1)?.1.unwrap();
        (found.state == "Ongoing").then_some(found)
    })
    .await;
    assert_eq!(described.partitions, [(topic.clone(), 1)]);
    assert!(described.started_ms.is_some() && described.coordinator.is_some() && described.timeout_ms > 0);

    let filter = TransactionFilter {
        states: vec!["Ongoing".to_owned()],
        producer_ids: vec![described.producer_id],
        ..TransactionFilter::default()
    };
    let listed = admin.list_transactions(&filter).await.unwrap();
    assert_eq!((listed.len(), listed[0].id.as_str(), listed[0].state.as_str()), (1, id.as_str(), "Ongoing"));
    let long = TransactionFilter { longer_than_ms: Some(3_600_000), ..filter };
    assert_eq!(admin.list_transactions(&long).await.unwrap(), []);

    let producers = admin.describe_producers(&[(topic.clone(), 0), (topic, 1)]).await.unwrap();
    assert_eq!(producers[0].1.as_ref().unwrap(), &[]);
    let active = &producers[1].1.as_ref().unwrap()[0];
    assert_eq!((active.id, active.transaction_start_offset), (described.producer_id, Some(0)));
    producer.abort_transaction(Duration::from_secs(10)).unwrap();
}
