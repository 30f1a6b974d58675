//! SCRAM of RFC 5802 and 7677, as Kafka has it: no channel binding, and names as they are.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SecureRandom;
use ring::{digest, hmac, pbkdf2, rand};

/// More would keep this process busy for seconds: only a broker that wants that asks for so many.
pub(in crate::admin) const MAX_ITERATIONS: u32 = 1_000_000;
/// Kafka's own minimum.
const MIN_ITERATIONS: u32 = 4096;

/// The hash of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) enum ScramHash {
    Sha256,
    Sha512,
}

impl ScramHash {
    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            ScramHash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            ScramHash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            ScramHash::Sha256 => hmac::HMAC_SHA256,
            ScramHash::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            ScramHash::Sha256 => &digest::SHA256,
            ScramHash::Sha512 => &digest::SHA512,
        }
    }
}

/// Returns bytes that nobody can foresee: a salt, or what a nonce is made of.
pub(in crate::admin) fn random_salt() -> Result<[u8; 24], String> {
    let mut random = [0; 24];
    rand::SystemRandom::new().fill(&mut random).map_err(|_| "The system has no random numbers.".to_owned())?;
    Ok(random)
}

/// Returns what stands for a password in SCRAM; takes milliseconds for some thousand iterations.
pub(in crate::admin) fn salted_password(
    hash: ScramHash,
    password: &str,
    salt: &[u8],
    iterations: NonZeroU32,
) -> Vec<u8> {
    let mut salted = vec![0; hash.digest().output_len()];
    pbkdf2::derive(hash.pbkdf2(), iterations, salt, password.as_bytes(), &mut salted);
    salted
}

/// The client's side of one authentication.
pub(in crate::admin) struct Scram {
    hash: ScramHash,
    password: String,
    nonce: String,
    first_bare: String,
    step: Step,
}

/// What the broker says next.
enum Step {
    /// Salt and iterations.
    First,
    /// The proof that it knows the password too.
    Last {
        auth_message: String,
        salted: Vec<u8>,
    },
    Over,
}

impl Scram {
    pub(super) fn new(hash: ScramHash, user: &str, password: &str) -> Result<Scram, String> {
        Ok(Scram::with_nonce(hash, user, password, STANDARD.encode(random_salt()?)))
    }

    fn with_nonce(hash: ScramHash, user: &str, password: &str, nonce: String) -> Scram {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        Scram { hash, password: password.to_owned(), nonce, first_bare, step: Step::First }
    }

    pub(super) fn first_message(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// Takes what the broker said and returns what is to be said next; `None` is the end.
    pub(super) fn answer(&mut self, said: &[u8]) -> Result<Option<String>, String> {
        let said = std::str::from_utf8(said).map_err(|_| malformed())?;
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::First => self.prove(said).map(Some),
            Step::Last { auth_message, salted } => self.check(said, &auth_message, &salted).map(|()| None),
            Step::Over => Err(malformed()),
        }
    }

    fn prove(&mut self, said: &str) -> Result<String, String> {
        let (nonce, salt, iterations) = self.parameters(said)?;
        let salted = salted_password(self.hash, &self.password, &salt, iterations);
        // "biws" is "n,," in base64: no channel binding.
        let without_proof = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{said},{without_proof}", self.first_bare);
        let client_key = hmac::sign(&self.key(&salted), b"Client Key");
        let stored_key = digest::digest(self.hash.digest(), client_key.as_ref());
        let signature = hmac::sign(&self.key(stored_key.as_ref()), auth_message.as_bytes());
        let proof: Vec<u8> = client_key.as_ref().iter().zip(signature.as_ref()).map(|(key, sign)| key ^ sign).collect();
        self.step = Step::Last { auth_message, salted };
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }

    /// Reads `r=nonce,s=salt,i=iterations`.
    fn parameters<'a>(&self, said: &'a str) -> Result<(&'a str, Vec<u8>, NonZeroU32), String> {
        let nonce = attribute(said, "r=")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the broker answered to another SCRAM message".to_owned());
        }
        let salt = STANDARD.decode(attribute(said, "s=")?).map_err(|_| malformed())?;
        let iterations = attribute(said, "i=")?.parse().map_err(|_| malformed())?;
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(format!("the broker asks for {iterations} SCRAM iterations"));
        }
        Ok((nonce, salt, NonZeroU32::new(iterations).ok_or_else(malformed)?))
    }

    /// Checks the broker's proof.
    fn check(&self, said: &str, auth_message: &str, salted: &[u8]) -> Result<(), String> {
        if let Ok(refusal) = attribute(said, "e=") {
            return Err(format!("the broker refuses the credentials: {refusal}"));
        }
        let proof = STANDARD.decode(attribute(said, "v=")?).map_err(|_| malformed())?;
        let server_key = hmac::sign(&self.key(salted), b"Server Key");
        hmac::verify(&self.key(server_key.as_ref()), auth_message.as_bytes(), &proof)
            .map_err(|_| "the broker does not know the password: it is not the one it should be".to_owned())
    }

    fn key(&self, secret: &[u8]) -> hmac::Key {
        hmac::Key::new(self.hash.hmac(), secret)
    }
}

fn attribute<'a>(said: &'a str, name: &str) -> Result<&'a str, String> {
    said.split(',').find_map(|part| part.strip_prefix(name)).ok_or_else(malformed)
}

fn malformed() -> String {
    "the broker's SCRAM message cannot be read".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7677, section 3.
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const SERVER_LAST: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn scram() -> Scram {
        Scram::with_nonce(ScramHash::Sha256, "user", "pencil", NONCE.to_owned())
    }

    #[test]
    fn the_example_of_the_rfc_is_spoken() {
        let mut scram = scram();
        assert_eq!(scram.first_message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let proof = scram.answer(SERVER_FIRST.as_bytes()).unwrap().unwrap();
        assert_eq!(
            proof,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(scram.answer(SERVER_LAST.as_bytes()), Ok(None));
    }

    #[test]
    fn a_broker_that_does_not_know_the_password_is_found_out() {
        let mut scram = scram();
        scram.answer(SERVER_FIRST.as_bytes()).unwrap();
        assert!(scram.answer(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").is_err());
    }

    #[test]
    fn what_a_broker_should_not_say_is_an_error() {
        for said in ["", "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1", "\u{0}"] {
            assert!(scram().answer(said.as_bytes()).is_err(), "{said}");
        }
    }

    #[test]
    fn names_are_escaped() {
        let scram = Scram::with_nonce(ScramHash::Sha512, "a=b,c", "", "n".to_owned());
        assert_eq!(scram.first_message(), "n,,n=a=3Db=2Cc,r=n");
    }
}
