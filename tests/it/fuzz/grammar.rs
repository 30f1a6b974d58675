//! Requests made of the API's own description: mostly what it says, with something wrong in them.

use serde_json::{Map, Value, json};

use crate::fuzz::random::Random;

/// Everything that can be asked for, and the names of what is there.
pub struct Grammar {
    operations: Vec<Operation>,
    schemas: Map<String, Value>,
    cluster: String,
    pub topic: String,
}

struct Operation {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    /// The types and the schema of the body.
    body: Option<(Vec<String>, Value)>,
    answers: Vec<String>,
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

/// Names as they stand in a path.
const SEGMENTS: [&str; 22] = [
    "x",
    "0",
    "1",
    "-1",
    "99999999999999999999",
    "a%20b",
    "%00",
    "%ff%fe",
    "..",
    ".",
    "%2e%2e%2f",
    "-",
    "a;b=c",
    "%",
    "%zz",
    "%F0%9F%A6%80",
    "__consumer_offsets",
    "broker",
    "*",
    "a%2Fb",
    "%7B%7D",
    "earliest_and_latest",
];

const TEXTS: [&str; 26] = [
    "",
    "x",
    "0",
    "-1",
    "true",
    "null",
    "NaN",
    "1e309",
    "json",
    "binary",
    "avro",
    "earliest",
    "latest",
    "LITERAL",
    "TOPIC",
    "READ",
    "ALLOW",
    "User:x",
    "DELETE",
    "SET",
    "cleanup.policy",
    "retention.ms",
    "SCRAM-SHA-256",
    "\u{0}",
    "ß🦀\u{202e}",
    "{\"a\":1}",
];

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "1e400",
    "0.5",
    "-0.0",
    "1e2",
    "100000000000000000000000000000000000000",
    "255",
    "4096",
];

const TYPES: [&str; 8] = [
    "application/json",
    "text/plain",
    "application/vnd.kafka.v2+json",
    "application/vnd.kafka.json.v2+json; charset=utf-8",
    "application/x-www-form-urlencoded",
    "*/*",
    "",
    ";;;/",
];

impl Grammar {
    /// Reads the document that the proxy serves.
    pub fn new(document: &Value, cluster: &str, topic: &str) -> Grammar {
        let paths = document["paths"].as_object().expect("paths");
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").iter();
            methods.map(move |(method, operation)| Operation::read(path, method, operation))
        });
        Grammar {
            operations: operations.collect(),
            schemas: document["components"]["schemas"].as_object().expect("schemas").clone(),
            cluster: cluster.to_owned(),
            topic: topic.to_owned(),
        }
    }

    /// Returns one request as it goes over the wire.
    pub fn request(&self, random: &mut Random) -> Vec<u8> {
        let operation = &self.operations[random.below(self.operations.len())];
        let method = if random.chance(95) { &operation.method } else { random.pick(&METHODS) };
        let mut head =
            format!("{method} {} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n", self.target(operation, random));
        let body = self.body(operation, random);
        if random.chance(60) {
            let accept = or_any(&operation.answers, random);
            head += &format!("Accept: {accept}\r\n");
        }
        if random.chance(5) {
            head +=
                random.pick(&["Expect: 100-continue\r\n", "Accept-Encoding: gzip\r\n", "X-Forwarded-Host: a b\r\n"]);
        }
        if let Some((types, body)) = &body {
            if random.chance(92) {
                head += &format!("Content-Type: {}\r\n", or_any(types, random));
            }
            if random.chance(4) {
                head += random.pick(&[
                    "Content-Encoding: gzip\r\n",
                    "Content-Encoding: zstd\r\n",
                    "Content-Encoding: x\r\n",
                ]);
            }
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend(body.map(|(_, body)| body).unwrap_or_default());
        if random.chance(4) { broken(bytes, random) } else { bytes }
    }

    fn target(&self, operation: &Operation, random: &mut Random) -> String {
        let mut path = String::new();
        let mut rest = operation.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("it ends");
            path += before;
            path += &self.segment(&operation.path, name, random);
            rest = after;
        }
        path += rest;
        let mut query = Vec::new();
        for (name, kind) in &operation.query {
            if random.chance(40) {
                query.push(format!("{name}={}", query_value(kind, random)));
            }
        }
        if random.chance(3) {
            query.push(random.pick(&["x=y", "=", "&&", "%zz", "a=%ff", "timeout=-1"]).to_owned());
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    fn segment(&self, path: &str, name: &str, random: &mut Random) -> String {
        if random.chance(8) {
            return if random.chance(10) { "n".repeat(random.below(9000)) } else { random.pick(&SEGMENTS).to_owned() };
        }
        match name {
            "cluster" if path.starts_with("/connect") => "default".to_owned(),
            "cluster" => self.cluster.clone(),
            "topic" => {
                if random.chance(70) {
                    self.topic.clone()
                } else {
                    format!("fuzz-{}", random.below(8))
                }
            }
            "partition" | "replica" | "broker" => random.below(3).to_string(),
            "config_type" => "broker".to_owned(),
            "name" => random.pick(&["cleanup.policy", "retention.ms", "log.cleaner.threads", "x"]).to_owned(),
            _ => format!("fuzz-{}", random.below(4)),
        }
    }

    fn body(&self, operation: &Operation, random: &mut Random) -> Option<(Vec<String>, Vec<u8>)> {
        let (types, schema) = match &operation.body {
            Some(body) => body.clone(),
            None if random.chance(4) => (vec![TYPES[0].to_owned()], json!({ "type": "object" })),
            None => return None,
        };
        let value = self.value(&schema, 0, random);
        let mut text = if random.chance(4) { random.bytes(300) } else { value.into_bytes() };
        if random.chance(6) && !text.is_empty() {
            let at = random.below(text.len());
            if random.chance(50) { text.truncate(at) } else { text[at] = random.number().to_le_bytes()[3] }
        }
        Some((types, text))
    }

    /// Returns JSON text that fits the schema, or nearly.
    fn value(&self, schema: &Value, depth: usize, random: &mut Random) -> String {
        if depth > 8 || random.chance(4) {
            return self.junk(random);
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.value(self.schemas.get(name).unwrap_or(&Value::Null), depth + 1, random);
        }
        if let Some(choices) = schema["enum"].as_array().filter(|choices| !choices.is_empty()) {
            return choices[random.below(choices.len())].to_string();
        }
        let choices = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array()).filter(|list| !list.is_empty());
        if let Some(choices) = choices {
            return self.value(&choices[random.below(choices.len())], depth + 1, random);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) if !kinds.is_empty() => kinds[random.below(kinds.len())].as_str().unwrap_or_default(),
            kind => kind.as_str().unwrap_or_default(),
        };
        match kind {
            "object" => self.object(schema, depth, random),
            "array" => {
                let items: Vec<_> =
                    (0..random.below(4)).map(|_| self.value(&schema["items"], depth + 1, random)).collect();
                format!("[{}]", items.join(","))
            }
            "string" => self.text(random),
            "integer" | "number" => random.pick(&NUMBERS).to_owned(),
            "boolean" => random.pick(&["true", "false"]).to_owned(),
            _ => self.junk(random),
        }
    }

    fn object(&self, schema: &Value, depth: usize, random: &mut Random) -> String {
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut fields = Vec::new();
        for (name, schema) in &properties {
            if random.chance(if required.contains(&name.as_str()) { 95 } else { 40 }) {
                fields.push(format!("{}:{}", json!(name), self.value(schema, depth + 1, random)));
            }
        }
        if random.chance(if properties.is_empty() { 80 } else { 5 }) {
            let name = random.pick(&["name", "config", "connector.class", "tasks.max", "x", "", "records", "level"]);
            fields.push(format!("{}:{}", json!(name), self.junk(random)));
        }
        format!("{{{}}}", fields.join(","))
    }

    fn text(&self, random: &mut Random) -> String {
        match random.below(10) {
            0 => json!(self.topic).to_string(),
            1 => json!("QUJD").to_string(),
            2 => json!(format!("fuzz-{}", random.below(4))).to_string(),
            3 => random.pick(&["\"\\ud800\"", "\"\\u0000\"", "\"\\\"\"", "\"a\\qb\""]).to_owned(),
            _ => json!(random.pick(&TEXTS)).to_string(),
        }
    }

    fn junk(&self, random: &mut Random) -> String {
        match random.below(8) {
            0 => "null".to_owned(),
            1 => random.pick(&NUMBERS).to_owned(),
            2 => "[".repeat(random.below(400)),
            3 => format!("{}1{}", "[".repeat(60), "]".repeat(60)),
            4 => "{\"a\":{\"b\":[1,2.50,\"c\"]},\"a\":2}".to_owned(),
            5 => format!("\"{}\"", "k".repeat(random.below(3000))),
            _ => self.text(random),
        }
    }
}

impl Operation {
    fn read(path: &str, method: &str, operation: &Value) -> Operation {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|one| one["in"] == "query").map(|one| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&one["name"]), text(&one["schema"]["type"]))
        });
        let content = operation["requestBody"]["content"].as_object();
        Operation {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            query: query.collect(),
            body: content.map(|content| {
                let schema = content.values().next().map(|media| media["schema"].clone());
                (content.keys().cloned().collect(), schema.unwrap_or_default())
            }),
            answers: operation["responses"]["200"]["content"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(media, _)| media.clone())
                .collect(),
        }
    }
}

fn query_value(kind: &str, random: &mut Random) -> String {
    match (kind, random.chance(80)) {
        ("integer", true) => random.pick(&["0", "1", "2", "100", "-1", "50000"]).to_owned(),
        ("boolean", true) => random.pick(&["true", "false"]).to_owned(),
        _ => random
            .pick(&["x", "", "%00", "%zz", "1e9", "99999999999999999999", "true", "earliest", "-", "%ff", "a,b"])
            .to_owned(),
    }
}

/// Returns one of the known types, or now and then any.
fn or_any(known: &[String], random: &mut Random) -> String {
    if known.is_empty() || random.chance(10) {
        random.pick(&TYPES).to_owned()
    } else {
        known[random.below(known.len())].clone()
    }
}

/// Returns a request with its bytes damaged, its length wrong or its end missing.
fn broken(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] = random.number().to_le_bytes()[2],
            1 => bytes.truncate(at.max(1)),
            2 => drop(bytes.splice(at..at, random.bytes(40))),
            _ => bytes.splice(at..at, *b"\r\nTransfer-Encoding: chunked\r\n").for_each(drop),
        }
    }
    bytes
}
