use crate::config::properties::Properties;
use crate::config::settings::Settings;

/// The section `[admin]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Properties for look-ups, over those of `[kafka]`.
    pub properties: Properties,
}

impl Admin {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self { properties: settings.properties("admin.properties") }
    }
}
