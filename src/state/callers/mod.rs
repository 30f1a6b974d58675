//! What is used for callers whose own credentials go on to Kafka: a bounded set of Kafka clients a caller.

mod checks;
mod clients;
mod keeper;
mod keys;
mod table;
mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::admin::{Admin, Code, Shared};
use crate::config::{LoginProperties, Passthrough};
use crate::error::{Error, Kind, Result};
use crate::kafka::Login;
use crate::model::{Credentials, Principal};
use crate::state::State;
use checks::Checks;
use clients::Clients;
use keys::{Keys, Tag};
use table::Table;
use token::Claims;

/// Credentials that are shown to Kafka at one time; more wait for their turn.
const PARALLEL_CHECKS: usize = 16;

/// A longer user, password or token is nobody's.
const MAX_BYTES: usize = 64 * 1024;

/// The callers whose own credentials are used with Kafka; nobody's where that is off.
#[derive(Default)]
pub struct Callers(Option<Arc<Passing>>);

struct Passing {
    /// What callers share, and what the proxy has for itself.
    own: State,
    settings: Passthrough,
    shared: Shared,
    keys: Keys,
    table: Table,
    checks: Checks,
    turns: Semaphore,
    /// Whether there is a thread that looks after the table, which begins with the first caller.
    is_kept: AtomicBool,
    /// Clients that are being closed.
    closing: AtomicUsize,
}

/// What is used of credentials to find clients and to make them.
struct Shown {
    login: Login,
    /// Of exactly these credentials.
    proof: Tag,
    /// Of whom they are: the same for a token and its renewal.
    who: Tag,
}

impl Callers {
    /// Takes the settings; connects to nobody and starts no thread.
    pub(super) fn new(own: &State) -> Result<Callers> {
        let settings = own.config.passthrough.clone();
        if !settings.enabled {
            return Ok(Callers(None));
        }
        Ok(Callers(Some(Arc::new(Passing {
            own: own.clone(),
            table: Table::new(settings.max_principals),
            settings,
            shared: Shared::default(),
            keys: Keys::new()?,
            checks: Checks::default(),
            turns: Semaphore::new(PARALLEL_CHECKS),
            is_kept: AtomicBool::new(false),
            closing: AtomicUsize::new(0),
        }))))
    }

    /// Tells whether callers' own credentials are used with Kafka.
    pub fn are_passed_through(&self) -> bool {
        self.0.is_some()
    }

    /// Returns a state whose Kafka clients log in with these credentials; all else in it is everybody's.
    ///
    /// Credentials that are not known are shown to Kafka first: 401 where it refuses them, 503 where it cannot be
    /// asked. 429 where too many callers have work under way. To be kept no longer than for one request.
    pub async fn state_for(&self, principal: &Principal, credentials: &Credentials) -> Result<Arc<State>> {
        let Some(passing) = &self.0 else {
            return Err(Kind::Internal.because("Credentials do not go on to Kafka here: auth.passthrough is off."));
        };
        check_form(credentials)?;
        let proof = passing.proof(principal, credentials);
        if let Some(state) = passing.table.find(principal, &proof) {
            return Ok(state);
        }
        let shown = passing.shown(principal, credentials, proof);
        passing.checks.once(shown.proof, passing.admit(principal, &shown)).await
    }

    /// Returns for how many callers clients are kept.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |passing| passing.table.count())
    }

    /// Writes what callers' producers still have and closes all clients; blocks for up to `timeout`.
    pub fn close(&self, timeout: Duration) {
        if let Some(passing) = &self.0 {
            keeper::close_all(passing.table.take_all(), timeout);
        }
    }
}

impl Passing {
    /// Returns the keyed hash of exactly these credentials.
    fn proof(&self, principal: &Principal, credentials: &Credentials) -> Tag {
        let name = principal.name().as_bytes();
        match credentials {
            Credentials::Password { user, password } => {
                self.keys.tag(&[b"password", name, user.as_bytes(), password.0.as_bytes()])
            }
            Credentials::Token(token) => self.keys.tag(&[b"token", name, token.0.as_bytes()]),
        }
    }

    fn shown(&self, principal: &Principal, credentials: &Credentials, proof: Tag) -> Shown {
        let claims = match credentials {
            Credentials::Password { .. } => Claims::default(),
            Credentials::Token(token) => Claims::of(&token.0),
        };
        let who = claims.lasting.map(|claims| self.keys.tag(&[b"claims", principal.name().as_bytes(), &claims]));
        let login = Login {
            principal: principal.name().to_owned(),
            credentials: credentials.clone(),
            expires_ms: claims.expires_ms,
        };
        Shown { login, proof, who: who.unwrap_or(proof) }
    }

    /// Shows credentials to Kafka and returns the clients of who they are.
    async fn admit(self: &Arc<Self>, principal: &Principal, shown: &Shown) -> Result<Arc<State>> {
        let patience = self.own.config.kafka.request_timeout;
        let busy = || Kind::Overloaded.because("Too many callers log in to Kafka; send the request again later.");
        let turn = tokio::time::timeout(patience, self.turns.acquire()).await;
        let _turn = turn.ok().and_then(|turn| turn.ok()).ok_or_else(busy)?;
        // Another request may have done it in the meantime.
        if let Some(state) = self.table.find(principal, &shown.proof) {
            return Ok(state);
        }
        let admin = self.checked(&shown.login).await?;
        let create = || Clients::new(self.state_of(admin, &shown.login), shown);
        let state = self.table.admit(principal, shown, create)?;
        keeper::start(self);
        Ok(state)
    }

    /// Shows credentials to Kafka; returns an administrative client that has them.
    async fn checked(&self, login: &Login) -> Result<Admin> {
        let admin = match &login.credentials {
            Credentials::Password { user, password } => {
                let properties = LoginProperties::Password(user, &password.0);
                Admin::of_caller(&self.own.config.of_caller(properties), None, &self.shared)
            }
            Credentials::Token(token) => {
                let config = self.own.config.of_caller(LoginProperties::Token);
                Admin::of_caller(&config, Some(&token.0), &self.shared)
            }
        };
        admin.log_in().await.map_err(|why| explained(why, &login.credentials))?;
        Ok(admin)
    }

    fn state_of(&self, admin: Admin, login: &Login) -> State {
        let properties = match &login.credentials {
            Credentials::Password { user, password } => LoginProperties::Password(user, &password.0),
            Credentials::Token(_) => LoginProperties::Token,
        };
        let kafka = self.own.kafka.of_caller(&self.own.config.of_caller(properties), login.clone());
        State { kafka: Arc::new(kafka), admin: Arc::new(admin), ..self.own.clone() }
    }
}

/// Tells apart what is wrong with a password and what is wrong with the settings.
fn explained(error: Error, credentials: &Credentials) -> Error {
    match (Code::of(&error), credentials) {
        // The brokers that are configured take no logins, or not in the way that is configured.
        (Some(Code::ILLEGAL_SASL_STATE), _)
        | (Some(Code::UNSUPPORTED_SASL_MECHANISM), Credentials::Password { .. }) => error.as_kind(Kind::Internal),
        _ => error,
    }
}

/// Refuses what no Kafka takes, and what could be mistaken for something else on the way there.
fn check_form(credentials: &Credentials) -> Result<()> {
    let good = |text: &str| !text.is_empty() && text.len() <= MAX_BYTES && !text.contains('\0');
    let is_good = match credentials {
        Credentials::Password { user, password } => good(user) && good(&password.0),
        Credentials::Token(token) => token.0.len() <= MAX_BYTES && is_token(&token.0),
    };
    if is_good {
        return Ok(());
    }
    Err(Kind::KafkaAuthentication
        .because("Kafka takes no credentials that are empty, too long, or of such characters."))
}

/// Tells whether a text is a `b64token` of RFC 6750: in a SASL message any other could be more than a token.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._~+/=".contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Password;

    fn password(user: &str, password: &str) -> Credentials {
        Credentials::Password { user: user.to_owned(), password: Password(password.to_owned()) }
    }

    #[test]
    fn what_could_be_more_than_a_credential_is_refused() {
        for good in [password("alice", "alice-pw"), password("a,b=c", "\u{fc} \u{1}"), token("a.b-c_d~+/==")] {
            assert!(check_form(&good).is_ok(), "{good:?}");
        }
        for bad in [
            password("", "x"),
            password("alice", ""),
            password("alice\0bob", "x"),
            password("alice", "x\0y"),
            token(""),
            token("a\u{1}auth=Bearer b"),
            token("a b"),
        ] {
            assert_eq!(check_form(&bad).unwrap_err().kind(), Kind::KafkaAuthentication, "{bad:?}");
        }
    }

    fn token(text: &str) -> Credentials {
        Credentials::Token(Password(text.to_owned()))
    }
}
