//! Nouns that no API version owns.

mod acl;
mod cluster;
mod config;
mod connect;
mod consume;
mod format;
mod glob;
mod group;
mod log_dir;
mod metadata;
mod names;
mod offsets;
mod principal;
mod quota;
mod reassignment;
mod record;
mod right;
mod schema;
mod scram;
mod segment;
mod topic;
mod transaction;

pub use acl::{Acl, AclFilter, AclOperation, PatternType, Permission, ResourceType};
pub use cluster::{Broker, Cluster};
pub use config::{
    ConfigChange, ConfigEntry, ConfigResource, ConfigSource, ConfigSynonym, ConfigType, DescribedConfigs,
};
pub use connect::{ConnectGroup, ConnectMember};
pub use consume::{GroupSettings, PartitionOffset, Reset};
pub use format::{Format, Formats};
pub use glob::Glob;
pub use group::{GroupDescription, GroupListing, GroupMember, GroupState, GroupType, MemberProtocol};
pub use log_dir::{LogDir, LogDirReplica};
pub use metadata::{Partition, Replica, Topic, Watermarks};
pub use names::{PartitionId, TopicName};
pub use offsets::{FoundOffset, Isolation, OffsetSpec};
pub use principal::{Credentials, Principal};
pub use quota::{Quota, QuotaChange, QuotaEntity, QuotaFilter, QuotaMatch};
pub use reassignment::{Election, NewAssignment, Reassignment};
pub use record::{Delivery, Header, Placed, Record, RecordError};
pub use right::{Right, Subject};
pub use schema::SchemaType;
pub use scram::{Password, ScramChange, ScramCredential, ScramMechanism};
pub use segment::{decode_segment, encode_segment};
pub use topic::{CreatedTopic, NewTopic, PartitionDescription, TopicDescription, TopicPartition};
pub use transaction::{ActiveProducer, TransactionDescription, TransactionFilter, TransactionListing};
