//! The signatures of tokens by ring, which the rest of this program uses too.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::hmac;
use ring::signature::{self as ring_signature, RsaParameters, UnparsedPublicKey, VerificationAlgorithm};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() })),
    // Keys are read, never made.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes jsonwebtoken use ring in this process.
pub fn install() {
    // It was done before where it is refused.
    let _ = PROVIDER.install_default();
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        self.check(message, signature).map_err(|_| signature::Error::new())
    }
}

impl RingVerifier {
    fn check(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        // A key of one family is never read as one of another.
        if self.key.family() != self.algorithm.family() {
            return Err(ErrorKind::InvalidKeyFormat.into());
        }
        let checked = match self.scheme()? {
            Scheme::Rsa(parameters) => {
                let DecodingKeyKind::RsaModulusExponent { n, e } = self.key.kind() else {
                    return Err(ErrorKind::InvalidKeyFormat.into());
                };
                ring_signature::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            Scheme::Curve(algorithm) => {
                UnparsedPublicKey::new(algorithm, self.key.try_get_as_bytes()?).verify(message, signature)
            }
            Scheme::Shared(algorithm) => {
                hmac::verify(&hmac::Key::new(algorithm, self.key.try_get_as_bytes()?), message, signature)
            }
        };
        checked.map_err(|_| ErrorKind::InvalidSignature.into())
    }

    fn scheme(&self) -> Result<Scheme> {
        Ok(match self.algorithm {
            Algorithm::RS256 => Scheme::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => Scheme::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => Scheme::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => Scheme::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => Scheme::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => Scheme::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA512),
            Algorithm::ES256 => Scheme::Curve(&ring_signature::ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => Scheme::Curve(&ring_signature::ECDSA_P384_SHA384_FIXED),
            Algorithm::EdDSA => Scheme::Curve(&ring_signature::ED25519),
            Algorithm::HS256 => Scheme::Shared(hmac::HMAC_SHA256),
            Algorithm::HS384 => Scheme::Shared(hmac::HMAC_SHA384),
            Algorithm::HS512 => Scheme::Shared(hmac::HMAC_SHA512),
            // The list may grow; what is not known is not accepted.
            _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
        })
    }
}

enum Scheme {
    Rsa(&'static RsaParameters),
    Curve(&'static dyn VerificationAlgorithm),
    Shared(hmac::Algorithm),
}
