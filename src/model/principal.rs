use std::fmt;
use std::sync::Arc;

use crate::model::scram::Password;

/// Who sends a request, by the name that rules, limits and logs have for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal(Option<Arc<str>>);

impl Principal {
    /// What those are called who did not say who they are, as in Kafka.
    pub const ANONYMOUS: &str = "ANONYMOUS";

    /// Returns somebody who has shown to be `name`.
    pub fn named(name: &str) -> Principal {
        Principal(Some(Arc::from(name)))
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::ANONYMOUS)
    }

    /// Tells whether nobody was asked who this is.
    pub fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a caller shows of themselves that is Kafka's to judge; `Debug` does not show secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// For SASL PLAIN or SCRAM.
    Password {
        /// The user's name.
        user: String,
        /// Their password.
        password: Password,
    },
    /// A token for SASL OAUTHBEARER.
    Token(Password),
}
