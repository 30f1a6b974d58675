use std::fmt;

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::prost::Message as _;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::plan::{Field, Form, Kind, Message, Plan, Shape};
use super::wire::{put_tag, with_length};
use crate::format::schema::varint::{put_varint, zigzag};

/// Whole numbers up to this are exact as doubles; above, digits are lost.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes the JSON form of a message as its fields, by number.
pub(super) struct MessageSeed<'a> {
    pub(super) plan: &'a Plan,
    pub(super) message: &'a Message,
    pub(super) out: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for MessageSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match (&self.message.form, self.message.fields.first()) {
            (Form::Wrapper, Some(field)) => {
                let place = Place { number: Some(field.number), skips_default: true };
                Value { plan: self.plan, kind: field.kind, place, out: self.out }.deserialize(deserializer)
            }
            (Form::Any(descriptor) | Form::WellKnown(descriptor), _) => {
                write_well_known(descriptor, deserializer, self.out)
            }
            (Form::Object | Form::Wrapper, _) => deserializer.deserialize_any(self),
        }
    }
}

fn write_well_known<'de, D: Deserializer<'de>>(
    descriptor: &MessageDescriptor,
    deserializer: D,
    out: &mut Vec<u8>,
) -> Result<(), D::Error> {
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let message =
        DynamicMessage::deserialize_with_options(descriptor.clone(), deserializer, &options).map_err(|error| {
            // The reason may quote the value, which is not to be shown; the place at its end is read when the error is made.
            let reason = error.to_string();
            let place = reason.rfind(" at line ").map_or("", |at| &reason[at..]);
            expected(format_args!("the JSON form of {}{place}", descriptor.full_name()))
        })?;
    message.encode(out).map_err(|_| expected("a message of up to 2 GiB"))
}

/// Makes an error that says what was expected; the caller finds out where and what was found.
fn expected<E: Error>(what: impl fmt::Display) -> E {
    E::custom(format_args!("mismatch, expected {what}"))
}

/// A field that has been written: the number and `oneof` of the field, and where it is in the output.
struct Part {
    number: u32,
    oneof: Option<usize>,
    is_required: bool,
    start: usize,
    end: usize,
}

impl<'de> Visitor<'de> for MessageSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object for the message {}", self.message.full_name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut parts = Vec::with_capacity(self.message.fields.len().min(32));
        while let Some(field) = members.next_key_seed(NameSeed(self.message))? {
            let start = self.out.len();
            if members.next_value_seed(FieldSeed { plan: self.plan, field, out: self.out })? {
                let Field { number, oneof, is_required, .. } = *field;
                parts.push(Part { number, oneof, is_required, start, end: self.out.len() });
            }
        }
        arrange(&mut parts, self.out).map_err(expected)?;
        if parts.iter().filter(|part| part.is_required).count() < self.message.required {
            return Err(expected(format_args!("all required fields of the message {}", self.message.full_name)));
        }
        Ok(())
    }
}

/// Puts the fields into the order of their numbers, so that equal messages have equal bytes; says what is wrong.
fn arrange(parts: &mut [Part], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut oneofs: Vec<_> = parts.iter().filter_map(|part| part.oneof).collect();
    oneofs.sort_unstable();
    if oneofs.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("one field of a oneof only");
    }
    if !parts.is_sorted_by_key(|part| part.number) {
        let start = parts.iter().map(|part| part.start).min().unwrap_or(out.len());
        let fields = out.split_off(start);
        parts.sort_by_key(|part| part.number);
        for part in parts.iter() {
            out.extend_from_slice(&fields[part.start - start..part.end - start]);
        }
    }
    match parts.windows(2).any(|pair| pair[0].number == pair[1].number) {
        true => Err("each field once"),
        false => Ok(()),
    }
}

/// Finds a field by a name in a document.
struct NameSeed<'a>(&'a Message);

impl<'de, 'a> DeserializeSeed<'de> for NameSeed<'a> {
    type Value = &'a Field;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'a Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for NameSeed<'a> {
    type Value = &'a Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a field of the message {}", self.0.full_name)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<&'a Field, E> {
        let field = self.0.by_name.get(name).and_then(|at| self.0.fields.get(*at));
        field.ok_or_else(|| expected(format_args!("a field of the message {}", self.0.full_name)))
    }
}

/// Writes a field; tells whether it is there, which it is not if it is `null`.
struct FieldSeed<'a> {
    plan: &'a Plan,
    field: &'a Field,
    out: &'a mut Vec<u8>,
}

impl FieldSeed<'_> {
    /// Returns the message that the field holds, if it holds messages.
    fn message(&self) -> Option<&Message> {
        match self.field.kind {
            Kind::Message(at) | Kind::Group(at) => self.plan.messages.get(at),
            _ => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        self.visit_unit()
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        let is_single = matches!(self.field.shape, Shape::Implicit | Shape::Explicit);
        let holds_null = match self.field.kind {
            Kind::Enum(at) => self.plan.enums.get(at).is_some_and(|enumeration| enumeration.is_null),
            _ => false,
        };
        if is_single && self.message().is_some_and(|message| &*message.full_name == "google.protobuf.Value") {
            put_tag(self.field.number, 2, self.out);
            // The field null_value with its only value, which is 0.
            self.out.extend_from_slice(&[2, 8, 0]);
            return Ok(true);
        }
        if holds_null && self.field.shape == Shape::Explicit {
            put_tag(self.field.number, 0, self.out);
            self.out.push(0);
        }
        Ok(is_single && holds_null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let FieldSeed { plan, field, out } = self;
        let number = Some(field.number);
        match field.shape {
            Shape::Implicit => {
                let place = Place { number, skips_default: true };
                Value { plan, kind: field.kind, place, out }.deserialize(deserializer)?;
            }
            Shape::Explicit => {
                let place = Place { number, skips_default: false };
                Value { plan, kind: field.kind, place, out }.deserialize(deserializer)?;
            }
            Shape::Repeated | Shape::Packed => deserializer.deserialize_any(Items { plan, field, out })?,
            Shape::Map => deserializer.deserialize_any(Entries { plan, field, out })?,
        }
        Ok(true)
    }
}

/// Writes the items of a repeated field.
struct Items<'a> {
    plan: &'a Plan,
    field: &'a Field,
    out: &'a mut Vec<u8>,
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Items { plan, field, out } = self;
        let is_packed = field.shape == Shape::Packed;
        let place = Place { number: (!is_packed).then_some(field.number), skips_default: false };
        let start = out.len();
        let mut write = |out: &mut Vec<u8>| -> Result<(), A::Error> {
            while items.next_element_seed(Value { plan, kind: field.kind, place, out })?.is_some() {}
            Ok(())
        };
        if !is_packed {
            return write(out);
        }
        put_tag(field.number, 2, out);
        let before = out.len();
        with_length(out, write)?;
        if out.len() == before + 1 {
            // No items: there is no field.
            out.truncate(start);
        }
        Ok(())
    }
}

/// Writes the entries of a map.
struct Entries<'a> {
    plan: &'a Plan,
    field: &'a Field,
    out: &'a mut Vec<u8>,
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Entries { plan, field, out } = self;
        let Kind::Message(at) = field.kind else { return Err(expected("no map")) };
        let Some([key, value]) = plan.messages.get(at).map(|entry| &entry.fields[..]) else {
            return Err(expected("no map"));
        };
        let mut entry = Vec::new();
        while members.next_key_seed(KeySeed { plan, field: key, out: &mut entry })?.is_some() {
            let place = Place { number: Some(value.number), skips_default: false };
            members.next_value_seed(Value { plan, kind: value.kind, place, out: &mut entry })?;
            put_tag(field.number, 2, out);
            put_varint(entry.len() as u64, out);
            out.append(&mut entry);
        }
        Ok(())
    }
}

/// Writes the key of an entry: in JSON it is a text whatever its type.
struct KeySeed<'a> {
    plan: &'a Plan,
    field: &'a Field,
    out: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        let place = Place { number: Some(self.field.number), skips_default: false };
        let value = Value { plan: self.plan, kind: self.field.kind, place, out: self.out };
        match (self.field.kind, key) {
            (Kind::Bool, "true") => value.visit_bool(true),
            (Kind::Bool, "false") => value.visit_bool(false),
            _ => value.visit_str(key),
        }
    }
}

/// Where a value goes.
#[derive(Clone, Copy)]
struct Place {
    /// The field that is named in front of it; none within of a packed list.
    number: Option<u32>,
    /// Whether the default value is not written.
    skips_default: bool,
}

/// Writes a value.
struct Value<'a> {
    plan: &'a Plan,
    kind: Kind,
    place: Place,
    out: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        let (Kind::Message(at) | Kind::Group(at)) = self.kind else {
            return deserializer.deserialize_any(self);
        };
        let Some(message) = self.plan.messages.get(at) else { return Err(expected("no message")) };
        self.put_tag();
        let plan = self.plan;
        if let (Kind::Group(_), Some(number)) = (self.kind, self.place.number) {
            MessageSeed { plan, message, out: &mut *self.out }.deserialize(deserializer)?;
            put_tag(number, 4, self.out);
            return Ok(());
        }
        with_length(self.out, |out| MessageSeed { plan, message, out }.deserialize(deserializer))
    }
}

impl Value<'_> {
    fn put_tag(&mut self) {
        if let Some(number) = self.place.number {
            put_tag(number, self.kind.wire_type(), self.out);
        }
    }

    /// Writes a number of `bytes` or as a varint; `is_default` is for what need not be written.
    fn put(mut self, is_default: bool, write: impl FnOnce(&mut Vec<u8>)) {
        if !(is_default && self.place.skips_default) {
            self.put_tag();
            write(self.out);
        }
    }

    fn integer<E: Error>(self, value: i128) -> Result<(), E> {
        let wrong = || expected(NameOf(self.plan, self.kind));
        let is_zero = value == 0;
        match self.kind {
            Kind::Int32 => {
                let value = i32::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| put_varint(i64::from(value) as u64, out));
            }
            Kind::Int64 => {
                let value = i64::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| put_varint(value as u64, out));
            }
            Kind::Uint32 => {
                let value = u32::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| put_varint(u64::from(value), out));
            }
            Kind::Uint64 => {
                let value = u64::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| put_varint(value, out));
            }
            Kind::Sint32 => {
                let value = i32::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| put_varint(zigzag(i64::from(value)), out));
            }
            Kind::Sint64 => {
                let value = i64::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| put_varint(zigzag(value), out));
            }
            Kind::Fixed32 => {
                let value = u32::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| out.extend_from_slice(&value.to_le_bytes()));
            }
            Kind::Fixed64 => {
                let value = u64::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| out.extend_from_slice(&value.to_le_bytes()));
            }
            Kind::Sfixed32 => {
                let value = i32::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| out.extend_from_slice(&value.to_le_bytes()));
            }
            Kind::Sfixed64 => {
                let value = i64::try_from(value).map_err(|_| wrong())?;
                self.put(is_zero, |out| out.extend_from_slice(&value.to_le_bytes()));
            }
            Kind::Enum(at) => {
                let known = i32::try_from(value).ok().filter(|number| {
                    let is_value = |enumeration: &super::plan::Enumeration| enumeration.by_number.contains_key(number);
                    self.plan.enums.get(at).is_some_and(|enumeration| !enumeration.is_closed || is_value(enumeration))
                });
                let number = known.ok_or_else(wrong)?;
                self.put(is_zero, |out| put_varint(i64::from(number) as u64, out));
            }
            Kind::Double | Kind::Float => return self.float(value as f64),
            Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Group(_) => return Err(wrong()),
        }
        Ok(())
    }

    fn float<E: Error>(self, value: f64) -> Result<(), E> {
        // Minus zero is not the default.
        let is_default = value.to_bits() == 0;
        match self.kind {
            Kind::Double => self.put(is_default, |out| out.extend_from_slice(&value.to_le_bytes())),
            Kind::Float => {
                let single = value as f32;
                if value.is_finite() && single.is_infinite() {
                    return Err(expected(NameOf(self.plan, self.kind)));
                }
                self.put(single.to_bits() == 0, |out| out.extend_from_slice(&single.to_le_bytes()));
            }
            _ if value.fract() == 0.0 && value.abs() <= MAX_EXACT => return self.integer(value as i128),
            _ => return Err(expected(NameOf(self.plan, self.kind))),
        }
        Ok(())
    }

    fn bytes(self, value: &[u8]) {
        self.put(value.is_empty(), |out| {
            put_varint(value.len() as u64, out);
            out.extend_from_slice(value);
        });
    }

    fn text<E: Error>(self, text: &str) -> Result<(), E> {
        let wrong = || expected(NameOf(self.plan, self.kind));
        match self.kind {
            Kind::String => self.bytes(text.as_bytes()),
            Kind::Bytes => {
                let bytes = decode_base64(text).ok_or_else(wrong)?;
                self.bytes(&bytes);
            }
            Kind::Enum(at) => {
                let enumeration = self.plan.enums.get(at);
                let number = *enumeration.and_then(|enumeration| enumeration.by_name.get(text)).ok_or_else(wrong)?;
                return self.integer(i128::from(number));
            }
            Kind::Double | Kind::Float => {
                let value = match text {
                    "NaN" => f64::NAN,
                    "Infinity" => f64::INFINITY,
                    "-Infinity" => f64::NEG_INFINITY,
                    _ => text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(wrong)?,
                };
                return self.float(value);
            }
            Kind::Bool | Kind::Message(_) | Kind::Group(_) => return Err(wrong()),
            _ => {
                let value = text.parse().map_err(|_| wrong())?;
                return self.integer(value);
            }
        }
        Ok(())
    }
}

/// Reads base64 of the standard or the URL-safe alphabet, with padding or without.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const fn lenient(alphabet: &Alphabet) -> GeneralPurpose {
        let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
        GeneralPurpose::new(alphabet, config.with_decode_padding_mode(DecodePaddingMode::Indifferent))
    }
    const PLAIN: GeneralPurpose = lenient(&STANDARD);
    const URL: GeneralPurpose = lenient(&URL_SAFE);
    PLAIN.decode(text).or_else(|_| URL.decode(text)).ok()
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", NameOf(self.plan, self.kind))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        if self.kind != Kind::Bool {
            return Err(expected(NameOf(self.plan, self.kind)));
        }
        self.put(!value, |out| out.push(u8::from(value)));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.integer(i128::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.integer(i128::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.float(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.text(value)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.kind {
            Kind::Enum(at) if self.plan.enums.get(at).is_some_and(|enumeration| enumeration.is_null) => self.integer(0),
            _ => Err(expected(NameOf(self.plan, self.kind))),
        }
    }
}

/// Says what a value of a type looks like in JSON.
struct NameOf<'a>(&'a Plan, Kind);

impl fmt::Display for NameOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NameOf(plan, kind) = self;
        f.write_str(match *kind {
            Kind::Double => "a number (double)",
            Kind::Float => "a number (float)",
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "a whole number of 32 bits",
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "a whole number of 64 bits, better as a string",
            Kind::Uint32 | Kind::Fixed32 => "a whole number of 32 bits that is not negative",
            Kind::Uint64 | Kind::Fixed64 => "a whole number of 64 bits that is not negative, better as a string",
            Kind::Bool => "a boolean",
            Kind::String => "a string",
            Kind::Bytes => "a string in base64",
            Kind::Enum(at) => {
                let name = plan.enums.get(at).map_or("", |enumeration| &enumeration.full_name);
                return write!(f, "the name of a value of the enum {name}");
            }
            Kind::Message(_) | Kind::Group(_) => "an object",
        })
    }
}
