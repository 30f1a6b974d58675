use std::fmt;

/// What somebody wants to do to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the words of the rules, docs/OPERATIONS.md says what each is for")]
pub enum Right {
    Describe,
    Read,
    Write,
    Create,
    Alter,
    Delete,
}

/// What is asked for: something by its name, some of a kind, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A topic.
    Topic(&'a str),
    /// Some topic, whichever.
    SomeTopic,
    /// A consumer group.
    Group(&'a str),
    /// Some group, whichever.
    SomeGroup,
    /// What concerns the whole Kafka cluster.
    Cluster,
    /// A connector: its Kafka Connect cluster, and its name.
    Connector(&'a str, &'a str),
    /// Some connector of a Kafka Connect cluster, whichever.
    SomeConnector(&'a str),
    /// Every connector there, also those to come, whose name begins so.
    ConnectorsFrom(&'a str, &'a str),
    /// What concerns a whole Kafka Connect cluster.
    Connect(&'a str),
    /// Some Kafka Connect cluster, whichever.
    SomeConnect,
    /// Anything at all.
    Anything,
}

impl Right {
    /// Every right.
    pub const ALL: [Right; 6] =
        [Right::Describe, Right::Read, Right::Write, Right::Create, Right::Alter, Right::Delete];

    /// Returns the word for it in rules and answers.
    pub fn name(self) -> &'static str {
        match self {
            Right::Describe => "describe",
            Right::Read => "read",
            Right::Write => "write",
            Right::Create => "create",
            Right::Alter => "alter",
            Right::Delete => "delete",
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Topic(name) => write!(f, "topic {name}"),
            Subject::SomeTopic => f.write_str("any topic"),
            Subject::Group(name) => write!(f, "consumer group {name}"),
            Subject::SomeGroup => f.write_str("any consumer group"),
            Subject::Cluster => f.write_str("the Kafka cluster"),
            Subject::Connector(cluster, name) => write!(f, "connector {name} of Kafka Connect cluster {cluster}"),
            Subject::SomeConnector(cluster) => write!(f, "any connector of Kafka Connect cluster {cluster}"),
            Subject::ConnectorsFrom(cluster, "") => write!(f, "every connector of Kafka Connect cluster {cluster}"),
            Subject::ConnectorsFrom(cluster, prefix) => {
                write!(f, "every connector of Kafka Connect cluster {cluster} whose name begins with {prefix}")
            }
            Subject::Connect(cluster) => write!(f, "Kafka Connect cluster {cluster}"),
            Subject::SomeConnect => f.write_str("any Kafka Connect cluster"),
            Subject::Anything => f.write_str("anything"),
        }
    }
}
