//! Protocol Buffers: schemas are compiled from their text, messages go from JSON to bytes and back in one pass.

mod compile;
mod decode;
mod encode;
mod plan;
mod wire;

use std::sync::Arc;

use serde::de::DeserializeSeed;
use serde_json::Value;
use serde_json::value::RawValue;

use self::compile::compile;
use self::decode::Writer;
use self::encode::MessageSeed;
use self::plan::{Message, Plan};
use self::wire::{MAX_DEPTH, Reader};
use crate::format::schema::limits::{check_size, shortened};
use crate::format::schema::place::{at_steps, kind_of, steps_to};
use crate::format::schema::varint::unzigzag;
use crate::format::schema::{BadSchema, Mismatch, Reference, Undecodable};

/// The size of a schema with all its imports, in bytes: the compiler takes quadratic time for some of them.
const MAX_SIZE: usize = 128 * 1024;

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
        check_size(text, references, MAX_SIZE)?;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost_reflect::prost::Message as _;
    use prost_reflect::{DeserializeOptions, DynamicMessage, SerializeOptions};

    use super::*;
    use crate::format::schema::varint::put_varint;

    const ALL: &str = r#"syntax = "proto3"; package x.y;
import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/any.proto";
import "google/protobuf/struct.proto"; import "google/protobuf/duration.proto";
message All {
  double d = 1; float f = 2; int32 i = 3; int64 l = 4; uint32 u = 5; uint64 ul = 6; sint32 s = 7; sint64 sl = 8;
  fixed32 f32 = 9; fixed64 f64 = 10; sfixed32 sf = 11; sfixed64 sfl = 12; bool b = 13; string text = 14; bytes by = 15;
  E e = 16; In in = 17; repeated int32 many = 18; repeated string texts = 19; repeated In ins = 20;
  map<string, int32> m = 21; map<int64, In> lm = 22; map<bool, E> bm = 31; oneof choice { string one = 23; int32 two = 24; In three = 25; }
  optional int32 maybe = 26; google.protobuf.Timestamp at = 27; google.protobuf.Int64Value wrapped = 28;
  google.protobuf.Any any = 29; google.protobuf.Value value = 30; int32 snake_case = 1000; google.protobuf.Duration du = 32;
  message In { bool z = 1; All all = 2; message Deep { string q = 1; } }
  enum E { A = 0; B = 1; N = -1; }
}
message Second { int32 n = 1; }
"#;

    const NESTED: &str = r#"syntax = "proto3"; message M { In in = 1; E e = 2; int64 l = 3; map<string, int32> m = 4; bytes b = 5; message In { bool z = 1; } enum E { A = 0; B = 1; } }"#;

    fn schema(text: &str) -> ProtobufSchema {
        ProtobufSchema::parse(text, &[]).unwrap()
    }

    fn refusal(text: &str, references: &[Reference<'_>]) -> String {
        ProtobufSchema::parse(text, references).err().expect("a bad schema").to_string()
    }

    fn encoded(schema: &ProtobufSchema, json: &str) -> Result<Vec<u8>, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let mut out = Vec::new();
        schema.encode(raw, &mut out).map_err(|mismatch| mismatch.to_string())?;
        Ok(out)
    }

    fn decoded(schema: &ProtobufSchema, payload: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        schema.decode(payload, &mut out).map_err(|undecodable| undecodable.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn returned(schema: &ProtobufSchema, json: &str) -> Value {
        let payload = encoded(schema, json).unwrap_or_else(|error| panic!("{json}: {error}"));
        serde_json::from_str(&decoded(schema, &payload).unwrap()).unwrap()
    }

    #[test]
    fn fields_that_are_not_there_have_their_defaults() {
        let schema =
            schema(r#"syntax = "proto3"; message M { string name = 1; int32 n = 2; repeated string tags = 3; }"#);
        let full = r#"{"name":"é","n":5,"tags":["a","b"]}"#;
        assert_eq!(decoded(&schema, &encoded(&schema, full).unwrap()).unwrap(), full);
        assert_eq!(encoded(&schema, "{}").unwrap(), [0]);
        assert_eq!(decoded(&schema, &[0]).unwrap(), r#"{"name":"","n":0,"tags":[]}"#);
        assert_eq!(encoded(&schema, r#"{"name":"","n":0,"tags":[]}"#).unwrap(), [0]);
    }

    #[test]
    fn nested_messages_enums_maps_and_long_numbers_follow_the_json_mapping() {
        let schema = schema(NESTED);
        let json = r#"{"in":{"z":true},"e":"B","l":"9007199254740993","m":{"k":1},"b":"AQI="}"#;
        assert_eq!(decoded(&schema, &encoded(&schema, json).unwrap()).unwrap(), json);
        assert_eq!(decoded(&schema, &[0]).unwrap(), r#"{"e":"A","l":"0","m":{},"b":""}"#);
        assert_eq!(schema.record_name(), Some("M"));
        assert_eq!(self::schema(ALL).record_name(), Some("x.y.All"));
    }

    #[test]
    fn messages_are_the_bytes_of_the_documentation() {
        let one = schema(r#"syntax = "proto3"; message Test1 { int32 a = 1; }"#);
        assert_eq!(encoded(&one, r#"{"a":150}"#).unwrap(), [0, 0x08, 0x96, 0x01]);
        assert_eq!(encoded(&one, r#"{"a":-2}"#).unwrap(), b"\0\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
        let two = schema(r#"syntax = "proto3"; message Test2 { string b = 2; }"#);
        assert_eq!(encoded(&two, r#"{"b":"testing"}"#).unwrap(), b"\0\x12\x07testing");
        let three = schema(r#"syntax = "proto3"; message Test3 { Test1 c = 3; } message Test1 { int32 a = 1; }"#);
        assert_eq!(encoded(&three, r#"{"c":{"a":150}}"#).unwrap(), [0, 0x1a, 3, 0x08, 0x96, 0x01]);
        let five = schema(r#"syntax = "proto3"; message Test5 { repeated int32 f = 6; }"#);
        assert_eq!(encoded(&five, r#"{"f":[3,270,86942]}"#).unwrap(), [0, 0x32, 6, 3, 0x8e, 2, 0x9e, 0xa7, 5]);
        assert_eq!(decoded(&five, &[0, 0x30, 3, 0x30, 0x8e, 2]).unwrap(), r#"{"f":[3,270]}"#);
    }

    #[test]
    fn fields_are_written_by_number_in_whatever_order_they_come() {
        let all = schema(ALL);
        let first = encoded(&all, r#"{"text":"t","d":1.5,"in":{"all":{"i":2},"z":true},"many":[1,2]}"#).unwrap();
        let second = encoded(&all, r#"{"many":[1,2],"in":{"z":true,"all":{"i":2}},"d":1.5,"text":"t"}"#).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn names_and_numbers_are_taken_in_every_form_that_the_mapping_has() {
        let all = schema(ALL);
        let same = [
            (r#"{"snakeCase":1}"#, r#"{"snake_case":1}"#),
            (r#"{"l":9007199254740993}"#, r#"{"l":"9007199254740993"}"#),
            (r#"{"ul":18446744073709551615}"#, r#"{"ul":"18446744073709551615"}"#),
            (r#"{"i":1e3}"#, r#"{"i":1000}"#),
            (r#"{"i":"-7"}"#, r#"{"i":-7}"#),
            (r#"{"e":1}"#, r#"{"e":"B"}"#),
            (r#"{"by":"-_8"}"#, r#"{"by":"+/8="}"#),
            (r#"{"d":1,"text":null,"in":null,"many":null}"#, r#"{"d":1.0}"#),
            (r#"{"f":"1.5"}"#, r#"{"f":1.5}"#),
        ];
        for (one, other) in same {
            assert_eq!(encoded(&all, one).unwrap(), encoded(&all, other).unwrap(), "{one}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_path() {
        let all = schema(ALL);
        let cases = [
            (r#"{"zz":1}"#, "$.zz: expected a field of the message x.y.All, found another name."),
            (r#"{"in":{"z":"secret"}}"#, "$.in.z: expected a boolean, found a string."),
            (r#"{"ins":[{},{"z":1}]}"#, "$.ins[1].z: expected a boolean, found a number."),
            (r#"{"i":2147483648}"#, "$.i: expected a whole number of 32 bits, found a number."),
            (r#"{"i":1.5}"#, "$.i: expected a whole number of 32 bits, found a number."),
            (
                r#"{"l":9223372036854775808}"#,
                "$.l: expected a whole number of 64 bits, better as a string, found a number.",
            ),
            (
                r#"{"l":-9223372036854775809}"#,
                "$.l: expected a whole number of 64 bits, better as a string, found a number.",
            ),
            (
                r#"{"ul":18446744073709551616}"#,
                "$.ul: expected a whole number of 64 bits that is not negative, better as a string, found a number.",
            ),
            (r#"{"u":-1}"#, "$.u: expected a whole number of 32 bits that is not negative, found a number."),
            (r#"{"e":"C"}"#, "$.e: expected the name of a value of the enum x.y.All.E, found a string."),
            (r#"{"by":"*"}"#, "$.by: expected a string in base64, found a string."),
            (r#"{"many":[1,null]}"#, "$.many[1]: expected a whole number of 32 bits, found null."),
            (r#"{"many":1}"#, "$.many: expected an array, found a number."),
            (r#"{"m":{"k":"x"}}"#, "$.m.k: expected a whole number of 32 bits, found a string."),
            (r#"{"one":"a","two":1}"#, "$: expected one field of a oneof only, found an object."),
            (r#"{"snakeCase":1,"snake_case":2}"#, "$: expected each field once, found an object."),
            (r#"{"at":"secret"}"#, "$.at: expected the JSON form of google.protobuf.Timestamp, found a string."),
            ("{\n\"in\":\n {\"z\":\n 3}}", "$.in.z: expected a boolean, found a number."),
            ("[1]", "$: expected an object for the message x.y.All, found an array."),
            ("1", "$: expected an object for the message x.y.All, found a number."),
            ("null", "$: expected an object for the message x.y.All, found null."),
        ];
        for (json, sentence) in cases {
            assert_eq!(encoded(&all, json).unwrap_err(), sentence, "{json}");
        }
        assert!(encoded(&all, &(r#"{"in":{"all":"#.repeat(100) + "{}" + &"}}".repeat(100))).is_err());
    }

    #[test]
    fn well_known_types_have_their_own_form() {
        let all = schema(ALL);
        let json = r#"{"at":"2020-01-02T03:04:05Z","wrapped":"9007199254740993","du":"1.500s","value":{"a":[1.0,null,"x"]},"any":{"@type":"type.googleapis.com/x.y.Second","n":3}}"#;
        let back = returned(&all, json);
        let sent: Value = serde_json::from_str(json).unwrap();
        for name in ["at", "wrapped", "value", "any"] {
            assert_eq!(back[name], sent[name], "{name}");
        }
        assert_eq!(returned(&all, r#"{"value":null}"#)["value"], Value::Null);
        assert!(returned(&all, r#"{"value":null}"#).as_object().unwrap().contains_key("value"));
        assert!(!returned(&all, r#"{"wrapped":null}"#).as_object().unwrap().contains_key("wrapped"));
        let timestamp = r#"{"any":{"@type":"x/google.protobuf.Timestamp","value":"2020-01-02T03:04:05Z"}}"#;
        assert_eq!(returned(&all, timestamp)["any"]["value"], "2020-01-02T03:04:05Z");
        let own = r#"syntax = "proto3"; package google.protobuf; message Timestamp { string a = 1; }"#;
        assert!(refusal(own, &[]).contains("built in"));
    }

    #[test]
    fn proto2_has_required_fields_groups_and_closed_enums() {
        let text = r#"syntax = "proto2"; message M { required int32 r = 1; optional string o = 2 [default = "x"]; repeated int32 many = 3;
        optional group G = 4 { optional int32 n = 1; } optional E e = 5; repeated int32 packed = 6 [packed = true, deprecated = true]; repeated int32 loose = 7 [deprecated = true]; enum E { A = 1; } }"#;
        let schema = schema(text);
        let json = r#"{"r":0,"many":[1,2],"g":{"n":7},"e":"A","packed":[3],"loose":[4]}"#;
        let payload = encoded(&schema, json).unwrap();
        assert_eq!(payload, [0, 8, 0, 24, 1, 24, 2, 0x23, 8, 7, 0x24, 40, 1, 50, 1, 3, 56, 4]);
        assert_eq!(decoded(&schema, &payload).unwrap(), json);
        assert!(encoded(&schema, "{}").unwrap_err().contains("required"));
        assert!(encoded(&schema, r#"{"r":1,"e":7}"#).is_err());
        assert!(decoded(&schema, &[0, 0x23, 8]).is_err());
        assert!(decoded(&schema, &[&[0][..], &[0x23; 10_000]].concat()).is_err());
    }

    #[test]
    fn indexes_lead_to_any_message_of_the_schema() {
        let all = schema(ALL);
        let zigzag = |index: u8| index * 2;
        assert_eq!(decoded(&all, &[zigzag(1), zigzag(1), 8, 5]).unwrap(), r#"{"n":5}"#);
        assert_eq!(decoded(&all, &[zigzag(3), 0, 0, 0, 10, 1, b'a']).unwrap(), r#"{"q":"a"}"#);
        assert!(decoded(&all, &[zigzag(1), 0]).is_ok());
        for payload in [
            &[][..],
            &[zigzag(1)],
            &[zigzag(1), zigzag(9)],
            &[zigzag(1), 1],
            &[1],
            &[zigzag(4), 0, 0, 0, 0],
            &[0xff; 12],
        ] {
            assert!(decoded(&all, payload).is_err(), "{payload:?}");
        }
    }

    #[test]
    fn payloads_are_read_strictly_and_as_the_rules_of_merging_say() {
        let all = schema(ALL);
        for bad in [
            &[0, 8][..],
            &[0, 0x72, 5, b'a'],
            &[0, 0x72, 1, 0xff],
            &[0, 0x70, 1],
            &[0, 0x0b],
            &[0, 0x0c],
            &[0, 0x0e],
            &[0, 0],
        ] {
            assert!(decoded(&all, bad).is_err(), "{bad:?}");
        }
        let value = |payload: &[u8]| -> Value { serde_json::from_str(&decoded(&all, payload).unwrap()).unwrap() };
        assert_eq!(value(&[0, 0x18, 1, 0x18, 2])["i"], 2);
        let merged = value(&[0, 0x8a, 1, 2, 8, 1, 0x8a, 1, 4, 0x12, 2, 0x18, 9]);
        assert_eq!((&merged["in"]["z"], &merged["in"]["all"]["i"]), (&Value::Bool(true), &Value::from(9)));
        let oneof = value(&[0, 0xba, 1, 1, b'a', 0xc0, 1, 3]);
        assert_eq!((oneof.get("one"), &oneof["two"]), (None, &Value::from(3)));
        let map = value(&[0, 0xaa, 1, 5, 10, 1, b'k', 16, 1, 0xaa, 1, 5, 10, 1, b'k', 16, 2, 0xaa, 1, 0]);
        assert_eq!(map["m"], serde_json::json!({"k": 2, "": 0}));
        assert_eq!(value(&[0, 0xfa, 1, 0])["bm"], serde_json::json!({"false": "A"}));
        assert_eq!(value(&[0, 0xb2, 1, 0])["lm"]["0"]["z"], false);
        assert!(decoded(&all, &[0, 0xf8, 0x7f, 1]).is_ok(), "unknown fields are passed over");
    }

    #[test]
    fn imports_are_references_and_nothing_else() {
        let text = r#"syntax = "proto3"; import "other.proto"; message M { o.Other other = 1; }"#;
        let other =
            Reference { name: "other.proto", text: r#"syntax = "proto3"; package o; message Other { int32 n = 1; }"# };
        let schema = ProtobufSchema::parse(text, &[other]).unwrap();
        assert_eq!(encoded(&schema, r#"{"other":{"n":1}}"#).unwrap(), [0, 10, 2, 8, 1]);
        assert!(refusal(text, &[]).contains("other.proto"));
        assert!(refusal(r#"syntax = "proto3"; import "/etc/passwd"; message M {}"#, &[]).contains("schema:1:"));
        let own = Reference { name: "schema", text: r#"syntax = "proto3"; message S {}"# };
        assert!(ProtobufSchema::parse(r#"syntax = "proto3"; import "schema"; message M { S s = 1; }"#, &[own]).is_ok());
        let cycle = Reference { name: "c", text: r#"syntax = "proto3"; import "c"; message C {}"# };
        assert!(refusal(r#"syntax = "proto3"; import "c"; message M {}"#, &[cycle]).contains("cycle"));
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        let deep = format!("syntax = \"proto3\"; {}", "message A { ".repeat(50_000));
        let options = format!("syntax = \"proto3\"; option a = {};", "{ a: ".repeat(50_000));
        for text in
            ["", "{", "syntax = \"proto3\";", "syntax = \"proto3\"; message M { Nosuch n = 1; }", &deep, &options]
        {
            assert!(refusal(text, &[]).len() < 500);
        }
        assert!(ProtobufSchema::parse("// {{{ \n syntax = \"proto3\"; /* ((( */ message M {}", &[]).is_ok());
    }

    #[test]
    fn messages_nested_without_end_are_refused() {
        let all = schema(ALL);
        let mut deep = Vec::new();
        for _ in 0..300 {
            let mut next = vec![0x8a, 1];
            put_varint(deep.len() as u64, &mut next);
            next.append(&mut deep);
            deep = vec![0x12];
            put_varint(next.len() as u64, &mut deep);
            deep.append(&mut next);
        }
        assert!(decoded(&all, &[&[2, 0][..], &deep].concat()).is_err());
        let mut any = Vec::new();
        for _ in 0..2000 {
            let url = b"t/google.protobuf.Any";
            let mut next = vec![10, url.len() as u8];
            next.extend_from_slice(url);
            next.push(0x12);
            put_varint(any.len() as u64, &mut next);
            next.append(&mut any);
            any = next;
        }
        let mut payload = vec![0, 0xea, 1];
        put_varint(any.len() as u64, &mut payload);
        payload.append(&mut any);
        assert!(decoded(&all, &payload).is_err());
    }

    fn any_document() -> impl Strategy<Value = Value> {
        let leaf = (any::<(f64, f32, i32, i64, u32, u64)>(), any::<(i32, i64, u32, u64, i32, i64)>(), any::<(bool, String, Vec<i32>, Vec<String>)>())
        .prop_map(|((d, f, i, l, u, ul), (s, sl, f32, f64, sf, sfl), (b, text, many, texts))| {
            serde_json::json!({"d": d + 0.0, "f": f + 0.0, "i": i, "l": l.to_string(), "u": u, "ul": ul, "s": s, "sl": sl, "f32": f32,
                "f64": f64, "sf": sf, "sfl": sfl, "b": b, "text": text, "many": many, "texts": texts, "e": "N"})
        });
        leaf.prop_recursive(3, 8, 3, |inner| {
            (inner.clone(), prop::collection::btree_map(any::<i64>(), inner, 0..3), any::<Option<i32>>()).prop_map(
                |(mut document, map, maybe)| {
                    let entries: serde_json::Map<_, _> = map
                        .into_iter()
                        .map(|(key, all)| (key.to_string(), serde_json::json!({"z": true, "all": all})))
                        .collect();
                    document["ins"] = entries.values().cloned().collect();
                    document["lm"] = entries.into();
                    document["maybe"] = maybe.into();
                    document
                },
            )
        })
    }

    /// Returns the payload that prost-reflect makes, and the JSON text it makes of a payload.
    fn reference(json: &str) -> (Vec<u8>, impl Fn(&[u8]) -> Value) {
        let (pool, _) = compile(ALL, &[]).unwrap();
        let descriptor = pool.get_message_by_name("x.y.All").unwrap();
        let options = DeserializeOptions::new();
        let document = &mut serde_json::Deserializer::from_str(json);
        let message = DynamicMessage::deserialize_with_options(descriptor.clone(), document, &options).unwrap();
        let read = move |bytes: &[u8]| -> Value {
            let message = DynamicMessage::decode(descriptor.clone(), bytes).unwrap();
            let options = SerializeOptions::new().skip_default_fields(false).use_proto_field_name(true);
            let mut text = Vec::new();
            message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options).unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        (message.encode_to_vec(), read)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn messages_are_those_of_another_implementation(document in any_document()) {
            let (all, json) = (schema(ALL), document.to_string());
            let payload = encoded(&all, &json).unwrap();
            let (theirs, read) = reference(&json);
            // The order of the entries of a map is free, and so is whether their defaults are written.
            if document.get("lm").is_none() {
                prop_assert_eq!(&payload[1..], &theirs[..]);
            }
            let back: Value = serde_json::from_str(&decoded(&all, &payload).unwrap()).unwrap();
            prop_assert_eq!(&back, &read(&payload[1..]));
            prop_assert_eq!(&back, &read(&theirs));
            prop_assert_eq!(encoded(&all, &back.to_string()).unwrap(), payload);
        }

        #[test]
        fn no_payload_panics(payload in any::<Vec<u8>>()) {
            let all = schema(ALL);
            if let Ok(json) = decoded(&all, &[&[0], &payload[..]].concat()) {
                prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{json}");
            }
        }

        #[test]
        fn no_change_to_a_payload_panics(document in any_document(), changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..6)) {
            let all = schema(ALL);
            let mut payload = encoded(&all, &document.to_string()).unwrap();
            for (at, byte) in changes {
                let at = at.index(payload.len());
                payload[at] = byte;
            }
            if let Ok(json) = decoded(&all, &payload) {
                prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{json}");
            }
        }

        #[test]
        fn no_text_panics(text in r#"(syntax = "proto[23]";|message [A-C] \{|\}|(int32|A|map<int32, B>|group) [a-z] = [0-9]{1,10};|oneof x \{|"|/\*|import "a";| ){0,12}"#) {
            let _ = ProtobufSchema::parse(&text, &[]);
        }
    }
}
