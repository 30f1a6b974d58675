//! A list of partitions as librdkafka has it.

use std::ffi::{CStr, CString};
use std::ptr;
use std::slice;

use rdkafka::bindings as rd;
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};

use crate::model::{PartitionId, PartitionOffset, TopicName};

/// An owned `rd_kafka_topic_partition_list_t`.
pub(super) struct List(ptr::NonNull<rd::rd_kafka_topic_partition_list_t>);

/// What librdkafka says of one partition of a list.
pub(super) struct Entry {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) metadata: String,
    pub(super) error: Option<Code>,
}

/// `RD_KAFKA_PARTITION_UA`.
const ANY_PARTITION: i32 = -1;

impl List {
    pub(super) fn of_topics(topics: &[TopicName]) -> List {
        let list = List::with_capacity(topics.len());
        for topic in topics {
            list.add(topic, ANY_PARTITION);
        }
        list
    }

    pub(super) fn of_offsets(offsets: &[PartitionOffset]) -> List {
        let list = List::with_capacity(offsets.len());
        for item in offsets {
            let element = list.add(&item.topic, item.partition.get());
            // SAFETY: `add` returned an element of the list, which is ours alone.
            unsafe { (*element).offset = item.offset };
            if !item.metadata.is_empty() {
                list.set_metadata(element, &item.metadata);
            }
        }
        list
    }

    fn with_capacity(capacity: usize) -> List {
        // SAFETY: no precondition; the list is destroyed in `drop`.
        let list = unsafe { rd::rd_kafka_topic_partition_list_new(i32::try_from(capacity).unwrap_or(0)) };
        #[expect(clippy::expect_used, reason = "librdkafka aborts by itself where there is no memory")]
        List(ptr::NonNull::new(list).expect("a list"))
    }

    /// Takes over a list that librdkafka returned.
    pub(super) fn take(list: *mut rd::rd_kafka_topic_partition_list_t) -> Option<List> {
        ptr::NonNull::new(list).map(List)
    }

    fn add(&self, topic: &TopicName, partition: i32) -> *mut rd::rd_kafka_topic_partition_t {
        // Legal names have no NUL.
        let name = CString::new(topic.as_str()).unwrap_or_default();
        // SAFETY: the list is alive; librdkafka copies the name.
        unsafe { rd::rd_kafka_topic_partition_list_add(self.ptr(), name.as_ptr(), partition) }
    }

    fn set_metadata(&self, element: *mut rd::rd_kafka_topic_partition_t, text: &str) {
        // librdkafka frees the metadata of an element with free(3), so it has to come from malloc.
        // SAFETY: strndup copies `len` bytes of a valid text; the element is part of this list.
        unsafe {
            (*element).metadata = libc::strndup(text.as_ptr().cast(), text.len()).cast();
            (*element).metadata_size =
                if (*element).metadata.is_null() { 0 } else { libc::strlen((*element).metadata.cast()) };
        }
    }

    pub(super) fn ptr(&self) -> *mut rd::rd_kafka_topic_partition_list_t {
        self.0.as_ptr()
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        // SAFETY: the list is alive.
        unsafe { List::entries_of(self.ptr()) }
    }

    /// Returns the entries of a list that is another's.
    ///
    /// # Safety
    /// `list` is null or alive.
    pub(super) unsafe fn entries_of(list: *const rd::rd_kafka_topic_partition_list_t) -> Vec<Entry> {
        // SAFETY: librdkafka keeps `cnt` initialized elements at `elems`.
        let elements = unsafe {
            match list.as_ref() {
                Some(list) if list.cnt > 0 => slice::from_raw_parts(list.elems, list.cnt as usize),
                Some(_) | None => &[][..],
            }
        };
        elements.iter().map(entry).collect()
    }
}

fn entry(element: &rd::rd_kafka_topic_partition_t) -> Entry {
    // SAFETY: `topic` is a NUL-terminated text; `metadata` has `metadata_size` bytes where it is not null.
    let (topic, metadata) = unsafe {
        let metadata = if element.metadata.is_null() {
            String::new()
        } else {
            let bytes = slice::from_raw_parts(element.metadata.cast::<u8>(), element.metadata_size);
            String::from_utf8_lossy(bytes).into_owned()
        };
        (CStr::from_ptr(element.topic).to_string_lossy().into_owned(), metadata)
    };
    Entry { topic, partition: element.partition, offset: element.offset, metadata, error: failure(element.err) }
}

impl Entry {
    /// Returns the entry with checked names; `None` for what no topic of Kafka's can be.
    pub(super) fn partition_offset(&self) -> Option<PartitionOffset> {
        Some(PartitionOffset {
            topic: TopicName::try_from(self.topic.as_str()).ok()?,
            partition: PartitionId::try_from(self.partition).ok()?,
            offset: self.offset,
            metadata: self.metadata.clone(),
        })
    }
}

/// Returns the code of a failure.
pub(super) fn failure(code: RDKafkaRespErr) -> Option<Code> {
    (code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the list is ours and is destroyed once.
        unsafe { rd::rd_kafka_topic_partition_list_destroy(self.ptr()) }
    }
}
