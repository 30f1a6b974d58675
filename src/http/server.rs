use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, QueryConfig};
use actix_web::{App, HttpServer};

use crate::domain::Stopper;
use crate::error::Kind;
use crate::http::envelope::envelope;
use crate::http::gate::Gate;
use crate::http::passing::pass_through;
use crate::http::routes;
use crate::state::State;

/// A server that listens.
pub struct Server {
    /// Where, with the port that was chosen.
    pub addresses: Vec<SocketAddr>,
    /// Asks what would go on for long to end; to be used before `handle`.
    pub stopper: Stopper,
    /// Stops it.
    pub handle: ServerHandle,
    /// Runs until stopped.
    pub running: actix_web::dev::Server,
}

/// Binds every address of `server.listen`, starts to serve and starts what runs beside requests; has to be called inside
/// an actix system.
///
/// Signals are left to the caller. An error is a line that names the address.
pub fn bind(state: Data<State>) -> Result<Server, String> {
    let settings = state.config.server.clone();
    let connections = state.config.limits.connections;
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let gate = Data::new(Gate::new(&state.config.limits));
    let beside = state.clone();
    let (stopper, stopping) = Stopper::new();
    let stopping = Data::new(stopping);
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(gate.clone())
            .app_data(stopping.clone())
            .app_data(QueryConfig::default().error_handler(|error, _| {
                Kind::BadRequest.because(format!("The query cannot be read: {error}.")).into()
            }))
            .wrap(from_fn(pass_through))
            .wrap(from_fn(envelope))
            .configure(routes)
    })
    .workers(workers)
    .backlog(settings.backlog)
    .max_connections(connections.div_ceil(workers))
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
    for listen in &settings.listen {
        server = server.bind(listen).map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    }
    beside.connect.start();
    let addresses = server.addrs();
    let running = server.run();
    Ok(Server { addresses, stopper, handle: running.handle(), running })
}
