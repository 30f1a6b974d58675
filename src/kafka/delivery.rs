use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use futures_util::task::AtomicWaker;
use rdkafka::message::Message;
use rdkafka::producer::DeliveryResult;

use crate::error::Kind;
use crate::kafka::error::record_error;
use crate::kafka::health::Health;
use crate::kafka::queue::Reservation;
use crate::metrics::Metrics;
use crate::model::{Delivery, Format, Placed, Record, RecordError};

/// The deliveries of one request: a slot a record, and one wake-up when the last of them is filled.
pub(super) struct Batch {
    slots: Box<[OnceLock<Delivery>]>,
    missing: AtomicUsize,
    waker: AtomicWaker,
    metrics: Arc<Metrics>,
    /// Whether a record that its batch was refused with is sent again.
    is_first_try: bool,
    /// Given back when librdkafka has let go of the last record, whether or not the caller still waits.
    _reservation: Option<Reservation>,
}

/// What librdkafka carries with a record: which slot its delivery fills.
pub(super) struct Ticket {
    batch: Arc<Batch>,
    slot: usize,
    format: Format,
    bytes: usize,
}

impl Batch {
    /// Returns a batch of so many records; one without a reservation is of records that are sent again.
    pub(super) fn new(records: usize, reservation: Option<Reservation>, metrics: &Arc<Metrics>) -> Arc<Batch> {
        Arc::new(Batch {
            slots: std::iter::repeat_with(OnceLock::new).take(records).collect(),
            missing: AtomicUsize::new(records),
            waker: AtomicWaker::new(),
            metrics: Arc::clone(metrics),
            is_first_try: reservation.is_some(),
            _reservation: reservation,
        })
    }

    /// Returns the ticket of the record number `slot`; it has to be redeemed by [`Ticket::deliver`] just once.
    pub(super) fn ticket(self: &Arc<Self>, slot: usize, record: &Record) -> Ticket {
        Ticket { batch: Arc::clone(self), slot, format: record.format, bytes: record.size_bytes() }
    }

    /// Waits until every record has its delivery.
    pub(super) async fn complete(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.missing.load(Ordering::Acquire) == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Returns the deliveries in the order of the records; one that is still missing is an error of its own.
    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        self.slots.iter().map(|slot| slot.get().cloned().unwrap_or_else(unknown_outcome)).collect()
    }
}

fn unknown_outcome() -> Delivery {
    Err(RecordError {
        kind: Kind::KafkaRetriable,
        message: "Kafka did not tell in time whether the record was written.".to_string(),
        with_its_batch: false,
    })
}

impl Ticket {
    /// Fills the slot; wakes the request when it was the last.
    pub(super) fn deliver(self, delivery: Delivery) {
        let failure = delivery.as_ref().err();
        // What is sent again is counted when that is done.
        if !failure.is_some_and(|failure| failure.with_its_batch && self.batch.is_first_try) {
            let failed = failure.map(|failure| failure.kind);
            self.batch.metrics.produced.count(self.format, failed, self.bytes);
        }
        // A slot is filled once: there is one ticket for it.
        let _ = self.batch.slots[self.slot].set(delivery);
        if self.batch.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.batch.waker.wake();
        }
    }

    /// Fills the slot with what librdkafka reports.
    pub(super) fn report(self, result: &DeliveryResult<'_>, health: &Health) {
        self.deliver(match result {
            // Without acknowledgements there is no offset, which librdkafka and the Java client number differently.
            Ok(message) => Ok(Placed {
                partition: message.partition(),
                offset: message.offset().max(-1),
                timestamp_ms: message.timestamp().to_millis(),
            }),
            Err((error, _)) => Err(record_error(error, health)),
        });
    }
}
