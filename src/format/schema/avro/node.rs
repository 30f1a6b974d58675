use std::collections::HashMap;

/// The deepest nesting of values, a union counting as one: what a thread's stack surely holds.
pub(super) const MAX_DEPTH: usize = 256;

/// The place of a node in its schema.
pub(super) type NodeId = usize;

/// A schema with its names resolved, so that a recursive one is a graph of indexes.
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub root: NodeId,
    /// The full name of the root, if it is a named type.
    pub name: Option<Box<str>>,
}

pub(super) enum Node {
    Null,
    Boolean,
    Int(Logical),
    Long(Logical),
    Float,
    Double,
    Bytes(Logical),
    String,
    Array(NodeId),
    Map(NodeId),
    Enum(Enum),
    Fixed { size: usize, logical: Logical },
    Record(Record),
    Union(Union),
}

/// What a base type stands for; only the lenient encoder looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logical {
    Nothing,
    Decimal { precision: usize, scale: usize },
    Uuid,
    Date,
    Time(Unit),
    Timestamp(Unit),
    LocalTimestamp(Unit),
}

/// What a time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Millis,
    Micros,
    Nanos,
}

pub(super) struct Enum {
    pub symbols: Vec<Box<str>>,
    pub index: HashMap<Box<str>, usize>,
}

pub(super) struct Record {
    pub name: Box<str>,
    pub fields: Vec<Field>,
    /// The fields by name and alias.
    pub index: HashMap<Box<str>, usize>,
}

pub(super) struct Field {
    pub name: Box<str>,
    /// The JSON text of the name, and the colon.
    pub key: Box<str>,
    pub node: NodeId,
    /// The JSON text of the default value.
    pub default: Option<Box<str>>,
}

pub(super) struct Union {
    pub branches: Vec<Branch>,
    pub null: Option<usize>,
    /// The branches that are not null by tag, and by the tag without its namespace if that means only one.
    pub index: HashMap<Box<str>, usize>,
}

pub(super) struct Branch {
    pub node: NodeId,
    /// The full name of a named type, otherwise the name of the type.
    pub tag: Box<str>,
    /// What opens a tagged value: `{"tag":`.
    pub opening: Box<str>,
}
