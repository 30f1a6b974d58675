use std::collections::HashMap;

use apache_avro::schema::{
    Alias, EnumSchema, FixedSchema, InnerDecimalSchema, Name, RecordSchema, Schema as Parsed, UnionSchema, UuidSchema,
};
use serde_json::{Value, json};

use super::node::{Branch, Enum, Field, Graph, Logical, Node, NodeId, Record, Union, Unit};
use crate::format::schema::{BadSchema, Reference};

/// The record around a schema and those that it refers to; no name that anybody gives.
const WRAPPER: &str = "__kafka_rest_proxy_schema";

/// Where the default of a field waits: the parser refuses some that are right, such as those of fixed with letters.
const DEFAULT: &str = "kafka-rest-proxy-default";

/// The types that have no logical types.
const COMPLEX: [&str; 4] = ["record", "enum", "array", "map"];

/// Parses a schema that may use the named types of `references`.
pub(super) fn parse(text: &str, references: &[Reference<'_>]) -> Result<Graph, BadSchema> {
    let mut fields = Vec::with_capacity(references.len() + 1);
    for reference in references {
        fields.push(read(reference.text).map_err(|why| bad(format!("the reference \"{}\": {why}", reference.name)))?);
    }
    fields.push(read(text).map_err(bad)?);
    let parsed = Parsed::parse(&wrapped(fields)).map_err(|error| bad(error.to_string()))?;
    let Parsed::Record(wrapper) = parsed else { return Err(bad("it is not complete".into())) };
    Compiler::default().graph(&wrapper)
}

fn bad(why: String) -> BadSchema {
    BadSchema::new(format!("The Avro schema cannot be used: {}.", why.trim_end_matches('.')))
}

fn read(text: &str) -> Result<Value, String> {
    let mut schema = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    hide_defaults(&mut schema)?;
    Ok(schema)
}

/// Returns a record with a field of each schema: one parser reads all of them, in their order, and knows their names.
fn wrapped(schemas: Vec<Value>) -> Value {
    let fields: Vec<_> =
        schemas.into_iter().enumerate().map(|(at, schema)| json!({"name": format!("f{at}"), "type": schema})).collect();
    json!({"type": "record", "name": WRAPPER, "fields": fields})
}

/// Renames the defaults of fields, and makes up for the parser: it passes over a field that is no object, and refuses
/// logical types that are to be ignored: those that are no name, or of a type that has none.
fn hide_defaults(schema: &mut Value) -> Result<(), String> {
    match schema {
        Value::Array(branches) => branches.iter_mut().try_for_each(hide_defaults),
        Value::Object(members) => {
            let is_complex =
                matches!(members.get("type"), Some(Value::String(kind)) if COMPLEX.contains(&kind.as_str()));
            if is_complex || members.get("logicalType").is_some_and(|logical| !logical.is_string()) {
                members.remove("logicalType");
            }
            for name in ["type", "items", "values"] {
                members.get_mut(name).map_or(Ok(()), hide_defaults)?;
            }
            let fields = members.get_mut("fields").and_then(Value::as_array_mut);
            fields.into_iter().flatten().try_for_each(hide_default)
        }
        _ => Ok(()),
    }
}

fn hide_default(field: &mut Value) -> Result<(), String> {
    let Value::Object(members) = field else { return Err("a field of a record is not an object".into()) };
    if let Some(default) = members.remove("default") {
        members.insert(DEFAULT.into(), default);
    }
    members.get_mut("type").map_or(Ok(()), hide_defaults)
}

/// Turns what was parsed into nodes.
#[derive(Default)]
struct Compiler {
    nodes: Vec<Node>,
    names: HashMap<String, NodeId>,
    /// The full names of the nodes that are named types.
    named: HashMap<NodeId, String>,
}

impl Compiler {
    fn graph(mut self, wrapper: &RecordSchema) -> Result<Graph, BadSchema> {
        let mut root = 0;
        for field in &wrapper.fields {
            root = self.node(&field.schema)?;
        }
        let name = self.named.get(&root).map(|name| name.as_str().into());
        Ok(Graph { nodes: self.nodes, root, name })
    }

    fn node(&mut self, schema: &Parsed) -> Result<NodeId, BadSchema> {
        let node = match schema {
            Parsed::Ref { name } => return self.resolved(name),
            Parsed::Record(record) => return self.record(record),
            Parsed::Enum(schema) => {
                return self.defined(&schema.name, Node::Enum(symbols(schema)), schema.aliases.as_ref());
            }
            Parsed::Fixed(schema) | Parsed::Duration(schema) => return self.fixed(schema, Logical::Nothing),
            Parsed::Uuid(UuidSchema::Fixed(schema)) => return self.fixed(schema, Logical::Uuid),
            Parsed::Decimal(decimal) => {
                let logical = Logical::Decimal { precision: decimal.precision, scale: decimal.scale };
                match &decimal.inner {
                    InnerDecimalSchema::Fixed(schema) => return self.fixed(schema, logical),
                    InnerDecimalSchema::Bytes => Node::Bytes(logical),
                }
            }
            Parsed::Array(schema) => Node::Array(self.node(&schema.items)?),
            Parsed::Map(schema) => Node::Map(self.node(&schema.types)?),
            Parsed::Union(schema) => self.union(schema)?,
            Parsed::Null => Node::Null,
            Parsed::Boolean => Node::Boolean,
            Parsed::Int => Node::Int(Logical::Nothing),
            Parsed::Date => Node::Int(Logical::Date),
            Parsed::TimeMillis => Node::Int(Logical::Time(Unit::Millis)),
            Parsed::Long => Node::Long(Logical::Nothing),
            Parsed::TimeMicros => Node::Long(Logical::Time(Unit::Micros)),
            Parsed::TimestampMillis => Node::Long(Logical::Timestamp(Unit::Millis)),
            Parsed::TimestampMicros => Node::Long(Logical::Timestamp(Unit::Micros)),
            Parsed::TimestampNanos => Node::Long(Logical::Timestamp(Unit::Nanos)),
            Parsed::LocalTimestampMillis => Node::Long(Logical::LocalTimestamp(Unit::Millis)),
            Parsed::LocalTimestampMicros => Node::Long(Logical::LocalTimestamp(Unit::Micros)),
            Parsed::LocalTimestampNanos => Node::Long(Logical::LocalTimestamp(Unit::Nanos)),
            Parsed::Float => Node::Float,
            Parsed::Double => Node::Double,
            Parsed::Bytes | Parsed::BigDecimal | Parsed::Uuid(UuidSchema::Bytes) => Node::Bytes(Logical::Nothing),
            Parsed::String | Parsed::Uuid(UuidSchema::String) => Node::String,
        };
        Ok(self.add(node))
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn resolved(&self, name: &Name) -> Result<NodeId, BadSchema> {
        let known = self.names.get(name.as_ref()).copied();
        known.ok_or_else(|| bad(format!("no type is called \"{name}\"")))
    }

    fn fixed(&mut self, schema: &FixedSchema, logical: Logical) -> Result<NodeId, BadSchema> {
        self.defined(&schema.name, Node::Fixed { size: schema.size, logical }, schema.aliases.as_ref())
    }

    /// Adds a named type, which may be used by its aliases too unless they are names of others.
    fn defined(&mut self, name: &Name, node: Node, aliases: Option<&Vec<Alias>>) -> Result<NodeId, BadSchema> {
        let id = self.add(node);
        let earlier = self.names.get(name.as_ref()).and_then(|id| self.named.get(id));
        if earlier.is_some_and(|earlier| earlier == name.as_ref()) {
            return Err(bad(format!("\"{name}\" is defined twice")));
        }
        self.names.insert(name.to_string(), id);
        self.named.insert(id, name.to_string());
        for alias in aliases.into_iter().flatten() {
            self.names.entry(alias.fullname(name.namespace())).or_insert(id);
        }
        Ok(id)
    }

    /// Adds a record: the place first, as its fields may be of its own type.
    fn record(&mut self, schema: &RecordSchema) -> Result<NodeId, BadSchema> {
        let id = self.defined(&schema.name, Node::Null, schema.aliases.as_ref())?;
        let mut fields = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            fields.push(Field {
                name: field.name.as_str().into(),
                key: format!("\"{}\":", field.name).into(),
                node: self.node(&field.schema)?,
                default: field.custom_attributes.get(DEFAULT).map(|default| default.to_string().into()),
            });
        }
        let mut index: HashMap<Box<str>, usize> = HashMap::with_capacity(fields.len());
        for (at, field) in schema.fields.iter().enumerate() {
            for alias in &field.aliases {
                index.entry(alias.as_str().into()).or_insert(at);
            }
        }
        index.extend(fields.iter().enumerate().map(|(at, field)| (field.name.clone(), at)));
        self.nodes[id] = Node::Record(Record { name: schema.name.to_string().into(), fields, index });
        Ok(id)
    }

    fn union(&mut self, schema: &UnionSchema) -> Result<Node, BadSchema> {
        let mut branches = Vec::with_capacity(schema.variants().len());
        for variant in schema.variants() {
            let node = self.node(variant)?;
            let tag = self.tag(node).to_owned();
            branches.push(Branch { node, opening: format!("{{\"{tag}\":").into(), tag: tag.into() });
        }
        let null = branches.iter().position(|branch| *branch.tag == *"null");
        Ok(Node::Union(Union { null, index: tags(&branches), branches }))
    }

    fn tag(&self, id: NodeId) -> &str {
        match &self.nodes[id] {
            Node::Boolean => "boolean",
            Node::Int(_) => "int",
            Node::Long(_) => "long",
            Node::Float => "float",
            Node::Double => "double",
            Node::Bytes(_) => "bytes",
            Node::String => "string",
            Node::Array(_) => "array",
            Node::Map(_) => "map",
            // A record that is being defined is a null until it is.
            Node::Null | Node::Enum(_) | Node::Fixed { .. } | Node::Record(_) | Node::Union(_) => {
                self.named.get(&id).map_or("null", String::as_str)
            }
        }
    }
}

fn symbols(schema: &EnumSchema) -> Enum {
    let symbols: Vec<Box<str>> = schema.symbols.iter().map(|symbol| symbol.as_str().into()).collect();
    let index = symbols.iter().enumerate().map(|(at, symbol)| (symbol.clone(), at)).collect();
    Enum { symbols, index }
}

/// Returns the branches by the names that mean one of them only: full names before short ones.
fn tags(branches: &[Branch]) -> HashMap<Box<str>, usize> {
    let mut shorts: HashMap<&str, Option<usize>> = HashMap::new();
    for (at, branch) in branches.iter().enumerate() {
        if let Some((_, short)) = branch.tag.rsplit_once('.') {
            shorts.entry(short).and_modify(|only| *only = None).or_insert(Some(at));
        }
    }
    let mut tags: HashMap<_, _> = shorts.into_iter().filter_map(|(name, at)| Some((name.into(), at?))).collect();
    tags.extend(branches.iter().enumerate().map(|(at, branch)| (branch.tag.clone(), at)));
    tags.remove("null");
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(text: &str) -> Vec<Node> {
        parse(text, &[]).unwrap().nodes
    }

    #[test]
    fn defaults_are_kept_as_they_are_also_those_that_the_parser_refuses() {
        let text = r#"{"type":"record","name":"R","fields":[
            {"name":"f","type":{"type":"fixed","name":"F","size":1},"default":"\u00ff"},
            {"name":"i","type":"int","default":"no int"},{"name":"n","type":"int"},
            {"name":"l","type":"long","default":9007199254740993}]}"#;
        let nodes = nodes(text);
        let Node::Record(record) = &nodes[0] else { panic!("a record") };
        let defaults: Vec<_> = record.fields.iter().map(|field| field.default.as_deref()).collect();
        assert_eq!(defaults, [Some("\"ÿ\""), Some("\"no int\""), None, Some("9007199254740993")]);
    }

    #[test]
    fn logical_types_that_make_no_sense_are_ignored() {
        for logical in [r#""nosuch""#, "1", "null", r#""decimal""#, r#""date""#] {
            let text = format!(r#"{{"type":"bytes","logicalType":{logical},"precision":0}}"#);
            assert!(matches!(nodes(&text)[..], [Node::Bytes(Logical::Nothing)]), "{logical}");
        }
    }

    #[test]
    fn named_types_are_known_by_their_names_and_aliases() {
        let text = r#"{"type":"record","name":"a.R","fields":[
            {"name":"d","type":{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":3}},
            {"name":"e","type":"D"},
            {"name":"f","type":{"type":"enum","name":"E","symbols":["X"],"aliases":["Old"]},"aliases":["g"]},
            {"name":"h","type":"a.Old"}]}"#;
        let nodes = nodes(text);
        let Node::Record(record) = &nodes[0] else { panic!("a record") };
        assert_eq!(record.fields[0].node, record.fields[1].node);
        assert_eq!(record.fields[2].node, record.fields[3].node);
        assert_eq!(record.index.get("g"), Some(&2));
        let decimal = Logical::Decimal { precision: 3, scale: 0 };
        assert!(matches!(&nodes[record.fields[0].node], Node::Fixed { size: 4, logical } if *logical == decimal));
    }

    #[test]
    fn schemas_as_deep_as_json_may_be_fit_on_the_stack() {
        let nested = |opening: &str, closing: &str| format!("{}\"bytes\"{}", opening.repeat(120), closing.repeat(120));
        let cases = [
            nested(r#"{"type":"array","items":"#, "}"),
            nested(r#"{"type":"#, r#","logicalType":"decimal","precision":1}"#),
            nested(r#"{"type":"map","values":"#, r#","logicalType":"uuid"}"#),
        ];
        for text in cases {
            assert!(parse(&text, &[]).is_ok(), "{text}");
        }
        let record = |at: usize| format!(r#"{{"type":"record","name":"R{at}","fields":[{{"name":"f","type":"#);
        let text = format!("{}\"int\"{}", (0..40).map(record).collect::<String>(), "}]}".repeat(40));
        assert!(parse(&text, &[]).is_ok());
    }
}
