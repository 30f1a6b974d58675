use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::kafka::Login;
use crate::model::Credentials;
use crate::state::State;
use crate::state::callers::Shown;
use crate::state::callers::keys::Tag;

/// Tokens of one caller that are good at the same time.
const MAX_PROOFS: usize = 16;

/// The Kafka clients of one caller, and the credentials by which they are found.
pub(super) struct Clients {
    pub(super) who: Tag,
    pub(super) state: Arc<State>,
    pub(super) used: Instant,
    /// What the clients log in with.
    current: Tag,
    proofs: Vec<Proof>,
}

/// Credentials that Kafka has accepted.
struct Proof {
    tag: Tag,
    login: Login,
    /// When Kafka was last asked.
    checked: Instant,
}

impl Clients {
    pub(super) fn new(state: State, shown: &Shown) -> Clients {
        let now = Instant::now();
        let proof = Proof { tag: shown.proof, login: shown.login.clone(), checked: now };
        Clients { who: shown.who, state: Arc::new(state), used: now, current: shown.proof, proofs: vec![proof] }
    }

    /// Tells whether they are found by these credentials, and they have not ended.
    pub(super) fn know(&self, proof: &Tag) -> bool {
        self.proofs.iter().any(|known| known.tag == *proof && !has_ended(&known.login))
    }

    /// Takes other credentials of the same caller; those that last longest are logged in with.
    pub(super) fn learn(&mut self, shown: &Shown) {
        self.proofs.retain(|known| known.tag != shown.proof && !has_ended(&known.login));
        if self.proofs.len() >= MAX_PROOFS {
            self.proofs.remove(0);
        }
        let longest = self.proofs.iter().filter_map(|known| known.login.expires_ms).max();
        self.proofs.push(Proof { tag: shown.proof, login: shown.login.clone(), checked: Instant::now() });
        if longest.is_none() || shown.login.expires_ms >= longest {
            self.current = shown.proof;
            self.state.kafka.renew(shown.login.clone());
            if let Credentials::Token(token) = &shown.login.credentials {
                self.state.admin.renew(&token.0);
            }
        }
    }

    /// Tells whether a request has them, or records still wait.
    pub(super) fn are_used(&self) -> bool {
        are_used(&self.state)
    }

    /// Tells whether they are of no more use: Kafka refuses what they log in with, or nothing of that is good any more.
    pub(super) fn are_over(&self) -> bool {
        let is_refused = self.state.kafka.is_refused() || self.state.admin.is_refused();
        is_refused || self.proofs.iter().all(|known| has_ended(&known.login))
    }

    /// Returns credentials that were last looked at so long ago, as if they were looked at now.
    pub(super) fn due(&mut self, period: Duration) -> Vec<(Tag, Login)> {
        let is_due = |known: &&mut Proof| known.checked.elapsed() >= period && !has_ended(&known.login);
        let due = self.proofs.iter_mut().filter(is_due);
        due.map(|known| {
            known.checked = Instant::now();
            (known.tag, known.login.clone())
        })
        .collect()
    }

    /// Forgets credentials that Kafka does not take any more; tells whether the clients log in with them.
    pub(super) fn forget(&mut self, proof: &Tag) -> bool {
        self.proofs.retain(|known| known.tag != *proof);
        self.current == *proof || self.proofs.is_empty()
    }

    /// Has these credentials looked at again in a while, as nobody could be asked.
    pub(super) fn ask_again(&mut self, proof: &Tag, period: Duration, wait: Duration) {
        let checked = Instant::now().checked_sub(period.saturating_sub(wait));
        if let (Some(checked), Some(known)) = (checked, self.proofs.iter_mut().find(|known| known.tag == *proof)) {
            known.checked = checked;
        }
    }
}

/// Tells whether a request has these clients, or records still wait.
pub(super) fn are_used(state: &Arc<State>) -> bool {
    let others = |count: usize| count > 1;
    others(Arc::strong_count(state))
        || others(Arc::strong_count(&state.kafka))
        || others(Arc::strong_count(&state.admin))
        || !state.kafka.is_idle()
}

fn has_ended(login: &Login) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    login.expires_ms.is_some_and(|expires_ms| i128::from(expires_ms) <= now.as_millis() as i128)
}
