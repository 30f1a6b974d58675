use crate::config::properties::Properties;
use crate::config::settings::Settings;

#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    pub properties: Properties,
}

impl Consumer {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            properties: settings.properties("consumer.properties"),
        }
    }
}
