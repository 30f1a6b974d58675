//! What every answer of Kafka has in common, in a table, as the messages themselves do not say.

use kafka_protocol::messages::{DescribeClusterResponse, FindCoordinatorResponse, MetadataResponse};

use crate::admin::code::Code;

/// An answer as the sender of requests sees it.
pub(super) trait Answer {
    /// Returns for how long the broker wants no more requests.
    fn throttle_ms(&self) -> i32;

    /// Returns what the whole request failed with, or all that it asked for.
    fn code(&self) -> Code;

    /// Returns what the broker said to that code.
    fn message(&self) -> Option<&str>;
}

/// One line an answer: the code of the whole, then, where the answer has one, the text to it.
macro_rules! answers {
    ($($answer:ty: |$it:ident| $code:expr $(, $message:expr)?;)*) => { $(
        impl Answer for $answer {
            fn throttle_ms(&self) -> i32 { self.throttle_time_ms }
            fn code(&self) -> Code { let $it = self; Code($code) }
            fn message(&self) -> Option<&str> { answers!(@message self $it $($message)?) }
        }
    )* };
    (@message $self:ident $it:ident) => { None };
    (@message $self:ident $it:ident $message:expr) => {{ let $it = $self; $message.as_ref().map(|text| text.as_str()) }};
}

answers! {
    DescribeClusterResponse: |answer| answer.error_code, answer.error_message;
    FindCoordinatorResponse: |answer| answer.error_code, answer.error_message;
    MetadataResponse: |answer| answer.error_code;
}
