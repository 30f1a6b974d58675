use crate::config::properties::Properties;
use crate::config::settings::Settings;

#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    pub properties: Properties,
}

impl Admin {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            properties: settings.properties("admin.properties"),
        }
    }
}
