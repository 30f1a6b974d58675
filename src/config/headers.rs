use std::time::Duration;

use crate::config::settings::Settings;

/// The section `[headers]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Headers {
    /// Whether answers tell browsers to be careful with them.
    pub security: bool,
    /// How long browsers are to come by HTTPS only, once they did; 0 does not say it.
    pub hsts: Duration,
}

impl Headers {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            security: settings.flag("headers.security", true),
            hsts: settings.duration("headers.hsts", "0s", "0s"..="87600h"),
        }
    }
}
