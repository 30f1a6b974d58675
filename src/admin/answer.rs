//! What every answer of Kafka has in common, in a table, as the messages themselves do not say.

use kafka_protocol::messages::{
    AlterClientQuotasResponse, AlterPartitionReassignmentsResponse, AlterUserScramCredentialsResponse,
    ConsumerGroupDescribeResponse, CreateAclsResponse, CreatePartitionsResponse, CreateTopicsResponse,
    DeleteAclsResponse, DeleteGroupsResponse, DeleteRecordsResponse, DeleteTopicsResponse, DescribeAclsResponse,
    DescribeClientQuotasResponse, DescribeClusterResponse, DescribeConfigsResponse, DescribeGroupsResponse,
    DescribeLogDirsResponse, DescribeProducersResponse, DescribeTransactionsResponse,
    DescribeUserScramCredentialsResponse, ElectLeadersResponse, FindCoordinatorResponse, HeartbeatResponse,
    IncrementalAlterConfigsResponse, JoinGroupResponse, LeaveGroupResponse, ListGroupsResponse, ListOffsetsResponse,
    ListPartitionReassignmentsResponse, ListTransactionsResponse, MetadataResponse, OffsetCommitResponse,
    OffsetDeleteResponse, OffsetFetchResponse, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::admin::code::Code;
use crate::admin::failure::is_elsewhere;

/// An answer as the sender of requests sees it.
pub(super) trait Answer: Send + 'static {
    /// Returns for how long the broker wants no more requests.
    fn throttle_ms(&self) -> i32;

    /// Returns what the whole request failed with, or all that it asked for.
    fn code(&self) -> Code;

    /// Returns what the broker said to that code.
    fn message(&self) -> Option<&str>;
}

/// One line an answer: the code of the whole and the text that goes with it.
macro_rules! answers {
    ($($answer:ty: |$it:ident| $code:expr $(, $message:expr)?;)*) => { $(
        impl Answer for $answer {
            fn throttle_ms(&self) -> i32 {
                self.throttle_time_ms
            }

            fn code(&self) -> Code {
                #[allow(unused_variables)]
                let $it = self;
                Code($code)
            }

            fn message(&self) -> Option<&str> {
                let text: Option<&StrBytes> = None$(.or({ let $it = self; $message }))?;
                text.map(|text| text.as_str())
            }
        }
    )* };
}

// Requests for one topic, whose answer has one part, end as that part did.
answers! {
    AlterClientQuotasResponse: |it| elsewhere(it.entries.iter().map(|entry| entry.error_code));
    AlterPartitionReassignmentsResponse: |it| it.error_code, it.error_message.as_ref();
    AlterUserScramCredentialsResponse: |it| elsewhere(it.results.iter().map(|user| user.error_code));
    ConsumerGroupDescribeResponse: |it| 0;
    CreateAclsResponse: |it| elsewhere(it.results.iter().map(|acl| acl.error_code));
    CreatePartitionsResponse: |it| it.results.first().map_or(0, |topic| topic.error_code),
        it.results.first().and_then(|topic| topic.error_message.as_ref());
    CreateTopicsResponse: |it| it.topics.first().map_or(0, |topic| topic.error_code),
        it.topics.first().and_then(|topic| topic.error_message.as_ref());
    DeleteAclsResponse: |it| it.filter_results.first().map_or(0, |filter| filter.error_code),
        it.filter_results.first().and_then(|filter| filter.error_message.as_ref());
    DeleteGroupsResponse: |it| 0;
    DeleteRecordsResponse: |it| 0;
    DeleteTopicsResponse: |it| it.responses.first().map_or(0, |topic| topic.error_code),
        it.responses.first().and_then(|topic| topic.error_message.as_ref());
    DescribeAclsResponse: |it| it.error_code, it.error_message.as_ref();
    DescribeClientQuotasResponse: |it| it.error_code, it.error_message.as_ref();
    DescribeClusterResponse: |it| it.error_code, it.error_message.as_ref();
    DescribeConfigsResponse: |it| 0;
    DescribeGroupsResponse: |it| 0;
    DescribeLogDirsResponse: |it| it.error_code;
    DescribeProducersResponse: |it| 0;
    DescribeTransactionsResponse: |it| 0;
    DescribeUserScramCredentialsResponse: |it| it.error_code, it.error_message.as_ref();
    ElectLeadersResponse: |it| it.error_code;
    FindCoordinatorResponse: |it| it.error_code, it.error_message.as_ref();
    HeartbeatResponse: |it| it.error_code;
    IncrementalAlterConfigsResponse: |it| elsewhere(it.responses.iter().map(|resource| resource.error_code));
    JoinGroupResponse: |it| unless_named(it);
    LeaveGroupResponse: |it| it.error_code;
    ListGroupsResponse: |it| it.error_code;
    ListOffsetsResponse: |it| 0;
    ListPartitionReassignmentsResponse: |it| it.error_code, it.error_message.as_ref();
    ListTransactionsResponse: |it| it.error_code;
    MetadataResponse: |it| it.error_code;
    OffsetCommitResponse: |it| elsewhere(codes_of_commit(it));
    OffsetDeleteResponse: |it| it.error_code;
    OffsetFetchResponse: |it| it.groups.first().map_or(it.error_code, |group| group.error_code);
    SyncGroupResponse: |it| it.error_code;
}

/// Returns the code of a part that says that the whole went to the wrong broker, or came too early.
fn elsewhere(mut codes: impl Iterator<Item = i16>) -> i16 {
    codes.find(|code| is_elsewhere(Code(*code))).unwrap_or(0)
}

fn codes_of_commit(answer: &OffsetCommitResponse) -> impl Iterator<Item = i16> {
    answer.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code)
}

/// Returns the code, but none where it is that a new member has to come again with the id that the answer gives it.
fn unless_named(answer: &JoinGroupResponse) -> i16 {
    if Code(answer.error_code) == Code::MEMBER_ID_REQUIRED { 0 } else { answer.error_code }
}
