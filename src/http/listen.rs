//! What is listened on.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::http::KeepAlive;
use actix_web::web::ServiceConfig;

use crate::config::Listen;
use crate::http::layers::Layers;
use crate::http::peer::Connections;
use crate::http::unix::{self, SocketFile};
use crate::tls::Identity;

/// Something that is listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// HTTP without TLS.
    Plain(SocketAddr),
    /// HTTPS.
    Tls(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Door::Plain(address) => write!(f, "http://{address}"),
            Door::Tls(address) => write!(f, "https://{address}"),
            Door::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Door {
    fn of(address: SocketAddr, scheme: &str) -> Door {
        if scheme == "https" { Door::Tls(address) } else { Door::Plain(address) }
    }

    /// Returns the address, unless it is a socket in the file system.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Door::Plain(address) | Door::Tls(address) => Some(*address),
            Door::Unix(_) => None,
        }
    }
}

/// The files of the sockets of a server; they are removed when the last copy is dropped.
#[derive(Clone)]
pub struct Sockets(pub(super) Arc<Vec<SocketFile>>);

impl Sockets {
    /// Removes the files, for a process that ends without dropping anything.
    pub fn remove(&self) {
        self.0.iter().for_each(SocketFile::remove);
    }
}

/// What listeners have in common.
pub(super) struct Opening {
    /// For listeners with TLS.
    pub(super) identity: Option<Arc<Identity>>,
    /// Where connections are counted.
    pub(super) connections: Connections,
}

/// A server and where it listens.
pub(super) struct Opened {
    pub(super) doors: Vec<Door>,
    pub(super) running: actix_web::dev::Server,
}

impl Opening {
    /// Returns where connections are counted; they are not without TLS, as there is nothing to see.
    pub(super) fn counted(&self) -> Option<Connections> {
        self.identity.is_some().then(|| self.connections.clone())
    }

    /// Listens on each of `listen` and serves there what `register` has; the files of sockets are added to `sockets`.
    pub(super) fn open(
        &self,
        layers: Layers,
        register: fn(&mut ServiceConfig),
        listen: &[String],
        workers: usize,
        sockets: &mut Vec<SocketFile>,
    ) -> Result<Opened, String> {
        let state = layers.state.clone();
        let settings = &state.config.server;
        let connections = state.config.limits.connections.div_ceil(workers);
        let mut server = HttpServer::new(move || layers.clone().around(register))
            .workers(workers)
            .backlog(settings.backlog)
            .max_connections(connections)
            // Handshakes that never end must not keep other connections out before there are too many of all.
            .max_connection_rate(connections)
            .tls_handshake_timeout(settings.tls.handshake_timeout)
            .client_request_timeout(settings.header_timeout)
            .client_disconnect_timeout(Duration::from_secs(1))
            .keep_alive(if settings.keep_alive.is_zero() {
                KeepAlive::Disabled
            } else {
                KeepAlive::Timeout(settings.keep_alive)
            })
            .shutdown_timeout(settings.shutdown_timeout.as_secs_f64().ceil() as u64)
            // A client that hangs up ends its request: a read that waits is not left waiting.
            .h1_allow_half_closed(false)
            .disable_signals();
        if let Some(connections) = self.counted() {
            server = server.on_connect(move |stream, data| connections.greet(stream, data));
        }
        let mut doors = Vec::new();
        for item in listen {
            let cannot = |error: std::io::Error| format!("cannot listen on {item}: {error}");
            let known = server.addrs().len();
            match (Listen::of(item), &self.identity) {
                (Listen::Plain(address), _) => server = server.bind(address).map_err(cannot)?,
                (Listen::Tls(address), Some(identity)) => {
                    server = server.bind_rustls_0_23(address, identity.config()?).map_err(cannot)?;
                }
                (Listen::Tls(_), None) => return Err(format!("cannot listen on {item}: server.tls is not set")),
                (Listen::Unix(path), _) => {
                    let (listener, file) = unix::bind(path, settings.unix_socket_mode).map_err(cannot)?;
                    sockets.push(file);
                    doors.push(Door::Unix(path.to_owned()));
                    server = server.listen_uds(listener).map_err(cannot)?;
                    continue;
                }
            }
            let new = server.addrs_with_scheme().into_iter().skip(known);
            doors.extend(new.map(|(address, scheme)| Door::of(address, scheme)));
        }
        Ok(Opened { doors, running: server.run() })
    }
}
