use std::error::Error;
use std::fmt::{self, Display};
use std::path::PathBuf;

/// Everything that is wrong with a configuration, one line each; holds no secrets.
#[derive(Debug)]
pub struct Problems(pub(super) Vec<Problem>);

#[derive(Debug)]
pub(super) struct Problem {
    /// Empty if it is not about one setting.
    pub(super) key: String,
    pub(super) source: Source,
    pub(super) text: String,
}

/// Where a value was given.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Nowhere,
    File { path: PathBuf, line: Option<usize> },
    Variable(String),
    Flag(&'static str),
}

impl Error for Problems {}

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, source, text } = self;
        if key.is_empty() {
            write!(f, "{source}: {text}")
        } else {
            // A quoted TOML key may hold a line break.
            write!(f, "{} ({source}): {text}", key.escape_debug())
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("not set"),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::File { path, line: Some(line) } => write!(f, "{} line {line}", path.display()),
            Self::Variable(name) => write!(f, "{}", name.escape_debug()),
            Self::Flag(name) => f.write_str(name),
        }
    }
}
