use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{error, info, warn};
use rdkafka::types::RDKafkaErrorCode;

use crate::kafka::login::CurrentLogin;

/// What the clients of one cluster last heard of it: says in one line that it is gone, and in one that it is back.
///
/// Of the clients of a caller it says nothing: those of the proxy tell the state of the cluster, and what is wrong with
/// the credentials is the caller's to hear.
pub(super) struct Health {
    bootstrap_servers: String,
    /// Whose clients these are, if not the proxy's.
    pub(super) login: Option<CurrentLogin>,
    /// Whether anything below has to be looked at when a broker answers.
    troubled: AtomicBool,
    unreachable: AtomicBool,
    /// What a broker said when it refused the credentials; cleared by the next success.
    refused: Mutex<Option<String>>,
}

impl Health {
    pub(super) fn new(bootstrap_servers: &str) -> Health {
        Health {
            bootstrap_servers: bootstrap_servers.to_string(),
            login: None,
            troubled: AtomicBool::new(false),
            unreachable: AtomicBool::new(false),
            refused: Mutex::new(None),
        }
    }

    /// Returns the same for the clients of a caller.
    pub(super) fn of_caller(login: CurrentLogin) -> Health {
        Health { login: Some(login), ..Health::new("") }
    }

    /// Takes note of an error that a client reports outside of any operation.
    pub(super) fn failed(&self, code: RDKafkaErrorCode, reason: &str) {
        self.troubled.store(true, Ordering::Relaxed);
        match code {
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => {
                let mut refused = self.lock_refused();
                if refused.is_none() && self.login.is_none() {
                    error!("kafka refuses the credentials of this proxy: {reason}");
                }
                *refused = Some(reason.to_string());
            }
            RDKafkaErrorCode::SSL if self.login.is_none() => error!("no TLS with kafka: {reason}"),
            // Every single broker that goes away is reported too; only the loss of all of them is a state of its own.
            RDKafkaErrorCode::AllBrokersDown => {
                if !self.unreachable.swap(true, Ordering::Relaxed) && self.login.is_none() {
                    warn!("kafka at {} is unreachable: {reason}", self.bootstrap_servers);
                }
            }
            // The rest are passing states of one connection, which librdkafka mends by itself.
            _ => log::debug!("kafka client: {code}: {reason}"),
        }
    }

    /// Takes note that a broker answered.
    pub(super) fn succeeded(&self) {
        if !self.troubled.load(Ordering::Relaxed) || !self.troubled.swap(false, Ordering::Relaxed) {
            return;
        }
        *self.lock_refused() = None;
        if self.unreachable.swap(false, Ordering::Relaxed) && self.login.is_none() {
            info!("kafka at {} is reachable again", self.bootstrap_servers);
        }
    }

    /// Returns what a broker said when it refused the credentials, where that is the last it said.
    pub(super) fn refused(&self) -> Option<String> {
        self.lock_refused().clone()
    }

    fn lock_refused(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
