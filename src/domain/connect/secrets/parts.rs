use std::ops::Range;
use std::sync::LazyLock;

use memchr::{memchr, memchr2, memmem};
use regex::Regex;

use crate::domain::connect::secrets::MASK;
use crate::domain::connect::secrets::keys::constant;

/// A password before the last `@`: `scheme://user:password@host`, Oracle's `thin:user/password@host`; or a port.
///
/// The password may have a raw `/` or `?` in it although no URL allows it, so it ends at white space or quotes only.
static USER_INFOS: LazyLock<Regex> = LazyLock::new(|| {
    constant(concat!(
        r#"(?:[a-z][a-z0-9+.-]*://[^\s/?#@:"'<>]*:|jdbc:oracle:[a-z0-9]+:[^\s/@"'<>]*/)"#,
        r#"(?:[0-9]{1,5}(?:[/?#,;)\]}]|$)|([^\s"'<>]*)@)"#,
    ))
});

/// A named value up to where it begins: `name=`, `name: `, `"name":`, also inside of quoted JSON.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    constant(r#"([a-z0-9_.\-]+)(\\*["'])?[ \t]*([:=])([ \t]*)(?:(?:bearer|basic|digest|token)[ \t]+)?"#)
});

/// What follows a value in the text of a Java map, or the end of the line.
static NEXT_OF_MAP: LazyLock<Regex> = LazyLock::new(|| constant(r", [a-z0-9_.\-]+=|\n"));

/// A private key as text; one that is cut off too.
static PRIVATE_KEYS: LazyLock<Regex> =
    LazyLock::new(|| constant(r"(?s)-----BEGIN [a-z ]*PRIVATE KEY-----(.*?)(?:-----END|$)"));

static REFERENCES: LazyLock<Regex> = LazyLock::new(|| constant(r"\$\{[a-z0-9_.\-]+:[^{}$]*\}"));

/// What may stand between references that are visible.
const SEPARATORS: &str = " \t\r\n,;:/|.-_+@";

/// What stands in the place of a value already, or is none.
const NOTHING: [&str; 2] = ["[hidden]", "null"];

/// Where a text comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A value of a config.
    Value,
    /// A message or trace.
    Message,
}

/// Tells whether the value has references like `${file:/path:key}` in it and otherwise nothing but separators.
pub(super) fn is_reference(value: &str) -> bool {
    if !value.contains("${") {
        return false;
    }
    let (mut end, mut only_separators) = (0, true);
    let mut between = |text: &str| only_separators &= text.chars().all(|c| SEPARATORS.contains(c));
    for reference in REFERENCES.find_iter(value) {
        between(&value[end..reference.start()]);
        end = reference.end();
    }
    between(&value[end..]);
    only_separators && end > 0
}

/// Returns where in `text` there are credentials, in order: passwords in URLs, named values that `is_secret` by their
/// name, private keys.
pub(super) fn find(text: &str, origin: Origin, is_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    if memchr(b'@', bytes).is_some() {
        found.extend(USER_INFOS.captures_iter(text).filter_map(|captures| Some(captures.get(1)?.range())));
    }
    if memchr2(b'=', b':', bytes).is_some() {
        named(text, origin, is_secret, &mut found);
    }
    if memmem::find(bytes, b"-----").is_some() {
        found.extend(PRIVATE_KEYS.captures_iter(text).filter_map(|captures| Some(captures.get(1)?.range())));
    }
    found.retain(|range| {
        let part = &text[range.clone()];
        !part.is_empty() && !NOTHING.contains(&part) && !is_reference(part)
    });
    joined(found)
}

/// Returns `text` with the mask in the place of the `parts`, which are in order.
pub(super) fn masked(text: &str, parts: &[Range<usize>]) -> String {
    let (mut masked, mut end) = (String::with_capacity(text.len()), 0);
    for part in parts {
        masked.push_str(&text[end..part.start]);
        masked.push_str(MASK);
        end = part.end;
    }
    masked.push_str(&text[end..]);
    masked
}

/// Puts ranges in order and joins those that overlap.
pub(super) fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn named(text: &str, origin: Origin, is_secret: impl Fn(&str) -> bool, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(captures) = NAMES.captures_at(text, at) {
        let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { return };
        // `token:string` is no secret of a config: a type, say.
        let is_pair = captures.get(2).is_none() && captures.get(4).is_some_and(|space| space.is_empty());
        let is_type = origin == Origin::Value && is_pair && captures.get(3).is_some_and(|mark| mark.as_str() == ":");
        at = whole.end();
        if !is_type && is_secret(name.as_str()) {
            let before = &text[..name.start()];
            let is_of_map = before.ends_with('{') || before.ends_with(", ");
            let value = value(text, at, is_of_map);
            at = value.end;
            found.push(value);
        }
    }
}

/// Returns the range of the value that begins at `start`.
fn value(text: &str, start: usize, is_of_map: bool) -> Range<usize> {
    let rest = &text[start..];
    let escapes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    match rest.as_bytes().get(escapes) {
        Some(quote @ (b'"' | b'\'')) => {
            let start = start + escapes + 1;
            start..quoted_end(text, start, *quote, escapes)
        }
        _ if is_of_map => start..start + map_value_end(rest),
        // SQL Server quotes so.
        Some(b'{') => start..start + rest.find('}').map_or(rest.len(), |end| end + 1),
        _ => {
            let end = rest.find(|c: char| c.is_whitespace() || "&;\"'".contains(c)).unwrap_or(rest.len());
            let is_quote = rest[end..].starts_with(['"', '\'']);
            // The escapes of a quote belong to it.
            let end = if is_quote { rest[..end].trim_end_matches('\\').len() } else { end };
            start..start + end
        }
    }
}

/// Returns where a text ends whose quote has `escapes` before it; without an end everything belongs to it.
fn quoted_end(text: &str, start: usize, quote: u8, escapes: usize) -> usize {
    let (bytes, mut at) = (text.as_bytes(), start);
    while let Some(step) = memchr(quote, &bytes[at..]) {
        let end = at + step;
        let before = bytes[at..end].iter().rev().take_while(|byte| **byte == b'\\').count();
        if escapes == 0 && before % 2 == 0 {
            return end;
        }
        if escapes > 0 && before <= escapes {
            return end - before;
        }
        at = end + 1;
    }
    bytes.len()
}

/// Returns how long the value of a Java map is: up to the next entry, or the last brace of the line.
fn map_value_end(rest: &str) -> usize {
    let next = NEXT_OF_MAP.find(rest);
    let end = next.map_or(rest.len(), |next| next.start());
    if rest[end..].starts_with(',') {
        return end;
    }
    rest[..end].rfind('}').unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connect::secrets::KeyPattern;

    fn shown(text: &str, origin: Origin) -> String {
        let pattern = KeyPattern::built_in();
        masked(text, &find(text, origin, |name| pattern.matches(name)))
    }

    #[test]
    fn credentials_inside_of_values_are_found() {
        let cases = [
            ("mongodb://user:hunter2@db:27017/x?a=b", "mongodb://user:********@db:27017/x?a=b"),
            ("mongodb+srv://u:p%40w@a,b,c/?w=1", "mongodb+srv://u:********@a,b,c/?w=1"),
            ("redis://:hunter2@host", "redis://:********@host"),
            ("http://u:a/b?c@d@host/p", "http://u:********@host/p"),
            ("http://h:80/x,http://u:hunter2@h", "http://h:80/x,http://u:********@h"),
            ("http://host:8083/a@b", "http://host:8083/a@b"),
            ("SASL_SSL://h:9092,PLAINTEXT://g:9093", "SASL_SSL://h:9092,PLAINTEXT://g:9093"),
            ("jdbc:pg://h/d?user=u&password=a@b&ssl=true", "jdbc:pg://h/d?user=u&password=********&ssl=true"),
            ("jdbc:sqlserver://h:1433;user=u;password=x;a=b", "jdbc:sqlserver://h:1433;user=u;password=********;a=b"),
            ("jdbc:sqlserver://h;password={a;b c};e=f", "jdbc:sqlserver://h;password=********;e=f"),
            ("jdbc:oracle:thin:scott/tiger@//h:1521/x", "jdbc:oracle:thin:scott/********@//h:1521/x"),
            ("Endpoint=sb://x/;SharedAccessKey=abc=;E=y", "Endpoint=sb://x/;SharedAccessKey=********;E=y"),
            ("https://x.blob/c?sv=1&sig=abc%3D", "https://x.blob/c?sv=1&sig=********"),
            ("L required username=\"u\" password=\"a\\\" b\";", "L required username=\"u\" password=\"********\";"),
            ("{\"user\":\"u\",\"password\" : \"a b\"}", "{\"user\":\"u\",\"password\" : \"********\"}"),
            ("Authorization: Bearer abc", "Authorization: Bearer ********"),
            ("jdbc:pg://h/d?password=${file:/x:y}", "jdbc:pg://h/d?password=${file:/x:y}"),
            ("token:string,id:int", "token:string,id:int"),
            ("password=", "password="),
            ("a=b,c:d", "a=b,c:d"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, Origin::Value), expected);
        }
    }

    #[test]
    fn credentials_inside_of_messages_are_found() {
        let cases = [
            ("config {name=x, password=a b, c=d} is bad", "config {name=x, password=********, c=d} is bad"),
            ("config {name=x, db.password=a b} is bad", "config {name=x, db.password=********} is bad"),
            (r#"body {\"password\":\"a b\",\"c\":1}"#, r#"body {\"password\":\"********\",\"c\":1}"#),
            ("secret:abc and more", "secret:******** and more"),
            ("password = [hidden]", "password = [hidden]"),
            ("key -----BEGIN PRIVATE KEY-----\nabc\n-----END", "key -----BEGIN PRIVATE KEY-----********-----END"),
            ("ends with \"password\":\"abc", "ends with \"password\":\"********"),
            ("größe: 1, Пароль=x, token=ö€", "größe: 1, Пароль=x, token=********"),
            ("at a.b.C(D.java:12)\n\tat e.f.G(H.java:3)", "at a.b.C(D.java:12)\n\tat e.f.G(H.java:3)"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, Origin::Message), expected);
        }
    }

    #[test]
    fn references_are_no_secrets() {
        for text in ["${file:/a/b.properties:key}", "${env:X}", "${vault:a:b}:${vault:a:c}", " ${a:b} , ${c:d}"] {
            assert!(is_reference(text), "{text}");
        }
        for text in ["", "a", "${hunter2}", "x${env:X}", "${env:X", "${env:X}${y}", "$ {env:X}", ",", "${:x}"] {
            assert!(!is_reference(text), "{text}");
        }
    }

    #[test]
    fn hostile_texts_are_searched_in_linear_time() {
        // Much more than any message; a search that grows with the square of it would take minutes.
        for part in [
            "x://h:80/",
            "a=",
            "a:",
            "\\\"",
            "password=\"\\",
            "{password=",
            ", password=a",
            "://:@",
            "${a:",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            let text = part.repeat(200_000 / part.len());
            shown(&text, Origin::Message);
            is_reference(&text);
        }
    }
}
