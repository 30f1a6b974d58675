//! What is listened on.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use actix_server::ServerBuilder;
use log::debug;
use socket2::{SockFilter, SockRef};
use tokio::net::TcpSocket;

use crate::config::Listen;
use crate::http::connection::Connecting;
use crate::http::layers::{Layers, Register};
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
pub struct Sockets {
    files: Arc<Vec<SocketFile>>,
    /// Second handles of those that are served: they have to be let go before the others are closed.
    listeners: Arc<Mutex<Vec<net::TcpListener>>>,
}

/// Drops what would begin a connection (SYN without ACK), and lets the rest of a handshake through: the byte of the
/// flags is the 14th of what a filter of a listener sees.
const NO_NEW: [SockFilter; 5] = [
    SockFilter::new((libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16, 0, 0, 13),
    SockFilter::new((libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16, 0, 0, 0x12),
    SockFilter::new((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 0, 1, 0x02),
    SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0),
    SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, u32::MAX),
];

impl Sockets {
    pub(super) fn new(files: Vec<SocketFile>, listeners: Vec<net::TcpListener>) -> Sockets {
        Sockets { files: Arc::new(files), listeners: Arc::new(Mutex::new(listeners)) }
    }

    /// Lets nobody connect any more, while who has connected is still accepted.
    ///
    /// For a moment before listeners are closed: that resets connections that wait to be accepted, and whoever has sent
    /// a request on one cannot know that it was not begun. Who tries to connect meanwhile tries again by themselves, and
    /// finds that nothing listens.
    pub fn refuse_new(&self) {
        self.remove();
        for listener in self.let_go() {
            if let Err(why) = SockRef::from(&listener).attach_filter(&NO_NEW) {
                debug!("connections that wait when the listener is closed will be reset: {why}");
            }
        }
    }

    /// Keeps no listener open that others close.
    pub fn let_go(&self) -> Vec<net::TcpListener> {
        std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Removes the files, for a process that ends without dropping anything.
    pub fn remove(&self) {
        self.files.iter().for_each(SocketFile::remove);
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
    /// The same as are served, once more.
    pub(super) listeners: Vec<net::TcpListener>,
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
        register: Register,
        listen: &[String],
        workers: usize,
        sockets: &mut Vec<SocketFile>,
    ) -> Result<Opened, String> {
        let state = layers.state.clone();
        let settings = &state.config.server;
        let mut server = ServerBuilder::new()
            .workers(workers)
            .max_concurrent_connections(state.config.limits.connections.div_ceil(workers))
            .shutdown_timeout(settings.shutdown_timeout.as_secs_f64().ceil() as u64)
            .disable_signals();
        let signal = server.graceful_shutdown_signal();
        let (mut doors, mut listeners) = (Vec::new(), Vec::new());
        for item in listen {
            let cannot = |error: Error| format!("cannot listen on {item}: {error}");
            let connecting = |door: &Door| Connecting {
                layers: layers.clone(),
                register,
                door: door.clone(),
                signal: signal.clone(),
                connections: self.counted(),
            };
            match (Listen::of(item), &self.identity) {
                (Listen::Plain(address), _) => {
                    for (listener, address) in bind(address, settings.backlog).map_err(cannot)? {
                        let door = Door::Plain(address);
                        listeners.push(listener.try_clone().map_err(cannot)?);
                        let serve = connecting(&door);
                        server = server.listen(door.to_string(), listener, move || serve.plain()).map_err(cannot)?;
                        doors.push(door);
                    }
                }
                (Listen::Tls(address), Some(identity)) => {
                    let config = Arc::new(identity.config()?);
                    for (listener, address) in bind(address, settings.backlog).map_err(cannot)? {
                        let door = Door::Tls(address);
                        listeners.push(listener.try_clone().map_err(cannot)?);
                        let (serve, config) = (connecting(&door), Arc::clone(&config));
                        let serve = move || serve.tls(Arc::clone(&config));
                        server = server.listen(door.to_string(), listener, serve).map_err(cannot)?;
                        doors.push(door);
                    }
                }
                (Listen::Tls(_), None) => return Err(format!("cannot listen on {item}: server.tls is not set")),
                (Listen::Unix(path), _) => {
                    let (listener, file) = unix::bind(path, settings.unix_socket_mode).map_err(cannot)?;
                    sockets.push(file);
                    let door = Door::Unix(path.to_owned());
                    let serve = connecting(&door);
                    server = server.listen_uds(door.to_string(), listener, move || serve.unix()).map_err(cannot)?;
                    doors.push(door);
                }
            }
        }
        Ok(Opened { doors, listeners, running: server.run() })
    }
}

/// Listens on every address that `HOST:PORT` stands for, or on those where it can.
fn bind(address: &str, backlog: u32) -> Result<Vec<(net::TcpListener, SocketAddr)>, Error> {
    let mut bound = Vec::new();
    let mut last = Error::new(ErrorKind::AddrNotAvailable, "the name stands for no address");
    for address in address.to_socket_addrs()? {
        match bind_one(address, backlog) {
            Ok(listener) => bound.push(listener),
            Err(error) => last = error,
        }
    }
    if bound.is_empty() { Err(last) } else { Ok(bound) }
}

fn bind_one(address: SocketAddr, backlog: u32) -> Result<(net::TcpListener, SocketAddr), Error> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of the process before this one may still be closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(backlog)?.into_std()?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
