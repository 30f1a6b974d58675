use crate::model::TopicName;

/// Which part of a record a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The key.
    Key,
    /// The value.
    Value,
}

/// How the subject of a schema is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// `topic-key` or `topic-value`.
    #[default]
    TopicName,
    /// The full name of the record or message.
    RecordName,
    /// Topic and full name.
    TopicRecordName,
}

impl Part {
    /// Returns `key` or `value`.
    pub fn name(self) -> &'static str {
        match self {
            Part::Key => "key",
            Part::Value => "value",
        }
    }
}

impl Strategy {
    /// Returns a strategy by its name.
    pub fn named(name: &str) -> Option<Strategy> {
        match name {
            "TOPIC_NAME" => Some(Strategy::TopicName),
            "RECORD_NAME" => Some(Strategy::RecordName),
            "TOPIC_RECORD_NAME" => Some(Strategy::TopicRecordName),
            _ => None,
        }
    }

    /// Tells whether it needs the name of the record, so the schema itself.
    pub fn needs_schema(self) -> bool {
        match self {
            Strategy::TopicName => false,
            Strategy::RecordName | Strategy::TopicRecordName => true,
        }
    }
}

/// Returns the subject; `None` where the strategy needs the name of a record and the schema has none.
pub fn subject(strategy: Strategy, topic: &TopicName, part: Part, record_name: Option<&str>) -> Option<String> {
    match strategy {
        Strategy::TopicName => Some(format!("{}-{}", topic.as_str(), part.name())),
        Strategy::RecordName => record_name.map(str::to_owned),
        Strategy::TopicRecordName => record_name.map(|name| format!("{}-{name}", topic.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_named_by_its_strategy() {
        let topic = TopicName::try_from("t").unwrap();
        let of = |strategy, name| subject(strategy, &topic, Part::Key, name);
        assert_eq!(of(Strategy::TopicName, None).as_deref(), Some("t-key"));
        assert_eq!(of(Strategy::RecordName, Some("a.R")).as_deref(), Some("a.R"));
        assert_eq!(of(Strategy::TopicRecordName, Some("a.R")).as_deref(), Some("t-a.R"));
        assert_eq!(of(Strategy::RecordName, None), None);
    }
}
