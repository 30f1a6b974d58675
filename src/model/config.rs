use crate::error::Result;
use crate::model::TopicName;

/// What has configs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConfigResource {
    /// A topic.
    Topic(TopicName),
    /// A broker, with what is its own and what it has by default.
    Broker(i32),
    /// What all brokers have unless they have their own.
    ClusterDefault,
    /// The log levels of a broker.
    BrokerLogger(i32),
    /// A group; Kafka 4.0 and later.
    Group(String),
    /// The metrics that clients send; Kafka 3.7 and later.
    ClientMetrics(String),
}

/// The configs of one resource, or why they are not known.
#[derive(Debug)]
pub struct DescribedConfigs {
    /// What was asked for.
    pub resource: ConfigResource,
    /// Sorted by name.
    pub configs: Result<Vec<ConfigEntry>>,
}

/// A config with where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// `None` where there is none, or it is sensitive.
    pub value: Option<String>,
    /// Whether it cannot be changed while the broker runs.
    pub read_only: bool,
    /// Whether its value is kept secret.
    pub sensitive: bool,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// What its value is; `Unknown` where the broker does not tell.
    pub config_type: ConfigType,
    /// What else could set it, the strongest first; empty unless it was asked for.
    pub synonyms: Vec<ConfigSynonym>,
    /// What Kafka says of it; `None` unless it was asked for.
    pub documentation: Option<String>,
}

/// A place where a config is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// Its name there.
    pub name: String,
    /// Its value there.
    pub value: Option<String>,
    /// The place.
    pub source: ConfigSource,
}

/// A change of one config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// Gives it a value. Kafka refuses `None`.
    Set {
        /// The config.
        name: String,
        /// Its new value.
        value: Option<String>,
    },
    /// Gives it back its default.
    Delete {
        /// The config.
        name: String,
    },
    /// Adds to a list; harmless to repeat, as Kafka leaves out what is there.
    Append {
        /// The config.
        name: String,
        /// What is added, with commas between.
        value: String,
    },
    /// Takes from a list.
    Subtract {
        /// The config.
        name: String,
        /// What is taken away, with commas between.
        value: String,
    },
}

impl ConfigChange {
    /// Returns which config it changes.
    pub fn name(&self) -> &str {
        match self {
            ConfigChange::Set { name, .. }
            | ConfigChange::Delete { name }
            | ConfigChange::Append { name, .. }
            | ConfigChange::Subtract { name, .. } => name,
        }
    }
}

/// Where the value of a config comes from; the number is Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum ConfigSource {
    /// From somewhere that this version does not know.
    Unknown = 0,
    /// Set for the topic.
    DynamicTopic = 1,
    /// Set for the broker.
    DynamicBroker = 2,
    /// Set for all brokers.
    DynamicDefaultBroker = 3,
    /// From the broker's file.
    StaticBroker = 4,
    /// Kafka's default.
    Default = 5,
    /// Set for a logger of the broker.
    DynamicBrokerLogger = 6,
    /// Set for metrics of clients.
    DynamicClientMetrics = 7,
    /// Set for the group.
    DynamicGroup = 8,
}

impl ConfigSource {
    /// All, in the order of their numbers.
    pub const ALL: &[ConfigSource] = &[
        ConfigSource::Unknown,
        ConfigSource::DynamicTopic,
        ConfigSource::DynamicBroker,
        ConfigSource::DynamicDefaultBroker,
        ConfigSource::StaticBroker,
        ConfigSource::Default,
        ConfigSource::DynamicBrokerLogger,
        ConfigSource::DynamicClientMetrics,
        ConfigSource::DynamicGroup,
    ];

    /// Returns Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            ConfigSource::Unknown => "UNKNOWN",
            ConfigSource::DynamicTopic => "DYNAMIC_TOPIC_CONFIG",
            ConfigSource::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
            ConfigSource::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            ConfigSource::StaticBroker => "STATIC_BROKER_CONFIG",
            ConfigSource::Default => "DEFAULT_CONFIG",
            ConfigSource::DynamicBrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
            ConfigSource::DynamicClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
            ConfigSource::DynamicGroup => "DYNAMIC_GROUP_CONFIG",
        }
    }
}

/// What the value of a config is; the number is Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum ConfigType {
    /// Something that this version does not know.
    Unknown = 0,
    /// `true` or `false`.
    Boolean = 1,
    /// A text.
    String = 2,
    /// A number of 32 bits.
    Int = 3,
    /// A number of 16 bits.
    Short = 4,
    /// A number of 64 bits.
    Long = 5,
    /// A number with a fraction.
    Double = 6,
    /// Texts with commas between.
    List = 7,
    /// The name of a class.
    Class = 8,
    /// A secret.
    Password = 9,
}

impl ConfigType {
    /// All, in the order of their numbers.
    pub const ALL: &[ConfigType] = &[
        ConfigType::Unknown,
        ConfigType::Boolean,
        ConfigType::String,
        ConfigType::Int,
        ConfigType::Short,
        ConfigType::Long,
        ConfigType::Double,
        ConfigType::List,
        ConfigType::Class,
        ConfigType::Password,
    ];

    /// Returns Kafka's name for it.
    pub fn name(self) -> &'static str {
        match self {
            ConfigType::Unknown => "UNKNOWN",
            ConfigType::Boolean => "BOOLEAN",
            ConfigType::String => "STRING",
            ConfigType::Int => "INT",
            ConfigType::Short => "SHORT",
            ConfigType::Long => "LONG",
            ConfigType::Double => "DOUBLE",
            ConfigType::List => "LIST",
            ConfigType::Class => "CLASS",
            ConfigType::Password => "PASSWORD",
        }
    }
}
