use std::collections::BTreeMap;

/// Whom a quota is for: by the kind of entity (`user`, `client-id` or `ip`) its name; `None` is the default for all
/// that have none of their own.
pub type QuotaEntity = BTreeMap<String, Option<String>>;

/// The quotas of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// Whom they are for.
    pub entity: QuotaEntity,
    /// By name, such as `producer_byte_rate`.
    pub values: BTreeMap<String, f64>,
}

/// Which quotas are meant: each part has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaFilter {
    /// By the kind of entity, what it has to be.
    pub parts: BTreeMap<String, QuotaMatch>,
    /// Whether entities of other kinds besides these do not count.
    pub strict: bool,
}

/// What an entity has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaMatch {
    /// The one of this name.
    Exact(String),
    /// The default.
    Default,
    /// Any that has a quota.
    Any,
}

/// A change of the quotas of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaChange {
    /// Whom they are for.
    pub entity: QuotaEntity,
    /// By name, the new value; `None` takes the quota away.
    pub values: BTreeMap<String, Option<f64>>,
}
