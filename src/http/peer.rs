//! Who is at the other end of a connection.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

/// What the client of a connection with TLS has shown; other connections have none of it.
pub struct Peer {
    /// The client's own certificate, in DER; it is vouched for by one of `server.tls.client_ca_file`.
    pub certificate: Option<Vec<u8>>,
}

/// Counts connections with HTTP/1: they end by themselves when the server stops, those with HTTP/2 do not.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<AtomicUsize>);

/// One of them, for as long as it is open.
struct Open(Connections);

impl Connections {
    /// Returns how many are open.
    pub(super) fn open(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes on a new connection who is there.
    pub(super) fn greet(&self, stream: &dyn Any, data: &mut Extensions) {
        let mut is_http2 = false;
        if let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() {
            let (_, session) = stream.get_ref();
            is_http2 = session.alpn_protocol() == Some(b"h2");
            let leaf = session.peer_certificates().and_then(<[_]>::first);
            data.insert(Peer { certificate: leaf.map(|leaf| leaf.to_vec()) });
        }
        if !is_http2 {
            self.0.fetch_add(1, Ordering::Relaxed);
            data.insert(Open(self.clone()));
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
