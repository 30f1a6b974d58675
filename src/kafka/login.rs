//! With whose credentials the clients of a caller go to Kafka.

// librdkafka takes credentials of a running client only through its C functions.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rdkafka::bindings as rd;

use crate::error::{Kind, Result};
use crate::model::Credentials;

/// What librdkafka is told of a token that does not say when it ends.
const UNKNOWN_LIFE_MS: i64 = 3_600_000;

/// What a caller logs in with; has no `Debug`.
#[derive(Clone)]
pub struct Login {
    /// What librdkafka calls them in its logs.
    pub principal: String,
    /// What they show.
    pub credentials: Credentials,
    /// When that ends, in milliseconds since 1970, as far as it is known.
    pub expires_ms: Option<i64>,
}

/// The login of clients, which may be a newer one than they were created with.
pub(super) struct CurrentLogin {
    login: RwLock<Arc<Login>>,
    /// Whether it is good no more, so that nothing is begun with it.
    ended: AtomicBool,
}

impl CurrentLogin {
    pub(super) fn new(login: Login) -> CurrentLogin {
        CurrentLogin { login: RwLock::new(Arc::new(login)), ended: AtomicBool::new(false) }
    }

    pub(super) fn get(&self) -> Arc<Login> {
        Arc::clone(&self.login.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a newer one of the same caller; running clients have to be given it.
    pub(super) fn renew(&self, login: Login) {
        *self.login.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(login);
    }

    /// Refuses what is begun from now on.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// 401 once it has ended.
    pub(super) fn check(&self) -> Result<()> {
        if !self.ended.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Kind::KafkaAuthentication.because("Kafka does not accept these credentials any more; send others."))
    }
}

impl Login {
    /// Gives it to a client, for the connections that it makes from now on.
    pub(super) fn give_to(&self, client: *mut rd::rd_kafka_t) -> Result<()> {
        match &self.credentials {
            Credentials::Password { user, password } => give_password(client, user, &password.0),
            Credentials::Token(token) => self.give_token(client, &token.0),
        }
    }

    fn give_token(&self, client: *mut rd::rd_kafka_t, token: &str) -> Result<()> {
        let (token, principal) = (text(token)?, text(&self.principal)?);
        let expires_ms = self.expires_ms.unwrap_or_else(|| now_ms() + UNKNOWN_LIFE_MS);
        let mut why: [c_char; 256] = [0; 256];
        // SAFETY: the client is alive, as its owner calls; librdkafka copies the texts, and writes no more into `why`
        // than there is room.
        let code = unsafe {
            rd::rd_kafka_oauthbearer_set_token(
                client,
                token.as_ptr(),
                expires_ms,
                principal.as_ptr(),
                std::ptr::null_mut(),
                0,
                why.as_mut_ptr(),
                why.len(),
            )
        };
        match code {
            rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            // What librdkafka says is not kept, as it may quote the token.
            _ => Err(Kind::KafkaAuthentication.because("The token has expired, or has characters that no token has.")),
        }
    }
}

fn give_password(client: *mut rd::rd_kafka_t, user: &str, password: &str) -> Result<()> {
    let (user, password) = (text(user)?, text(password)?);
    // SAFETY: the client is alive, as its owner calls; librdkafka copies both texts, and the error is destroyed once.
    let refused = unsafe {
        let error = rd::rd_kafka_sasl_set_credentials(client, user.as_ptr(), password.as_ptr());
        if !error.is_null() {
            rd::rd_kafka_error_destroy(error);
        }
        !error.is_null()
    };
    if refused { Err(Kind::Internal.because("The Kafka client does not take the credentials.")) } else { Ok(()) }
}

fn text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Kind::KafkaAuthentication.because("Credentials have no NUL characters."))
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
