//! Somebody who issues tokens, and serves the keys.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A key that signs with ES256.
pub struct Signer {
    id: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub fn new(id: &str) -> Signer {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Signer { id: id.to_owned(), pair }
    }

    pub fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.id, "x": b64(x), "y": b64(y) })
    }

    /// Returns a key set.
    pub fn set(signers: &[&Signer]) -> String {
        json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }).to_string()
    }

    /// Returns a token with any head and claims.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", b64(signature))
    }

    pub fn token(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": "ES256", "typ": "JWT", "kid": self.id }), claims)
    }

    /// Returns the header for a token that is good wherever the issuer is `i` and the audience `a`.
    pub fn bearer(&self, name: &str) -> String {
        format!("Bearer {}", self.token(&claims(name)))
    }
}

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn claims(name: &str) -> Value {
    json!({ "sub": name, "iss": "i", "aud": "a", "exp": now_s() + 600 })
}

/// Serves keys at `/keys?of=proxy`; the thread ends with the test run.
pub struct Issuer {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Option<(u16, String)>>,
    asked: AtomicUsize,
}

impl Issuer {
    pub fn start(keys: &str) -> Issuer {
        Issuer::listen("http", keys, |server, stream| server.serve(stream))
    }

    /// Serves with TLS, as what is in these PEM files.
    pub fn start_tls(keys: &str, certificate: &str, key: &str) -> Issuer {
        let chain = vec![CertificateDer::from_pem_file(certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(versions.with_no_client_auth().with_single_cert(chain, key).unwrap());
        Issuer::listen("https", keys, move |server, stream| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(session, stream);
            if stream.flush().is_ok() {
                server.serve(stream);
            }
        })
    }

    fn listen(scheme: &str, keys: &str, serve: impl Fn(&Shared, TcpStream) + Send + 'static) -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}/keys?of=proxy", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { answer: Mutex::new(Some((200, keys.to_owned()))), asked: AtomicUsize::new(0) });
        let server = Arc::clone(&shared);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(&server, stream)));
        Issuer { url, shared }
    }

    /// Sets what is answered from now on.
    pub fn answers(&self, status: u16, body: &str) {
        *self.shared.answer.lock().unwrap() = Some((status, body.to_owned()));
    }

    /// Hangs up on everybody from now on.
    pub fn goes_down(&self) {
        *self.shared.answer.lock().unwrap() = None;
    }

    /// Returns how often keys were asked for.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, mut stream: impl Read + Write) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
            head.push(byte[0]);
        }
        // A client that does not trust this server sends nothing.
        if !head.starts_with(b"GET /keys?of=proxy HTTP/1.1\r\n") {
            return;
        }
        let answer = self.answer.lock().unwrap().clone();
        if let Some((status, body)) = answer {
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes());
            let _ = stream.flush();
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
    }
}
