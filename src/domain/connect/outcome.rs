use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::domain::connect::call::Call;
use crate::domain::connect::cluster::Cluster;
use crate::domain::connect::config::ConnectorConfig;
use crate::domain::connect::entries::last_config_of;
use crate::domain::connect::operation::{Effect, Operation};
use crate::domain::connect::reply::{Reply, Settled};
use crate::domain::connect::status::Status;

/// What the state says of a change whose answer was lost.
pub(super) enum Seen {
    /// It is as the change wants it; the answer to give.
    Applied(Reply),
    /// It is not; the change can be sent again.
    NotApplied,
    /// Somebody else made it otherwise; the answer to give.
    Conflict(Reply),
    /// Nothing can be seen, or nothing tells.
    Unknown,
}

/// How long a look may take before a change is sent again without one.
const LOOK_LIMIT: Duration = Duration::from_secs(30);

impl Cluster {
    /// Looks what became of a change.
    pub(super) async fn look(&self, call: &Call, deadline: Instant) -> Seen {
        let deadline = match call.operation.row().effect {
            Effect::Repeatable => deadline.min(Instant::now() + LOOK_LIMIT),
            // What is not known is not sent again, so there is nothing else to use the time for.
            Effect::Once | Effect::Disruptive | Effect::Snapshot | Effect::Read => deadline,
        };
        match call.operation {
            Operation::Create => self.look_for_new(call, deadline).await,
            Operation::PutConfig => self.look_at_config(call, deadline, ConnectorConfig::is_kept_as).await,
            Operation::PatchConfig => self.look_at_config(call, deadline, ConnectorConfig::is_patched_into).await,
            Operation::Delete => self.look_for_deleted(call, deadline).await,
            Operation::Pause => self.look_at_state(call, deadline, 202, |state| state == "PAUSED").await,
            Operation::Resume => {
                self.look_at_state(call, deadline, 202, |state| state != "PAUSED" && state != "STOPPED").await
            }
            Operation::Stop => self.look_at_state(call, deadline, 204, |state| state == "STOPPED").await,
            // Sent again they leave the same state.
            Operation::ResetTopics | Operation::PatchOffsets | Operation::DeleteOffsets | Operation::SetLogger => {
                Seen::NotApplied
            }
            Operation::Restart | Operation::RestartTask => Seen::Unknown,
            Operation::Root
            | Operation::Health
            | Operation::List
            | Operation::Connector
            | Operation::Config
            | Operation::Status
            | Operation::Topics
            | Operation::Offsets
            | Operation::Tasks
            | Operation::TasksConfig
            | Operation::TaskStatus
            | Operation::Plugins
            | Operation::PluginConfig
            | Operation::Validate
            | Operation::Loggers
            | Operation::Logger => Seen::Unknown,
        }
    }

    async fn look_for_new(&self, call: &Call, deadline: Instant) -> Seen {
        let Some((name, sent)) = ConnectorConfig::read_creation(&call.body) else { return Seen::Unknown };
        let connector = Call::new(Operation::Connector, &[&name]);
        match self.info(&connector, deadline).await {
            Found::Nothing => Seen::NotApplied,
            Found::Unclear => Seen::Unknown,
            Found::Connector(body, stored) if sent.is_kept_as(&stored) => {
                let location = Some(connector.request().path);
                Seen::Applied(Reply { location, ..Reply::seen(201, body) })
            }
            Found::Connector(..) => {
                let message = format!("Connector {name} already exists");
                let body = serde_json::json!({ "error_code": 409, "message": message }).to_string();
                Seen::Conflict(Reply { outcome: None, ..Reply::seen(409, body) })
            }
        }
    }

    async fn look_at_config(
        &self,
        call: &Call,
        deadline: Instant,
        is_done: fn(&ConnectorConfig, &ConnectorConfig) -> bool,
    ) -> Seen {
        let Some(sent) = ConnectorConfig::read(&call.body) else { return Seen::Unknown };
        match self.info(&call.beside(Operation::Connector), deadline).await {
            Found::Nothing => Seen::NotApplied,
            Found::Unclear => Seen::Unknown,
            Found::Connector(body, stored) if is_done(&sent, &stored) => Seen::Applied(Reply::seen(200, body)),
            Found::Connector(..) => Seen::NotApplied,
        }
    }

    async fn look_for_deleted(&self, call: &Call, deadline: Instant) -> Seen {
        match self.info(&call.beside(Operation::Connector), deadline).await {
            Found::Nothing => Seen::Applied(Reply::seen(204, "")),
            Found::Connector(..) => Seen::NotApplied,
            Found::Unclear => Seen::Unknown,
        }
    }

    async fn look_at_state(&self, call: &Call, deadline: Instant, status: u16, is_done: fn(&str) -> bool) -> Seen {
        match self.status(call, deadline).await {
            Some(seen) if is_done(&seen.connector.state) => Seen::Applied(Reply::seen(status, "")),
            Some(_) => Seen::NotApplied,
            None => Seen::Unknown,
        }
    }

    async fn info(&self, call: &Call, deadline: Instant) -> Found {
        let Ok(reply) = self.ask(call, deadline).await else { return Found::Unclear };
        match reply.status {
            404 => Found::Nothing,
            200 => match last_config_of(reply.bytes()).and_then(ConnectorConfig::read) {
                Some(stored) => Found::Connector(reply.into_bytes(), stored),
                None => Found::Unclear,
            },
            _ => Found::Unclear,
        }
    }

    /// Returns the state of the connector of a call, if it can be told.
    pub(super) async fn status(&self, call: &Call, deadline: Instant) -> Option<Status> {
        let reply = self.ask(&call.beside(Operation::Status), deadline).await.ok()?;
        if reply.status == 200 { Status::read(reply.bytes()) } else { None }
    }

    /// Tells whether a 409 that reads as of a moment is for ever: nobody owns the task of a stopped connector.
    pub(super) async fn is_lasting(&self, call: &Call, status: u16, deadline: Instant) -> bool {
        if call.operation != Operation::RestartTask || status != 409 {
            return false;
        }
        let status = self.status(call, deadline).await;
        status.is_some_and(|status| status.connector.state == "STOPPED")
    }

    /// Waits until a connector and its tasks are in a state.
    pub(super) async fn settle(&self, name: &str, state: &str, deadline: Instant) -> Settled {
        let call = Call::new(Operation::Status, &[name]);
        let mut failed_since = None;
        while Instant::now() < deadline {
            let status = self.status(&call, deadline).await;
            if status.as_ref().is_some_and(|status| status.is_all(state)) {
                return Settled::Reached;
            }
            if status.as_ref().is_some_and(Status::has_failed) {
                // A restart leaves the old failure in sight for a moment.
                let since = *failed_since.get_or_insert_with(Instant::now);
                if since.elapsed() > FAILURE_IS_REAL_AFTER {
                    return Settled::Failed;
                }
            } else {
                failed_since = None;
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
        if failed_since.is_some() { Settled::Failed } else { Settled::TimedOut }
    }
}

const FAILURE_IS_REAL_AFTER: Duration = Duration::from_secs(3);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);

enum Found {
    Nothing,
    Connector(Bytes, ConnectorConfig),
    Unclear,
}
