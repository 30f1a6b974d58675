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
            let units: Vec<u16> =
                value.data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
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

#[cfg(test)]
mod tests {
    use x509_parser::pem::parse_x509_pem;

    use super::*;

    fn subject_of(pem: &str) -> Option<String> {
        let (_, pem) = parse_x509_pem(pem.as_bytes()).unwrap();
        subject(&pem.contents)
    }

    /// What is expected is what `X500Principal.getName()` of Java 17 returns, of which Kafka makes names.
    #[test]
    fn a_subject_is_written_as_java_writes_it() {
        let odd = r#"CN=\#hash ü,2.5.4.12=#0c024472,STREET=s,2.5.4.5=#13023132,DC=d,UID=u,1.2.840.113549.1.9.1=#160b6140622e6578616d706c65,OU=\ \ lead trail\ \ ,O=A\+B\, \"C\" \<x\>\;\#y\=z\\,ST=a b,C=US"#;
        assert_eq!(subject_of(include_str!("testdata/odd.pem")).as_deref(), Some(odd));
        assert_eq!(subject_of(include_str!("testdata/several.pem")).as_deref(), Some("CN=a+UID=b,O=o"));
        assert_eq!(subject_of(include_str!("testdata/spaces.pem")).as_deref(), Some(r"O=\ \ ,CN=\ "));
    }

    #[test]
    fn what_is_no_certificate_or_has_no_subject_has_none() {
        assert_eq!(subject(b"garbage"), None);
        assert_eq!(subject(b""), None);
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert_eq!(subject(certificate.der()), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_taken_for_a_certificate_stops_it(
            changes in proptest::collection::vec((0_usize..2000, proptest::num::u8::ANY), 0..8),
            garbage in proptest::collection::vec(proptest::num::u8::ANY, 0..64),
        ) {
            let (_, pem) = parse_x509_pem(include_bytes!("testdata/odd.pem")).unwrap();
            let mut der = pem.contents;
            for (at, byte) in changes {
                let length = der.len();
                der[at % length] = byte;
            }
            subject(&der);
            subject(&garbage);
        }
    }
}
