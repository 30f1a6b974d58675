//! The gateway to Kafka Connect, before real workers and before scripted ones.

mod churn;
mod compatible;
mod failure;
mod internal;
mod outcomes;
mod queue;
pub mod requests;
mod retries;
mod secrets;
mod streaming;
mod tls;
mod workers;

use crate::harness::app::{self, App};
use crate::harness::connect::fake::{Action, FakeWorkers};
use crate::harness::http::{Answer, Call};

/// What says what became of a change.
const OUTCOME: &str = "x-connect-gateway-outcome";

/// Nothing listens there: the gateway to Connect does not need Kafka.
const NO_KAFKA: &str = "127.0.0.1:1";

/// What workers say while they rebalance.
const STALE: &str = "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent \
                     config change)";
const NO_LEADER: &str =
    "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.";
const EXPECTED: &str = "Request cannot be completed because a rebalance is expected";
const TIMED_OUT: &str = "Request timed out. The worker is currently polling the group coordinator";
const NOT_FORWARDED: &str = "IO Error trying to forward REST request: java.net.ConnectException: Connection refused";

/// A proxy before scripted workers.
struct Gateway {
    app: App,
    fakes: FakeWorkers,
}

impl Gateway {
    /// Starts both; `settings` are below `connect.default`.
    fn start(workers: usize, settings: &[&str]) -> Gateway {
        let fakes = FakeWorkers::start(workers);
        Gateway { app: proxy(&fakes.urls(), settings), fakes }
    }

    /// Does the same with every request but those that tell how a worker is.
    fn always(&self, action: &Action) {
        for pattern in ["/connect*", "/admin*"] {
            self.fakes.always("*", pattern, action.clone());
        }
    }

    fn call(&self, method: &str, path: &str) -> Call {
        self.app.call(method, path)
    }

    fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }
}

/// Starts a proxy before the workers at these URLs; `settings` are below `connect.default`.
fn proxy(urls: &str, settings: &[&str]) -> App {
    let settings = settings.iter().map(|setting| format!("connect.default.{setting}"));
    let settings: Vec<String> = settings.chain([format!("connect.default.urls={urls}")]).collect();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    app::spawn_app(app::config_with(NO_KAFKA, &settings))
}

/// Returns status and outcome of an answer.
fn told(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header(OUTCOME))
}
