use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::domain::connect::entries::{self, Entries};
use crate::domain::connect::secrets::{Known, MASK, Secrets, parts};

/// What is nested deeper in an answer is not looked at and masked as a whole; no worker nests so deep.
const MAX_DEPTH: usize = 32;

/// What a body of a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A bare config.
    Config,
    /// `{name, config, tasks, type}`.
    Info,
    /// `[{id, config}]`; what is known as a secret of the connector is one here under any key.
    Tasks,
    /// Configs of tasks by the task's name; likewise.
    TasksConfig,
    /// The result of a validation.
    Validation,
    /// The state of a connector or of one task, with traces.
    Status,
    /// `{info, status}` of one connector out of an expanded list.
    Expanded,
    /// `{error_code, message}`.
    Error,
}

/// The body of a worker is no JSON: nothing of it may be passed on.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Returns the body without secrets, otherwise byte for byte as it is.
///
/// Traces and messages lose the `known` secrets too. A member that the shape does not have loses whatever its key or
/// text tells to be a secret, and so does all of a body of another shape. An error that is no JSON is a text.
pub fn mask(shape: Shape, body: &Bytes, secrets: &Secrets<'_>, known: &Known) -> Result<Bytes, Unreadable> {
    let value: &RawValue = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(_) if shape == Shape::Error => return Ok(secrets.redacted(&String::from_utf8_lossy(body), known).into()),
        Err(_) => return Err(Unreadable),
    };
    let mut all_known = known.clone();
    if shape == Shape::Expanded {
        add_secrets_of(value, secrets, &mut all_known);
    }
    let mut masking = Masking { secrets, known: &all_known, edits: Edits::new(body) };
    masking.value(Place::from(shape), "", value, 0);
    Ok(masking.edits.apply())
}

/// Adds the secrets of the config in a member of an expanded list.
fn add_secrets_of(member: &RawValue, secrets: &Secrets<'_>, known: &mut Known) {
    let Ok(member) = Entries::of(member) else { return };
    for info in member.all("info").filter_map(|info| Entries::of(info).ok()) {
        info.all("config").filter_map(|config| Entries::of(config).ok()).for_each(|config| known.add(&config, secrets));
    }
}

/// What a value is by where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Config,
    /// A value of a config.
    Value,
    TaskConfig,
    /// A value of a task's config.
    TaskValue,
    Info,
    Task,
    TaskId,
    TasksConfig,
    Validation,
    /// One key's part of a validation.
    Validated,
    /// Its `value`, of a secret.
    Secret,
    /// Its `value`, of anything else.
    Harmless,
    Status,
    Expanded,
    Error,
    /// A message or trace.
    Text,
    /// What has no secret in it.
    Plain,
    Anything,
}

impl From<Shape> for Place {
    fn from(shape: Shape) -> Place {
        match shape {
            Shape::Config => Place::Config,
            Shape::Info => Place::Info,
            Shape::Tasks => Place::Task,
            Shape::TasksConfig => Place::TasksConfig,
            Shape::Validation => Place::Validation,
            Shape::Status => Place::Status,
            Shape::Expanded => Place::Expanded,
            Shape::Error => Place::Error,
        }
    }
}

impl Place {
    /// Returns what a member is; elements of a list are what the list is.
    fn member(self, name: &str) -> Place {
        match (self, name) {
            (Place::Config, _) => Place::Value,
            (Place::TaskConfig, _) => Place::TaskValue,
            (Place::TasksConfig, _) => Place::TaskConfig,
            (Place::Info, "config") => Place::Config,
            (Place::Task, "config") => Place::TaskConfig,
            (Place::Info, "tasks") | (Place::Task, "id") => Place::TaskId,
            (Place::Info, "name" | "type") | (Place::TaskId, "connector" | "task") => Place::Plain,
            (Place::Validation, "configs") => Place::Validated,
            (Place::Validation, "name" | "groups" | "error_count") => Place::Plain,
            (Place::Validated, "definition") => Place::Plain,
            (Place::Secret | Place::Harmless, "errors") => Place::Text,
            (Place::Secret | Place::Harmless, "name" | "visible" | "recommended_values") => Place::Plain,
            (Place::Status, "connector" | "tasks") => Place::Status,
            (Place::Status, "trace") => Place::Text,
            (Place::Status, "name" | "id" | "state" | "worker_id" | "type" | "version") => Place::Plain,
            (Place::Expanded, "info") => Place::Info,
            (Place::Expanded, "status") => Place::Status,
            (Place::Error, "message") => Place::Text,
            (Place::Error, "error_code") => Place::Plain,
            (Place::Plain, _) => Place::Plain,
            _ => Place::Anything,
        }
    }

    /// Tells whether a secret's key makes a secret of the whole value.
    fn has_keys(self) -> bool {
        matches!(self, Place::Value | Place::TaskValue | Place::Anything)
    }
}

struct Masking<'a> {
    secrets: &'a Secrets<'a>,
    known: &'a Known,
    edits: Edits<'a>,
}

impl<'a> Masking<'a> {
    fn value(&mut self, place: Place, key: &str, value: &'a RawValue, depth: usize) {
        let is_nested = value.get().starts_with(['{', '[']);
        if place == Place::Plain || entries::is_null(value) {
            return;
        }
        if is_nested && (depth == MAX_DEPTH || place.has_keys() && self.secrets.has(key)) {
            return self.edits.replace(value, MASK);
        }
        match value.get().as_bytes().first() {
            Some(b'{') => self.object(place, value, depth),
            Some(b'[') => {
                let elements: Vec<&'a RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
                elements.into_iter().for_each(|element| self.value(place, key, element, depth + 1));
            }
            _ => self.scalar(place, key, value),
        }
    }

    fn object(&mut self, place: Place, value: &'a RawValue, depth: usize) {
        // Only a name that is no Unicode text can be wrong with it.
        let Ok(entries) = Entries::of(value) else { return self.edits.replace(value, MASK) };
        let is_secret = place == Place::Validated && is_secret(&entries, self.secrets);
        for (name, value) in entries.iter() {
            match (place, name) {
                (Place::Validated, "value") => {
                    let place = if is_secret { Place::Secret } else { Place::Harmless };
                    self.value(place, name, value, depth + 1);
                }
                (Place::Secret, "value") => self.secret(value),
                (Place::Harmless, "value") => self.value(Place::Value, "", value, depth + 1),
                _ => self.value(place.member(name), name, value, depth + 1),
            }
        }
    }

    fn scalar(&mut self, place: Place, key: &str, value: &'a RawValue) {
        let Some(text) = entries::text(value) else { return self.edits.replace(value, MASK) };
        let shown = match place {
            Place::Value => self.secrets.shown(key, &text),
            Place::TaskValue => self.secrets.shown(key, &text).or_else(|| self.without_known(&text)),
            _ if place.has_keys() && self.secrets.has(key) => self.secrets.shown(key, &text),
            // A number says nothing.
            _ if !value.get().starts_with('"') => None,
            _ => Some(self.secrets.redacted(&text, self.known)).filter(|redacted| *redacted != text),
        };
        if let Some(shown) = shown {
            self.edits.replace(value, &shown);
        }
    }

    fn without_known(&self, text: &str) -> Option<String> {
        let found = parts::joined(self.known.find(text));
        (!found.is_empty()).then(|| parts::masked(text, &found))
    }

    /// Masks the value of a secret, unless it is hidden by the worker already.
    fn secret(&mut self, value: &'a RawValue) {
        let text = entries::text(value);
        let is_shown = |text: &str| text.is_empty() || text == "[hidden]" || parts::is_reference(text);
        if !entries::is_null(value) && !text.is_some_and(|text| is_shown(&text)) {
            self.edits.replace(value, MASK);
        }
    }
}

/// Tells whether one key's part of a validation is that of a secret, by its type or any of its names.
fn is_secret(validated: &Entries<'_>, secrets: &Secrets<'_>) -> bool {
    let of = |member: &'static str| validated.all(member).filter_map(|part| Entries::of(part).ok());
    let is_typed = |part: &Entries<'_>| part.all("type").filter_map(entries::text).any(|kind| kind == "PASSWORD");
    let is_named = |part: &Entries<'_>| part.all("name").filter_map(entries::text).any(|name| secrets.has(&name));
    of("definition").any(|part| is_typed(&part) || is_named(&part)) || of("value").any(|part| is_named(&part))
}

/// Texts to put in the place of values, in the order in which they stand in the body.
pub(super) struct Edits<'a> {
    body: &'a Bytes,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Edits<'a> {
    pub(super) fn new(body: &'a Bytes) -> Edits<'a> {
        Edits { body, edits: Vec::new() }
    }

    /// Puts a text in the place of a value, which has to be part of the body and after those before.
    pub(super) fn replace(&mut self, value: &'a RawValue, text: &str) {
        self.replace_json(value, serde_json::Value::from(text).to_string());
    }

    /// Puts a JSON text there.
    pub(super) fn replace_json(&mut self, value: &'a RawValue, json: String) {
        let start = value.get().as_ptr() as usize - self.body.as_ptr() as usize;
        self.edits.push((start..start + value.get().len(), json));
    }

    /// Returns the body with the edits; without any it is not copied.
    pub(super) fn apply(self) -> Bytes {
        if self.edits.is_empty() {
            return self.body.clone();
        }
        let (mut edited, mut end) = (Vec::with_capacity(self.body.len()), 0);
        for (range, json) in self.edits {
            edited.extend_from_slice(&self.body[end..range.start]);
            edited.extend_from_slice(json.as_bytes());
            end = range.end;
        }
        edited.extend_from_slice(&self.body[end..]);
        edited.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::connect::secrets::{KeyPattern, Passwords, Plugin};

    const SECRET: &str = "hunt\"er\u{e9}2-\\x";

    fn secrets(pattern: &KeyPattern) -> Secrets<'_> {
        let mut passwords = Passwords::default();
        passwords.add(&Plugin { class: None, version: None, prefix: "".into() }, Some(&["pin".into()]));
        Secrets::new(pattern, passwords)
    }

    fn shown(shape: Shape, body: &str) -> String {
        let pattern = KeyPattern::built_in();
        let masked = mask(shape, &Bytes::copy_from_slice(body.as_bytes()), &secrets(&pattern), &Known::default());
        String::from_utf8(masked.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn every_shape_is_masked_and_otherwise_as_it_was() {
        let cases = [
            (
                Shape::Config,
                r#"{ "pin":"x1" , "tasks.max" : 1.50, "password":1e400, "db.password":null, "a.token":"", "n":"\u0041" }"#,
                r#"{ "pin":"********" , "tasks.max" : 1.50, "password":"********", "db.password":null, "a.token":"", "n":"\u0041" }"#,
            ),
            (
                Shape::Config,
                r#"{"password":"a","password":"********","pass\u0077ord":"b","password":{"x":["y"]},"z":{"pin":"c","d":1}}"#,
                r#"{"password":"********","password":"********","pass\u0077ord":"********","password":"********","z":{"pin":"********","d":1}}"#,
            ),
            (
                Shape::Config,
                r#"{"password":"${file:/a:b}","url":"http://u:p@h","pin":"\ud800","x":"\ud800"}"#,
                r#"{"password":"${file:/a:b}","url":"http://u:********@h","pin":"********","x":"********"}"#,
            ),
            (
                Shape::Info,
                r#"{"name":"password=x","config":{"pin":"x"},"tasks":[{"connector":"token=x","task":0}],"type":"sink","more":{"pin":"y"}}"#,
                r#"{"name":"password=x","config":{"pin":"********"},"tasks":[{"connector":"token=x","task":0}],"type":"sink","more":{"pin":"********"}}"#,
            ),
            (
                Shape::Tasks,
                r#"[{"id":{"connector":"c","task":0},"config":{"pin":"x","task.class":"C"}}, []]"#,
                r#"[{"id":{"connector":"c","task":0},"config":{"pin":"********","task.class":"C"}}, []]"#,
            ),
            (
                Shape::TasksConfig,
                r#"{"password-0":{"pin":"x","a":"b"}}"#,
                r#"{"password-0":{"pin":"********","a":"b"}}"#,
            ),
            (
                Shape::Validation,
                r#"{"name":"C","error_count":1,"groups":["g"],"configs":[
                    {"definition":{"name":"a","type":"PASSWORD"},"value":{"name":"a","value":"x","recommended_values":["r"],"errors":["password=y bad"]}},
                    {"value":{"value":"x","name":"pin"},"definition":null},
                    {"definition":{"name":"pin","type":"PASSWORD"},"value":{"name":"pin","value":"[hidden]","errors":[]}},
                    {"definition":{"name":"b","type":"STRING"},"value":{"name":"b","value":"http://u:p@h","errors":[]}},
                    {"definition":{"name":"c","type":"STRING"},"value":{"name":"c","value":null,"errors":[]}}]}"#,
                r#"{"name":"C","error_count":1,"groups":["g"],"configs":[
                    {"definition":{"name":"a","type":"PASSWORD"},"value":{"name":"a","value":"********","recommended_values":["r"],"errors":["password=******** bad"]}},
                    {"value":{"value":"********","name":"pin"},"definition":null},
                    {"definition":{"name":"pin","type":"PASSWORD"},"value":{"name":"pin","value":"[hidden]","errors":[]}},
                    {"definition":{"name":"b","type":"STRING"},"value":{"name":"b","value":"http://u:********@h","errors":[]}},
                    {"definition":{"name":"c","type":"STRING"},"value":{"name":"c","value":null,"errors":[]}}]}"#,
            ),
            (
                Shape::Status,
                r#"{"name":"c","connector":{"state":"FAILED","worker_id":"h:1","trace":"E: pin=x\n\tat a"},"tasks":[{"id":0,"trace":"token: x"}],"type":"sink"}"#,
                r#"{"name":"c","connector":{"state":"FAILED","worker_id":"h:1","trace":"E: pin=********\n\tat a"},"tasks":[{"id":0,"trace":"token: ********"}],"type":"sink"}"#,
            ),
            (
                Shape::Expanded,
                r#"{"status":{"name":"c","connector":{"trace":"bad hunter2!"}},"info":{"name":"hunter2","config":{"pin":"hunter2","b":"hunter2"}}}"#,
                r#"{"status":{"name":"c","connector":{"trace":"bad ********!"}},"info":{"name":"hunter2","config":{"pin":"********","b":"hunter2"}}}"#,
            ),
            (
                Shape::Error,
                r#"{"error_code":400,"message":"config {pin=a b, name=c} contains no connector type"}"#,
                r#"{"error_code":400,"message":"config {pin=********, name=c} contains no connector type"}"#,
            ),
            (Shape::Error, "<p>password=x</p>", "<p>password=********"),
            (Shape::Info, r#"{"pin":"x","a":"b"}"#, r#"{"pin":"********","a":"b"}"#),
            (Shape::Config, r#"["password=x",1,null]"#, r#"["password=********",1,null]"#),
        ];
        for (shape, body, expected) in cases {
            assert_eq!(shown(shape, body), expected, "{shape:?}");
        }
    }

    #[test]
    fn a_task_loses_what_is_known_of_its_connector_under_any_key() {
        let pattern = KeyPattern::built_in();
        let known = Known::of(br#"{"pin":"hunter2"}"#, &secrets(&pattern));
        let body = Bytes::from_static(br#"[{"id":{"connector":"hunter2","task":0},"config":{"a":"x hunter2"}}]"#);
        let masked = mask(Shape::Tasks, &body, &secrets(&pattern), &known).unwrap();
        assert_eq!(masked, r#"[{"id":{"connector":"hunter2","task":0},"config":{"a":"x ********"}}]"#);
    }

    #[test]
    fn what_is_no_json_is_not_passed_on() {
        let pattern = KeyPattern::built_in();
        for body in [&b"{\"pin\":\"x\""[..], b"", b"<html>", b"{}{}", b"{\"pin\":\"\xff\"}"] {
            let masked = mask(Shape::Config, &Bytes::copy_from_slice(body), &secrets(&pattern), &Known::default());
            assert_eq!(masked, Err(Unreadable));
        }
    }

    #[test]
    fn deep_nesting_is_masked_as_a_whole() {
        let deep = format!("{}\"hunter2\"{}", "[".repeat(100_000), "]".repeat(100_000));
        for shape in [Shape::Config, Shape::Info, Shape::Tasks, Shape::Status, Shape::Validation, Shape::Error] {
            let shown = shown(shape, &format!("{{\"a\":{deep},\"pin\":{deep},\"configs\":{deep}}}"));
            assert!(shown.len() < 400, "{shape:?}");
        }
    }

    /// An object with the given members in any order, white space and spelling of the texts.
    fn written(members: &[(&str, Value)], order: &[u16], space: &str, escaped: bool) -> String {
        let text = |text: &str| {
            let escape =
                |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            if escaped {
                format!("\"{}\"", text.chars().map(escape).collect::<String>())
            } else {
                json!(text).to_string()
            }
        };
        let mut numbers: Vec<usize> = (0..members.len()).collect();
        numbers.sort_by_key(|number| order.get(*number).copied().unwrap_or_default());
        let member = |number: &usize| {
            let (name, value) = &members[*number];
            let value = value.as_str().map_or_else(|| value.to_string(), text);
            format!("{space}{}{space}:{space}{value}{space}", text(name))
        };
        format!("{{{}}}", numbers.iter().map(member).collect::<Vec<_>>().join(","))
    }

    proptest! {
        #[test]
        fn a_planted_secret_is_in_no_answer(
            order in prop::collection::vec(any::<u16>(), 6),
            space in "[ \\n\\t]{0,2}",
            escaped in any::<bool>(),
            key in prop::sample::select(vec!["pin", "password", "a.Secret", "sasl.jaas.config", "db_token"]),
            // Not of letters: those may well spell what looks like the key of a secret.
            other in "n[0-9.]{1,7}",
            shape in prop::sample::select(vec![Shape::Config, Shape::Info, Shape::Tasks, Shape::TasksConfig, Shape::Expanded]),
        ) {
            let config = written(
                &[(key, json!(SECRET)), (key, json!(SECRET)), ("name", json!("n")), (&format!("x.{other}"), json!(1.5)),
                    ("url", json!("http://u:hunt@h")), ("topics", json!("a,b"))],
                &order, &space, escaped,
            );
            let status = json!({"name": "n", "connector": {"state": "FAILED", "trace": format!("at {SECRET}.")}});
            let body = match shape {
                Shape::Config => config.clone(),
                Shape::Tasks => format!("[{{\"config\":{config}}}]"),
                Shape::TasksConfig => format!("{{\"n-0\":{config}}}"),
                Shape::Expanded => format!("{{\"status\":{status},\"info\":{{\"config\":{config}}}}}"),
                _ => format!("{{\"type\":\"sink\",{space}\"config\":{config}}}"),
            };
            let shown = shown(shape, &body);
            let value: Value = serde_json::from_str(&shown).unwrap();
            prop_assert!(!value.to_string().contains("hunt") && !shown.contains("hunt"), "{}", shown);

            let mut expected: Value = serde_json::from_str(&body).unwrap();
            let config = match shape {
                Shape::Config => &mut expected,
                Shape::Tasks => &mut expected[0]["config"],
                Shape::TasksConfig => &mut expected["n-0"],
                Shape::Expanded => {
                    expected["status"]["connector"]["trace"] = json!("at ********.");
                    &mut expected["info"]["config"]
                }
                _ => &mut expected["config"],
            };
            config[key] = json!(MASK);
            config["url"] = json!("http://u:********@h");
            prop_assert_eq!(value, expected);
        }

        #[test]
        fn any_bytes_are_masked_or_refused(body in any::<Vec<u8>>(), text in r#"[\[\]{}:,"0-9a-z\\ -]{0,64}"#) {
            let pattern = KeyPattern::built_in();
            for body in [body, text.into_bytes()] {
                for shape in [Shape::Validation, Shape::Error, Shape::Expanded] {
                    let _ = mask(shape, &body.clone().into(), &secrets(&pattern), &Known::default());
                }
            }
        }
    }
}
