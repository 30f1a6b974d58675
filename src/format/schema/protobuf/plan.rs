use std::collections::HashMap;

use prost_reflect::{Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor, Syntax};

use crate::format::schema::BadSchema;

/// The package of the types with a JSON form of their own.
const WELL_KNOWN: &str = "google.protobuf";

/// What has to be known of messages to read and write them, without locks or look-ups by full names.
pub(super) struct Plan {
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enumeration>,
    /// The messages by their full names, for `Any`.
    pub(super) by_full_name: HashMap<Box<str>, usize>,
}

/// A message.
pub(super) struct Message {
    pub(super) full_name: Box<str>,
    /// The fields by number.
    pub(super) fields: Vec<Field>,
    /// The fields by the names that a document may have: the one of the schema and the JSON name.
    pub(super) by_name: HashMap<Box<str>, usize>,
    /// The messages within of it, in the order of the schema.
    pub(super) children: Vec<usize>,
    /// How many fields have to be there.
    pub(super) required: usize,
    pub(super) form: Form,
}

/// How a message is written in JSON.
pub(super) enum Form {
    /// An object with its fields.
    Object,
    /// The value of its only field.
    Wrapper,
    /// An object with the type and the fields of the message in it.
    Any(MessageDescriptor),
    /// As its type demands: `Timestamp`, `Struct` and the like.
    WellKnown(MessageDescriptor),
}

/// A field of a message.
pub(super) struct Field {
    pub(super) number: u32,
    /// What is in front of its value in an object: the name as the schema has it, quoted, and a colon.
    pub(super) label: Box<str>,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    /// The `oneof` it is in, by index.
    pub(super) oneof: Option<usize>,
    pub(super) is_required: bool,
}

/// How often a field may be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Once; if it is not there it has its default value.
    Implicit,
    /// Once or not at all.
    Explicit,
    /// As often as you like, each with its tag.
    Repeated,
    /// As often as you like, all in one.
    Packed,
    /// As entries, which are messages with a key and a value.
    Map,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    /// An enumeration, by index.
    Enum(usize),
    /// A message, by index.
    Message(usize),
    /// A message between tags, by index.
    Group(usize),
}

impl Kind {
    /// Returns the wire type of a single value.
    pub(super) fn wire_type(self) -> u8 {
        match self {
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Sint32 | Kind::Sint64 => 0,
            Kind::Bool | Kind::Enum(_) => 0,
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => 1,
            Kind::String | Kind::Bytes | Kind::Message(_) => 2,
            Kind::Group(_) => 3,
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => 5,
        }
    }
}

/// An enumeration.
pub(super) struct Enumeration {
    pub(super) full_name: Box<str>,
    pub(super) by_name: HashMap<Box<str>, i32>,
    /// The quoted names.
    pub(super) by_number: HashMap<i32, Box<str>>,
    /// Whether numbers without a name are no values of it.
    pub(super) is_closed: bool,
    /// Whether its only value is written as `null`.
    pub(super) is_null: bool,
}

impl Plan {
    pub(super) fn of(pool: &DescriptorPool) -> Result<Plan, BadSchema> {
        let descriptors: Vec<_> = pool.all_messages().collect();
        let by_full_name =
            descriptors.iter().enumerate().map(|(at, message)| (message.full_name().into(), at)).collect();
        let enums: Vec<_> = pool.all_enums().collect();
        let names = Names {
            messages: by_full_name,
            enums: enums.iter().enumerate().map(|(at, descriptor)| (descriptor.full_name().into(), at)).collect(),
        };
        let messages =
            descriptors.iter().map(|descriptor| Message::of(descriptor, &names)).collect::<Result<_, _>>()?;
        Ok(Plan { messages, enums: enums.iter().map(Enumeration::of).collect(), by_full_name: names.messages })
    }
}

/// The indexes of messages and enumerations by their full names.
struct Names {
    messages: HashMap<Box<str>, usize>,
    enums: HashMap<Box<str>, usize>,
}

impl Names {
    fn message(&self, descriptor: &MessageDescriptor) -> Result<usize, BadSchema> {
        self.messages.get(descriptor.full_name()).copied().ok_or_else(|| unknown(descriptor.full_name()))
    }

    fn enumeration(&self, descriptor: &EnumDescriptor) -> Result<usize, BadSchema> {
        self.enums.get(descriptor.full_name()).copied().ok_or_else(|| unknown(descriptor.full_name()))
    }
}

fn unknown(name: &str) -> BadSchema {
    BadSchema::new(format!("The Protobuf schema has no type {name}."))
}

impl Message {
    fn of(descriptor: &MessageDescriptor, names: &Names) -> Result<Message, BadSchema> {
        let mut descriptors: Vec<_> = descriptor.fields().collect();
        descriptors.sort_by_key(FieldDescriptor::number);
        let mut by_name = HashMap::new();
        for (at, field) in descriptors.iter().enumerate() {
            by_name.insert(field.name().into(), at);
        }
        // A JSON name wins over a name of another field that reads the same, as in the reference.
        for (at, field) in descriptors.iter().enumerate() {
            by_name.insert(field.json_name().into(), at);
        }
        let fields = descriptors.iter().map(|field| Field::of(field, names)).collect::<Result<Vec<_>, _>>()?;
        let children = descriptor.child_messages().filter(|child| !child.is_map_entry());
        Ok(Message {
            full_name: descriptor.full_name().into(),
            required: fields.iter().filter(|field| field.is_required).count(),
            form: Form::of(descriptor)?,
            children: children.map(|child| names.message(&child)).collect::<Result<_, _>>()?,
            fields,
            by_name,
        })
    }
}

impl Form {
    fn of(descriptor: &MessageDescriptor) -> Result<Form, BadSchema> {
        let Some(name) = descriptor.full_name().strip_prefix(WELL_KNOWN).and_then(|name| name.strip_prefix('.')) else {
            return Ok(Form::Object);
        };
        // Only the types that are built in have the fields that their JSON form needs.
        if !descriptor.parent_file().name().starts_with("google/protobuf/") {
            return Err(BadSchema::new("The package google.protobuf is for the types that are built in."));
        }
        Ok(match name {
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value"
            | "BoolValue" | "StringValue" | "BytesValue" => Form::Wrapper,
            "Any" => Form::Any(descriptor.clone()),
            "Timestamp" | "Duration" | "FieldMask" | "Struct" | "ListValue" | "Value" | "Empty" => {
                Form::WellKnown(descriptor.clone())
            }
            _ => Form::Object,
        })
    }
}

impl Field {
    fn of(descriptor: &FieldDescriptor, names: &Names) -> Result<Field, BadSchema> {
        Ok(Field {
            number: descriptor.number(),
            label: format!("{:?}:", descriptor.name()).into(),
            kind: kind_of(descriptor, names)?,
            shape: shape_of(descriptor),
            oneof: index_of_oneof(descriptor),
            is_required: descriptor.cardinality() == Cardinality::Required,
        })
    }
}

fn index_of_oneof(descriptor: &FieldDescriptor) -> Option<usize> {
    let oneof = descriptor.containing_oneof()?;
    oneof.path().last().and_then(|index| usize::try_from(*index).ok())
}

fn shape_of(descriptor: &FieldDescriptor) -> Shape {
    if descriptor.is_map() {
        Shape::Map
    } else if descriptor.is_list() {
        if is_packed(descriptor) { Shape::Packed } else { Shape::Repeated }
    } else if descriptor.supports_presence() {
        Shape::Explicit
    } else {
        Shape::Implicit
    }
}

/// Tells whether a list is written all in one: the library knows the rule of the syntax but not the field's own option.
fn is_packed(descriptor: &FieldDescriptor) -> bool {
    let is_long = matches!(
        descriptor.kind(),
        prost_reflect::Kind::String | prost_reflect::Kind::Bytes | prost_reflect::Kind::Message(_)
    );
    if is_long || descriptor.field_descriptor_proto().options.is_none() {
        return descriptor.is_packed();
    }
    let options = descriptor.options();
    if !options.has_field_by_name("packed") {
        return descriptor.parent_file().syntax() == Syntax::Proto3;
    }
    options.get_field_by_name("packed").and_then(|value| value.as_bool()).unwrap_or(false)
}

fn kind_of(descriptor: &FieldDescriptor, names: &Names) -> Result<Kind, BadSchema> {
    Ok(match descriptor.kind() {
        prost_reflect::Kind::Double => Kind::Double,
        prost_reflect::Kind::Float => Kind::Float,
        prost_reflect::Kind::Int32 => Kind::Int32,
        prost_reflect::Kind::Int64 => Kind::Int64,
        prost_reflect::Kind::Uint32 => Kind::Uint32,
        prost_reflect::Kind::Uint64 => Kind::Uint64,
        prost_reflect::Kind::Sint32 => Kind::Sint32,
        prost_reflect::Kind::Sint64 => Kind::Sint64,
        prost_reflect::Kind::Fixed32 => Kind::Fixed32,
        prost_reflect::Kind::Fixed64 => Kind::Fixed64,
        prost_reflect::Kind::Sfixed32 => Kind::Sfixed32,
        prost_reflect::Kind::Sfixed64 => Kind::Sfixed64,
        prost_reflect::Kind::Bool => Kind::Bool,
        prost_reflect::Kind::String => Kind::String,
        prost_reflect::Kind::Bytes => Kind::Bytes,
        prost_reflect::Kind::Enum(descriptor) => Kind::Enum(names.enumeration(&descriptor)?),
        prost_reflect::Kind::Message(message) if descriptor.is_group() => Kind::Group(names.message(&message)?),
        prost_reflect::Kind::Message(message) => Kind::Message(names.message(&message)?),
    })
}

impl Enumeration {
    fn of(descriptor: &EnumDescriptor) -> Enumeration {
        let mut by_number = HashMap::new();
        for value in descriptor.values() {
            // Of several names for a number the first is the one that is written.
            by_number.entry(value.number()).or_insert_with(|| format!("{:?}", value.name()).into());
        }
        Enumeration {
            full_name: descriptor.full_name().into(),
            by_name: descriptor.values().map(|value| (value.name().into(), value.number())).collect(),
            by_number,
            is_closed: descriptor.parent_file().syntax() == Syntax::Proto2,
            is_null: descriptor.full_name() == "google.protobuf.NullValue",
        }
    }
}
