//! The calls of librdkafka that a consumer is made of. What blocks says so.

use std::ffi::{CStr, CString, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaType};
use tokio::sync::Notify;

use crate::error::Error;
use crate::kafka::client::Listener;
use crate::kafka::consumer::list::{Entry, List, failure};
use crate::kafka::consumer::message::FetchedRecord;
use crate::kafka::login::Login;
use crate::model::TopicName;

/// A consumer client without callbacks.
pub(super) struct Native(Client<Listener>);

/// A queue of fetched records that tells when it stops being empty.
pub(super) struct Queue {
    queue: NonNull<rd::rd_kafka_queue_t>,
    filled: Arc<Notify>,
    /// Queues go before the client they belong to.
    _client: Arc<Native>,
}

// SAFETY: librdkafka's queues and clients may be used from any thread.
unsafe impl Send for Queue {}
// SAFETY: as above; every call locks inside.
unsafe impl Sync for Queue {}

type Raw = *mut rd::rd_kafka_t;

impl Native {
    /// Creates a client. Its log stays silent: nothing would drain it while the client sleeps.
    pub(super) fn new(config: &ClientConfig, listener: Listener) -> Result<Native, KafkaError> {
        let mut config = config.clone();
        config.set_log_level(RDKafkaLogLevel::Emerg);
        let native = config.create_native_config()?;
        // SAFETY: the configuration is alive; without this librdkafka would print to stderr.
        unsafe { rd::rd_kafka_conf_set_log_cb(native.ptr(), None) };
        Client::new(&config, native, RDKafkaType::RD_KAFKA_CONSUMER, listener).map(Native)
    }

    /// Takes the credentials of a caller, for the connections that are made from now on.
    pub(super) fn log_in(&self, login: &Login) -> Result<(), Error> {
        login.give_to(self.raw())
    }

    fn raw(&self) -> Raw {
        self.0.native_ptr()
    }

    /// Returns the queue of a group consumer, and makes it the only one.
    pub(super) fn group_queue(self: &Arc<Self>) -> Option<Queue> {
        // SAFETY: the client is alive; the queue is a reference of its own.
        let queue = unsafe {
            rd::rd_kafka_poll_set_consumer(self.raw());
            rd::rd_kafka_queue_get_consumer(self.raw())
        };
        Queue::new(self, queue)
    }

    /// Returns a new queue for partitions that are started by hand.
    pub(super) fn new_queue(self: &Arc<Self>) -> Option<Queue> {
        // SAFETY: the client is alive.
        Queue::new(self, unsafe { rd::rd_kafka_queue_new(self.raw()) })
    }

    pub(super) fn subscribe(&self, topics: &[TopicName]) -> Result<(), Code> {
        let list = List::of_topics(topics);
        // SAFETY: client and list are alive; librdkafka copies the list.
        check(unsafe { rd::rd_kafka_subscribe(self.raw(), list.ptr()) })
    }

    pub(super) fn unsubscribe(&self) -> Result<(), Code> {
        // SAFETY: the client is alive.
        check(unsafe { rd::rd_kafka_unsubscribe(self.raw()) })
    }

    /// Replaces the assignment; `None` clears it.
    pub(super) fn assign(&self, list: Option<&List>) -> Result<(), Code> {
        // SAFETY: client and list are alive; librdkafka copies the list.
        check(unsafe { rd::rd_kafka_assign(self.raw(), list.map_or(ptr::null(), |list| list.ptr().cast_const())) })
    }

    /// Starts assigned partitions anew at these offsets; the list is the whole assignment.
    ///
    /// A member that shares cooperatively may only change its assignment in steps.
    pub(super) fn restart(&self, list: &List) -> Result<(), Code> {
        // SAFETY: the client is alive; the name is static.
        let protocol = unsafe { CStr::from_ptr(rd::rd_kafka_rebalance_protocol(self.raw())) };
        if protocol != c"COOPERATIVE" {
            return self.assign(Some(list));
        }
        // SAFETY: client and list are alive; librdkafka copies the list.
        unsafe {
            take_error(rd::rd_kafka_incremental_unassign(self.raw(), list.ptr().cast_const()))?;
            take_error(rd::rd_kafka_incremental_assign(self.raw(), list.ptr().cast_const()))
        }
    }

    pub(super) fn assignment(&self) -> Result<Vec<Entry>, Code> {
        let mut list = ptr::null_mut();
        // SAFETY: the client is alive; it hands over a list of its own.
        check(unsafe { rd::rd_kafka_assignment(self.raw(), &mut list) })?;
        Ok(List::take(list).map(|list| list.entries()).unwrap_or_default())
    }

    /// Returns the generation of the group's membership; -1 without one.
    pub(super) fn generation(&self) -> i32 {
        // SAFETY: the client is alive; the metadata is destroyed once.
        unsafe {
            let metadata = rd::rd_kafka_consumer_group_metadata(self.raw());
            if metadata.is_null() {
                return -1;
            }
            let generation = rd::rd_kafka_consumer_group_metadata_generation_id(metadata);
            rd::rd_kafka_consumer_group_metadata_destroy(metadata);
            generation
        }
    }

    /// Moves the positions; blocks up to `timeout`.
    pub(super) fn seek(&self, list: &List, timeout: Duration) -> Result<(), Code> {
        // SAFETY: client and list are alive.
        unsafe { take_error(rd::rd_kafka_seek_partitions(self.raw(), list.ptr(), milliseconds(timeout)))? };
        first_failure(&list.entries())
    }

    /// Commits; blocks until the coordinator answered, up to `timeout`, after which the commit may still be done.
    pub(super) fn commit(&self, list: &List, timeout: Duration) -> Result<(), Code> {
        // SAFETY: client and list are alive; queue and event are ours and destroyed once, in this order; librdkafka
        // copies the list, and keeps what it needs of the queue.
        unsafe {
            let queue = rd::rd_kafka_queue_new(self.raw());
            let begun = check(rd::rd_kafka_commit_queue(self.raw(), list.ptr(), queue, None, ptr::null_mut()));
            let outcome = begun.and_then(|()| {
                let event = rd::rd_kafka_queue_poll(queue, milliseconds(timeout));
                if event.is_null() {
                    return Err(Code::OperationTimedOut);
                }
                let outcome = check(rd::rd_kafka_event_error(event));
                let committed = List::entries_of(rd::rd_kafka_event_topic_partition_list(event));
                rd::rd_kafka_event_destroy(event);
                outcome.and_then(|()| first_failure(&committed))
            });
            rd::rd_kafka_queue_destroy(queue);
            outcome
        }
    }

    /// Fills in what the group has committed; blocks up to `timeout`.
    pub(super) fn committed(&self, list: &List, timeout: Duration) -> Result<(), Code> {
        // SAFETY: client and list are alive.
        check(unsafe { rd::rd_kafka_committed(self.raw(), list.ptr(), milliseconds(timeout)) })
    }

    /// Marks offsets for the next automatic commit; what is not assigned any more is left out.
    pub(super) fn store(&self, list: &List) {
        // SAFETY: client and list are alive.
        unsafe { rd::rd_kafka_offsets_store(self.raw(), list.ptr()) };
    }

    /// Replaces timestamps by the offsets of the first records that are not older; blocks up to `timeout`.
    pub(super) fn offsets_for_times(&self, list: &List, timeout: Duration) -> Result<(), Code> {
        // SAFETY: client and list are alive.
        check(unsafe { rd::rd_kafka_offsets_for_times(self.raw(), list.ptr(), milliseconds(timeout)) })?;
        first_failure(&list.entries())
    }

    /// Returns the first and the next offset of a partition; blocks up to `timeout`.
    pub(super) fn watermarks(&self, topic: &TopicName, partition: i32, timeout: Duration) -> Result<(i64, i64), Code> {
        let name = CString::new(topic.as_str()).unwrap_or_default();
        let (mut low, mut high) = (-1, -1);
        // SAFETY: client and name are alive.
        check(unsafe {
            rd::rd_kafka_query_watermark_offsets(
                self.raw(),
                name.as_ptr(),
                partition,
                &mut low,
                &mut high,
                milliseconds(timeout),
            )
        })?;
        Ok((low, high))
    }

    /// Leaves the group after the last automatic commit; blocks for about 100 ms, or the session's end at the most.
    pub(super) fn close(&self) {
        // SAFETY: the client is alive; closing twice is allowed.
        unsafe { rd::rd_kafka_consumer_close(self.raw()) };
    }

    /// Fetches one partition into `queue` from `offset` on, without a group, until the guard is dropped.
    pub(super) fn start(
        self: &Arc<Self>,
        topic: &TopicName,
        partition: i32,
        offset: i64,
        queue: &Queue,
    ) -> Result<Started, Code> {
        let name = CString::new(topic.as_str()).unwrap_or_default();
        // SAFETY: client, name and queue are alive; the topic handle is destroyed by the guard.
        unsafe {
            let topic = rd::rd_kafka_topic_new(self.raw(), name.as_ptr(), ptr::null_mut());
            let Some(topic) = NonNull::new(topic) else {
                return check(rd::rd_kafka_last_error()).and(Err(Code::Fail));
            };
            let mut started = Started { topic, partition, running: false, _client: Arc::clone(self) };
            if rd::rd_kafka_consume_start_queue(topic.as_ptr(), partition, offset, queue.queue.as_ptr()) != 0 {
                return check(rd::rd_kafka_last_error()).and(Err(Code::Fail));
            }
            started.running = true;
            Ok(started)
        }
    }
}

impl Queue {
    fn new(client: &Arc<Native>, queue: *mut rd::rd_kafka_queue_t) -> Option<Queue> {
        let queue = NonNull::new(queue)?;
        let filled = Arc::new(Notify::new());
        // SAFETY: `filled` lives as long as the queue, whose callback is taken away before both go.
        unsafe {
            rd::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(wake), Arc::as_ptr(&filled).cast_mut().cast());
        }
        Some(Queue { queue, filled, _client: Arc::clone(client) })
    }

    /// Waits until the queue is filled after having been empty; look into it before waiting.
    pub(super) fn filled(&self) -> &Notify {
        &self.filled
    }

    pub(super) fn is_empty(&self) -> bool {
        // SAFETY: the queue is alive.
        unsafe { rd::rd_kafka_queue_length(self.queue.as_ptr()) == 0 }
    }

    /// Returns up to `most` records that are here already, errors among them.
    pub(super) fn take(&self, most: usize) -> Vec<FetchedRecord> {
        let mut messages = vec![ptr::null_mut(); most];
        // SAFETY: the queue is alive; librdkafka fills at most `most` places.
        let count = unsafe { rd::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, messages.as_mut_ptr(), most) };
        messages.truncate(usize::try_from(count).unwrap_or(0));
        messages.into_iter().filter_map(FetchedRecord::take).collect()
    }
}

unsafe extern "C" fn wake(_: Raw, notify: *mut c_void) {
    // SAFETY: see `Queue::new`.
    let notify = unsafe { &*notify.cast::<Notify>() };
    notify.notify_one();
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the queue is alive; after the first call nobody uses `filled`.
        unsafe {
            rd::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            rd::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// A partition that is being fetched; stops when dropped, which blocks for moments.
pub(super) struct Started {
    topic: NonNull<rd::rd_kafka_topic_t>,
    partition: i32,
    running: bool,
    _client: Arc<Native>,
}

// SAFETY: topic handles may be used from any thread.
unsafe impl Send for Started {}

impl Drop for Started {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, and the client it belongs to is alive.
        unsafe {
            if self.running {
                rd::rd_kafka_consume_stop(self.topic.as_ptr(), self.partition);
            }
            rd::rd_kafka_topic_destroy(self.topic.as_ptr());
        }
    }
}

/// Destroys an error object and returns its code.
///
/// # Safety
/// `error` is null or an error that nobody else destroys.
unsafe fn take_error(error: *mut rd::rd_kafka_error_t) -> Result<(), Code> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: see above.
    let code = unsafe { rd::rd_kafka_error_code(error) };
    // SAFETY: see above.
    unsafe { rd::rd_kafka_error_destroy(error) };
    check(code)
}

fn check(code: rd::rd_kafka_resp_err_t) -> Result<(), Code> {
    failure(code).map_or(Ok(()), Err)
}

fn first_failure(entries: &[Entry]) -> Result<(), Code> {
    entries.iter().find_map(|entry| entry.error).map_or(Ok(()), Err)
}

fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).max(1)
}
