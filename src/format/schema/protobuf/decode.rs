use std::collections::HashMap;
use std::fmt::Display;
use std::io::Write;

use base64::display::Base64Display;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};

use super::plan::{Field, Form, Kind, Message, Plan, Shape};
use super::wire::{MAX_DEPTH, Reader, Wire, too_deep};
use crate::format::schema::Undecodable;
use crate::format::schema::not_finite::not_finite;
use crate::format::schema::varint::unzigzag;

/// The longest JSON text of a message, in bytes: fields that are not there are written too, and cost no bytes there.
const MAX_TEXT: usize = 64 * 1024 * 1024;

/// Writes messages as JSON text.
pub(super) struct Writer<'a> {
    plan: &'a Plan,
    out: &'a mut Vec<u8>,
    /// The length of `out` that must not be exceeded.
    end: usize,
}

/// The values of a message, each with the index of its field, by field and then as they came.
type Parts<'b> = Vec<(usize, Wire<'b>)>;

impl<'a> Writer<'a> {
    /// Makes a writer that appends to `out`.
    pub(super) fn new(plan: &'a Plan, out: &'a mut Vec<u8>) -> Writer<'a> {
        let end = out.len().saturating_add(MAX_TEXT);
        Writer { plan, out, end }
    }

    /// Appends the JSON text of a message.
    pub(super) fn message(&mut self, message: &Message, bytes: &[u8], depth: usize) -> Result<(), Undecodable> {
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        match &message.form {
            Form::Object => {
                self.out.push(b'{');
                self.fields(message, bytes, depth)?;
                self.out.push(b'}');
                Ok(())
            }
            Form::Wrapper => self.wrapped(message, bytes, depth),
            Form::Any(_) => self.any(message, bytes, depth),
            Form::WellKnown(descriptor) => self.well_known(descriptor, bytes),
        }
    }

    /// Appends the members of an object, with commas between and, if something is there already, in front.
    fn fields(&mut self, message: &Message, bytes: &[u8], depth: usize) -> Result<(), Undecodable> {
        let parts = split(message, bytes, depth)?;
        let mut rest = &parts[..];
        for (index, field) in message.fields.iter().enumerate() {
            let (values, others) = rest.split_at(rest.iter().take_while(|(of, _)| *of == index).count());
            rest = others;
            if values.is_empty() && field.shape == Shape::Explicit {
                continue;
            }
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            self.out.extend_from_slice(field.label.as_bytes());
            self.field(field, values, depth)?;
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, values: &[(usize, Wire<'_>)], depth: usize) -> Result<(), Undecodable> {
        if self.out.len() > self.end {
            return Err(Undecodable::new("The JSON form of the message is longer than 64 MiB."));
        }
        match (field.shape, values) {
            (Shape::Repeated | Shape::Packed, _) => self.list(field, values, depth),
            (Shape::Map, _) => self.map(field, values, depth),
            (Shape::Implicit | Shape::Explicit, []) => self.default(field.kind),
            (Shape::Implicit | Shape::Explicit, [(_, value)]) => self.value(field, *value, depth),
            // Later messages add to what came before, and so does what follows in the bytes.
            (Shape::Implicit | Shape::Explicit, [.., (_, last)]) => match (field.kind, last) {
                (Kind::Message(_), _) => self.value(field, Wire::Bytes(&joined(values)), depth),
                (Kind::Group(_), _) => self.value(field, Wire::Group(&joined(values)), depth),
                _ => self.value(field, *last, depth),
            },
        }
    }

    fn list(&mut self, field: &Field, values: &[(usize, Wire<'_>)], depth: usize) -> Result<(), Undecodable> {
        let begin = self.out.len();
        for (_, value) in values {
            match (value, field.kind.wire_type()) {
                // Readers take lists of numbers in both forms, whatever the schema says.
                (Wire::Bytes(bytes), wire_type @ (0 | 1 | 5)) => {
                    let mut items = Reader(bytes);
                    while !items.is_empty() {
                        let item = match wire_type {
                            0 => Wire::Varint(items.varint()?),
                            1 => Wire::Fixed64(items.array()?),
                            _ => Wire::Fixed32(items.array()?),
                        };
                        self.out.push(b',');
                        self.value(field, item, depth)?;
                    }
                }
                (value, _) => {
                    self.out.push(b',');
                    self.value(field, *value, depth)?;
                }
            }
        }
        self.close(begin, b'[', b']');
        Ok(())
    }

    /// Turns the comma at `begin`, if there is one, into the opening bracket.
    fn close(&mut self, begin: usize, open: u8, close: u8) {
        match self.out.get_mut(begin) {
            Some(comma) => *comma = open,
            None => self.out.push(open),
        }
        self.out.push(close);
    }

    fn map(&mut self, field: &Field, values: &[(usize, Wire<'_>)], depth: usize) -> Result<(), Undecodable> {
        let Kind::Message(at) = field.kind else { return Err(wrong_type(field)) };
        let Some(entry) = self.plan.messages.get(at) else { return Err(wrong_type(field)) };
        let [key, value] = &entry.fields[..] else { return Err(wrong_type(field)) };
        let mut entries: Vec<Parts<'_>> = Vec::with_capacity(values.len());
        let mut by_key: HashMap<Wire<'_>, usize> = HashMap::new();
        for (_, bytes) in values {
            let Wire::Bytes(bytes) = bytes else { return Err(wrong_type(field)) };
            let parts = split(entry, bytes, depth)?;
            let name = parts.iter().rfind(|(of, _)| *of == 0).map_or(Wire::Bytes(&[]), |(_, name)| *name);
            // Of entries with the same key the last counts.
            match by_key.get(&name) {
                Some(at) => entries[*at] = parts,
                None => {
                    by_key.insert(name, entries.len());
                    entries.push(parts);
                }
            }
        }
        let begin = self.out.len();
        for parts in entries {
            let (keys, values) = parts.split_at(parts.iter().take_while(|(of, _)| *of == 0).count());
            self.out.push(b',');
            self.key(key, keys, depth)?;
            self.out.push(b':');
            self.field(value, values, depth)?;
        }
        self.close(begin, b'{', b'}');
        Ok(())
    }

    /// Appends the key of an entry, which is quoted whatever its type.
    fn key(&mut self, field: &Field, values: &[(usize, Wire<'_>)], depth: usize) -> Result<(), Undecodable> {
        let begin = self.out.len();
        self.field(field, values, depth)?;
        if self.out.get(begin) != Some(&b'"') {
            self.out.insert(begin, b'"');
            self.out.push(b'"');
        }
        Ok(())
    }

    /// Appends the value of the only field.
    fn wrapped(&mut self, message: &Message, bytes: &[u8], depth: usize) -> Result<(), Undecodable> {
        let Some(field) = message.fields.first() else { return self.text("{}") };
        let parts = split(message, bytes, depth)?;
        self.field(field, &parts, depth)
    }

    /// Appends the message that is in an `Any`, with its type.
    fn any(&mut self, message: &Message, bytes: &[u8], depth: usize) -> Result<(), Undecodable> {
        let parts = split(message, bytes, depth)?;
        let last = |number: u32| {
            let value =
                parts.iter().rfind(|(of, _)| message.fields.get(*of).is_some_and(|field| field.number == number));
            match value {
                Some((_, Wire::Bytes(bytes))) => *bytes,
                _ => &[],
            }
        };
        let (url, content) = (utf8(last(1))?, last(2));
        if url.is_empty() && content.is_empty() {
            return self.text("{}");
        }
        let name = url.rsplit_once('/').map_or(url, |(_, name)| name);
        let inner = self.plan.by_full_name.get(name).and_then(|at| self.plan.messages.get(*at));
        let Some(inner) = inner else {
            return Err(Undecodable::new("The message has an Any with a type that is not in the schema."));
        };
        self.text("{\"@type\":")?;
        self.string(url)?;
        match inner.form {
            Form::Object => self.fields(inner, content, depth)?,
            Form::Wrapper | Form::Any(_) | Form::WellKnown(_) => {
                self.text(",\"value\":")?;
                self.message(inner, content, depth)?;
            }
        }
        self.text("}")
    }

    fn well_known(&mut self, descriptor: &MessageDescriptor, bytes: &[u8]) -> Result<(), Undecodable> {
        let wrong = || Undecodable::new(format!("The message has no valid {}.", descriptor.full_name()));
        let message = DynamicMessage::decode(descriptor.clone(), bytes).map_err(|_| wrong())?;
        let mut serializer = serde_json::Serializer::new(&mut *self.out);
        message.serialize_with_options(&mut serializer, &SerializeOptions::new()).map_err(|_| wrong())
    }

    fn value(&mut self, field: &Field, value: Wire<'_>, depth: usize) -> Result<(), Undecodable> {
        match (field.kind, value) {
            // Numbers of 32 bits may come with more bits, which do not count.
            (Kind::Int32, Wire::Varint(value)) => self.display(value as i32),
            (Kind::Int64, Wire::Varint(value)) => self.quoted(value as i64),
            (Kind::Uint32, Wire::Varint(value)) => self.display(value as u32),
            (Kind::Uint64, Wire::Varint(value)) => self.quoted(value),
            (Kind::Sint32, Wire::Varint(value)) => self.display(unzigzag(u64::from(value as u32)) as i32),
            (Kind::Sint64, Wire::Varint(value)) => self.quoted(unzigzag(value)),
            (Kind::Bool, Wire::Varint(value)) => self.display(value != 0),
            (Kind::Enum(at), Wire::Varint(value)) => self.enumerated(at, value as i32),
            (Kind::Fixed32, Wire::Fixed32(bytes)) => self.display(u32::from_le_bytes(bytes)),
            (Kind::Sfixed32, Wire::Fixed32(bytes)) => self.display(i32::from_le_bytes(bytes)),
            (Kind::Float, Wire::Fixed32(bytes)) => {
                let value = f32::from_le_bytes(bytes);
                self.float(value, f64::from(value))
            }
            (Kind::Fixed64, Wire::Fixed64(bytes)) => self.quoted(u64::from_le_bytes(bytes)),
            (Kind::Sfixed64, Wire::Fixed64(bytes)) => self.quoted(i64::from_le_bytes(bytes)),
            (Kind::Double, Wire::Fixed64(bytes)) => {
                let value = f64::from_le_bytes(bytes);
                self.float(value, value)
            }
            (Kind::String, Wire::Bytes(bytes)) => self.string(utf8(bytes)?),
            (Kind::Bytes, Wire::Bytes(bytes)) => self.quoted(Base64Display::new(bytes, &BASE64_STANDARD)),
            (Kind::Message(at), Wire::Bytes(bytes)) | (Kind::Group(at), Wire::Group(bytes)) => {
                match self.plan.messages.get(at) {
                    Some(message) => self.message(message, bytes, depth),
                    None => Err(wrong_type(field)),
                }
            }
            _ => Err(wrong_type(field)),
        }
    }

    /// Appends the value of a field that is not there.
    fn default(&mut self, kind: Kind) -> Result<(), Undecodable> {
        match kind {
            Kind::Double | Kind::Float => self.text("0.0"),
            Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::Sfixed32 => self.text("0"),
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => self.text("\"0\""),
            Kind::Bool => self.text("false"),
            Kind::String | Kind::Bytes => self.text("\"\""),
            Kind::Enum(at) => self.enumerated(at, 0),
            // Only the value of an entry is here without being there.
            Kind::Message(at) | Kind::Group(at) => match self.plan.messages.get(at) {
                Some(message) => self.message(message, &[], 1),
                None => self.text("{}"),
            },
        }
    }

    fn enumerated(&mut self, at: usize, number: i32) -> Result<(), Undecodable> {
        let enumeration = self.plan.enums.get(at);
        if enumeration.is_some_and(|enumeration| enumeration.is_null) {
            return self.text("null");
        }
        match enumeration.and_then(|enumeration| enumeration.by_number.get(&number)) {
            Some(quoted_name) => self.text(quoted_name),
            None => self.display(number),
        }
    }

    /// Appends a number, which has the shortest digits if it is written with its own type.
    fn float(&mut self, value: impl serde::Serialize, as_double: f64) -> Result<(), Undecodable> {
        match not_finite(as_double) {
            Some(name) => self.quoted(name),
            None => serde_json::to_writer(&mut *self.out, &value).map_err(|_| unwritten()),
        }
    }

    fn string(&mut self, text: &str) -> Result<(), Undecodable> {
        serde_json::to_writer(&mut *self.out, text).map_err(|_| unwritten())
    }

    fn display(&mut self, value: impl Display) -> Result<(), Undecodable> {
        write!(self.out, "{value}").map_err(|_| unwritten())
    }

    fn quoted(&mut self, value: impl Display) -> Result<(), Undecodable> {
        write!(self.out, "\"{value}\"").map_err(|_| unwritten())
    }

    fn text(&mut self, text: &str) -> Result<(), Undecodable> {
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Finds the fields of a message; those that the schema has not are passed over.
fn split<'b>(message: &Message, bytes: &'b [u8], depth: usize) -> Result<Parts<'b>, Undecodable> {
    let (mut reader, mut parts) = (Reader(bytes), Parts::new());
    while !reader.is_empty() {
        let (number, value) = reader.field(depth.min(MAX_DEPTH))?;
        if let Ok(index) = message.fields.binary_search_by_key(&number, |field| field.number) {
            parts.push((index, value));
        }
    }
    keep_last_of_oneofs(message, &mut parts);
    if !parts.is_sorted_by_key(|(index, _)| *index) {
        parts.sort_by_key(|(index, _)| *index);
    }
    Ok(parts)
}

/// Drops the fields of a `oneof` that were replaced by another one later.
fn keep_last_of_oneofs(message: &Message, parts: &mut Parts<'_>) {
    let oneof_of = |index: usize| message.fields.get(index).and_then(|field| field.oneof);
    let mut last = HashMap::new();
    for (index, _) in parts.iter() {
        if let Some(oneof) = oneof_of(*index) {
            last.insert(oneof, *index);
        }
    }
    if !last.is_empty() {
        parts.retain(|(index, _)| oneof_of(*index).is_none_or(|oneof| last.get(&oneof) == Some(index)));
    }
}

fn joined(values: &[(usize, Wire<'_>)]) -> Vec<u8> {
    let mut joined = Vec::new();
    for (_, value) in values {
        if let Wire::Bytes(bytes) | Wire::Group(bytes) = value {
            joined.extend_from_slice(bytes);
        }
    }
    joined
}

fn utf8(bytes: &[u8]) -> Result<&str, Undecodable> {
    std::str::from_utf8(bytes).map_err(|_| Undecodable::new("The message has a string that is not UTF-8."))
}

fn wrong_type(field: &Field) -> Undecodable {
    Undecodable::new(format!("The field {} is not of the type that the schema has.", field.label.trim_end_matches(':')))
}

fn unwritten() -> Undecodable {
    Undecodable::new("The JSON form of the message cannot be written.")
}
