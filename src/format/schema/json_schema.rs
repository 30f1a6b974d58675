use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::format::json;
use crate::format::schema::limits::{check_size, shortened};
use crate::format::schema::place::{at_pointer, kind_of};
use crate::format::schema::{BadSchema, Mismatch, Reference, Undecodable};

/// The size of a schema with all its references, in bytes.
const MAX_SIZE: usize = 1024 * 1024;

/// How often a pattern with look-around or back references may go back in one text; others never do.
const MAX_BACKTRACKS: usize = 100_000;

/// The size of a compiled pattern and of its automaton, in bytes.
const MAX_PATTERN_SIZE: usize = 1024 * 1024;

/// A JSON Schema that was parsed; shared, cheap to clone.
#[derive(Clone)]
pub struct JsonSchema(Arc<Parsed>);

struct Parsed {
    validator: Validator,
    title: Option<String>,
}

impl JsonSchema {
    /// Parses a schema of the draft that `$schema` names, which is draft 7 where it names none.
    ///
    /// `$ref` leads to the references only: nothing is fetched from anywhere.
    pub fn parse(text: &str, references: &[Reference<'_>]) -> Result<JsonSchema, BadSchema> {
        check_size(text, references, MAX_SIZE)?;
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| BadSchema::new(format!("The JSON Schema is no JSON document: {error}.")))?;
        let patterns = PatternOptions::fancy_regex()
            .backtrack_limit(MAX_BACKTRACKS)
            .size_limit(MAX_PATTERN_SIZE)
            .dfa_size_limit(MAX_PATTERN_SIZE);
        let validator = jsonschema::options()
            .with_draft(draft_of(&schema))
            .with_retriever(Documents::parse(references)?)
            .with_pattern_options(patterns)
            .build(&schema)
            .map_err(|error| bad_schema(&error))?;
        let title = schema.get("title").and_then(Value::as_str).map(str::to_owned);
        Ok(JsonSchema(Arc::new(Parsed { validator, title })))
    }

    /// Returns the title of the schema.
    pub fn record_name(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// Appends the compact text of `json`, which has to fit the schema.
    pub fn encode(&self, json: &RawValue, out: &mut Vec<u8>) -> Result<(), Mismatch> {
        let value: Value = serde_json::from_str(json.get()).map_err(|error| unreadable(&error))?;
        if !self.0.validator.is_valid(&value) {
            self.0.validator.validate(&value).map_err(|error| mismatch(&error, &value))?;
        }
        json::append(json.get(), out).map_err(|_| Mismatch::new("fewer levels of nesting", "more than 1000"))
    }

    /// Appends the text of a payload; it has to be JSON, but is not checked against the schema, as in the reference.
    pub fn decode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
        let value: &RawValue = serde_json::from_slice(payload)
            .map_err(|error| Undecodable::new(format!("The payload is no JSON: {}.", reason(&error))))?;
        json::append(value.get(), out).map_err(|_| Undecodable::new("The JSON is nested deeper than 1000 levels."))
    }
}

/// Returns the draft that a schema says it is of; a vocabulary that nobody here knows is read as draft 7.
fn draft_of(schema: &Value) -> Draft {
    match Draft::Draft7.detect(schema) {
        Draft::Unknown => Draft::Draft7,
        known => known,
    }
}

fn bad_schema(error: &ValidationError<'_>) -> BadSchema {
    let place = match error.instance_path().as_str() {
        "" => String::new(),
        pointer => format!(" at {}", shortened(pointer)),
    };
    BadSchema::new(format!("The JSON Schema is not valid{place}: {}.", shortened(&error.to_string())))
}

/// Says why a document that is JSON cannot be read all the same, without quoting it.
fn unreadable(error: &serde_json::Error) -> Mismatch {
    Mismatch::new("a document with up to 127 levels and numbers in the range of a double", reason(error))
}

fn reason(error: &serde_json::Error) -> String {
    format!("a fault in line {}, column {}", error.line(), error.column())
}

/// The documents that a schema may refer to.
struct Documents(HashMap<String, Value>);

impl Documents {
    /// Parses the references; each is found by its name and by its `$id`.
    fn parse(references: &[Reference<'_>]) -> Result<Documents, BadSchema> {
        let mut documents = HashMap::new();
        for reference in references {
            let document: Value = serde_json::from_str(reference.text).map_err(|error| {
                BadSchema::new(format!("The reference {} is no JSON document: {error}.", shortened(reference.name)))
            })?;
            if let Some(id) = document.get("$id").or_else(|| document.get("id")).and_then(Value::as_str) {
                documents.entry(id.trim_end_matches('#').to_owned()).or_insert_with(|| document.clone());
            }
            documents.insert(reference.name.to_owned(), document);
        }
        Ok(Documents(documents))
    }

    /// Finds what a resolved URI stands for: a relative name was resolved against the schema's own URI before.
    fn find(&self, uri: &str) -> Option<&Value> {
        let uri = uri.split_once('#').map_or(uri, |(document, _)| document);
        let is_tail = |name: &str| uri.strip_suffix(name).is_some_and(|before| before.ends_with('/'));
        let by_tail = || self.0.iter().filter(|(name, _)| is_tail(name)).max_by_key(|(name, _)| name.len());
        self.0.get(uri).or_else(|| by_tail().map(|(_, document)| document))
    }
}

impl Retrieve for Documents {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.find(uri.as_str()).cloned().ok_or_else(|| "it is none of the schema's references".into())
    }
}

/// Says in one sentence where a value does not fit and what would; quotes the schema, never the value.
fn mismatch(error: &ValidationError<'_>, value: &Value) -> Mismatch {
    at_pointer(error.instance_path().as_str(), value, |_| {
        Mismatch::new(shortened(&expectation(error.kind())), kind_of(error.instance()))
    })
}

fn expectation(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::AdditionalItems { limit } => format!("no more than {limit} items"),
        ValidationErrorKind::AdditionalProperties { .. } | ValidationErrorKind::UnevaluatedProperties { .. } => {
            "only properties that the schema names".to_owned()
        }
        ValidationErrorKind::AnyOf { .. } => "what at least one schema of anyOf allows".to_owned(),
        ValidationErrorKind::BacktrackLimitExceeded { .. } => {
            "a text that the pattern can be matched with in time".to_owned()
        }
        ValidationErrorKind::RegexEngineFailure { .. } => "a text that the pattern can be matched with".to_owned(),
        ValidationErrorKind::Constant { expected_value } => expected_value.to_string(),
        ValidationErrorKind::Contains => "an item that the schema of contains allows".to_owned(),
        ValidationErrorKind::ContentEncoding { content_encoding } => format!("a text encoded as {content_encoding}"),
        ValidationErrorKind::ContentMediaType { content_media_type } => {
            format!("a text of the type {content_media_type}")
        }
        ValidationErrorKind::Custom { keyword, .. } => format!("what {keyword} allows"),
        ValidationErrorKind::Enum { options } => format!("one of {options}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        ValidationErrorKind::FalseSchema => "nothing, as the schema is false".to_owned(),
        ValidationErrorKind::Format { format } => format!("a text in the format {format}"),
        ValidationErrorKind::FromUtf8 { .. } => "an encoded text in UTF-8".to_owned(),
        ValidationErrorKind::MaxItems { limit } => format!("at most {limit} items"),
        ValidationErrorKind::Maximum { limit } => format!("at most {limit}"),
        ValidationErrorKind::MaxLength { limit } => format!("at most {limit} characters"),
        ValidationErrorKind::MaxProperties { limit } => format!("at most {limit} properties"),
        ValidationErrorKind::MinItems { limit } => format!("at least {limit} items"),
        ValidationErrorKind::Minimum { limit } => format!("at least {limit}"),
        ValidationErrorKind::MinLength { limit } => format!("at least {limit} characters"),
        ValidationErrorKind::MinProperties { limit } => format!("at least {limit} properties"),
        ValidationErrorKind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        ValidationErrorKind::Not { .. } => "what the schema of not does not allow".to_owned(),
        ValidationErrorKind::OneOfMultipleValid { .. } => "what one schema of oneOf alone allows".to_owned(),
        ValidationErrorKind::OneOfNotValid { .. } => "what one schema of oneOf allows".to_owned(),
        ValidationErrorKind::Pattern { pattern } => format!("a text that matches {pattern}"),
        ValidationErrorKind::PropertyNames { .. } => "property names that the schema allows".to_owned(),
        ValidationErrorKind::Required { property } => format!("the property {property}"),
        ValidationErrorKind::Type { kind } => types(kind),
        ValidationErrorKind::UnevaluatedItems { .. } => "only items that the schema describes".to_owned(),
        ValidationErrorKind::UniqueItems => "items that differ from each other".to_owned(),
        ValidationErrorKind::Referencing(_) => "a schema whose references can be resolved".to_owned(),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(name) => format!("the type {name}"),
        TypeKind::Multiple(names) => {
            let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
            format!("one of the types {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schema(text: &str) -> JsonSchema {
        JsonSchema::parse(text, &[]).unwrap()
    }

    fn encoded(schema: &JsonSchema, json: &str) -> Result<String, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let mut out = Vec::new();
        schema.encode(raw, &mut out).map_err(|mismatch| mismatch.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn refusal(text: &str, references: &[Reference<'_>]) -> String {
        JsonSchema::parse(text, references).err().expect("a bad schema").to_string()
    }

    #[test]
    fn what_fits_is_stored_compact_with_its_numbers_as_they_came() {
        let any = schema("{}");
        let cases = [
            ("{ \"a\" : 1.10 }", r#"{"a":1.10}"#),
            ("9007199254740993", "9007199254740993"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (r#""\u00e9""#, "\"é\""),
        ];
        for (json, stored) in cases {
            assert_eq!(encoded(&any, json).unwrap(), stored);
        }
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_path() {
        let text = r#"{"type":"object","required":["a"],"additionalProperties":false,"properties":{
            "a":{"type":"integer","maximum":9007199254740993},"b":{"items":{"type":["string","null"]}},
            "c":{"enum":["x","y"]},"d":{"pattern":"^(?=a)a+$"},"5":{"minLength":2}}}"#;
        let schema = schema(text);
        let cases = [
            (r#"{"a":"x"}"#, "$.a: expected the type integer, found a string."),
            (r#"{"a":1.5}"#, "$.a: expected the type integer, found a number."),
            (r#"{"a":9007199254740994}"#, "$.a: expected at most 9007199254740993, found a number."),
            (r#"{"b":[]}"#, "$: expected the property \"a\", found an object."),
            (r#"{"a":1,"b":["x",null,3]}"#, "$.b[2]: expected one of the types null, string, found a number."),
            (r#"{"a":1,"c":"secret"}"#, r#"$.c: expected one of ["x","y"], found a string."#),
            (r#"{"a":1,"d":"b"}"#, "$.d: expected a text that matches ^(?=a)a+$, found a string."),
            (r#"{"a":1,"5":"b"}"#, "$[\"5\"]: expected at least 2 characters, found a string."),
            (r#"{"a":1,"e":1}"#, "$: expected only properties that the schema names, found an object."),
        ];
        for (json, sentence) in cases {
            let found = encoded(&schema, json).unwrap_err();
            let plain = |text: &str| text.replace("[\"5\"]", ".5");
            assert_eq!(plain(&found), plain(sentence), "{json}");
        }
        assert!(encoded(&schema, r#"{"a":9007199254740993}"#).is_ok());
    }

    #[test]
    fn the_draft_is_the_named_one_and_draft_7_otherwise() {
        let tuple = r#""items":[{"type":"string"}],"additionalItems":false"#;
        assert!(encoded(&schema(&format!("{{{tuple}}}")), r#"["a",1]"#).is_err());
        let new = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{"type":"string"}],"items":false}"#;
        assert!(encoded(&schema(new), r#"["a",1]"#).is_err());
        assert!(encoded(&schema(new), r#"["a"]"#).is_ok());
        assert!(encoded(&schema(r#"{"$schema":"http://example.com/own","type":"string"}"#), "1").is_err());
    }

    #[test]
    fn references_are_found_by_name_and_by_id_and_nowhere_else() {
        let name = Reference { name: "other.json", text: r#"{"$id":"http://example.com/o","type":"string"}"# };
        for uri in ["other.json", "http://example.com/o", "other.json#"] {
            let schema = JsonSchema::parse(&format!(r#"{{"$ref":"{uri}"}}"#), &[name]).unwrap();
            assert!(encoded(&schema, "1").is_err(), "{uri}");
            assert!(encoded(&schema, "\"x\"").is_ok(), "{uri}");
        }
        let based = r#"{"$id":"http://example.com/root","properties":{"a":{"$ref":"other.json"}}}"#;
        assert!(encoded(&JsonSchema::parse(based, &[name]).unwrap(), r#"{"a":1}"#).is_err());
        for uri in ["http://127.0.0.1:1/x", "file:///etc/passwd", "missing.json"] {
            assert!(refusal(&format!(r#"{{"$ref":"{uri}"}}"#), &[name]).contains("not valid"), "{uri}");
        }
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for text in ["{", "", "1", "\"x\"", r#"{"type":"nosuch"}"#, r#"{"pattern":"("}"#, r##"{"$ref":"#/none"}"##] {
            assert!(refusal(text, &[]).starts_with("The JSON Schema is"), "{text}");
        }
        assert!(refusal(&"[".repeat(100_000), &[]).len() < 500);
        assert!(refusal(&" ".repeat(2_000_000), &[]).contains("larger"));
    }

    #[test]
    fn loops_and_costly_patterns_come_to_an_end() {
        let tree = schema(r##"{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}"##);
        let deep = format!("{}1{}", r#"{"a":"#.repeat(120), "}".repeat(120));
        assert!(encoded(&tree, &deep).is_ok());
        for text in [
            r##"{"$ref":"#"}"##,
            r##"{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}"##,
        ] {
            if let Ok(schema) = JsonSchema::parse(text, &[]) {
                let _ = encoded(&schema, "1");
            }
        }
        let costly = schema(r#"{"pattern":"^(?=(a+)+$)b"}"#);
        assert!(encoded(&costly, &format!("\"{}c\"", "a".repeat(200))).is_err());
    }

    #[test]
    fn a_chain_of_choices_is_not_taken_apart_for_ever() {
        let mut text = r##"{"$ref":"#/definitions/d0","definitions":{"##.to_owned();
        for level in 0..40 {
            let next = format!(r##"{{"$ref":"#/definitions/d{}"}}"##, level + 1);
            text.push_str(&format!(r#""d{level}":{{"anyOf":[{next},{next}]}},"#));
        }
        text.push_str(r#""d40":{"type":"string"}}}"#);
        assert!(encoded(&schema(&text), "\"x\"").is_ok());
    }

    #[test]
    fn payloads_have_to_be_json_only() {
        let strict = schema(r#"{"type":"string"}"#);
        let decoded = |payload: &[u8]| {
            let mut out = Vec::new();
            strict.decode(payload, &mut out).map(|()| out)
        };
        assert_eq!(decoded(b"{\"a\": 1}").unwrap(), b"{\"a\":1}");
        for payload in [&b""[..], b"{", b"1 2", b"\xff", b"\"\xff\"", b"nul"] {
            assert!(decoded(payload).is_err());
        }
    }

    #[test]
    fn the_title_is_the_name() {
        assert_eq!(schema(r#"{"title":"T"}"#).record_name(), Some("T"));
        assert_eq!(schema("true").record_name(), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in r#"\{("(type|items|properties|pattern|minimum|\$ref|anyOf)":("a"|"string"|1e30|-1|\{\}|\[\]|"\#"|null),?){0,3}\}"#, json in any::<i128>(), payload in any::<Vec<u8>>()) {
            if let Ok(schema) = JsonSchema::parse(&text, &[]) {
                let _ = encoded(&schema, &json.to_string());
                let _ = schema.decode(&payload, &mut Vec::new());
            }
        }
    }
}
