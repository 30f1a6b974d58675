use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use crate::tls::pem::{certificates_of, private_key};

/// What is configured about TLS; the files are read when a client is made of it.
#[derive(Clone)]
pub struct Tls {
    /// A file or folder of PEM; `None` is what the system trusts.
    pub ca_location: Option<String>,
    /// PEM of authorities, beside those of the file.
    pub ca_pem: Option<String>,
    /// A file of PEM.
    pub certificate_location: Option<String>,
    /// The same as text, which wins.
    pub certificate_pem: Option<String>,
    /// A file of PEM.
    pub key_location: Option<String>,
    /// The same as text, which wins.
    pub key_pem: Option<String>,
    /// For a key that is encrypted.
    pub key_password: Option<String>,
    /// Whether the server's certificate is looked at.
    pub verify: bool,
    /// Whether it has to name the host.
    pub verify_name: bool,
}

/// Returns what is enough for connections in the clear: no server is trusted.
pub fn trusting_nobody() -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| format!("TLS cannot be set up: {why}"))?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

impl Tls {
    /// Reads the files; blocks. The error is a sentence for the operator.
    pub fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|why| format!("TLS cannot be set up: {why}"))?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(provider)?);
        let config = match self.identity()? {
            Some((certificates, key)) => builder
                .with_client_auth_cert(certificates, key)
                .map_err(|why| format!("the client certificate and its key cannot be used: {why}"))?,
            None => builder.with_no_client_auth(),
        };
        Ok(Arc::new(config))
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
        if !self.verify {
            return Ok(Arc::new(Verifier { inner: None, provider }));
        }
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots()?), Arc::clone(&provider))
            .build()
            .map_err(|why| format!("the certificate authorities cannot be used: {why}"))?;
        Ok(if self.verify_name { inner } else { Arc::new(Verifier { inner: Some(inner), provider }) })
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut certificates = Vec::new();
        if let Some(location) = &self.ca_location {
            let path = Path::new(location);
            let (file, folder) = if path.is_dir() { (None, Some(path)) } else { (Some(path), None) };
            let loaded = rustls_native_certs::load_certs_from_paths(file, folder);
            if let Some(why) = loaded.errors.first().filter(|_| loaded.certs.is_empty()) {
                return Err(format!("the certificate authorities (ssl.ca.location, ca_file) cannot be read: {why}"));
            }
            certificates.extend(loaded.certs);
        }
        if let Some(pem) = &self.ca_pem {
            certificates.extend(certificates_of(pem.as_bytes(), "ssl.ca.pem")?);
        }
        if self.ca_location.is_none() && self.ca_pem.is_none() {
            certificates.extend(rustls_native_certs::load_native_certs().certs);
        }
        let mut roots = RootCertStore::empty();
        // Systems trust a few certificates that are not well formed.
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            Err("there are no certificate authorities to trust; set ssl.ca.location or ca_file".to_owned())
        } else {
            Ok(roots)
        }
    }

    fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, String> {
        let certificate = pem(&self.certificate_pem, &self.certificate_location, "ssl.certificate.location")?;
        let key = pem(&self.key_pem, &self.key_location, "ssl.key.location")?;
        match (certificate, key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some((certificates_of(&certificate, "the client certificate")?, self.key(&key)?)))
            }
            (Some(_), None) => Err("ssl.key.location or ssl.key.pem is missing for the client certificate".to_owned()),
            (None, Some(_)) => Err("ssl.certificate.location or ssl.certificate.pem is missing for the key".to_owned()),
        }
    }

    fn key(&self, pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
        private_key(pem, self.key_password.as_deref(), "ssl.key.password")
    }
}

/// Returns the PEM that is given, or that of the file.
fn pem(given: &Option<String>, location: &Option<String>, name: &str) -> Result<Option<Vec<u8>>, String> {
    match (given, location) {
        (Some(pem), _) => Ok(Some(pem.clone().into_bytes())),
        (None, Some(path)) => {
            std::fs::read(path).map(Some).map_err(|why| format!("the file of {name} cannot be read: {why}"))
        }
        (None, None) => Ok(None),
    }
}

/// Looks at less than a client should, where the operator wants it so.
#[derive(Debug)]
struct Verifier {
    /// `None` takes every certificate; else every one that is trusted, whatever host it names.
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is looked at last, so all else is in order.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // For this test alone; made with openssl, the password is test-pw.
    const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh4zoNOrlPTbgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENrZmMwGd5XpCO2ODTqRQ44EQBST
CW8Pe0ixf4xxhx0gOmlUOcvT1RGndC9CB9Gf7VHBYfcUHOqjLRGvu13C2sj3cyE/
H7bz9R7v8PsS8vBxEOg=
-----END ENCRYPTED PRIVATE KEY-----
";

    fn tls(key_password: Option<&str>) -> Tls {
        Tls {
            ca_location: None,
            ca_pem: None,
            certificate_location: None,
            certificate_pem: None,
            key_location: None,
            key_pem: Some(ENCRYPTED.to_owned()),
            key_password: key_password.map(str::to_owned),
            verify: true,
            verify_name: true,
        }
    }

    #[test]
    fn an_encrypted_key_is_read_with_its_password() {
        assert!(tls(Some("test-pw")).key(ENCRYPTED.as_bytes()).is_ok());
    }

    #[test]
    fn a_key_that_cannot_be_read_is_told() {
        let refused = |tls: Tls, pem: &str| tls.key(pem.as_bytes()).expect_err("the key cannot be read");
        assert!(refused(tls(Some("wrong")), ENCRYPTED).contains("right one"));
        assert!(refused(tls(None), ENCRYPTED).contains("ssl.key.password is not set"));
        assert!(refused(tls(None), "no key").contains("PEM"));
    }

    #[test]
    fn what_the_system_trusts_is_trusted_by_default() {
        // Where the system trusts nobody, as in an empty container, that is told.
        if let Err(why) = tls(None).roots() {
            assert!(why.contains("ssl.ca.location"), "{why}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_without_a_connection() {
        let nowhere = Tls { ca_location: Some("no/such/file".to_owned()), key_pem: None, ..tls(None) };
        let Err(why) = nowhere.client() else { panic!("the file is read") };
        assert!(why.contains("ssl.ca.location"), "{why}");
    }
}
