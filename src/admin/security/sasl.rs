use std::sync::{PoisonError, RwLock};

use bytes::Bytes;

use crate::admin::security::oauth::Unsecured;
use crate::admin::security::scram::{Scram, ScramHash};

/// How this proxy authenticates itself.
pub(in crate::admin) enum Sasl {
    /// With a password.
    Password {
        /// The way it is proved.
        mechanism: Mechanism,
        /// The user's name.
        user: String,
        /// Never shown or logged.
        password: String,
    },
    /// With a token that nobody signed.
    Bearer(Unsecured),
    /// With the token of a caller, the newest that they showed.
    Token(RwLock<String>),
}

/// A way to prove that one knows a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

/// A conversation with a broker that is under way.
pub(in crate::admin) enum Challenge {
    /// Nothing more is to be said; what the broker says does not matter.
    Said,
    /// A token is taken, or the broker says what is wrong with it and wants that confirmed before it refuses.
    Bearer,
    /// SCRAM has steps, and the broker proves itself too.
    Scram(Box<Scram>),
}

impl Sasl {
    /// Returns the mechanism's registered name.
    pub(in crate::admin) fn name(&self) -> &'static str {
        match self {
            Sasl::Password { mechanism: Mechanism::Plain, .. } => "PLAIN",
            Sasl::Password { mechanism: Mechanism::ScramSha256, .. } => "SCRAM-SHA-256",
            Sasl::Password { mechanism: Mechanism::ScramSha512, .. } => "SCRAM-SHA-512",
            Sasl::Bearer(_) | Sasl::Token(_) => "OAUTHBEARER",
        }
    }

    /// Returns the first message and what follows it.
    pub(in crate::admin) fn begin(&self) -> Result<(Bytes, Challenge), String> {
        match self {
            Sasl::Password { mechanism: Mechanism::Plain, user, password } => {
                Ok((Bytes::from(format!("\0{user}\0{password}")), Challenge::Said))
            }
            Sasl::Password { mechanism: Mechanism::ScramSha256, user, password } => {
                Self::begin_scram(ScramHash::Sha256, user, password)
            }
            Sasl::Password { mechanism: Mechanism::ScramSha512, user, password } => {
                Self::begin_scram(ScramHash::Sha512, user, password)
            }
            Sasl::Bearer(token) => Ok((token.first_message()?, Challenge::Bearer)),
            Sasl::Token(token) => {
                let token = token.read().unwrap_or_else(PoisonError::into_inner);
                Ok((Bytes::from(format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}")), Challenge::Bearer))
            }
        }
    }

    /// Takes a newer token in the place of the one before.
    pub(in crate::admin) fn renew(&self, newer: &str) {
        if let Sasl::Token(token) = self {
            newer.clone_into(&mut token.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn begin_scram(hash: ScramHash, user: &str, password: &str) -> Result<(Bytes, Challenge), String> {
        let scram = Scram::new(hash, user, password)?;
        Ok((Bytes::from(scram.first_message()), Challenge::Scram(Box::new(scram))))
    }
}

impl Challenge {
    /// Takes what the broker said and returns what is to be said next; `None` is the end.
    pub(in crate::admin) fn answer(&mut self, said: &[u8]) -> Result<Option<Bytes>, String> {
        match self {
            Challenge::Said => Ok(None),
            Challenge::Bearer if said.is_empty() => Ok(None),
            Challenge::Bearer => Ok(Some(Bytes::from_static(b"\x01"))),
            Challenge::Scram(scram) => Ok(scram.answer(said)?.map(Bytes::from)),
        }
    }
}
