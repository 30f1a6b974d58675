use crate::config::settings::Settings;
use crate::config::values::is_log_filter;

/// The section `[log]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// A filter in the syntax of `env_logger`.
    pub level: String,
}

impl Log {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let what = "a level (off, error, warn, info, debug, trace) or a list like warn,kafka_rest_proxy=debug";
        Self { level: settings.text("log.level", "info", what, is_log_filter) }
    }
}
