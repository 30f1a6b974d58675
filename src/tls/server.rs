use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use log::{error, info};
use ring::digest;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error as TlsError, RootCertStore, ServerConfig, SignatureScheme,
};

use crate::config::{ClientAuth, ServerTls, TlsVersion};
use crate::tls::pem::{certificates_of, private_key};

/// What this proxy shows to clients and whom it trusts: taken from files, and again when they change.
pub struct Identity {
    settings: ServerTls,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    seen: Mutex<Seen>,
}

/// What each new handshake uses.
#[derive(Debug)]
struct Current {
    certificate: RwLock<Arc<CertifiedKey>>,
    clients: RwLock<Option<Arc<dyn ClientCertVerifier>>>,
    provider: Arc<CryptoProvider>,
    auth: ClientAuth,
}

/// A state of the files.
type Fingerprint = [u8; 32];

/// What is known of the files.
struct Seen {
    /// What was last tried, with or without success.
    tried: Fingerprint,
    /// What was there at the last look; it may be half written.
    last: Fingerprint,
}

/// What is in the files.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// What is made of the files.
struct Loaded {
    certificate: CertifiedKey,
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

impl Identity {
    /// Reads the files; blocks. The error is a line for the operator that names the setting.
    pub fn load(settings: &ServerTls) -> Result<Identity, String> {
        let provider = Arc::new(provider::default_provider());
        let contents = Contents::read(settings);
        let tried = fingerprint(&contents);
        let loaded = contents.and_then(|contents| contents.load(settings, &provider))?;
        let current = Current {
            certificate: RwLock::new(Arc::new(loaded.certificate)),
            clients: RwLock::new(loaded.clients),
            provider: Arc::clone(&provider),
            auth: settings.client_auth,
        };
        let seen = Mutex::new(Seen { tried, last: tried });
        Ok(Identity { settings: settings.clone(), provider, current: Arc::new(current), seen })
    }

    /// Returns the configuration of a listener; it follows what is loaded later.
    pub fn config(&self) -> Result<ServerConfig, String> {
        let versions = match self.settings.min_version {
            TlsVersion::V1_2 => &[&TLS13, &TLS12][..],
            TlsVersion::V1_3 => &[&TLS13][..],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions)
            .map_err(|why| format!("server.tls: TLS cannot be set up: {why}"))?;
        let resolver = Arc::clone(&self.current);
        let mut config = match self.settings.client_auth {
            ClientAuth::None => builder.with_no_client_auth().with_cert_resolver(resolver),
            ClientAuth::Optional | ClientAuth::Required => {
                let clients = Arc::clone(&self.current);
                let mut config = builder.with_client_cert_verifier(clients).with_cert_resolver(resolver);
                // The certificate of a session that is resumed would not be looked at again, whatever became of the
                // authorities and of its dates.
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
                config
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Reads the files again; where they are not good, what was loaded before stays. Blocks.
    pub fn reload(&self) -> Result<(), String> {
        let contents = Contents::read(&self.settings);
        self.take(contents)
    }

    /// Reads the files, and takes them if they have changed and are at rest; says in the log what came of it. Blocks.
    pub fn look(&self) {
        let contents = Contents::read(&self.settings);
        if !self.is_new(fingerprint(&contents)) {
            return;
        }
        let file = self.settings.certificate_file.as_deref().unwrap_or(Path::new("")).display();
        match self.take(contents) {
            Ok(()) => info!("server.tls: the changed certificate files are in use: {file}"),
            Err(why) => error!("server.tls: the certificate files have changed, and what was loaded stays: {why}"),
        }
    }

    /// Tells whether the files are at rest in a state that was not tried yet: certificate and key are written one after
    /// the other, and what is seen twice is whole.
    fn is_new(&self, now: Fingerprint) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = seen.last == now;
        seen.last = now;
        rests && seen.tried != now
    }

    fn take(&self, contents: Result<Contents, String>) -> Result<(), String> {
        let now = fingerprint(&contents);
        let loaded = contents.and_then(|contents| contents.load(&self.settings, &self.provider));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen { tried: now, last: now };
        let loaded = loaded?;
        *self.current.certificate.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded.certificate);
        *self.current.clients.write().unwrap_or_else(PoisonError::into_inner) = loaded.clients;
        Ok(())
    }
}

impl Contents {
    fn read(settings: &ServerTls) -> Result<Contents, String> {
        let file = |path: &Option<std::path::PathBuf>, setting: &str| {
            let path = path.as_ref().ok_or_else(|| format!("server.tls.{setting} is not set"))?;
            std::fs::read(path).map_err(|why| format!("server.tls.{setting}: {} cannot be read: {why}", path.display()))
        };
        Ok(Contents {
            certificate: file(&settings.certificate_file, "certificate_file")?,
            key: file(&settings.key_file, "key_file")?,
            client_ca: match settings.client_auth {
                ClientAuth::None => None,
                ClientAuth::Optional | ClientAuth::Required => Some(file(&settings.client_ca_file, "client_ca_file")?),
            },
        })
    }

    fn load(&self, settings: &ServerTls, provider: &Arc<CryptoProvider>) -> Result<Loaded, String> {
        let chain = certificates_of(&self.certificate, "server.tls.certificate_file")?;
        let password = Some(settings.key_password.0.as_str()).filter(|password| !password.is_empty());
        let key = private_key(&self.key, password, "server.tls.key_password")
            .map_err(|why| format!("server.tls.key_file: {why}"))?;
        let certificate = CertifiedKey::from_der(chain, key, provider)
            .map_err(|why| format!("server.tls.key_file does not go with server.tls.certificate_file: {why}"))?;
        let clients = match &self.client_ca {
            Some(pem) => Some(verifier(pem, settings.client_auth, provider)?),
            None => None,
        };
        Ok(Loaded { certificate, clients })
    }
}

fn verifier(
    pem: &[u8],
    auth: ClientAuth,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for authority in certificates_of(pem, "server.tls.client_ca_file")? {
        roots.add(authority).map_err(|why| format!("server.tls.client_ca_file: {why}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if auth == ClientAuth::Optional { builder.allow_unauthenticated() } else { builder };
    builder.build().map(|verifier| verifier as _).map_err(|why| format!("server.tls.client_ca_file: {why}"))
}

/// Returns what tells one state of the files from another, also where they cannot be read.
fn fingerprint(contents: &Result<Contents, String>) -> Fingerprint {
    let mut context = digest::Context::new(&digest::SHA256);
    let parts: [&[u8]; 3] = match contents {
        Ok(contents) => [&contents.certificate, &contents.key, contents.client_ca.as_deref().unwrap_or_default()],
        Err(why) => [why.as_bytes(), &[], &[]],
    };
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.certificate.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl ClientCertVerifier for Current {
    fn offer_client_auth(&self) -> bool {
        self.auth != ClientAuth::None
    }

    fn client_auth_mandatory(&self) -> bool {
        self.auth == ClientAuth::Required
    }

    /// Names no authority, as the list could not change: a client shows the certificate it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner).clone();
        let clients = clients.ok_or_else(|| TlsError::General("no authority vouches for clients".to_owned()))?;
        clients.verify_client_cert(certificate, intermediates, now)
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
