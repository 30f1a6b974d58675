use pkcs8::EncryptedPrivateKeyInfoOwned;
use pkcs8::der::pem::PemLabel;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Returns the certificates of a text; `name` is what they are, for the message.
pub(super) fn certificates_of(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(format!("{name} has no certificate that can be read")),
    }
}

/// Returns the key of a text; `setting` is where the password of an encrypted one is given.
pub(super) fn private_key(pem: &[u8], password: Option<&str>, setting: &str) -> Result<PrivateKeyDer<'static>, String> {
    let text = std::str::from_utf8(pem).map_err(|_| "the key is not PEM")?;
    let begin = format!("-----BEGIN {}-----", EncryptedPrivateKeyInfoOwned::PEM_LABEL);
    let Some(at) = text.find(&begin) else {
        return PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| "the key cannot be read: it has to be PEM, and PKCS#8 if it is encrypted".to_owned());
    };
    let password = password.ok_or_else(|| format!("the key is encrypted and {setting} is not set"))?;
    decrypted(&text[at..], password).ok_or_else(|| format!("the key cannot be decrypted; is {setting} the right one?"))
}

fn decrypted(pem: &str, password: &str) -> Option<PrivateKeyDer<'static>> {
    use pkcs8::der::Decode;
    let (_, der) = pkcs8::der::pem::decode_vec(pem.as_bytes()).ok()?;
    let key = EncryptedPrivateKeyInfoOwned::from_der(&der).ok()?.decrypt(password).ok()?;
    PrivateKeyDer::try_from(key.as_bytes().to_vec()).ok()
}
