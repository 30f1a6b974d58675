use std::fmt::Write;

use x509_parser::asn1_rs::{Any, Oid, Tag, ToDer};
use x509_parser::parse_x509_certificate;
use x509_parser::x509::AttributeTypeAndValue;

/// What attributes are called by RFC 2253; others go by number.
const KEYWORDS: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// Returns the subject of a certificate (DER) as RFC 2253 writes it, and Java, and so Kafka: `CN=a,OU=b`. `None` where it
/// has none, or it cannot be read.
pub fn subject(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    let mut names = Vec::new();
    for set in certificate.subject().iter() {
        let attributes: Option<Vec<_>> = set.iter().map(attribute).collect();
        names.push(attributes?.join("+"));
    }
    // The certificate has the most general one first.
    names.reverse();
    Some(names.join(",")).filter(|name| !name.is_empty())
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let (kind, value) = (attribute.attr_type(), attribute.attr_value());
    match (keyword(kind), text(value)) {
        (Some(keyword), Some(text)) => Some(format!("{keyword}={}", escaped(&text))),
        (keyword, _) => {
            let mut name = format!("{}=#", keyword.map_or_else(|| kind.to_id_string(), str::to_owned));
            for byte in value.to_der_vec().ok()? {
                let _ = write!(name, "{byte:02x}");
            }
            Some(name)
        }
    }
}

fn keyword(kind: &Oid<'_>) -> Option<&'static str> {
    let number = kind.to_id_string();
    KEYWORDS.iter().find(|(known, _)| *known == number).map(|(_, keyword)| *keyword)
}

fn text(value: &Any<'_>) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => String::from_utf8(value.data.to_vec()).ok(),
        // Latin-1, as everybody reads it.
        Tag::T61String | Tag::GeneralString => Some(value.data.iter().map(|byte| char::from(*byte)).collect()),
        Tag::BmpString => {
            let units: Vec<u16> = value.data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// Puts a backslash before what has a meaning, and before white space at either end.
fn escaped(text: &str) -> String {
    let inner = text.trim_matches(' ');
    let before = text.len() - text.trim_start_matches(' ').len();
    let after = if inner.is_empty() { 0 } else { text.len() - text.trim_end_matches(' ').len() };
    let mut escaped = "\\ ".repeat(before);
    for c in inner.chars() {
        if matches!(c, ',' | '=' | '+' | '<' | '>' | '#' | ';' | '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped + &"\\ ".repeat(after)
}
