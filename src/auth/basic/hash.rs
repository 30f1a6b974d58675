use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordVerifier};

/// More would let one password keep a core, or memory, for seconds.
const MOST_BCRYPT_COST: u32 = 15;
const MOST_ARGON2_KIB: u32 = 256 << 10;
const MOST_ARGON2_KIB_READ: u64 = 1 << 20;

const UNKNOWN: &str = "its hash is neither bcrypt ($2y$, $2b$, $2a$) nor argon2 ($argon2id$)";

/// The hash of a password; has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bcrypt,
    Argon2,
}

impl Hash {
    /// Reads a hash; the error says what is wrong without quoting it.
    pub fn read(text: &str) -> Result<Hash, &'static str> {
        let kind = if text.starts_with("$argon2") {
            check_argon2(text)?;
            Kind::Argon2
        } else if ["$2y$", "$2b$", "$2a$"].iter().any(|start| text.starts_with(start)) {
            check_bcrypt(text)?;
            Kind::Bcrypt
        } else {
            return Err(UNKNOWN);
        };
        Ok(Hash { kind, text: text.to_owned() })
    }

    /// Tells whether it is the hash of `password`; takes as long as it is made to.
    pub fn matches(&self, password: &str) -> bool {
        match self.kind {
            Kind::Bcrypt => bcrypt::verify(password, &self.text).unwrap_or(false),
            Kind::Argon2 => PasswordHash::new(&self.text)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
        }
    }
}

fn check_bcrypt(text: &str) -> Result<(), &'static str> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| "its bcrypt hash cannot be read")?;
    let is_bearable = (4..=MOST_BCRYPT_COST).contains(&parts.get_cost());
    if is_bearable { Ok(()) } else { Err("its bcrypt hash has a cost that is not from 4 to 15") }
}

fn check_argon2(text: &str) -> Result<(), &'static str> {
    let unreadable = "its argon2 hash cannot be read";
    let hash = PasswordHash::new(text).map_err(|_| unreadable)?;
    let params = Params::try_from(&hash).map_err(|_| unreadable)?;
    let is_known = matches!(hash.algorithm.as_str(), "argon2id" | "argon2i" | "argon2d");
    let is_whole = hash.salt.is_some() && hash.hash.is_some() && matches!(hash.version, None | Some(16 | 19));
    if !is_known || !is_whole {
        return Err(unreadable);
    }
    let read = u64::from(params.m_cost()) * u64::from(params.t_cost());
    let is_bearable = params.m_cost() <= MOST_ARGON2_KIB && read <= MOST_ARGON2_KIB_READ;
    if is_bearable { Ok(()) } else { Err("its argon2 hash takes more than 256 MiB, or 1 GiB over all its passes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `secret` as `htpasswd -nbB -C 4` and `argon2 -id -m 10 -t 1 -e` write it.
    const BCRYPT: &str = "$2y$04$f5Mp8v1kf6mC3C7Hc2n0eu7d0n4uNNfWgC0GwXx5R3RNMrYDQNI3S";

    fn argon2(m: u32, t: u32) -> String {
        format!("$argon2id$v=19$m={m},t={t},p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    }

    #[test]
    fn what_is_no_hash_that_is_known_or_costs_too_much_is_refused() {
        let table = [
            ("", UNKNOWN),
            ("secret", UNKNOWN),
            ("$apr1$abcdefgh$abcdefghijklmnopqrstuv", UNKNOWN),
            ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", UNKNOWN),
            ("$2x$04$f5Mp8v1kf6mC3C7Hc2n0eu7d0n4uNNfWgC0GwXx5R3RNMrYDQNI3S", UNKNOWN),
            (&BCRYPT[..59], "its bcrypt hash cannot be read"),
            (&BCRYPT.replace("$04$", "$16$"), "its bcrypt hash has a cost that is not from 4 to 15"),
            (&BCRYPT.replace("$04$", "$03$"), "its bcrypt hash has a cost that is not from 4 to 15"),
            ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ", "its argon2 hash cannot be read"),
            ("$argon2x$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "its argon2 hash cannot be read"),
            (&argon2(1 << 30, 1), "its argon2 hash takes more than 256 MiB, or 1 GiB over all its passes"),
            (&argon2(128 << 10, 9), "its argon2 hash takes more than 256 MiB, or 1 GiB over all its passes"),
        ];
        for (text, problem) in table {
            assert_eq!(Hash::read(text).err(), Some(problem), "{text}");
        }
        assert!(Hash::read(BCRYPT).is_ok() && Hash::read(&argon2(128 << 10, 8)).is_ok());
    }

    #[test]
    fn bcrypt_matches_in_all_its_versions() {
        let made = bcrypt::hash("pässword", 4).unwrap();
        for version in ["$2y$", "$2b$", "$2a$"] {
            let hash = Hash::read(&made.replace("$2b$", version)).unwrap_or_else(|problem| panic!("{problem}"));
            assert!(hash.matches("pässword") && !hash.matches("password") && !hash.matches(""));
        }
    }

    #[test]
    fn argon2_matches() {
        // From the tests of the reference implementation: password, somesalt.
        let text = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = Hash::read(text).unwrap_or_else(|problem| panic!("{problem}"));
        assert!(hash.matches("password") && !hash.matches("Password"));
    }
}
