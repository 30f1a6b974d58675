use std::fmt;

/// The longest name of a member that a path shows.
const MAX_NAME: usize = 64;

/// Why a schema cannot be used: a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSchema(String);

impl BadSchema {
    /// Wraps a sentence.
    pub fn new(sentence: impl Into<String>) -> BadSchema {
        BadSchema(sentence.into())
    }
}

impl fmt::Display for BadSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSchema {}

/// Why a payload cannot be read with its schema: a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable(String);

impl Undecodable {
    /// Wraps a sentence.
    pub fn new(sentence: impl Into<String>) -> Undecodable {
        Undecodable(sentence.into())
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Undecodable {}

/// Where a JSON document does not fit its schema; boxed, as results are all over the encoders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(Box<Detail>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    path: String,
    expected: String,
    found: String,
}

impl Mismatch {
    /// Makes a mismatch at the root.
    ///
    /// `expected` is what to send (`an int`), `found` what came (`a string`): its kind, never its content.
    pub fn new(expected: impl Into<String>, found: impl Into<String>) -> Mismatch {
        Mismatch::at("$", expected, found)
    }

    /// Makes a mismatch at a path, `$.a.b[2]`.
    pub fn at(path: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Mismatch {
        Mismatch(Box::new(Detail { path: path.into(), expected: expected.into(), found: found.into() }))
    }

    /// Moves it into the member `name` of an object.
    pub fn in_member(mut self, name: &str) -> Mismatch {
        let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let step = match (is_plain, name.chars().nth(MAX_NAME)) {
            (true, None) => format!(".{name}"),
            (false, None) => format!("[{name:?}]"),
            (_, Some(_)) => format!("[{:?}..]", name.chars().take(MAX_NAME).collect::<String>()),
        };
        self.0.path.insert_str(1, &step);
        self
    }

    /// Moves it into the item `index` of an array.
    pub fn in_item(mut self, index: usize) -> Mismatch {
        self.0.path.insert_str(1, &format!("[{index}]"));
        self
    }

    /// Returns where it is: `$.a.b[2]`.
    pub fn path(&self) -> &str {
        &self.0.path
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Detail { path, expected, found } = &*self.0;
        write!(f, "{path}: expected {expected}, found {found}.")
    }
}

impl std::error::Error for Mismatch {}
