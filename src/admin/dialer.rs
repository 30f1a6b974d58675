use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, SaslAuthenticateRequest, SaslHandshakeRequest,
};
use kafka_protocol::protocol::{Message, Request, StrBytes, VersionRange};
use log::{debug, warn};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::AlertDescription;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::admin::code::Code;
use crate::admin::connection::{Connection, Greeting, Stream};
use crate::admin::failure::Failure;
use crate::admin::security::Sasl;
use crate::admin::settings::{Family, Settings};
use crate::admin::wire;
use crate::error::Kind;
use crate::tls::Tls;

/// The version of ApiVersions that is tried first; its answer can be read by everybody.
const API_VERSIONS: i16 = 3;

/// An authentication never has as many steps.
const MAX_SASL_STEPS: usize = 8;

/// Makes connections: TCP, TLS, versions, credentials.
pub(super) struct Dialer {
    pub(super) settings: Settings,
    /// Made with the first connection, as it needs files.
    tls: Arc<OnceCell<TlsConnector>>,
    /// Whether credentials are a caller's, to whom it is told if they are refused.
    of_caller: bool,
    /// Whether the operator has been told that the credentials are refused.
    refused: AtomicBool,
    /// How many connections were begun, so that not every one begins with the same address.
    begun: AtomicUsize,
}

impl Dialer {
    pub(super) fn new(settings: Settings, tls: Arc<OnceCell<TlsConnector>>, of_caller: bool) -> Dialer {
        Dialer { settings, tls, of_caller, refused: AtomicBool::new(false), begun: AtomicUsize::new(0) }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Connects to one of `addresses`, each `HOST:PORT`, that lets it.
    pub(super) async fn connect(&self, addresses: &[String]) -> Result<Connection, Failure> {
        let mut last = Failure::Unreachable("no address of a broker is known".to_owned());
        let first = self.begun.fetch_add(1, Ordering::Relaxed) % addresses.len().max(1);
        for address in addresses.iter().cycle().skip(first).take(addresses.len()) {
            match self.connect_to(address).await {
                Ok(connection) => {
                    self.refused.store(false, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(failure) => {
                    let error = self.told(address, failure);
                    // What is wrong with the credentials here is wrong with them everywhere.
                    if matches!(error, Failure::Final(_)) {
                        return Err(error);
                    }
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Tells the operator, once, of refused credentials.
    fn told(&self, address: &str, failure: Failure) -> Failure {
        match &failure {
            Failure::Final(error) => {
                if !self.refused.swap(true, Ordering::Relaxed) && !self.of_caller {
                    warn!("administrative connection to kafka at {address}: {}", error.message());
                }
            }
            Failure::Refused { .. } | Failure::Unreachable(_) | Failure::Unanswered(_) => {
                debug!("administrative connection to kafka at {address}: {failure:?}");
            }
        }
        failure
    }

    async fn connect_to(&self, address: &str) -> Result<Connection, Failure> {
        // A third of the time, so that another address may be tried.
        let patience = (self.settings.timeout / 3).max(Duration::from_secs(1));
        let connected = timeout(patience, async {
            let tcp = self.tcp(address, patience).await?;
            let stream = self.secured(tcp, address).await?;
            self.greeted(stream).await
        });
        connected
            .await
            .unwrap_or_else(|_| Err(Failure::Unreachable(format!("{address}: no connection in {patience:?}"))))
    }

    async fn tcp(&self, address: &str, patience: Duration) -> Result<TcpStream, Failure> {
        let resolved = lookup_host(address).await.map_err(|why| unreachable(address, &why))?;
        let wanted: Vec<SocketAddr> = resolved.filter(|found| self.is_wanted(found)).collect();
        let mut last = Failure::Unreachable(format!("{address}: no address of the wanted family"));
        for found in &wanted {
            match timeout(patience / wanted.len() as u32, TcpStream::connect(found)).await {
                Ok(Ok(tcp)) => {
                    // Requests are small and awaited. Where the system cannot, they are only slower.
                    let _ = tcp.set_nodelay(true);
                    return Ok(tcp);
                }
                Ok(Err(why)) => last = unreachable(address, &why),
                Err(_) => last = Failure::Unreachable(format!("{address}: no connection in time")),
            }
        }
        Err(last)
    }

    fn is_wanted(&self, address: &SocketAddr) -> bool {
        match self.settings.family {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        }
    }

    async fn secured(&self, tcp: TcpStream, address: &str) -> Result<Box<dyn Stream>, Failure> {
        let Some(tls) = &self.settings.tls else { return Ok(Box::new(tcp)) };
        let connector = self.tls.get_or_try_init(|| connector(tls)).await?;
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Failure::Unreachable(format!("{address} has no name that TLS knows")))?;
        let stream = connector.connect(name, tcp).await.map_err(|why| tls_failure(address, &why))?;
        Ok(Box::new(stream))
    }

    async fn greeted(&self, mut stream: Box<dyn Stream>) -> Result<Connection, Failure> {
        let mut talk = Talk { stream: &mut stream, client_id: client_id(&self.settings), correlation: -1 };
        let versions = talk.versions().await?;
        let lifetime = match &self.settings.sasl {
            Some(sasl) => talk.authenticate(sasl, &versions).await?,
            None => None,
        };
        // Leave in time for the requests that are then under way.
        let expires = lifetime.map(|lifetime| Instant::now() + lifetime.mul_f64(0.85));
        Ok(Connection::start(stream, Greeting { versions, expires }, client_id(&self.settings)))
    }
}

/// Reads the files on a thread where that blocks nobody.
async fn connector(tls: &Tls) -> Result<TlsConnector, Failure> {
    let tls = tls.clone();
    let made = tokio::task::spawn_blocking(move || tls.client().map(TlsConnector::from)).await;
    let made = made.unwrap_or_else(|why| Err(why.to_string()));
    made.map_err(|why| Failure::Final(not_usable(&why)))
}

/// Returns the error of settings that cannot be used, whatever Kafka does.
pub(super) fn not_usable(why: &str) -> crate::error::Error {
    Kind::Internal.because(format!("The proxy's settings do not allow administrative operations: {why}."))
}

fn client_id(settings: &Settings) -> StrBytes {
    StrBytes::from_string(settings.client_id.clone())
}

fn unreachable(address: &str, why: &std::io::Error) -> Failure {
    Failure::Unreachable(format!("{address}: {why}"))
}

/// Tells a certificate that is not accepted from a connection that broke.
fn tls_failure(address: &str, why: &std::io::Error) -> Failure {
    let said = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match said {
        Some(rustls::Error::InvalidCertificate(what)) => Failure::Final(
            Kind::KafkaAuthentication.because(format!("The broker's certificate is not accepted: {what}.")),
        ),
        Some(rustls::Error::AlertReceived(alert)) if is_about_certificates(*alert) => Failure::Final(
            Kind::KafkaAuthentication
                .because(format!("The broker does not accept this proxy's certificate: {alert:?}.")),
        ),
        Some(_) | None => unreachable(address, why),
    }
}

fn is_about_certificates(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::HandshakeFailure
    )
}

/// The first requests on a connection, one after the other.
struct Talk<'a> {
    stream: &'a mut Box<dyn Stream>,
    client_id: StrBytes,
    correlation: i32,
}

impl Talk<'_> {
    async fn versions(&mut self) -> Result<HashMap<i16, VersionRange>, Failure> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let frame = self.exchange(&request, API_VERSIONS).await?;
        let answer = match refused_version(&frame) {
            // A broker that does not know the version says so in the oldest one.
            true => self.ask(&ApiVersionsRequest::default(), 0).await?,
            false => wire::decode::<ApiVersionsRequest>(frame, API_VERSIONS).map_err(Failure::Final)?,
        };
        ranges(&answer)
    }

    /// Authenticates and returns for how long that is good.
    async fn authenticate(
        &mut self,
        sasl: &Sasl,
        versions: &HashMap<i16, VersionRange>,
    ) -> Result<Option<Duration>, Failure> {
        let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(sasl.name()));
        let answer = self.ask(&handshake, 1).await?;
        if answer.error_code != 0 {
            let offered: Vec<&str> = answer.mechanisms.iter().map(|offered| offered.as_str()).collect();
            let why =
                format!("The broker does not offer the SASL mechanism {}; it has {}.", sasl.name(), offered.join(", "));
            return Err(Failure::Final(Code(answer.error_code).error(Some(&why))));
        }
        let version = versions
            .get(&SaslAuthenticateRequest::KEY)
            .map_or(0, |offered| offered.intersect(&SaslAuthenticateRequest::VERSIONS).max);
        let (mut message, mut challenge) = sasl.begin().map_err(|why| credentials(&why))?;
        for _ in 0..MAX_SASL_STEPS {
            let request = SaslAuthenticateRequest::default().with_auth_bytes(message);
            let answer = self.ask(&request, version).await?;
            if answer.error_code != 0 {
                let said = answer.error_message.as_ref().map(|said| said.as_str());
                return Err(Failure::Final(Code(answer.error_code).error(said)));
            }
            let lifetime = u64::try_from(answer.session_lifetime_ms).ok().filter(|lifetime| *lifetime > 0);
            match challenge.answer(&answer.auth_bytes).map_err(|why| credentials(&why))? {
                Some(next) => message = next,
                None => return Ok(lifetime.map(Duration::from_millis)),
            }
        }
        Err(credentials("the broker asks without end"))
    }

    async fn ask<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, Failure> {
        let frame = self.exchange(request, version).await?;
        wire::decode::<R>(frame, version).map_err(Failure::Final)
    }

    async fn exchange<R: Request>(&mut self, request: &R, version: i16) -> Result<Bytes, Failure> {
        let frame = wire::encode(request, version, self.correlation, &self.client_id).map_err(Failure::Final)?;
        let exchanged = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await?;
            wire::read_frame(&mut self.stream).await
        };
        // With TLS 1.3 a broker tells only now that it does not accept the certificate.
        let frame = exchanged.await.map_err(|why| tls_failure("the broker", &why))?;
        if wire::correlation_of(&frame) != Some(self.correlation) {
            return Err(Failure::Unreachable("what answers there is no Kafka broker".to_owned()));
        }
        Ok(frame)
    }
}

fn credentials(why: &str) -> Failure {
    Failure::Final(Kind::KafkaAuthentication.because(format!("Authentication with Kafka failed: {why}.")))
}

/// Tells whether the answer to ApiVersions is that its version is not known: the code follows the correlation id.
fn refused_version(frame: &Bytes) -> bool {
    frame.get(4..6) == Some(&Code::UNSUPPORTED_VERSION.0.to_be_bytes())
}

fn ranges(answer: &ApiVersionsResponse) -> Result<HashMap<i16, VersionRange>, Failure> {
    let code = Code(answer.error_code);
    if code != Code::NONE {
        return Err(Failure::Refused { code, message: None });
    }
    let range = |api: &ApiVersion| (api.api_key, VersionRange { min: api.min_version, max: api.max_version });
    Ok(answer.api_keys.iter().map(range).collect())
}
