use crate::format::schema::{BadSchema, Reference};

/// How many references a schema may have, those of its references included.
const MAX_REFERENCES: usize = 256;

/// The longest part of a schema or of a message about it that is quoted, in characters.
const MAX_QUOTE: usize = 300;

/// Refuses what would take long to parse.
pub(super) fn check_size(text: &str, references: &[Reference<'_>], max_bytes: usize) -> Result<(), BadSchema> {
    let size = references.iter().fold(text.len(), |size, reference| size.saturating_add(reference.text.len()));
    if size > max_bytes {
        return Err(BadSchema::new(format!(
            "The schema and its references are larger than {max_bytes} bytes together."
        )));
    }
    if references.len() > MAX_REFERENCES {
        return Err(BadSchema::new("The schema has more than 256 references."));
    }
    Ok(())
}

/// Returns the beginning of a text that may be long, without the final stop.
pub(super) fn shortened(text: &str) -> String {
    let text = text.trim_end_matches('.');
    match text.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}
