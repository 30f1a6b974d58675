use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::admin::connection::Connection;
use crate::admin::dialer::Dialer;
use crate::admin::failure::Failure;
use crate::error::Kind;

/// To whom a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// Whoever answers first.
    Any,
    /// The broker of this id.
    Broker(i32),
}

/// Who the brokers are, as one of them said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    /// Where each listens, `HOST:PORT`.
    pub(super) addresses: BTreeMap<i32, String>,
    pub(super) controller: Option<i32>,
}

/// One connection to each broker that is needed, and one to whoever answers first.
pub(super) struct Brokers {
    dialer: Arc<Dialer>,
    /// Connections live on a thread of their own, as they outlast the worker that wanted them first.
    thread: Arc<IoThread>,
    connections: Mutex<HashMap<Node, Slot>>,
    members: Mutex<Arc<Members>>,
}

/// Filled by the first who needs it; the others wait for that.
type Slot = Arc<OnceCell<Arc<Connection>>>;

impl Brokers {
    pub(super) fn new(dialer: Dialer, thread: Arc<IoThread>) -> Brokers {
        Brokers { dialer: Arc::new(dialer), thread, connections: Mutex::default(), members: Mutex::default() }
    }

    /// Takes a newer token for the connections that are made from now on.
    pub(super) fn renew(&self, token: &str) {
        if let Some(sasl) = &self.dialer.settings.sasl {
            sasl.renew(token);
        }
    }

    /// Tells whether the last connection was refused for its credentials.
    pub(super) fn is_refused(&self) -> bool {
        self.dialer.is_refused()
    }

    /// Returns what is known of the cluster; nothing at first.
    pub(super) fn members(&self) -> Arc<Members> {
        Arc::clone(&self.members.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of who the brokers are; connections to those that left or moved are forgotten.
    pub(super) fn learn(&self, now: Members) {
        let before = self.members();
        *self.members.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(now.clone());
        self.connections().retain(|node, _| match node {
            Node::Any => true,
            Node::Broker(id) => now.addresses.contains_key(id) && now.addresses.get(id) == before.addresses.get(id),
        });
    }

    /// Returns an open connection, made now if there is none.
    pub(super) async fn connection(&self, node: Node, deadline: Instant) -> Result<Arc<Connection>, Failure> {
        let slot = self.slot(node);
        let connect = || async { self.connect(node).await.map(Arc::new) };
        match timeout_at(deadline, slot.get_or_try_init(connect)).await {
            Ok(Ok(connection)) => Ok(Arc::clone(connection)),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(late()),
        }
    }

    /// Returns a new connection that nobody else uses.
    pub(super) async fn own_connection(&self, node: Node, deadline: Instant) -> Result<Connection, Failure> {
        match timeout_at(deadline, self.connect(node)).await {
            Ok(connected) => connected,
            Err(_) => Err(late()),
        }
    }

    fn slot(&self, node: Node) -> Slot {
        let mut connections = self.connections();
        let slot = connections.entry(node).or_default();
        if slot.get().is_some_and(|connection| !connection.is_usable()) {
            // Requests that are under way on the old one keep it open until they have their answers.
            *slot = Slot::default();
        }
        Arc::clone(slot)
    }

    async fn connect(&self, node: Node) -> Result<Connection, Failure> {
        let addresses = self.addresses(node)?;
        let dialer = Arc::clone(&self.dialer);
        // Ends with this future, should nobody wait for it any more.
        let mut task = JoinSet::new();
        task.spawn_on(async move { dialer.connect(&addresses).await }, self.thread.runtime()?.handle());
        match task.join_next().await {
            Some(Ok(connected)) => connected,
            Some(Err(stopped)) => Err(Failure::Final(Kind::Internal.caused_by(stopped))),
            None => Err(Failure::Unreachable("nothing was tried".to_owned())),
        }
    }

    fn addresses(&self, node: Node) -> Result<Vec<String>, Failure> {
        let members = self.members();
        match node {
            // Should the bootstrap servers be gone, the others may still be there.
            Node::Any => Ok(self.dialer.settings.bootstrap.iter().chain(members.addresses.values()).cloned().collect()),
            Node::Broker(id) => match members.addresses.get(&id) {
                Some(address) => Ok(vec![address.clone()]),
                None => Err(Failure::Unreachable(format!("broker {id} is not known"))),
            },
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<Node, Slot>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn late() -> Failure {
    Failure::Unreachable("no connection in time".to_owned())
}

/// A thread for all connections, started by the first.
#[derive(Default)]
pub(super) struct IoThread(OnceLock<Runtime>);

impl IoThread {
    fn runtime(&self) -> Result<&Runtime, Failure> {
        if let Some(runtime) = self.0.get() {
            return Ok(runtime);
        }
        let started = Builder::new_multi_thread()
            .worker_threads(1)
            // For names to be resolved and files to be read.
            .max_blocking_threads(4)
            .thread_name("kafka-admin")
            .enable_all()
            .build()
            .map_err(|why| Failure::Final(Kind::Internal.caused_by(why)))?;
        // Two may come here at once; the one that loses has not been used.
        if let Err(unused) = self.0.set(started) {
            unused.shutdown_background();
        }
        self.0.get().ok_or_else(|| Failure::Final(Kind::Internal.into()))
    }
}

impl Drop for IoThread {
    fn drop(&mut self) {
        // A runtime must not be waited for inside of another.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
