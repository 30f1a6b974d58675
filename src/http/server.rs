use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;

use crate::config;
use crate::domain::{Stopper, Stopping};
use crate::http::cors::Cors;
use crate::http::gate::Gate;
use crate::http::layers::Layers;
use crate::http::listen::{Door, Opening, Sockets};
use crate::http::peer::Connections;
use crate::http::readiness::Readiness;
use crate::http::served::Unserved;
use crate::http::sight::Sight;
use crate::http::unix::SocketFile;
use crate::http::{management, routes, table};
use crate::reload::Reloads;
use crate::state::State;
use crate::tls::Identity;

/// A server that listens.
pub struct Server {
    /// Where, with the port that was chosen; without Unix sockets.
    pub addresses: Vec<SocketAddr>,
    /// Everything that it listens on.
    pub doors: Vec<Door>,
    /// What is for operators, where it has a listener of its own.
    pub management: Option<Management>,
    /// Asks clients to go elsewhere.
    pub gate: Data<Gate>,
    /// Asks what would go on for long to end; to be used before `handle`.
    pub stopper: Stopper,
    /// Stops it.
    pub handle: ServerHandle,
    /// Runs until stopped.
    pub running: actix_web::dev::Server,
    /// Tells when a server that was asked to stop has nothing left to do.
    pub quiet: Quiet,
    /// The files of its sockets.
    pub sockets: Sockets,
    /// What of it can be read again.
    pub reloads: Reloads,
}

/// The listener for operators.
pub struct Management {
    /// Where it listens.
    pub doors: Vec<Door>,
    /// Stops it.
    pub handle: ServerHandle,
    /// Runs until stopped.
    pub running: actix_web::dev::Server,
}

/// Checks what is needed to listen, without doing it. The error is a line that names the setting.
pub fn check(settings: &config::Server) -> Result<(), String> {
    identity(settings).map(drop)
}

fn identity(settings: &config::Server) -> Result<Option<Arc<Identity>>, String> {
    if settings.has_tls() { Identity::load(&settings.tls).map(|identity| Some(Arc::new(identity))) } else { Ok(None) }
}

/// Binds every address of `server.listen` and `server.management_listen`, starts to serve and starts what runs beside
/// requests; has to be called inside an actix system.
///
/// Signals are left to the caller. An error is a line that names the address or the setting.
pub fn bind(state: Data<State>) -> Result<Server, String> {
    let settings = &state.config.server;
    let identity = identity(settings)?;
    let gate = Data::new(Gate::new(&state.config.limits, &state.metrics.body_bytes));
    let readiness = Data::new(Readiness::new(state.clone(), gate.clone()));
    let (stopper, stopping) = Stopper::new();
    let (sight, cors) = (Data::new(Sight::new(&state)), Data::new(Cors::new(&state.config.cors)));
    let unserved = Data::new(Unserved::of(table(), &state.config.endpoints));
    let layers = Layers {
        state: state.clone(),
        gate: gate.clone(),
        readiness,
        stopping: Data::new(stopping.clone()),
        unserved,
        sight,
        cors,
    };
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let opening = Opening { identity: identity.clone(), connections: Connections::default() };
    let mut sockets = Vec::new();
    let main = opening.open(layers.clone(), routes, &settings.listen, workers, &mut sockets)?;
    let management = match settings.management_listen.as_slice() {
        [] => None,
        listen => Some(Management::open(layers, listen, identity.clone(), &mut sockets)?),
    };
    state.connect.start();
    state.auth.start();
    if let Some(spans) = &state.spans {
        spans.start();
    }
    let quiet = Quiet { stopping, gate: gate.clone(), connections: opening.counted() };
    Ok(Server {
        addresses: main.doors.iter().filter_map(Door::address).collect(),
        doors: main.doors,
        management,
        gate,
        stopper,
        handle: main.running.handle(),
        running: main.running,
        quiet,
        sockets: Sockets::new(sockets, main.listeners),
        reloads: reloads(&state, identity),
    })
}

impl Management {
    fn open(
        layers: Layers,
        listen: &[String],
        identity: Option<Arc<Identity>>,
        sockets: &mut Vec<SocketFile>,
    ) -> Result<Management, String> {
        // What is under way on the other listeners must not keep an operator out.
        let gate = Data::new(Gate::new(&layers.state.config.limits, &Arc::default()));
        let opening = Opening { identity, connections: Connections::default() };
        let opened = opening.open(Layers { gate, ..layers }, management::routes, listen, 1, sockets)?;
        Ok(Management { doors: opened.doors, handle: opened.running.handle(), running: opened.running })
    }
}

/// Returns what can be read again, and begins to look whether it has changed.
fn reloads(state: &State, identity: Option<Arc<Identity>>) -> Reloads {
    let mut reloads = Reloads::default();
    if let Some(identity) = identity {
        actix_web::rt::spawn(watch(Arc::clone(&identity), state.config.server.tls.reload_interval));
        reloads.add("certificates", move || identity.reload());
    }
    let auth = Arc::clone(&state.auth);
    reloads.add("users and keys", move || auth.reload());
    reloads
}

/// Looks at the files of certificates from time to time, for as long as the system runs.
async fn watch(identity: Arc<Identity>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let identity = Arc::clone(&identity);
        // It logs what went wrong itself.
        let _ = tokio::task::spawn_blocking(move || identity.look()).await;
    }
}

/// Knows whether a server has anything left to do.
pub struct Quiet {
    stopping: Stopping,
    gate: Data<Gate>,
    connections: Option<Connections>,
}

impl Quiet {
    /// Waits until the server was asked to stop and only connections with HTTP/2 are left, on which nothing is under
    /// way: the framework does not end them before its time is up. Where there are none it never returns.
    pub async fn begun(self) {
        let Some(connections) = self.connections else { return std::future::pending().await };
        self.stopping.begun().await;
        let mut quiet_looks = 0;
        while quiet_looks < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let is_quiet = connections.open() == 0 && self.gate.requests() == 0;
            quiet_looks = if is_quiet { quiet_looks + 1 } else { 0 };
        }
    }
}
