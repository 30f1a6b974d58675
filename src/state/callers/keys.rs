use std::hash::{Hash, Hasher};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::error::{Kind, Result};

/// Makes of a secret what may be kept and compared; only this process can make it again.
pub(super) struct Keys(hmac::Key);

/// A keyed hash.
#[derive(Clone, Copy)]
pub(super) struct Tag([u8; 32]);

impl Keys {
    pub(super) fn new() -> Result<Keys> {
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| Kind::Internal.because("The system has no random numbers."))?;
        Ok(Keys(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// Returns the hash of these parts; no other parts have the same.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        Tag(tag)
    }
}

/// Takes the same time wherever two differ.
impl PartialEq for Tag {
    fn eq(&self, other: &Tag) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Tag {}

impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_from_what_they_make_together() {
        let keys = Keys::new().unwrap();
        assert!(keys.tag(&[b"ab", b"c"]) == keys.tag(&[b"ab", b"c"]));
        assert!(keys.tag(&[b"ab", b"c"]) != keys.tag(&[b"a", b"bc"]));
        assert!(keys.tag(&[b"a"]) != Keys::new().unwrap().tag(&[b"a"]), "every process has a key of its own");
    }
}
