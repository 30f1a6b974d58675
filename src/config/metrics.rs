use crate::config::settings::Settings;

/// The section `[metrics]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Whether they are served, and requests observed for them.
    pub enabled: bool,
    /// Where they are served.
    pub path: String,
}

impl Metrics {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let what = "a path of letters, digits and /._- that begins with a slash and does not end with one";
        Self {
            enabled: settings.flag("metrics.enabled", true),
            path: settings.text("metrics.path", "/metrics", what, is_path),
        }
    }
}

fn is_path(text: &str) -> bool {
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'.' | b'_' | b'-');
    text.len() > 1
        && text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains("//")
        && text.bytes().all(is_allowed)
}
