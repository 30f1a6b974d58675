use std::collections::BTreeSet;

use crate::model::{AclOperation, TopicName};

/// A group as brokers list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    /// Its id.
    pub id: String,
    /// Its protocol; `Unknown` where the broker is too old to tell.
    pub group_type: GroupType,
    /// Its state; `Unknown` where the broker is too old to tell.
    pub state: GroupState,
    /// `consumer` for consumers, `connect` for Connect workers; empty for a group that only keeps offsets.
    pub protocol_type: String,
}

/// A group with its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its id.
    pub id: String,
    /// Its protocol.
    pub group_type: GroupType,
    /// Its state.
    pub state: GroupState,
    /// `consumer` for consumers; empty for a group that only keeps offsets.
    pub protocol_type: String,
    /// How partitions are shared out; empty where nothing is.
    pub assignor: String,
    /// The broker that coordinates it.
    pub coordinator: Option<i32>,
    /// Its members.
    pub members: Vec<GroupMember>,
    /// What the proxy's Kafka user may do with it; `None` unless it was asked for.
    pub authorized_operations: Option<BTreeSet<AclOperation>>,
}

impl GroupDescription {
    /// Tells whether it only keeps offsets, without a protocol.
    pub fn is_simple(&self) -> bool {
        self.group_type == GroupType::Classic && self.protocol_type.is_empty()
    }

    /// Tells whether some members of a group of the new protocol speak the old one, or an unknown one.
    pub fn is_mixed(&self) -> bool {
        self.group_type == GroupType::Consumer
            && self.members.iter().any(|member| member.speaks != MemberProtocol::Consumer)
    }
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id.
    pub id: String,
    /// The name that it keeps over restarts.
    pub instance_id: Option<String>,
    /// The client's name for itself.
    pub client_id: String,
    /// Where it is.
    pub client_host: String,
    /// What it speaks.
    pub speaks: MemberProtocol,
    /// The partitions that it has, sorted.
    pub assignment: Vec<(TopicName, i32)>,
}

/// What a member of a group speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberProtocol {
    /// The broker does not tell.
    Unknown,
    /// Members share out partitions.
    Classic,
    /// The coordinator shares out partitions.
    Consumer,
}

/// What kind of group it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupType {
    /// One that this version does not know.
    Unknown,
    /// Members share out partitions.
    Classic,
    /// The coordinator shares out partitions.
    Consumer,
    /// Members share partitions.
    Share,
    /// Kafka Streams, with the coordinator's help.
    Streams,
}

impl GroupType {
    /// All of them.
    pub const ALL: &[GroupType] =
        &[GroupType::Unknown, GroupType::Classic, GroupType::Consumer, GroupType::Share, GroupType::Streams];

    /// Returns Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            GroupType::Unknown => "UNKNOWN",
            GroupType::Classic => "CLASSIC",
            GroupType::Consumer => "CONSUMER",
            GroupType::Share => "SHARE",
            GroupType::Streams => "STREAMS",
        }
    }
}

/// What a group is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupState {
    /// Something that this version does not know.
    Unknown,
    /// It waits for its members.
    PreparingRebalance,
    /// It waits for its members to be told.
    CompletingRebalance,
    /// The coordinator shares out partitions.
    Assigning,
    /// Members take what they were given.
    Reconciling,
    /// All is shared out.
    Stable,
    /// It does not exist any more.
    Dead,
    /// It has no members.
    Empty,
    /// A streams group that lacks something.
    NotReady,
}

impl GroupState {
    /// All of them.
    pub const ALL: &[GroupState] = &[
        GroupState::Unknown,
        GroupState::PreparingRebalance,
        GroupState::CompletingRebalance,
        GroupState::Assigning,
        GroupState::Reconciling,
        GroupState::Stable,
        GroupState::Dead,
        GroupState::Empty,
        GroupState::NotReady,
    ];

    /// Returns the name of Kafka's constant for it.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Unknown => "UNKNOWN",
            GroupState::PreparingRebalance => "PREPARING_REBALANCE",
            GroupState::CompletingRebalance => "COMPLETING_REBALANCE",
            GroupState::Assigning => "ASSIGNING",
            GroupState::Reconciling => "RECONCILING",
            GroupState::Stable => "STABLE",
            GroupState::Dead => "DEAD",
            GroupState::Empty => "EMPTY",
            GroupState::NotReady => "NOT_READY",
        }
    }
}
