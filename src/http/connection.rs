//! What becomes of a new connection, until the framework has it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::{TcpStream, UnixStream};
use log::debug;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use crate::http::guarded::Guarded;
use crate::http::layers::{Layers, Register};
use crate::http::listen::Door;
use crate::http::peer::{Connections, greet};

/// A connection with TLS.
pub(super) type Secure = Guarded<TlsStream<TcpStream>>;

/// A connection, what is spoken on it, and who has made it.
type Accepted<T> = (T, Protocol, Option<SocketAddr>);

/// What one listener does with its connections.
#[derive(Clone)]
pub(super) struct Connecting {
    pub(super) layers: Layers,
    pub(super) register: Register,
    pub(super) door: Door,
    /// Tells that the server stops.
    pub(super) signal: GracefulShutdownSignal,
    /// Where connections are counted, if they are.
    pub(super) connections: Option<Connections>,
}

impl Connecting {
    /// Serves connections without TLS.
    pub(super) fn plain(&self) -> impl ServiceFactory<TcpStream, Config = (), InitError = ()> + use<> {
        fn_service(|stream: TcpStream| async move {
            let peer = stream.peer_addr().ok();
            Ok::<_, DispatchError>((stream, Protocol::Http1, peer))
        })
        .and_then(self.http())
    }

    /// Serves connections on a socket in the file system.
    pub(super) fn unix(&self) -> impl ServiceFactory<UnixStream, Config = (), InitError = ()> + use<> {
        fn_service(|stream: UnixStream| async move { Ok::<_, DispatchError>((stream, Protocol::Http1, None)) })
            .and_then(self.http())
    }

    /// Serves connections with TLS, in HTTP/2 for clients that want it.
    pub(super) fn tls(
        &self,
        config: Arc<ServerConfig>,
    ) -> impl ServiceFactory<TcpStream, Config = (), InitError = ()> + use<> {
        let acceptor = TlsAcceptor::from(config);
        let limit = self.layers.state.config.server.tls.handshake_timeout;
        fn_service(move |stream: TcpStream| accept(acceptor.clone(), stream, limit)).and_then(self.http())
    }

    fn http<T>(
        &self,
    ) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<T>
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let settings = &self.layers.state.config.server;
        let signal = self.signal.clone();
        let mut service = HttpService::build()
            // Without it an idle connection would be waited for when the server stops.
            .graceful_shutdown_signal(move || {
                let signal = signal.clone();
                async move { signal.notified().await }
            })
            .client_request_timeout(settings.header_timeout)
            .client_disconnect_timeout(Duration::from_secs(1))
            .keep_alive(if settings.keep_alive.is_zero() {
                KeepAlive::Disabled
            } else {
                KeepAlive::Timeout(settings.keep_alive)
            })
            // A client that hangs up ends its request: a read that waits is not left waiting.
            .h1_allow_half_closed(false);
        let (metrics, connections) = (Arc::clone(&self.layers.state.metrics), self.connections.clone());
        service = service.on_connect_ext(move |stream, data| {
            data.insert(metrics.connection());
            if let Some(connections) = &connections {
                greet(connections, stream, data);
            }
        });
        let app = self.layers.clone().around(self.register, self.door.clone());
        let app = app.into_factory().map_err(|error: actix_web::Error| error.error_response());
        service.finish(map_config(app, |()| AppConfig::default()))
    }
}

async fn accept(acceptor: TlsAcceptor, stream: TcpStream, limit: Duration) -> Result<Accepted<Secure>, DispatchError> {
    let peer = stream.peer_addr().ok();
    // Small frames of HTTP/2 and ends of handshakes would wait for each other.
    stream.set_nodelay(true).map_err(DispatchError::Io)?;
    let accepted = timeout(limit, acceptor.accept(stream)).await;
    let stream = accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(|why| {
        debug!("no TLS with {}: {why}", peer.map_or_else(|| "a client".to_owned(), |peer| peer.to_string()));
        DispatchError::Io(why)
    })?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
    Ok((Guarded::new(stream, is_http2), protocol, peer))
}
