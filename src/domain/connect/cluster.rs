use std::sync::Arc;
use std::time::Instant;

use crate::admin::Admin;
use crate::config::ConnectCluster;
use crate::domain::connect::call::Call;
use crate::domain::connect::config::ConnectorConfig;
use crate::domain::connect::guard::Guard;
use crate::domain::connect::operation::Operation;
use crate::domain::connect::outcome::Seen as State;
use crate::domain::connect::queue::Queue;
use crate::domain::connect::reply::{Outcome, Reply, Settled};
use crate::domain::connect::restarts::Restarts;
use crate::domain::connect::workers::Workers;
use crate::error::{Error, Kind, Result};
use crate::metrics::ConnectCalls;

/// A Kafka Connect cluster as its clients should find it.
pub struct Cluster {
    /// What it is called here.
    pub name: String,
    /// What is configured.
    pub settings: ConnectCluster,
    /// Who can be asked.
    pub workers: Arc<Workers>,
    pub(super) guard: Guard,
    /// What was started again when it had failed.
    pub(super) restarts: Restarts,
    pub(super) queue: Queue,
    calls: Arc<ConnectCalls>,
}

impl Cluster {
    /// Reads the certificates; connects to nobody. The error is a sentence for the operator.
    pub(super) fn new(
        name: &str,
        settings: &ConnectCluster,
        admin: &Arc<Admin>,
        calls: Arc<ConnectCalls>,
    ) -> Result<Cluster, String> {
        let workers = Workers::new(name, settings, admin).map_err(|why| format!("connect.{name}: {why}"))?;
        Ok(Cluster {
            name: name.to_owned(),
            workers: Arc::new(workers),
            queue: Queue::new(settings.concurrent_writes, settings.queued_writes),
            guard: Guard::new(settings).map_err(|why| format!("connect.{name}.{why}"))?,
            restarts: Restarts::new(admin),
            settings: settings.clone(),
            calls,
        })
    }

    /// Returns how many changes wait for their turn.
    pub fn queued_writes(&self) -> u64 {
        self.queue.waiting() as u64
    }

    /// Carries out the request of a client, and counts it.
    pub async fn call(self: &Arc<Self>, call: Call) -> Result<Reply> {
        let counted = self.calls.begin();
        let reply = self.serve(call).await;
        match &reply {
            Ok(reply) => counted.end(reply.outcome.map_or("answered", Outcome::name), reply.status),
            Err(error) => counted.end(error.kind().label(), error.kind().status()),
        }
        reply
    }

    async fn serve(self: &Arc<Self>, call: Call) -> Result<Reply> {
        let limit = call.wishes.within.unwrap_or(self.settings.request_timeout).min(self.settings.request_timeout);
        let deadline = Instant::now() + limit;
        self.check_size(&call.body)?;
        let is_write = call.operation.is_write();
        let call = self.admit(call, deadline).await.map_err(|why| if is_write { unsent(why) } else { why })?;
        let turn = if is_write { Some(self.queue.turn(deadline).await?) } else { None };
        let reply = self.carry_out(&call, deadline).await?;
        drop(turn);
        let settled = if reply.is_success() { self.settled(&call).await } else { None };
        let reply = match call.operation {
            Operation::List => self.veil_list(&call, reply).await.map_err(|why| Kind::ConnectAnswer.caused_by(why))?,
            _ => self.veil(&call, reply, deadline).await?,
        };
        Ok(Reply { settled, ..reply })
    }

    /// Refuses the body of a request that is larger than is configured.
    pub fn check_size(&self, body: &[u8]) -> Result<()> {
        let most = self.settings.max_body_bytes;
        if body.len() as u64 > most {
            return Err(
                Kind::PayloadTooLarge.because(format!("The request body is larger than {most} bytes: send less."))
            );
        }
        Ok(())
    }

    async fn settled(&self, call: &Call) -> Option<Settled> {
        let settle = call.wishes.settle?;
        let name = self.subject(call);
        Some(self.settle(&name, settle.state, Instant::now() + settle.within).await)
    }

    /// Returns the connector that a call is about.
    pub(super) fn subject(&self, call: &Call) -> String {
        match call.operation {
            Operation::Create => ConnectorConfig::read_creation(&call.body).map(|(name, _)| name).unwrap_or_default(),
            _ => call.name(),
        }
    }

    async fn carry_out(&self, call: &Call, deadline: Instant) -> Result<Reply> {
        if self.settings.skip_unchanged
            && call.operation == Operation::PutConfig
            && let State::Applied(reply) = self.look(call, deadline).await
        {
            return Ok(Reply { outcome: Some(Outcome::Unchanged), ..reply });
        }
        if call.operation == Operation::List {
            let call = Call { query: self.list_query(call), ..call.clone() };
            return self.ask(&call, deadline).await;
        }
        self.ask(call, deadline).await
    }
}

/// Returns why a change was not sent: what had to be read before could not be.
fn unsent(why: Error) -> Error {
    match why.kind() {
        Kind::ConnectTimeout => Kind::ConnectUnavailable.caused_by(why),
        _ => why,
    }
}
