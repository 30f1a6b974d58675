use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use rdkafka::bindings as rd;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::kafka::consumer::list::failure;

/// A record that was fetched, in librdkafka's memory; nothing is copied.
pub struct FetchedRecord(NonNull<rd::rd_kafka_message_t>);

// SAFETY: a message belongs to whoever took it off the queue; librdkafka lets any thread read and destroy it.
unsafe impl Send for FetchedRecord {}
// SAFETY: reading it changes nothing.
unsafe impl Sync for FetchedRecord {}

impl FetchedRecord {
    /// Takes over a message that librdkafka handed out.
    pub(super) fn take(message: *mut rd::rd_kafka_message_t) -> Option<FetchedRecord> {
        NonNull::new(message).map(FetchedRecord)
    }

    fn raw(&self) -> &rd::rd_kafka_message_t {
        // SAFETY: the message is alive until `drop`.
        unsafe { self.0.as_ref() }
    }

    /// Returns the error that stands in the place of a record, and what librdkafka says of it.
    pub(super) fn error(&self) -> Option<(Code, String)> {
        let code = failure(self.raw().err)?;
        // SAFETY: the message is alive; the text belongs to it or is static.
        let text = unsafe {
            let text = rd::rd_kafka_message_errstr(self.0.as_ptr());
            if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
        };
        Some((code, text))
    }

    /// Returns the topic's name.
    pub fn topic(&self) -> &str {
        let topic = self.raw().rkt;
        if topic.is_null() {
            return "";
        }
        // SAFETY: the message holds a reference to its topic, whose name is NUL-terminated and lives as long.
        unsafe { CStr::from_ptr(rd::rd_kafka_topic_name(topic)) }.to_str().unwrap_or("")
    }

    /// Returns the number of the partition.
    pub fn partition(&self) -> i32 {
        self.raw().partition
    }

    /// Returns the offset.
    pub fn offset(&self) -> i64 {
        self.raw().offset
    }

    /// Returns the key; `None` is null.
    pub fn key(&self) -> Option<&[u8]> {
        // SAFETY: librdkafka keeps `key_len` bytes at `key` as long as the message lives.
        unsafe { bytes(self.raw().key.cast(), self.raw().key_len) }
    }

    /// Returns the value; `None` is null.
    pub fn value(&self) -> Option<&[u8]> {
        // SAFETY: as for the key.
        unsafe { bytes(self.raw().payload.cast(), self.raw().len) }
    }

    /// Returns the bytes that count against `max_bytes`: key and value.
    pub fn size_bytes(&self) -> usize {
        self.raw().key_len + self.raw().len
    }

    /// Returns the timestamp in milliseconds since 1970; -1 where there is none.
    pub fn timestamp_ms(&self) -> i64 {
        // SAFETY: the message is alive; the type is not asked for.
        unsafe { rd::rd_kafka_message_timestamp(self.0.as_ptr(), ptr::null_mut()) }
    }

    /// Returns the headers in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive and keeps the headers; without any, `headers` stays null.
        unsafe { rd::rd_kafka_message_headers(self.0.as_ptr(), &mut headers) };
        Headers { headers, next: 0, record: PhantomData }
    }
}

/// # Safety
/// `length` bytes at `start` live as long as `'a`, unless `start` is null.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as promised by the caller.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start, length) })
}

struct Headers<'a> {
    headers: *mut rd::rd_kafka_headers_t,
    next: usize,
    record: PhantomData<&'a FetchedRecord>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.headers.is_null() {
            return None;
        }
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers live as long as the record; beyond the last one an error is returned.
        let item = unsafe {
            let code = rd::rd_kafka_header_get_all(self.headers, self.next, &mut name, &mut value, &mut size);
            if failure(code).is_some() {
                return None;
            }
            (CStr::from_ptr(name).to_str().unwrap_or(""), bytes(value.cast(), size))
        };
        self.next += 1;
        Some(item)
    }
}

impl Drop for FetchedRecord {
    fn drop(&mut self) {
        // SAFETY: the message is ours and is destroyed once.
        unsafe { rd::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}
