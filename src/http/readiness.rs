//! Whether this proxy should be sent requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use serde::Serialize;
use tokio::sync::watch;

use crate::error::Kind;
use crate::http::gate::Gate;
use crate::state::State;

/// How long a look at Kafka may take.
const LOOK_LIMIT: Duration = Duration::from_millis(1800);

/// How long a request waits for the look that it needs.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long it is taken that a broker that answered does so still.
const REACHABLE_FOR: Duration = Duration::from_secs(5);

/// How long it is taken that Kafka cannot be reached.
const UNREACHABLE_FOR: Duration = Duration::from_secs(1);

/// Looks at Kafka when it is asked, and remembers for some seconds what it saw.
#[derive(Clone)]
pub(super) struct Readiness {
    state: Data<State>,
    gate: Data<Gate>,
    latest: Arc<watch::Sender<Option<Look>>>,
    looking: Arc<AtomicBool>,
}

/// What was seen.
#[derive(Clone)]
struct Look {
    at: Instant,
    kafka: Check,
}

/// Whether one thing is as it should be.
#[derive(Clone, Serialize)]
pub(super) struct Check {
    ok: bool,
    message: String,
}

/// What `/ready` answers.
#[derive(Serialize)]
pub(super) struct Report {
    status: &'static str,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    kafka: Check,
    serving: Check,
}

impl Readiness {
    pub(super) fn new(state: Data<State>, gate: Data<Gate>) -> Readiness {
        Readiness { state, gate, latest: Arc::new(watch::Sender::new(None)), looking: Arc::default() }
    }

    /// Checks everything; takes about two seconds at the most.
    pub(super) async fn report(&self) -> Report {
        let serving = if self.gate.is_closing() {
            Check { ok: false, message: "This proxy is about to stop.".to_owned() }
        } else {
            Check { ok: true, message: "This proxy serves requests.".to_owned() }
        };
        let kafka = self.kafka().await;
        let status = if serving.ok && kafka.ok { "ready" } else { "not_ready" };
        Report { status, checks: Checks { kafka, serving } }
    }

    async fn kafka(&self) -> Check {
        let mut looks = self.latest.subscribe();
        if let Some(look) = looks.borrow().as_ref().filter(|look| look.holds()) {
            return look.kafka.clone();
        }
        self.look();
        let new = tokio::time::timeout(PATIENCE, looks.wait_for(|look| look.as_ref().is_some_and(Look::holds))).await;
        match new {
            Ok(Ok(look)) => look.as_ref().map_or_else(Check::unanswered, |look| look.kafka.clone()),
            Ok(Err(_)) | Err(_) => Check::unanswered(),
        }
    }

    /// Begins to look, unless somebody does already. It ends by its own deadline.
    fn look(&self) {
        if self.looking.swap(true, Ordering::Relaxed) {
            return;
        }
        let Readiness { state, latest, looking, .. } = self.clone();
        tokio::task::spawn(async move {
            let kafka = match state.kafka.metadata.reach(LOOK_LIMIT).await {
                Ok(()) => Check { ok: true, message: "A broker answered.".to_owned() },
                Err(error) if error.kind() == Kind::KafkaAuthentication => Check::failed(error.message()),
                Err(_) => Check::unanswered(),
            };
            latest.send_replace(Some(Look { at: Instant::now(), kafka }));
            looking.store(false, Ordering::Relaxed);
        });
    }
}

impl Look {
    fn holds(&self) -> bool {
        self.at.elapsed() < if self.kafka.ok { REACHABLE_FOR } else { UNREACHABLE_FOR }
    }
}

impl Check {
    fn failed(message: &str) -> Check {
        Check { ok: false, message: message.to_owned() }
    }

    fn unanswered() -> Check {
        Check::failed("No Kafka broker answers.")
    }
}

impl Report {
    pub(super) fn is_ready(&self) -> bool {
        self.checks.kafka.ok && self.checks.serving.ok
    }
}
