use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Kind, Result};
use crate::kafka::Login;
use crate::model::Principal;
use crate::state::State;
use crate::state::callers::Shown;
use crate::state::callers::clients::{Clients, are_used};
use crate::state::callers::keys::Tag;

/// Clients of one principal with different credentials, so that one alone does not fill the table.
const MAX_OF_PRINCIPAL: usize = 4;

/// Clients that nobody finds any more and that are still open.
const MAX_RETIRED: usize = 16;

/// Credentials that are looked at again at one time.
const MAX_DUE: usize = 16;

/// Which callers there are, up to so many.
pub(super) struct Table {
    max: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    kept: HashMap<Principal, Vec<Clients>>,
    /// They end with the last request that has them.
    retired: Vec<Arc<State>>,
}

/// Credentials that Kafka has to be asked about again.
pub(super) struct Due {
    pub(super) principal: Principal,
    pub(super) proof: Tag,
    pub(super) login: Login,
}

impl Table {
    pub(super) fn new(max: usize) -> Table {
        Table { max, inner: Mutex::default() }
    }

    pub(super) fn count(&self) -> usize {
        self.lock().count()
    }

    /// Returns what there is for credentials that are known; clients that Kafka has refused are given up.
    pub(super) fn find(&self, principal: &Principal, proof: &Tag) -> Option<Arc<State>> {
        let mut inner = self.lock();
        let kept = inner.kept.get_mut(principal)?;
        let at = kept.iter().position(|clients| clients.know(proof))?;
        if kept[at].are_over() {
            inner.end(principal, at);
            return None;
        }
        kept[at].used = Instant::now();
        Some(Arc::clone(&kept[at].state))
    }

    /// Returns the clients of credentials that Kafka has accepted: those of the same caller, or new ones.
    pub(super) fn admit(
        &self,
        principal: &Principal,
        shown: &Shown,
        create: impl FnOnce() -> Clients,
    ) -> Result<Arc<State>> {
        let mut inner = self.lock();
        let same = |clients: &&mut Clients| clients.who == shown.who && !clients.are_over();
        if let Some(clients) = inner.kept.entry(principal.clone()).or_default().iter_mut().find(same) {
            clients.learn(shown);
            clients.used = Instant::now();
            return Ok(Arc::clone(&clients.state));
        }
        inner.make_room(principal, self.max)?;
        let clients = create();
        let state = Arc::clone(&clients.state);
        inner.kept.entry(principal.clone()).or_default().push(clients);
        Ok(state)
    }

    /// Gives up clients that nobody used for so long, or that Kafka refuses; returns those that nobody has any more.
    pub(super) fn sweep(&self, idle_timeout: Duration) -> Vec<Arc<State>> {
        let mut inner = self.lock();
        let mut gone = Vec::new();
        for (principal, kept) in &mut inner.kept {
            for (at, clients) in kept.iter_mut().enumerate() {
                if clients.are_used() {
                    clients.used = Instant::now();
                }
                if clients.are_over() {
                    clients.state.kafka.end();
                    gone.push((principal.clone(), at));
                } else if clients.used.elapsed() > idle_timeout {
                    gone.push((principal.clone(), at));
                }
            }
        }
        // From behind, as places move up.
        gone.iter().rev().for_each(|(principal, at)| inner.retire(principal, *at));
        inner.kept.retain(|_, kept| !kept.is_empty());
        let (open, closable) = std::mem::take(&mut inner.retired).into_iter().partition(are_used);
        inner.retired = open;
        closable
    }

    /// Keeps clients that cannot be closed yet.
    pub(super) fn keep(&self, state: Arc<State>) {
        self.lock().retired.push(state);
    }

    /// Returns credentials that Kafka was last asked about so long ago; it is to be asked now.
    pub(super) fn due(&self, period: Duration) -> Vec<Due> {
        let mut due = Vec::new();
        for (principal, kept) in &mut self.lock().kept {
            for clients in kept {
                if due.len() < MAX_DUE {
                    let proofs = clients.due(period).into_iter();
                    due.extend(proofs.map(|(proof, login)| Due { principal: principal.clone(), proof, login }));
                }
            }
        }
        due
    }

    /// Takes note that Kafka refuses credentials.
    pub(super) fn refused(&self, due: &Due) {
        let mut inner = self.lock();
        let Some(kept) = inner.kept.get_mut(&due.principal) else { return };
        if let Some(at) = kept.iter().position(|clients| clients.know(&due.proof))
            && kept[at].forget(&due.proof)
        {
            inner.end(&due.principal, at);
        }
    }

    /// Takes note that Kafka could not be asked: the clients stay, and it is asked again in a while.
    pub(super) fn not_asked(&self, due: &Due, period: Duration, wait: Duration) {
        let mut inner = self.lock();
        let kept = inner.kept.get_mut(&due.principal).into_iter().flatten();
        kept.for_each(|clients| clients.ask_again(&due.proof, period, wait));
    }

    /// Takes everything out.
    pub(super) fn take_all(&self) -> Vec<Arc<State>> {
        let inner = std::mem::take(&mut *self.lock());
        inner.retired.into_iter().chain(inner.kept.into_values().flatten().map(|clients| clients.state)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&self) -> usize {
        self.kept.values().map(Vec::len).sum()
    }

    fn retire(&mut self, principal: &Principal, at: usize) {
        if let Some(kept) = self.kept.get_mut(principal) {
            self.retired.push(kept.remove(at).state);
        }
    }

    /// Gives up clients whose credentials are good no more, also for requests that have them.
    fn end(&mut self, principal: &Principal, at: usize) {
        if let Some(clients) = self.kept.get(principal).and_then(|kept| kept.get(at)) {
            clients.state.kafka.end();
        }
        self.retire(principal, at);
    }

    /// Gives up the clients that were idle for longest, where there are too many; 429 where all are used.
    fn make_room(&mut self, principal: &Principal, max: usize) -> Result<()> {
        let own = self.kept.get(principal).map_or(0, Vec::len);
        if own < MAX_OF_PRINCIPAL && self.count() < max {
            return Ok(());
        }
        let of_own = own >= MAX_OF_PRINCIPAL;
        let candidates = self.kept.iter().filter(|(name, _)| !of_own || *name == principal);
        let places = candidates.flat_map(|(name, kept)| kept.iter().enumerate().map(move |place| (name, place)));
        let idle = places.filter(|(_, (_, clients))| !clients.are_used());
        let idlest = idle.min_by_key(|(_, (_, clients))| clients.used).map(|(name, (at, _))| (name.clone(), at));
        match idlest {
            Some((name, at)) if self.retired.len() < MAX_RETIRED => {
                self.retire(&name, at);
                Ok(())
            }
            Some(_) => Err(Kind::TooManyPrincipals
                .because("The Kafka clients of other callers are just being closed; send the request again later.")),
            None => Err(Kind::TooManyPrincipals.into()),
        }
    }
}
