use std::path::PathBuf;
use std::time::Duration;

use crate::config::remote::{Secret, path};
use crate::config::settings::Settings;

/// The section `[server.tls]`: how this proxy shows who it is, and who may connect.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerTls {
    /// PEM of the certificate and of those between it and its authority.
    pub certificate_file: Option<PathBuf>,
    /// PEM of its key.
    pub key_file: Option<PathBuf>,
    /// For a key that is encrypted.
    pub key_password: Secret,
    /// PEM of the authorities that vouch for clients.
    pub client_ca_file: Option<PathBuf>,
    /// Whether clients have to show a certificate.
    pub client_auth: ClientAuth,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// How long a client may take for the handshake.
    pub handshake_timeout: Duration,
    /// How often the files are looked at.
    pub reload_interval: Duration,
}

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// They are not asked for one.
    None,
    /// They may; one that is not good is refused.
    Optional,
    /// They have to.
    Required,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

impl ClientAuth {
    const ALL: [ClientAuth; 3] = [ClientAuth::None, ClientAuth::Optional, ClientAuth::Required];

    fn name(self) -> &'static str {
        match self {
            ClientAuth::None => "none",
            ClientAuth::Optional => "optional",
            ClientAuth::Required => "required",
        }
    }
}

impl TlsVersion {
    const ALL: [TlsVersion; 2] = [TlsVersion::V1_2, TlsVersion::V1_3];

    fn name(self) -> &'static str {
        match self {
            TlsVersion::V1_2 => "1.2",
            TlsVersion::V1_3 => "1.3",
        }
    }
}

impl ServerTls {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let tls = Self {
            certificate_file: path(settings, "server.tls.certificate_file"),
            key_file: path(settings, "server.tls.key_file"),
            key_password: settings.secret("server.tls.key_password"),
            client_ca_file: path(settings, "server.tls.client_ca_file"),
            client_auth: settings.choice("server.tls.client_auth", "none", &ClientAuth::ALL, ClientAuth::name),
            min_version: settings.choice("server.tls.min_version", "1.2", &TlsVersion::ALL, TlsVersion::name),
            handshake_timeout: settings.duration("server.tls.handshake_timeout", "5s", "100ms"..="10m"),
            reload_interval: settings.duration("server.tls.reload_interval", "5s", "100ms"..="1h"),
        };
        let asks = tls.client_auth != ClientAuth::None;
        settings.require(
            asks == tls.client_ca_file.is_some(),
            "server.tls.client_ca_file",
            "goes with server.tls.client_auth = optional or required, and is required there",
        );
        tls
    }

    /// Notes what is missing where `needs` says that something listens with TLS.
    pub(super) fn check(&self, settings: &mut Settings, needs: bool) {
        let missing = "is required where server.listen or server.management_listen has https://";
        settings.require(!needs || self.certificate_file.is_some(), "server.tls.certificate_file", missing);
        settings.require(!needs || self.key_file.is_some(), "server.tls.key_file", missing);
    }
}
