//! Avro: the binary encoding against Avro's JSON encoding.

mod binary;
mod cursor;
mod decode;
mod encode;
mod logical;
mod node;
mod number;
mod parser;
mod record;
mod union;

use std::sync::Arc;

use serde_json::value::RawValue;

use decode::Decoder;
use encode::{Encoder, Mode};
use node::Graph;

use crate::format::schema::{BadSchema, Mismatch, Reference, Undecodable};

/// An Avro schema that was parsed; shared.
#[derive(Clone)]
pub struct AvroSchema(Arc<Graph>);

impl AvroSchema {
    /// Parses a schema that may use the named types of `references`, of which each comes after those it needs.
    pub fn parse(text: &str, references: &[Reference<'_>]) -> Result<AvroSchema, BadSchema> {
        Ok(AvroSchema(Arc::new(parser::parse(text, references)?)))
    }

    /// Returns the full name of the schema if it is a named type.
    pub fn record_name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Appends the binary encoding of `json`, which is in Avro's JSON encoding: values of unions are tagged, `bytes` and
    /// `fixed` are strings of the characters U+0000 to U+00FF, all fields are there. Members that are no fields are
    /// dropped, as in the reference; logical types are their base type.
    ///
    /// A schema of nothing but bytes has them without their length, as the registry's serializers write and read them.
    ///
    /// `lenient` also takes untagged values of unions if one branch fits, absent fields with a default, and the usual
    /// texts of dates, times, UUIDs and decimals; decimals are then numbers or their texts, never bytes. Where
    /// more than one branch could be meant, one that would drop members does not fit.
    pub fn encode(&self, json: &RawValue, lenient: bool, out: &mut Vec<u8>) -> Result<(), Mismatch> {
        let mode = if lenient { Mode::Lenient } else { Mode::Strict };
        Encoder::new(&self.0, mode, json.get(), out).write()
    }

    /// Appends the JSON encoding of `payload`, which was written with this schema and is nothing but one value.
    pub fn decode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
        Decoder::new(&self.0, payload, out).read()
    }
}

#[cfg(test)]
mod reference;

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONAL: &str = r#"{"type":"record","name":"R","namespace":"n.s","fields":[
        {"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null}]}"#;
    const ALL: &str = r#"{"type":"record","name":"All","namespace":"x.y","fields":[{"name":"n","type":"null"},
        {"name":"z","type":"boolean"},{"name":"l","type":"long"},{"name":"d","type":"double"},
        {"name":"s","type":"string"},{"name":"by","type":"bytes"},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
        {"name":"ar","type":{"type":"array","items":"int"}},{"name":"m","type":{"type":"map","values":"string"}},
        {"name":"u","type":["null","int",{"type":"record","name":"In","fields":[{"name":"q","type":"int"}]}]},
        {"name":"fx","type":{"type":"fixed","name":"F2","size":2}}]}"#;

    fn parsed(schema: &str) -> AvroSchema {
        AvroSchema::parse(schema, &[]).unwrap()
    }

    fn encoded(schema: &str, json: &str, lenient: bool) -> Result<Vec<u8>, String> {
        let (raw, mut out): (&RawValue, _) = (serde_json::from_str(json).unwrap(), Vec::new());
        parsed(schema).encode(raw, lenient, &mut out).map_err(|mismatch| mismatch.to_string())?;
        Ok(out)
    }

    fn decoded(schema: &str, payload: &[u8]) -> Result<String, String> {
        let mut out = Vec::new();
        parsed(schema).decode(payload, &mut out).map_err(|undecodable| undecodable.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// Encodes in both modes, which have to agree, and decodes again.
    fn round_trip(schema: &str, json: &str) -> String {
        let payload = encoded(schema, json, false).unwrap();
        assert_eq!(encoded(schema, json, true).as_ref(), Ok(&payload), "{json}");
        decoded(schema, &payload).unwrap()
    }

    fn refused(schema: &str, json: &str) -> String {
        encoded(schema, json, false).unwrap_err()
    }

    #[test]
    fn every_type_comes_back_as_it_was_written() {
        let json = r#"{"n":null,"z":true,"l":9007199254740993,"d":0.5,"s":"é","by":"\u00ff\u0001","e":"B","ar":[1,2],"m":{"k":"v"},"u":{"x.y.In":{"q":7}},"fx":"ab"}"#;
        assert_eq!(round_trip(ALL, json), json.replace("\\u00ff", "ÿ"));
    }

    #[test]
    fn payloads_are_the_bytes_of_the_specification() {
        let cases: [(&str, &str, &[u8]); 13] = [
            (r#""int""#, "1", &[2]),
            (r#""int""#, "-2147483648", &[0xff, 0xff, 0xff, 0xff, 0x0f]),
            (r#""long""#, "1e2", &[0xc8, 1]),
            (r#""string""#, r#""\u00e9""#, &[4, 0xc3, 0xa9]),
            (r#"["bytes"]"#, r#"{"bytes":"é"}"#, &[0, 2, 0xe9]),
            (r#""bytes""#, r#""é""#, &[0xe9]),
            (r#""float""#, r#""NaN""#, &[0, 0, 0xc0, 0x7f]),
            (r#""double""#, r#""-Infinity""#, &[0, 0, 0, 0, 0, 0, 0xf0, 0xff]),
            (r#"{"type":"array","items":"null"}"#, "[null, null]", &[4, 0]),
            (r#"{"type":"array","items":"int"}"#, "[ ]", &[0]),
            (r#"{"type":"map","values":"int"}"#, r#"{"a": 1}"#, &[2, 2, b'a', 2, 0]),
            (OPTIONAL, r#"{"b":{"string":"x"},"a":1}"#, &[2, 2, 2, b'x']),
            (OPTIONAL, r#"{"a":1,"other":[{"a":2}],"b":null}"#, &[2, 0]),
        ];
        for (schema, json, payload) in cases {
            assert_eq!(encoded(schema, json, false).as_deref(), Ok(payload), "{schema} {json}");
        }
    }

    #[test]
    fn a_document_that_does_not_fit_says_where_and_what_to_send() {
        let cases = [
            (OPTIONAL, r#"{"a":"x","b":null}"#, "$.a: expected an int, found a string."),
            (
                OPTIONAL,
                r#"{"a":1}"#,
                "$.b: expected a value, as the strict encoding fills in no defaults: send the field, found nothing.",
            ),
            (
                OPTIONAL,
                r#"{"a":1,"b":"x"}"#,
                r#"$.b: expected a branch of the union: wrap the value as {"string": ..}, found a string."#,
            ),
            (OPTIONAL, r#"{"a":1,"b":{"string":1}}"#, "$.b.string: expected a string, found a number."),
            (
                OPTIONAL,
                r#"{"a":1,"b":{"string":"x","int":1}}"#,
                r#"$.b: expected an object with the one member "string", found an object with more members."#,
            ),
            (OPTIONAL, r#"{"b":null,"a":1,"b":null}"#, "$.b: expected each field once, found a second value."),
            (OPTIONAL, "[1]", "$: expected an object, which is a n.s.R, found an array."),
            (
                r#""int""#,
                "2147483648",
                "$: expected an int, a whole number from -2147483648 to 2147483647, found another number.",
            ),
            (
                r#"{"type":"array","items":{"type":"map","values":"boolean"}}"#,
                r#"[{},{"a b":1}]"#,
                r#"$[1]["a b"]: expected true or false, found a number."#,
            ),
            (
                r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
                r#""C""#,
                r#"$: expected one of "A", "B", found another string."#,
            ),
            (r#""float""#, "1e39", "$: expected a float, found a number out of its range."),
            (r#""string""#, r#""\ud800""#, "$: expected a string, found a string with half of a surrogate pair."),
        ];
        for (schema, json, sentence) in cases {
            assert_eq!(refused(schema, json), sentence, "{json}");
        }
        assert!(refused(r#""int""#, "1.5").contains("whole"));
        assert!(refused(r#""bytes""#, r#""€""#).contains("U+0000 to U+00FF"));
        assert!(refused(r#"{"type":"fixed","name":"F","size":2}"#, r#""abc""#).contains("2 bytes"));
    }

    #[test]
    fn a_tag_is_a_full_name_or_a_short_one_that_is_not_ambiguous() {
        let record = |name: &str| format!(r#"{{"type":"record","name":"{name}","fields":[]}}"#);
        let union = format!(r#"[{},{},{}]"#, record("a.R"), record("b.R"), record("a.S"));
        assert_eq!(encoded(&union, r#"{"b.R":{}}"#, false), Ok(vec![2]));
        assert_eq!(encoded(&union, r#"{"S":{}}"#, false), Ok(vec![4]));
        assert_eq!(decoded(&union, &[4]).unwrap(), r#"{"a.S":{}}"#);
        assert!(refused(&union, r#"{"R":{}}"#).contains(r#"{"a.R": ..} or {"b.R": ..}"#));
    }

    #[test]
    fn the_lenient_mode_takes_what_has_one_meaning() {
        let defaults = r#"{"type":"record","name":"D","fields":[{"name":"s","type":"string","default":"x"},
            {"name":"u","type":["string","int"],"default":"y"},{"name":"i","type":"int"},
            {"name":"f","type":{"type":"fixed","name":"F","size":1},"default":"\u00ff"}]}"#;
        let either = r#"["null","int","long","string",{"type":"array","items":"string"}]"#;
        let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#;
        let uuid = r#"{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}"#;
        let cases: [(&str, &str, &[u8]); 9] = [
            (OPTIONAL, r#"{"a":1}"#, &[2, 0]),
            (OPTIONAL, r#"{"b":"x","a":1}"#, &[2, 2, 2, b'x']),
            (defaults, r#"{"i":1}"#, &[2, b'x', 0, 2, b'y', 2, 0xff]),
            (either, "3000000000", &[4, 0x80, 0xf8, 0x82, 0xad, 0x16]),
            (either, r#"["x"]"#, &[8, 2, 2, b'x', 0]),
            (decimal, "1.5", &[0, 150]),
            (r#"{"type":"int","logicalType":"date"}"#, r#""1970-01-03""#, &[4]),
            (r#"{"type":"long","logicalType":"timestamp-millis"}"#, r#""1970-01-01T00:00:00.001Z""#, &[2]),
            (uuid, r#""00000000-0000-0000-0000-000000000001""#, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ];
        for (schema, json, payload) in cases {
            assert_eq!(encoded(schema, json, true).as_deref(), Ok(payload), "{schema} {json}");
            assert!(encoded(schema, json, false).is_err(), "{schema} {json}");
        }
        assert_eq!(
            encoded(either, "5", true).unwrap_err(),
            r#"$: expected a branch of the union: wrap the value as {"int": ..} or {"long": ..}, found a value that fits more than one branch."#
        );
        // The same text is bytes for the one mode and a number for the other.
        assert_eq!(encoded(decimal, r#""-1""#, false), Ok(vec![b'-', b'1']));
        assert_eq!(encoded(decimal, r#""-1""#, true), Ok(vec![0x9c]));
        assert!(encoded(decimal, r#""12345""#, true).is_err());
    }

    #[test]
    fn records_that_only_differ_in_their_fields_are_told_apart() {
        let union = r#"[{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]},
            {"type":"record","name":"B","fields":[{"name":"y","type":"int"}]},{"type":"map","values":"string"}]"#;
        assert_eq!(encoded(union, r#"{"y":1}"#, true), Ok(vec![2, 2]));
        assert_eq!(encoded(union, r#"{"B":{"y":1}}"#, true), Ok(vec![2, 2]));
        assert_eq!(encoded(union, r#"{"B":"y"}"#, true), Ok(vec![4, 2, 2, b'B', 2, b'y', 0]));
        assert_eq!(
            encoded(union, r#"{"A":{"x":true}}"#, true).unwrap_err(),
            "$.A.x: expected an int, found a boolean."
        );
        let one = r#"["null",{"type":"record","name":"A","fields":[{"name":"x","type":"int"}]}]"#;
        assert_eq!(encoded(one, r#"{"z":0,"x":1}"#, true), Ok(vec![2, 2]), "with one branch others are dropped");
        assert!(encoded(union, r#"{"x":1,"y":1}"#, true).unwrap_err().contains("none of them"));
    }

    #[test]
    fn nested_unions_are_not_tried_for_ever() {
        let node = |name: &str| {
            format!(r#"{{"type":"record","name":"{name}","fields":[{{"name":"n","type":["null","A","B"]}}]}}"#)
        };
        let b = node("B");
        let schema =
            format!(r#"["null",{{"type":"record","name":"A","fields":[{{"name":"n","type":["null","A",{b}]}}]}},"B"]"#);
        let json = format!("{}null{}", r#"{"n":"#.repeat(80), "}".repeat(80));
        assert!(encoded(&schema, &json, true).is_err());
    }

    #[test]
    fn a_recursive_schema_nests_up_to_the_limit() {
        let list =
            r#"{"type":"record","name":"L","fields":[{"name":"v","type":"int"},{"name":"n","type":["null","L"]}]}"#;
        let nested = |depth: usize| {
            format!("{}null{}", r#"{"v":1,"n":{"L":"#.repeat(depth), "}}".repeat(depth)).replacen(
                r#"{"L":null}"#,
                "null",
                1,
            )
        };
        let json = nested(100);
        assert_eq!(round_trip(list, &json), json);
        assert!(
            encoded(list, &nested(100_000), false)
                .unwrap_err()
                .ends_with("no more than 256 levels of nesting, found more.")
        );
        let endless = [2; 10_000];
        assert!(decoded(list, &endless).unwrap_err().contains("nested deeper"));
        let empty = r#"{"type":"record","name":"E","fields":[{"name":"e","type":"E","default":{}}]}"#;
        assert!(encoded(empty, "{}", true).is_err());
        assert!(decoded(empty, &[]).is_err());
    }

    #[test]
    fn payloads_that_do_not_fit_are_refused() {
        let cases: [(&str, &[u8]); 12] = [
            (r#""int""#, &[]),
            (r#""int""#, &[2, 2]),
            (r#""int""#, &[0x80, 0x80, 0x80, 0x80, 0x80, 1]),
            (r#""long""#, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
            (r#""boolean""#, &[2]),
            (r#""string""#, &[4, b'a']),
            (r#""string""#, &[1]),
            (r#""string""#, &[2, 0xff]),
            (r#"["null","int"]"#, &[4]),
            (r#"{"type":"enum","name":"E","symbols":["A"]}"#, &[2]),
            (r#"{"type":"array","items":"int"}"#, &[2, 2]),
            (r#"{"type":"fixed","name":"F","size":9223372036854775807}"#, &[1]),
        ];
        for (schema, payload) in cases {
            assert!(decoded(schema, payload).is_err(), "{schema} {payload:?}");
        }
    }

    #[test]
    fn blocks_may_have_sizes_and_a_claim_of_many_items_is_bounded() {
        let array = r#"{"type":"array","items":"int"}"#;
        assert_eq!(decoded(array, &[3, 4, 2, 4, 2, 6, 0]).unwrap(), "[1,2,3]");
        let nulls = r#"{"type":"array","items":"null"}"#;
        assert_eq!(decoded(nulls, &[4, 0]).unwrap(), "[null,null]");
        let most = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0];
        assert!(decoded(nulls, &most).unwrap_err().contains("too large"));
        let least = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0];
        assert!(decoded(nulls, &least).unwrap_err().contains("too large"));
    }

    #[test]
    fn types_of_references_are_known_and_the_record_name_is_full() {
        let first = Reference { name: "a.E", text: r#"{"type":"enum","name":"a.E","symbols":["X"]}"# };
        let second = r#"{"type":"record","name":"a.S","fields":[{"name":"e","type":"E"}]}"#;
        let second = Reference { name: "a.S", text: second };
        let text =
            r#"{"type":"record","name":"b.R","fields":[{"name":"s","type":"a.S"},{"name":"e","type":["null","a.E"]}]}"#;
        let schema = AvroSchema::parse(text, &[first, second]).unwrap();
        assert_eq!(schema.record_name(), Some("b.R"));
        let mut out = Vec::new();
        schema.decode(&[0, 2, 0], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"s":{"e":"X"},"e":{"a.E":"X"}}"#);
        assert_eq!(AvroSchema::parse(r#""a.S""#, &[first, second]).unwrap().record_name(), Some("a.S"));
        assert_eq!(parsed(r#""string""#).record_name(), None);
        assert!(AvroSchema::parse(text, &[first]).is_err());
    }

    #[test]
    fn schemas_that_cannot_be_read_are_refused_with_a_sentence() {
        let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(500), "}".repeat(500));
        let twice = r#"[{"type":"record","name":"A","fields":[{"name":"f","type":{"type":"fixed","name":"F","size":1}}]},
            {"type":"record","name":"B","fields":[{"name":"f","type":{"type":"enum","name":"F","symbols":[]}}]}]"#;
        let cases = [
            "",
            "{",
            "1",
            "null",
            r#"{"type":"nosuch"}"#,
            r#"{"type":"record","name":"R"}"#,
            r#"{"type":"record","name":"R","fields":[1]}"#,
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
            r#"{"name":"X","type":{"type":"record","name":"é","fields":[]}}"#,
            r#"["int","int"]"#,
            r#"[["int"]]"#,
            r#"{"type":"enum","name":"E","symbols":["A","A"]}"#,
            r#"{"type":"fixed","name":"F","size":-1}"#,
            twice,
            &deep,
        ];
        for schema in cases {
            let why = AvroSchema::parse(schema, &[]).map(|_| ()).unwrap_err().to_string();
            assert!(why.starts_with("The Avro schema cannot be used: ") && why.ends_with('.'), "{schema}: {why}");
        }
    }
}
