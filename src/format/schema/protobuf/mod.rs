//! Protocol Buffers: schemas are compiled from their text, messages go from JSON to bytes and back in one pass.

mod compile;
mod decode;
mod encode;
mod plan;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::de::DeserializeSeed;
use serde_json::Value;
use serde_json::value::RawValue;

use self::compile::compile;
use self::decode::Writer;
use self::encode::MessageSeed;
use self::plan::{Message, Plan};
use self::wire::{MAX_DEPTH, Reader, unzigzag};
use crate::format::schema::limits::{check_size, shortened};
use crate::format::schema::place::{at_steps, kind_of, steps_to};
use crate::format::schema::{BadSchema, Mismatch, Reference, Undecodable};

/// A Protobuf schema that was compiled; shared, cheap to clone.
#[derive(Clone)]
pub struct ProtobufSchema(Arc<Compiled>);

struct Compiled {
    plan: Plan,
    /// The messages of the file itself, in its order.
    messages: Vec<usize>,
}

impl ProtobufSchema {
    /// Compiles the text of a `.proto` file, which has to have a message.
    ///
    /// Imports are the references by their names and the files that come with Protocol Buffers; no file is read.
    pub fn parse(text: &str, references: &[Reference<'_>]) -> Result<ProtobufSchema, BadSchema> {
        check_size(text, references)?;
        let (pool, name) = compile(text, references)?;
        let plan = Plan::of(&pool)?;
        let file = pool.get_file_by_name(&name);
        let messages: Vec<_> = file
            .iter()
            .flat_map(|file| file.messages())
            .filter_map(|message| plan.by_full_name.get(message.full_name()).copied())
            .collect();
        if messages.is_empty() {
            return Err(BadSchema::new("The Protobuf schema has no message."));
        }
        Ok(ProtobufSchema(Arc::new(Compiled { plan, messages })))
    }

    /// Returns the full name of the first message, which is the one that is written.
    pub fn record_name(&self) -> Option<&str> {
        self.first().map(|message| &*message.full_name)
    }

    fn first(&self) -> Option<&Message> {
        self.0.messages.first().and_then(|at| self.0.plan.messages.get(*at))
    }

    /// Appends the index of the first message, a zero byte, and the message that `json` is the JSON form of.
    pub fn encode(&self, json: &RawValue, out: &mut Vec<u8>) -> Result<(), Mismatch> {
        let Some(message) = self.first() else { return Err(Mismatch::new("no value", "one")) };
        out.push(0);
        let mut document = serde_json::Deserializer::from_str(json.get());
        MessageSeed { plan: &self.0.plan, message, out }
            .deserialize(&mut document)
            .map_err(|error| mismatch(json.get(), &error))
    }

    /// Appends the JSON text of a payload: the index of a message, which may be any of the file, and the message.
    pub fn decode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
        let mut reader = Reader(payload);
        let message = self.indexed(&mut reader)?;
        Writer::new(&self.0.plan, out).message(message, reader.0, MAX_DEPTH)
    }

    /// Reads which message follows: how many indexes there are and the indexes from the outside in, or one 0 for the first.
    fn indexed(&self, reader: &mut Reader<'_>) -> Result<&Message, Undecodable> {
        let count = unzigzag(reader.varint()?);
        if count == 0 {
            return self.first().ok_or_else(no_such_message);
        }
        if !(1..=MAX_DEPTH as i64).contains(&count) {
            return Err(no_such_message());
        }
        let (mut siblings, mut found) = (&self.0.messages, None);
        for _ in 0..count {
            let index = usize::try_from(unzigzag(reader.varint()?)).map_err(|_| no_such_message())?;
            let message =
                siblings.get(index).and_then(|at| self.0.plan.messages.get(*at)).ok_or_else(no_such_message)?;
            siblings = &message.children;
            found = Some(message);
        }
        found.ok_or_else(no_such_message)
    }
}

fn no_such_message() -> Undecodable {
    Undecodable::new("The payload begins with the index of a message that is not in the schema.")
}

/// Finds where a document does not fit and what is there; only the schema is quoted.
fn mismatch(text: &str, error: &serde_json::Error) -> Mismatch {
    let sentence = error.to_string();
    let expected = sentence.rsplit_once(" at line ").map_or(&*sentence, |(before, _)| before);
    let Some((_, expected)) = expected.rsplit_once(", expected ") else {
        return Mismatch::new("up to 127 levels and numbers in the range of a double", "something else");
    };
    let root: Value = serde_json::from_str(text).unwrap_or_default();
    let found = |value: &Value| if expected.starts_with("a field of") { "another name" } else { kind_of(value) };
    at_steps(&steps_to(text, error.line(), error.column()), &root, |value| {
        Mismatch::new(shortened(expected), found(value))
    })
}
