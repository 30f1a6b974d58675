use ring::hmac::{self, HMAC_SHA256};
use ring::rand::SystemRandom;

use crate::error::{Kind, Result};

/// What is kept of a secret or a name in its place: nobody without the key of this process can make or undo it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// Makes fingerprints with a key that dies with this process.
pub struct Fingerprints(hmac::Key);

impl Fingerprints {
    /// Chooses a key.
    pub fn new() -> Result<Fingerprints> {
        let key = hmac::Key::generate(HMAC_SHA256, &SystemRandom::new());
        let unusable = |_| Kind::Internal.caused_by(std::io::Error::other("there is no source of random numbers"));
        key.map(Fingerprints).map_err(unusable)
    }

    /// Returns the fingerprint of some parts; the same text in other parts has another one.
    pub fn of(&self, parts: &[&str]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        Fingerprint(bytes)
    }
}

impl Fingerprint {
    /// Returns a number below `count` that is always the same for the same fingerprint; `count` is not 0.
    pub fn choose(self, count: usize) -> usize {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d]) as usize % count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_the_parts_and_on_the_process() {
        let (one, other) = (Fingerprints::new().unwrap(), Fingerprints::new().unwrap());
        assert!(one.of(&["a", "bc"]) == one.of(&["a", "bc"]));
        assert!(one.of(&["a", "bc"]) != one.of(&["ab", "c"]));
        assert!(one.of(&["a", "bc"]) != other.of(&["a", "bc"]));
    }
}
