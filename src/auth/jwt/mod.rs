//! Bearer tokens: JWTs that somebody else signs.

mod keys;
mod ring;
mod source;
mod token;

pub use token::now_s;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::auth::failures::{Failures, Source as Origin};
use crate::auth::fingerprint::Fingerprint;
use crate::auth::jwt::keys::KeySet;
use crate::auth::jwt::source::Source;
use crate::auth::jwt::token::{Fault, Holder, Rules};
use crate::auth::known::{Known, Memory};
use crate::auth::refusal::Refusal;
use crate::config::Auth;
use crate::model::Principal;

/// Checks tokens.
pub struct Bearer {
    rules: Rules,
    /// `None` where tokens are Kafka's to judge.
    source: Option<Arc<Source>>,
    known: Known<Checked>,
}

/// Whose token was good, and by which keys: a key that is not there any more vouches for nobody.
#[derive(Clone)]
struct Checked {
    principal: Principal,
    keys: Arc<KeySet>,
}

impl Bearer {
    /// Reads the keys if they are in a file; the error is a sentence for the operator.
    pub fn new(settings: &Auth) -> Result<Bearer, String> {
        ring::install();
        let has_keys = settings.jwt.has_keys();
        let source = has_keys.then(|| Source::new(&settings.jwt, settings.files_interval)).transpose()?;
        Ok(Bearer {
            rules: Rules::new(&settings.jwt),
            source: source.map(Arc::new),
            known: Known::new(settings.cached_credentials),
        })
    }

    /// Returns where the keys are.
    pub fn source(&self) -> Option<&Arc<Source>> {
        self.source.as_ref()
    }

    /// Returns who holds a token. A good one is never refused for others that were wrong, as nobody guesses one.
    pub async fn check(
        &self,
        token: &str,
        shown: Fingerprint,
        origin: &[Origin],
        failures: &Failures,
    ) -> Result<Principal, Refusal> {
        let Some(source) = &self.source else { return self.read(token, origin, failures) };
        let mut keys = source.keys().ok_or(Refusal::Unavailable)?;
        let holds = |checked: &Checked| Arc::ptr_eq(&checked.keys, &keys);
        if let Memory::Fresh(checked) = self.known.look(&shown, Instant::now(), holds) {
            return Ok(checked.principal);
        }
        let mut verdict = self.rules.verify(token, &keys);
        if verdict == Err(Fault::UnknownKey) && failures.wait(origin, Instant::now()).is_none() {
            source.renewed().await;
            keys = source.keys().ok_or(Refusal::Unavailable)?;
            verdict = self.rules.verify(token, &keys);
        }
        let holder = verdict.map_err(|_| refused(origin, failures))?;
        Ok(self.remember(shown, &holder, keys))
    }

    /// Returns who is said to hold a token that Kafka verifies.
    fn read(&self, token: &str, origin: &[Origin], failures: &Failures) -> Result<Principal, Refusal> {
        let holder = self.rules.read(token).map_err(|_| refused(origin, failures))?;
        Ok(Principal::named(&holder.name))
    }

    fn remember(&self, shown: Fingerprint, holder: &Holder, keys: Arc<KeySet>) -> Principal {
        let principal = Principal::named(&holder.name);
        let checked = Checked { principal: principal.clone(), keys };
        // A token that says it never ends is looked at again some time.
        let left = Duration::from_secs(holder.until_s.saturating_sub(now_s()).min(3600));
        self.known.keep(shown, checked, Instant::now() + left);
        principal
    }
}

/// Counts a token that is not good, and returns what that comes to.
fn refused(origin: &[Origin], failures: &Failures) -> Refusal {
    let now = Instant::now();
    if let Some(wait) = failures.wait(origin, now) {
        return Refusal::Limited(wait);
    }
    failures.note(origin, now);
    Refusal::Wrong
}
