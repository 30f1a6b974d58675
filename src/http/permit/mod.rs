//! What a caller needs to be allowed for each endpoint, looked at before anything of its request is read: the rules, and
//! how many requests they may send. What a body names, and what is left out of lists, is up to the handlers.

mod check;
mod connect;
mod limit;

pub use check::Check;
pub use connect::needs as connect_needs;
pub use limit::metered;

use std::borrow::Cow;

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;

use crate::config::DEFAULT_CLUSTER;
use crate::error::Result;
use crate::http::caller::Caller;
use crate::model::{Right, Subject};

/// What an endpoint needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Access {
    /// Nothing, as it says nothing of what lies behind this proxy; nor is it limited.
    Open,
    /// Each of these.
    Needs(&'static [Need]),
    /// The right to write to the topic; each record is a request of its own where those are limited.
    Records,
}

/// A right that is needed to something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Need(pub Right, pub Of);

/// What a right is needed to: what the path names, or some of a kind where the body or the answer names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Of {
    /// The `{topic}`.
    Topic,
    /// Some topic.
    SomeTopic,
    /// The `{group}`.
    Group,
    /// Some group.
    SomeGroup,
    /// The whole Kafka cluster.
    Cluster,
    /// The `{connector}`, in the Kafka Connect cluster of the path.
    Connector,
    /// Some connector there.
    SomeConnector,
    /// The whole Kafka Connect cluster of the path.
    Connect,
    /// Some Kafka Connect cluster.
    SomeConnect,
    /// Anything.
    Anything,
}

/// For what anybody may see.
pub const OPEN: Access = Access::Open;
/// For what everybody may see who may do anything.
pub const ANYBODY: Access = Access::Needs(&[Need(Right::Describe, Of::Anything)]);

/// For a list that is filtered.
pub const DESCRIBE_TOPICS: Access = Access::Needs(&[Need(Right::Describe, Of::SomeTopic)]);
/// For looking at a topic.
pub const DESCRIBE_TOPIC: Access = Access::Needs(&[Need(Right::Describe, Of::Topic)]);
/// For reading records.
pub const READ_TOPIC: Access = Access::Needs(&[Need(Right::Read, Of::Topic)]);
/// For writing records.
pub const WRITE_TOPIC: Access = Access::Needs(&[Need(Right::Write, Of::Topic)]);
/// For writing records that are counted one by one.
pub const WRITE_RECORDS: Access = Access::Records;
/// For topics that the body names.
pub const CREATE_TOPICS: Access = Access::Needs(&[Need(Right::Create, Of::SomeTopic)]);
/// For changing a topic.
pub const ALTER_TOPIC: Access = Access::Needs(&[Need(Right::Alter, Of::Topic)]);
/// For topics that the body names.
pub const ALTER_TOPICS: Access = Access::Needs(&[Need(Right::Alter, Of::SomeTopic)]);
/// For deleting a topic, or records.
pub const DELETE_TOPIC: Access = Access::Needs(&[Need(Right::Delete, Of::Topic)]);

/// For a list that is filtered.
pub const DESCRIBE_GROUPS: Access = Access::Needs(&[Need(Right::Describe, Of::SomeGroup)]);
/// For looking at a group.
pub const DESCRIBE_GROUP: Access = Access::Needs(&[Need(Right::Describe, Of::Group)]);
/// For looking at what a group has of a topic.
pub const DESCRIBE_GROUP_AND_TOPIC: Access =
    Access::Needs(&[Need(Right::Describe, Of::Group), Need(Right::Describe, Of::Topic)]);
/// For reading as a group.
pub const READ_GROUP: Access = Access::Needs(&[Need(Right::Read, Of::Group)]);
/// For reading a topic as a group.
pub const READ_GROUP_AND_TOPIC: Access = Access::Needs(&[Need(Right::Read, Of::Group), Need(Right::Read, Of::Topic)]);
/// For changing what a group has committed.
pub const ALTER_GROUP: Access = Access::Needs(&[Need(Right::Alter, Of::Group)]);
/// For groups that the body names.
pub const DELETE_GROUPS: Access = Access::Needs(&[Need(Right::Delete, Of::SomeGroup)]);

/// For looking at what concerns the whole cluster.
pub const DESCRIBE_CLUSTER: Access = Access::Needs(&[Need(Right::Describe, Of::Cluster)]);
/// For changing it.
pub const ALTER_CLUSTER: Access = Access::Needs(&[Need(Right::Alter, Of::Cluster)]);

/// For a list that is filtered.
pub const DESCRIBE_CONNECTS: Access = Access::Needs(&[Need(Right::Describe, Of::SomeConnect)]);
/// For a list that is filtered.
pub const DESCRIBE_CONNECTORS: Access = Access::Needs(&[Need(Right::Describe, Of::SomeConnector)]);
/// For connectors that the body names.
pub const ALTER_CONNECTORS: Access = Access::Needs(&[Need(Right::Alter, Of::SomeConnector)]);

impl Access {
    /// Returns the topic whose records a request is to write, so that those of a topic can be limited.
    fn written(self, request: &HttpRequest) -> Option<Cow<'_, str>> {
        (self == WRITE_TOPIC || self == Access::Records).then(|| named(request, "topic"))
    }

    /// Refuses a request whose caller lacks a right; `pattern` is the path of the endpoint.
    fn check(self, caller: &Caller, request: &HttpRequest, pattern: &str) -> Result<()> {
        match self {
            Access::Open => Ok(()),
            Access::Records => WRITE_TOPIC.check(caller, request, pattern),
            Access::Needs(needs) => needs.iter().try_for_each(|need| need.check(caller, request, pattern)),
        }
    }
}

impl Need {
    fn check(self, caller: &Caller, request: &HttpRequest, pattern: &str) -> Result<()> {
        let Need(right, of) = self;
        let connect = request.match_info().get("cluster").unwrap_or(DEFAULT_CLUSTER);
        match of {
            Of::Topic => caller.may(right, Subject::Topic(&named(request, "topic"))),
            Of::SomeTopic => caller.may(right, Subject::SomeTopic),
            Of::Group => caller.may(right, Subject::Group(&named(request, "group"))),
            Of::SomeGroup => caller.may(right, Subject::SomeGroup),
            Of::Cluster => caller.may(right, Subject::Cluster),
            Of::Connector => caller.may(right, Subject::Connector(connect, &connect::connector(request, pattern))),
            Of::SomeConnector => caller.may(right, Subject::SomeConnector(connect)),
            Of::Connect => caller.may(right, Subject::Connect(connect)),
            Of::SomeConnect => caller.may(right, Subject::SomeConnect),
            Of::Anything => caller.may(right, Subject::Anything),
        }
    }
}

/// Returns a name of the path as handlers read it: the router leaves some escapes in place.
fn named<'a>(request: &'a HttpRequest, parameter: &str) -> Cow<'a, str> {
    percent_decode_str(request.match_info().query(parameter)).decode_utf8_lossy()
}
