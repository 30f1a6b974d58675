use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Kind, Result};

/// The name of a topic that Kafka would allow: 1 to 249 of `a-z A-Z 0-9 . _ -`, neither `.` nor `..`.
///
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(Arc<str>);

/// Topics that Kafka keeps for itself and leaves out of listings; `Topic.INTERNAL_TOPICS` of Apache Kafka 4.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

impl TopicName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether Kafka keeps the topic `name` for itself.
    pub fn is_internal_name(name: &str) -> bool {
        INTERNAL.contains(&name)
    }
}

impl TryFrom<&str> for TopicName {
    type Error = Error;

    fn try_from(name: &str) -> Result<TopicName> {
        let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
        if name.is_empty() || name.len() > 249 || name == "." || name == ".." || !name.bytes().all(legal) {
            return Err(Kind::InvalidName.because(
                "The topic name is not allowed: it has 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', and is neither '.' nor '..'.",
            ));
        }
        Ok(TopicName(name.into()))
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The number of a partition, 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionId(i32);

impl PartitionId {
    /// Returns the number as Kafka counts it.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for PartitionId {
    type Error = Error;

    fn try_from(number: i32) -> Result<PartitionId> {
        if number < 0 {
            return Err(Kind::PartitionNotFound
                .because(format!("Partition {number} not found: partitions are numbered from 0.")));
        }
        Ok(PartitionId(number))
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_kafka_checks_them() {
        for good in ["a", "A.b_c-9", "...", &"x".repeat(249)] {
            assert!(TopicName::try_from(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "é", "a\0", &"x".repeat(250)] {
            assert_eq!(TopicName::try_from(bad).unwrap_err().kind(), Kind::InvalidName, "{bad}");
        }
    }

    #[test]
    fn a_negative_partition_does_not_exist() {
        assert_eq!(PartitionId::try_from(-1).unwrap_err().kind(), Kind::PartitionNotFound);
        assert_eq!(PartitionId::try_from(0).unwrap().get(), 0);
    }
}
