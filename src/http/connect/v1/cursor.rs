use crate::error::{Kind, Result};

/// Returns what a client sends to get what comes after `name`: opaque to it, and nothing that a URL has to escape.
pub fn cursor(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the name that a cursor stands for.
pub fn name(cursor: &str) -> Result<String> {
    let digits = |at: usize| cursor.get(at..at + 2).filter(|text| text.bytes().all(|c| c.is_ascii_hexdigit()));
    let byte = |at: usize| digits(at).and_then(|text| u8::from_str_radix(text, 16).ok());
    let bytes: Option<Vec<u8>> = (0..cursor.len()).step_by(2).map(byte).collect();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Kind::BadRequest.because("cursor has to be the next_cursor of the page before."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stands_for_any_name() {
        for text in ["a", "a b/é%", "\u{10ffff}", ""] {
            assert_eq!(name(&cursor(text)).unwrap(), text);
        }
        for text in ["a", "6", "6g", "ff", "é", "+1", "6 1"] {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
