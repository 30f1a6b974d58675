//! Compares with the encoder of `apache_avro`, for schemas and values of any kind.

#[cfg(test)]
mod tests {
    use apache_avro::types::Value as Avro;
    use apache_avro::writer::datum::GenericDatumWriter;
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use crate::format::schema::avro::AvroSchema;

    /// Makes choices from bytes, so that what fails shrinks.
    struct Choices<'a> {
        bytes: &'a [u8],
        names: usize,
    }

    impl Choices<'_> {
        fn byte(&mut self) -> u8 {
            let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
            self.bytes = rest;
            *first
        }

        fn below(&mut self, count: usize) -> usize {
            usize::from(self.byte()) % count
        }

        fn long(&mut self) -> i64 {
            let bytes = std::array::from_fn(|_| self.byte());
            i64::from_le_bytes(bytes) >> (self.below(8) * 8)
        }

        fn text(&mut self) -> String {
            (0..self.below(5)).map(|_| ['a', '"', '\\', '\n', 'é', '😀', '\u{7f}', ' '][self.below(8)]).collect()
        }

        fn bytes(&mut self, size: usize) -> Vec<u8> {
            (0..size).map(|_| self.byte()).collect()
        }

        fn name(&mut self) -> String {
            self.names += 1;
            format!("{}N{}", ["a.", "x.y."][self.names % 2], self.names)
        }

        fn schema(&mut self, depth: usize) -> Value {
            let primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
            match self.below(if depth == 0 { 10 } else { 14 }) {
                kind @ 0..8 => json!(primitives[kind]),
                8 => json!({"type": "enum", "name": self.name(), "symbols": ["A", "B", "C"]}),
                9 => json!({"type": "fixed", "name": self.name(), "size": self.below(4)}),
                10 => json!({"type": "array", "items": self.schema(depth - 1)}),
                11 => json!({"type": "map", "values": self.schema(depth - 1)}),
                12 => self.record(depth),
                _ => self.union(depth),
            }
        }

        /// The names descend and a document is sorted: its members are not in the order of the fields.
        fn record(&mut self, depth: usize) -> Value {
            let name = self.name();
            let fields: Vec<_> = (0..self.below(4))
                .map(|at| json!({"name": format!("f{}", 9 - at), "type": self.schema(depth - 1)}))
                .collect();
            json!({"type": "record", "name": name, "fields": fields})
        }

        fn union(&mut self, depth: usize) -> Value {
            let mut branches = vec![json!("null"), json!("string"), json!("int"), json!("bytes")];
            branches.rotate_left(self.below(4));
            branches.truncate(1 + self.below(4));
            branches.push(self.record(depth));
            branches.push(json!({"type": "map", "values": self.schema(depth - 1)}));
            Value::from(branches)
        }

        /// Returns a value in Avro's JSON encoding, and the same for the reference.
        fn value(&mut self, schema: &Value) -> (Value, Avro) {
            if let Value::Array(branches) = schema {
                let index = self.below(branches.len());
                let (json, avro) = self.value(&branches[index]);
                let tag = tag(&branches[index]);
                let json = if tag == "null" { json } else { json!({tag: json}) };
                return (json, Avro::Union(u32::try_from(index).unwrap(), Box::new(avro)));
            }
            match schema["type"].as_str().or(schema.as_str()).unwrap() {
                "null" => (Value::Null, Avro::Null),
                "boolean" => {
                    let truth = self.below(2) == 1;
                    (json!(truth), Avro::Boolean(truth))
                }
                "int" => {
                    let number = i32::try_from(self.long() >> 32).unwrap();
                    (json!(number), Avro::Int(number))
                }
                "long" => {
                    let number = self.long();
                    (json!(number), Avro::Long(number))
                }
                "float" if self.below(4) == 0 => (json!("NaN"), Avro::Float(f32::NAN)),
                "float" => {
                    let number = f32::from(i16::from_le_bytes([self.byte(), self.byte()])) / 4.0;
                    (json!(number), Avro::Float(number))
                }
                "double" if self.below(4) == 0 => (json!("-Infinity"), Avro::Double(f64::NEG_INFINITY)),
                "double" => {
                    let number = f64::from(i32::try_from(self.long() >> 32).unwrap()) * 1e10;
                    (json!(number), Avro::Double(number))
                }
                "bytes" => {
                    let size = self.below(6);
                    let bytes = self.bytes(size);
                    (latin(&bytes), Avro::Bytes(bytes))
                }
                "string" => {
                    let text = self.text();
                    (json!(text), Avro::String(text))
                }
                "enum" => {
                    let index = self.below(3);
                    let symbol = ["A", "B", "C"][index];
                    (json!(symbol), Avro::Enum(u32::try_from(index).unwrap(), symbol.into()))
                }
                "fixed" => {
                    let bytes = self.bytes(usize::try_from(schema["size"].as_u64().unwrap()).unwrap());
                    (latin(&bytes), Avro::Fixed(bytes.len(), bytes))
                }
                "array" => {
                    let length = [0, 1, 3, 70][self.below(4)];
                    let (json, avro) = (0..length).map(|_| self.value(&schema["items"])).unzip();
                    (Value::Array(json), Avro::Array(avro))
                }
                // The reference has no order of more than one.
                "map" => {
                    let name = self.text();
                    let (json, avro) = self.value(&schema["values"]);
                    (json!({&name: json}), Avro::Map([(name, avro)].into()))
                }
                "record" => {
                    let names = schema["fields"].as_array().unwrap().iter();
                    let values: Vec<_> = names
                        .map(|field| (field["name"].as_str().unwrap().to_owned(), self.value(&field["type"])))
                        .collect();
                    let json = values.iter().map(|(name, (json, _))| (name.clone(), json.clone())).collect();
                    let avro = values.into_iter().map(|(name, (_, avro))| (name, avro)).collect();
                    (Value::Object(json), Avro::Record(avro))
                }
                other => panic!("{other}"),
            }
        }
    }

    fn tag(schema: &Value) -> &str {
        schema["name"].as_str().or(schema["type"].as_str()).or(schema.as_str()).unwrap()
    }

    fn latin(bytes: &[u8]) -> Value {
        json!(bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    }

    fn encoded(schema: &AvroSchema, json: &Value, lenient: bool) -> Option<Vec<u8>> {
        let raw = RawValue::from_string(json.to_string()).unwrap();
        let mut out = Vec::new();
        schema.encode(&raw, lenient, &mut out).ok().map(|()| out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn payloads_are_those_of_the_reference_and_come_back(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut choices = Choices { bytes: &bytes, names: 0 };
            let text = choices.schema(3);
            let schema = AvroSchema::parse(&text.to_string(), &[]).unwrap();
            let reference = apache_avro::Schema::parse(&text).unwrap();
            let (json, avro) = choices.value(&text);

            let payload = encoded(&schema, &json, false).unwrap();
            let writer = GenericDatumWriter::builder(&reference).build().unwrap();
            let written = writer.write_value_to_vec(avro).unwrap();
            // The registry's serializers write bytes that are all there is without the length.
            prop_assert_eq!(&payload, &written[usize::from(text == "bytes")..]);
            prop_assert_eq!(encoded(&schema, &json, true), Some(payload.clone()));

            let mut out = Vec::new();
            schema.decode(&payload, &mut out).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), json);
        }

        #[test]
        fn any_bytes_are_a_value_or_undecodable_and_no_gigabytes(
            choices in prop::collection::vec(any::<u8>(), 0..64),
            payload in prop::collection::vec(prop_oneof![Just(0u8), Just(2), Just(4), any::<u8>()], 0..64),
        ) {
            let text = Choices { bytes: &choices, names: 0 }.schema(3);
            let schema = AvroSchema::parse(&text.to_string(), &[]).unwrap();
            let mut out = Vec::new();
            if schema.decode(&payload, &mut out).is_ok() {
                let json: Value = serde_json::from_slice(&out).unwrap();
                prop_assert!(encoded(&schema, &json, false).is_some(), "what is read can be written");
            }
            prop_assert!(out.len() < 2 << 20);
        }

        #[test]
        fn a_document_of_another_schema_is_no_panic(
            mine in prop::collection::vec(any::<u8>(), 0..200),
            other in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut choices = Choices { bytes: &mine, names: 0 };
            let text = choices.schema(3);
            let (json, _) = choices.value(&text);
            let other = Choices { bytes: &other, names: 0 }.schema(3);
            let schema = AvroSchema::parse(&other.to_string(), &[]).unwrap();
            for lenient in [false, true] {
                if let Some(payload) = encoded(&schema, &json, lenient) {
                    prop_assert!(schema.decode(&payload, &mut Vec::new()).is_ok());
                }
            }
        }
    }
}
