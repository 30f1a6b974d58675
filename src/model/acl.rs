/// A rule of the cluster's authorizer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Acl {
    /// The kind of what it is about.
    pub resource_type: ResourceType,
    /// Its name, or the beginning of names; `*` is all.
    pub resource_name: String,
    /// How the name is meant.
    pub pattern_type: PatternType,
    /// `User:alice`.
    pub principal: String,
    /// An address, or `*`.
    pub host: String,
    /// What is done.
    pub operation: AclOperation,
    /// Whether that is allowed.
    pub permission: Permission,
}

/// Which ACLs are meant; what is `None` or `Any` can be whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclFilter {
    /// The kind of resource.
    pub resource_type: ResourceType,
    /// The resource's name.
    pub resource_name: Option<String>,
    /// How the name is meant; `Match` also finds what covers the name.
    pub pattern_type: PatternType,
    /// The principal.
    pub principal: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// The operation.
    pub operation: AclOperation,
    /// The permission.
    pub permission: Permission,
}

impl AclFilter {
    /// Returns a filter that every ACL passes.
    pub fn any() -> AclFilter {
        AclFilter {
            resource_type: ResourceType::Any,
            resource_name: None,
            pattern_type: PatternType::Any,
            principal: None,
            host: None,
            operation: AclOperation::Any,
            permission: Permission::Any,
        }
    }
}

/// The kind of what an ACL is about; the number is Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum ResourceType {
    /// One that this version does not know.
    Unknown = 0,
    /// In a filter: whatever it is.
    Any = 1,
    /// A topic.
    Topic = 2,
    /// A group.
    Group = 3,
    /// The cluster, by the name `kafka-cluster`.
    Cluster = 4,
    /// A transactional id.
    TransactionalId = 5,
    /// A delegation token.
    DelegationToken = 6,
    /// A user, as far as delegation tokens go.
    User = 7,
}

impl ResourceType {
    /// All, in the order of their numbers.
    pub const ALL: &[ResourceType] = &[
        ResourceType::Unknown,
        ResourceType::Any,
        ResourceType::Topic,
        ResourceType::Group,
        ResourceType::Cluster,
        ResourceType::TransactionalId,
        ResourceType::DelegationToken,
        ResourceType::User,
    ];

    /// Returns Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            ResourceType::Unknown => "UNKNOWN",
            ResourceType::Any => "ANY",
            ResourceType::Topic => "TOPIC",
            ResourceType::Group => "GROUP",
            ResourceType::Cluster => "CLUSTER",
            ResourceType::TransactionalId => "TRANSACTIONAL_ID",
            ResourceType::DelegationToken => "DELEGATION_TOKEN",
            ResourceType::User => "USER",
        }
    }
}

/// How an ACL means the name of its resource; the number is Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum PatternType {
    /// One that this version does not know.
    Unknown = 0,
    /// In a filter: whatever it is.
    Any = 1,
    /// In a filter: every pattern that covers the name.
    Match = 2,
    /// This name, or `*` for all.
    Literal = 3,
    /// Names that begin so.
    Prefixed = 4,
}

impl PatternType {
    /// All, in the order of their numbers.
    pub const ALL: &[PatternType] =
        &[PatternType::Unknown, PatternType::Any, PatternType::Match, PatternType::Literal, PatternType::Prefixed];

    /// Returns Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            PatternType::Unknown => "UNKNOWN",
            PatternType::Any => "ANY",
            PatternType::Match => "MATCH",
            PatternType::Literal => "LITERAL",
            PatternType::Prefixed => "PREFIXED",
        }
    }
}

/// What can be allowed or denied; the number is Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum AclOperation {
    /// One that this version does not know.
    Unknown = 0,
    /// In a filter: whatever it is.
    Any = 1,
    /// Everything.
    All = 2,
    /// Read.
    Read = 3,
    /// Write.
    Write = 4,
    /// Create.
    Create = 5,
    /// Delete.
    Delete = 6,
    /// Alter.
    Alter = 7,
    /// Describe.
    Describe = 8,
    /// What brokers do among themselves.
    ClusterAction = 9,
    /// Read configs.
    DescribeConfigs = 10,
    /// Change configs.
    AlterConfigs = 11,
    /// Write with an idempotent producer.
    IdempotentWrite = 12,
    /// Create delegation tokens.
    CreateTokens = 13,
    /// Describe delegation tokens.
    DescribeTokens = 14,
    /// Two-phase commit.
    TwoPhaseCommit = 15,
}

impl AclOperation {
    /// All, in the order of their numbers.
    pub const ALL: &[AclOperation] = &[
        AclOperation::Unknown,
        AclOperation::Any,
        AclOperation::All,
        AclOperation::Read,
        AclOperation::Write,
        AclOperation::Create,
        AclOperation::Delete,
        AclOperation::Alter,
        AclOperation::Describe,
        AclOperation::ClusterAction,
        AclOperation::DescribeConfigs,
        AclOperation::AlterConfigs,
        AclOperation::IdempotentWrite,
        AclOperation::CreateTokens,
        AclOperation::DescribeTokens,
        AclOperation::TwoPhaseCommit,
    ];

    /// Returns Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            AclOperation::Unknown => "UNKNOWN",
            AclOperation::Any => "ANY",
            AclOperation::All => "ALL",
            AclOperation::Read => "READ",
            AclOperation::Write => "WRITE",
            AclOperation::Create => "CREATE",
            AclOperation::Delete => "DELETE",
            AclOperation::Alter => "ALTER",
            AclOperation::Describe => "DESCRIBE",
            AclOperation::ClusterAction => "CLUSTER_ACTION",
            AclOperation::DescribeConfigs => "DESCRIBE_CONFIGS",
            AclOperation::AlterConfigs => "ALTER_CONFIGS",
            AclOperation::IdempotentWrite => "IDEMPOTENT_WRITE",
            AclOperation::CreateTokens => "CREATE_TOKENS",
            AclOperation::DescribeTokens => "DESCRIBE_TOKENS",
            AclOperation::TwoPhaseCommit => "TWO_PHASE_COMMIT",
        }
    }
}

/// Whether an ACL allows or denies; the number is Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum Permission {
    /// One that this version does not know.
    Unknown = 0,
    /// In a filter: whatever it is.
    Any = 1,
    /// It denies, which wins.
    Deny = 2,
    /// It allows.
    Allow = 3,
}

impl Permission {
    /// All, in the order of their numbers.
    pub const ALL: &[Permission] = &[Permission::Unknown, Permission::Any, Permission::Deny, Permission::Allow];

    /// Returns Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Permission::Unknown => "UNKNOWN",
            Permission::Any => "ANY",
            Permission::Deny => "DENY",
            Permission::Allow => "ALLOW",
        }
    }
}
