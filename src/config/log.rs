use crate::config::settings::Settings;
use crate::config::values::is_log_filter;

/// The section `[log]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// A filter in the syntax of `env_logger`.
    pub level: String,
    /// How lines are written.
    pub format: LogFormat,
    /// Whether each request is a line, and how that is written; `None` is no.
    pub access: Option<LogFormat>,
    /// Where those lines go.
    pub access_to: Stream,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Log {
    /// What a level is.
    pub const LEVEL: &str = "a level (off, error, warn, info, debug, trace) or a list like warn,kafka_rest_proxy=debug";

    /// Tells whether a text is a level, or a list of them.
    pub fn is_level(text: &str) -> bool {
        is_log_filter(text)
    }

    pub(super) fn read(settings: &mut Settings) -> Self {
        let formats = [LogFormat::Text, LogFormat::Json];
        let access = [None, Some(LogFormat::Text), Some(LogFormat::Json)];
        Self {
            level: settings.text("log.level", "info", Self::LEVEL, is_log_filter),
            format: settings.choice("log.format", "text", &formats, LogFormat::name),
            access: settings.choice("log.access", "off", &access, |format| format.map_or("off", LogFormat::name)),
            access_to: settings.choice("log.access_to", "stdout", &[Stream::Stdout, Stream::Stderr], Stream::name),
        }
    }
}

impl LogFormat {
    fn name(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}
