use prost_reflect::DescriptorPool;
use protox::file::{File, FileResolver, GoogleFileResolver};

use crate::format::schema::limits::shortened;
use crate::format::schema::{BadSchema, Reference};

/// The deepest nesting of brackets in a schema: its parser calls itself for each.
const MAX_BRACKETS: usize = 100;

/// Compiles a schema with the files it imports; returns the name of its file too. Files of the system are not read.
pub(super) fn compile(text: &str, references: &[Reference<'_>]) -> Result<(DescriptorPool, String), BadSchema> {
    for text in references.iter().map(|reference| reference.text).chain([text]) {
        check_brackets(text)?;
    }
    let mut name = "schema".to_owned();
    while references.iter().any(|reference| reference.name == name) {
        name.push('_');
    }
    let named = |reference: &Reference<'_>| (reference.name.to_owned(), reference.text.to_owned());
    let mut files: Vec<_> = references.iter().map(named).collect();
    files.push((name.clone(), text.to_owned()));
    let mut compiler = protox::Compiler::with_file_resolver(Files { built_in: GoogleFileResolver::new(), files });
    compiler.open_file(&name).map_err(|error| bad_schema(&error))?;
    Ok((compiler.descriptor_pool(), name))
}

fn bad_schema(error: &protox::Error) -> BadSchema {
    // Only the form for debugging has the file, line and column.
    BadSchema::new(format!("The Protobuf schema is not valid: {}.", shortened(&format!("{error:?}"))))
}

/// The files that may be imported.
struct Files {
    built_in: GoogleFileResolver,
    /// Names and texts.
    files: Vec<(String, String)>,
}

impl FileResolver for Files {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if let Ok(file) = self.built_in.open_file(name) {
            return Ok(file);
        }
        match self.files.iter().find(|(other, _)| other == name) {
            Some((_, text)) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// Refuses brackets nested too deep; those in texts and comments do not count.
fn check_brackets(text: &str) -> Result<(), BadSchema> {
    let (mut rest, mut depth) = (text.as_bytes(), 0_usize);
    while let Some((byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' | b'\'' => after_string(after, *byte),
            b'/' if after.first() == Some(&b'/') => after_first(after, b"\n"),
            b'/' if after.first() == Some(&b'*') => after_first(&after[1..], b"*/"),
            b'#' => after_first(after, b"\n"),
            _ => after,
        };
        match byte {
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKETS {
            return Err(BadSchema::new("The Protobuf schema is nested deeper than 100 levels."));
        }
    }
    Ok(())
}

/// Returns what follows a string; one that does not end ends with its line.
fn after_string(mut rest: &[u8], quote: u8) -> &[u8] {
    while let Some((byte, after)) = rest.split_first() {
        rest = match byte {
            b'\\' => after.get(1..).unwrap_or_default(),
            _ => after,
        };
        if *byte == quote || *byte == b'\n' {
            break;
        }
    }
    rest
}

fn after_first<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    memchr::memmem::find(text, end).map_or(&[], |at| &text[at + end.len()..])
}
