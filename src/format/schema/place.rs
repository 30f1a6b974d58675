use serde_json::Value;

use crate::format::schema::Mismatch;

/// Says what a value is, without its content.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Makes a mismatch of the value that a JSON Pointer leads to in `root`.
pub(super) fn at_pointer(pointer: &str, root: &Value, mismatch: impl FnOnce(&Value) -> Mismatch) -> Mismatch {
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    at_steps(&steps.collect::<Vec<_>>(), root, mismatch)
}

/// Makes a mismatch of the value that the names and indexes lead to; a step to what is not there is shown all the same.
pub(super) fn at_steps(steps: &[String], root: &Value, mismatch: impl FnOnce(&Value) -> Mismatch) -> Mismatch {
    let Some((first, rest)) = steps.split_first() else { return mismatch(root) };
    match root {
        Value::Array(items) => {
            let index = first.parse().unwrap_or_default();
            at_steps(rest, items.get(index).unwrap_or(&Value::Null), mismatch).in_item(index)
        }
        Value::Object(members) => at_steps(rest, members.get(first).unwrap_or(&Value::Null), mismatch).in_member(first),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => mismatch(root),
    }
}

/// Returns the names and indexes that lead to where a parser stopped in `text`, which is valid JSON.
///
/// `line` and `column` are as in errors of serde_json: how much was consumed. After a value it is that value, after a
/// name the member, and within of an object or array that has just begun the object or array.
pub(super) fn steps_to(text: &str, line: usize, column: usize) -> Vec<String> {
    let start = text.match_indices('\n').nth(line.wrapping_sub(2)).map_or(0, |(at, _)| at + 1);
    let consumed = text.as_bytes().get(..start.saturating_add(column)).unwrap_or(text.as_bytes());
    let (mut at, mut open) = (0, Vec::new());
    while let Some(byte) = consumed.get(at) {
        let begin = at;
        at = if *byte == b'"' { string_end(consumed, at) } else { at + 1 };
        if !matches!(byte, b',' | b':' | b']' | b'}') && !byte.is_ascii_whitespace() {
            begin_token(&mut open, &consumed[begin..at]);
        }
        match byte {
            b'{' => open.push(Open::Object(None)),
            b'[' => open.push(Open::Array(None)),
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Open::Object(name)) => *name = None,
                Some(Open::Array(Some(index))) => *index += 1,
                Some(Open::Array(None)) | None => {}
            },
            _ => {}
        }
    }
    open.into_iter().map_while(Open::step).collect()
}

/// An object or array that has not ended.
enum Open {
    /// The name of the member, which may have no value yet.
    Object(Option<String>),
    /// The index of the item, if one has begun.
    Array(Option<usize>),
}

impl Open {
    fn step(self) -> Option<String> {
        match self {
            Open::Object(name) => name,
            Open::Array(item) => item.map(|index| index.to_string()),
        }
    }
}

/// Notes that a name or value begins.
fn begin_token(open: &mut [Open], token: &[u8]) {
    match open.last_mut() {
        Some(Open::Object(name)) if name.is_none() => *name = serde_json::from_slice(token).ok(),
        Some(Open::Array(item)) => *item = item.or(Some(0)),
        Some(Open::Object(_)) | None => {}
    }
}

/// Returns the index after the string that starts at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_to_where_the_parser_stopped() {
        let text = "{\"a\":[1,{\"b\\\"]\":\n\"x,]\" ,\"c\":2}],\"d\":{}}";
        let cases = [
            ("{", "", &[][..]),
            ("{\"a\"", "", &["a"]),
            ("{\"a\":[", "", &["a"]),
            ("{\"a\":[1", "", &["a", "0"]),
            ("{\"a\":[1,{", "", &["a", "1"]),
            ("{\"a\":[1,{\"b\\\"]\":", "\"x,]\"", &["a", "1", "b\"]"]),
            ("{\"a\":[1,{\"b\\\"]\":", "\"x,]\" ,\"c\":2", &["a", "1", "c"]),
            ("{\"a\":[1,{\"b\\\"]\":", "\"x,]\" ,\"c\":2}", &["a", "1"]),
        ];
        for (first, second, steps) in cases {
            let (line, column) = if second.is_empty() { (1, first.len()) } else { (2, second.len()) };
            assert_eq!(steps_to(text, line, column), steps, "{first}{second}");
        }
        assert!(steps_to(text, 9, 999).is_empty());
    }
}
