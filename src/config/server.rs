use std::path::Path;
use std::time::Duration;

use crate::config::server_tls::ServerTls;
use crate::config::settings::Settings;
use crate::config::values::is_address;

/// The section `[server]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// What [`Listen::of`] takes each; port 0 is any free port.
    pub listen: Vec<String>,
    /// The same for health, settings and metrics; empty is none.
    pub management_listen: Vec<String>,
    /// The permissions of Unix sockets.
    pub unix_socket_mode: u32,
    /// How requests are encrypted.
    pub tls: ServerTls,
    /// How long it goes on serving after it was told to stop, while `/ready` says that it will.
    pub drain_delay: Duration,
    /// 0 is one a core.
    pub workers: usize,
    /// How long running requests and unsent records may take to finish when the proxy stops.
    pub shutdown_timeout: Duration,
    /// For the head of a request.
    pub header_timeout: Duration,
    /// For the whole body of a request.
    pub body_timeout: Duration,
    /// How long nothing may come or go on a stream of records before it is closed.
    pub stream_idle_timeout: Duration,
    /// How old a stream of records may be for its records still to be taken.
    pub stream_max_age: Duration,
    /// How long a stream that is too old refuses its records one by one before it is closed.
    pub stream_grace: Duration,
    /// 0 closes a connection after each answer.
    pub keep_alive: Duration,
    /// Connections that the kernel holds until they are accepted.
    pub backlog: u32,
    /// How clients reach this proxy, for `base_uri`; empty takes the request's own Host.
    pub advertised_url: String,
    /// Whether `Forwarded` and `X-Forwarded-*` say how clients reach it.
    pub trust_forwarded: bool,
    /// What the names of resources in v3 (`crn://AUTHORITY/kafka=..`) begin with.
    pub resource_name_authority: String,
}

/// Where to listen, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen<'a> {
    /// `HOST:PORT`.
    Plain(&'a str),
    /// `https://HOST:PORT`.
    Tls(&'a str),
    /// `unix:/path`.
    Unix(&'a Path),
}

impl<'a> Listen<'a> {
    /// Takes an item of `server.listen` apart.
    pub fn of(text: &'a str) -> Listen<'a> {
        if let Some(path) = text.strip_prefix("unix:") {
            Listen::Unix(Path::new(path))
        } else if let Some(address) = text.strip_prefix("https://") {
            Listen::Tls(address)
        } else {
            Listen::Plain(text)
        }
    }
}

/// How the items of `server.listen` are described where one is wrong.
const LISTEN: &str = "HOST:PORT, https://HOST:PORT or unix:/PATH, with ports from 0 to 65535";

fn is_listen(text: &str) -> bool {
    match Listen::of(text) {
        Listen::Plain(address) | Listen::Tls(address) => is_address(address, &(0..=65535)),
        // The kernel takes 107 bytes; the socket is made beside its place, under a longer name.
        Listen::Unix(path) => path.is_absolute() && path.file_name().is_some() && path.as_os_str().len() <= 96,
    }
}

fn is_base_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    text.is_empty() || host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.ends_with('/'))
}

fn is_authority(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_' | b':'))
}

impl Server {
    pub(super) fn read(settings: &mut Settings) -> Self {
        let server = Self {
            listen: settings.list("server.listen", "127.0.0.1:8082", LISTEN, is_listen),
            management_listen: settings.list("server.management_listen", "", LISTEN, is_listen),
            unix_socket_mode: settings.octal("server.unix_socket_mode", "0660"),
            tls: ServerTls::read(settings),
            drain_delay: settings.duration("server.drain_delay", "0s", "0s"..="1h"),
            workers: settings.count("server.workers", 0, 0..=1024),
            shutdown_timeout: settings.duration("server.shutdown_timeout", "30s", "0s"..="1h"),
            header_timeout: settings.duration("server.header_timeout", "5s", "100ms"..="10m"),
            body_timeout: settings.duration("server.body_timeout", "30s", "100ms"..="1h"),
            stream_idle_timeout: settings.duration("server.stream_idle_timeout", "30s", "100ms"..="24h"),
            stream_max_age: settings.duration("server.stream_max_age", "24h", "1ms"..="8760h"),
            stream_grace: settings.duration("server.stream_grace", "500ms", "0s"..="1h"),
            keep_alive: settings.duration("server.keep_alive", "75s", "0s"..="1h"),
            backlog: settings.count("server.backlog", 1024, 1..=65535),
            advertised_url: settings.text(
                "server.advertised_url",
                "",
                "empty, or http:// or https:// with a host and without a slash at the end",
                is_base_url,
            ),
            trust_forwarded: settings.flag("server.trust_forwarded", false),
            resource_name_authority: settings.text(
                "server.resource_name_authority",
                "",
                "a host name with or without a port, or empty",
                is_authority,
            ),
        };
        server.tls.check(settings, server.has_tls());
        server
    }

    /// Tells whether anything listens with TLS.
    pub fn has_tls(&self) -> bool {
        let all = self.listen.iter().chain(&self.management_listen);
        all.into_iter().any(|text| matches!(Listen::of(text), Listen::Tls(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_an_address_with_or_without_tls_or_a_socket() {
        for good in ["127.0.0.1:0", "localhost:8082", "https://[::1]:8443", "https://0.0.0.0:0", "unix:/run/x.sock"] {
            assert!(is_listen(good), "{good}");
        }
        for bad in ["", "8082", "https://", "https://a", "http://a:1", "unix:", "unix:x.sock", "unix:/", "unix:/a/.."] {
            assert!(!is_listen(bad), "{bad}");
        }
        assert_eq!(Listen::of("https://a:1"), Listen::Tls("a:1"));
        assert_eq!(Listen::of("unix:/a:1"), Listen::Unix(Path::new("/a:1")));
    }
}
