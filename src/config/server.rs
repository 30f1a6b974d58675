use std::time::Duration;

use crate::config::settings::Settings;

/// The section `[server]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// `HOST:PORT` each; port 0 is any free port.
    pub listen: Vec<String>,
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

fn is_base_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    text.is_empty() || host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.ends_with('/'))
}

fn is_authority(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_' | b':'))
}

impl Server {
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            listen: settings.addresses("server.listen", "127.0.0.1:8082", 0..=65535),
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
        }
    }
}
