//! ACLs, which the rdkafka crate can only make through the C library.

use std::ffi::{CStr, CString, c_char};
use std::ptr::null;

use rdkafka::bindings::{
    rd_kafka_AclBinding_destroy, rd_kafka_AclBinding_new, rd_kafka_AclPermissionType_t, rd_kafka_CreateAcls,
    rd_kafka_CreateAcls_result_acls, rd_kafka_ResourcePatternType_t, rd_kafka_ResourceType_t,
    rd_kafka_acl_result_error, rd_kafka_error_string, rd_kafka_event_CreateAcls_result, rd_kafka_event_destroy,
    rd_kafka_queue_destroy, rd_kafka_queue_new, rd_kafka_queue_poll,
};

pub use rdkafka::bindings::rd_kafka_AclOperation_t as AclOperation;

use crate::harness::kafka::Kafka;

impl Kafka {
    /// Allows a user an operation on a topic, from everywhere.
    #[track_caller]
    #[allow(unsafe_code)]
    pub fn allow(&self, user: &str, operation: AclOperation, topic: &str) {
        let (principal, host) = (c_text(&format!("User:{user}")), c_text("*"));
        let topic = c_text(topic);
        let mut why: [c_char; 512] = [0; 512];
        let client = self.admin().inner().native_ptr();
        // SAFETY: all pointers are to values that outlive the calls; librdkafka copies what it keeps; the event is
        // destroyed after the last use of what belongs to it.
        unsafe {
            let mut acl = rd_kafka_AclBinding_new(
                rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC,
                topic.as_ptr(),
                rd_kafka_ResourcePatternType_t::RD_KAFKA_RESOURCE_PATTERN_LITERAL,
                principal.as_ptr(),
                host.as_ptr(),
                operation,
                rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
                why.as_mut_ptr(),
                why.len(),
            );
            assert!(!acl.is_null(), "{:?}", CStr::from_ptr(why.as_ptr()));
            let queue = rd_kafka_queue_new(client);
            rd_kafka_CreateAcls(client, &mut acl, 1, null(), queue);
            let event = rd_kafka_queue_poll(queue, 60_000);
            assert!(!event.is_null(), "Kafka does not answer");
            let result = rd_kafka_event_CreateAcls_result(event);
            assert!(!result.is_null(), "another event");
            let mut count = 0;
            let acls = rd_kafka_CreateAcls_result_acls(result, &mut count);
            assert_eq!(count, 1, "Kafka did not take the request");
            let error = rd_kafka_acl_result_error(*acls);
            assert!(error.is_null(), "{:?}", CStr::from_ptr(rd_kafka_error_string(error)));
            rd_kafka_event_destroy(event);
            rd_kafka_queue_destroy(queue);
            rd_kafka_AclBinding_destroy(acl);
        }
    }
}

fn c_text(text: &str) -> CString {
    CString::new(text).expect("no NUL in it")
}
