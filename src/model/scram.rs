use std::fmt;

/// A mechanism by which a user proves a password without telling it; the number is Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum ScramMechanism {
    /// One that this version does not know.
    Unknown = 0,
    /// SCRAM-SHA-256.
    Sha256 = 1,
    /// SCRAM-SHA-512.
    Sha512 = 2,
}

impl ScramMechanism {
    /// All, in the order of their numbers.
    pub const ALL: &[ScramMechanism] = &[ScramMechanism::Unknown, ScramMechanism::Sha256, ScramMechanism::Sha512];

    /// Returns its registered name.
    pub fn name(self) -> &'static str {
        match self {
            ScramMechanism::Unknown => "UNKNOWN",
            ScramMechanism::Sha256 => "SCRAM-SHA-256",
            ScramMechanism::Sha512 => "SCRAM-SHA-512",
        }
    }
}

/// What is known of a user's credential; never the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScramCredential {
    /// The mechanism it is for.
    pub mechanism: ScramMechanism,
    /// How often the password is hashed.
    pub iterations: i32,
}

/// A change of a user's credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScramChange {
    /// Gives the user a password, or another one.
    Upsert {
        /// The user's name.
        user: String,
        /// The mechanism and the iterations; brokers take 4096 and more.
        credential: ScramCredential,
        /// The password.
        password: Password,
    },
    /// Takes the credential away.
    Delete {
        /// The user's name.
        user: String,
        /// The mechanism that it is for.
        mechanism: ScramMechanism,
    },
}

/// A password; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
