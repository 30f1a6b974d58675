use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::Request;
use log::debug;
use tokio::time::{Instant, sleep};

use crate::admin::Admin;
use crate::admin::answer::Answer;
use crate::admin::brokers::{Brokers, Members, Node};
use crate::admin::code::Code;
use crate::admin::connection::Connection;
use crate::admin::coordinators::{CoordinatorKind, Coordinators};
use crate::admin::failure::{Failure, Repeat};
use crate::admin::wire;
use crate::error::{Kind, Result};

/// The wait before the second attempt; it doubles with each.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(50);
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(1000);

/// Less time than this is not shared between attempts.
const SHARED_TIME: Duration = Duration::from_secs(2);

/// Larger answers take more than half a millisecond.
const DECODED_AT_ONCE: usize = 64 * 1024;

/// Who has to carry out a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Any broker.
    Any,
    /// The controller; a broker of KRaft passes requests on to it.
    Controller,
    /// This broker alone.
    Broker(i32),
    /// The coordinator of a group.
    Group(&'a str),
}

/// Requests that serve one purpose and have one deadline.
pub(super) struct Operation<'a> {
    brokers: &'a Brokers,
    coordinators: &'a Coordinators,
    patience: Duration,
    deadline: Instant,
}

impl<'a> Operation<'a> {
    /// Begins an operation that has this much time, from now on.
    pub(super) fn begin(admin: &'a Admin, patience: Duration) -> Result<Operation<'a>> {
        let brokers = admin.brokers()?;
        Ok(Operation { brokers, coordinators: &admin.coordinators, patience, deadline: Instant::now() + patience })
    }

    /// Returns when the operation has to be over.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns who coordinates what, as far as that is known.
    pub(super) fn coordinators(&self) -> &'a Coordinators {
        self.coordinators
    }

    /// Returns the ids of the brokers that there are now.
    pub(super) async fn broker_ids(&self) -> Result<Vec<i32>> {
        let request = |_| no_topics();
        let members = members(&self.call(Route::Any, Repeat::Harmless, request).await?);
        self.brokers.learn(members.clone());
        Ok(members.addresses.into_keys().collect())
    }

    /// Returns how much time the operation was given.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Returns the time that the broker may take, so that its answer still arrives here, in milliseconds.
    pub(super) fn broker_timeout_ms(&self) -> i32 {
        let left = self.deadline.saturating_duration_since(Instant::now());
        i32::try_from(left.mul_f64(0.9).as_millis()).unwrap_or(i32::MAX).max(1)
    }

    /// Sends a request to who has to carry it out, again where that may help, and returns the answer.
    ///
    /// `build` gets the version that the broker knows. An answer that is an error as a whole is an error here; errors
    /// of its parts are the caller's to look at.
    pub(super) async fn call<R: Request>(
        &self,
        route: Route<'_>,
        repeat: Repeat,
        build: impl Fn(i16) -> R,
    ) -> Result<R::Response>
    where
        R::Response: Answer,
    {
        let mut wait = FIRST_WAIT;
        loop {
            let failure = match self.attempt(route, repeat, &build).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if !failure.may_pass(repeat) || Instant::now() + wait >= self.deadline {
                return Err(failure.into_error(repeat, self.patience));
            }
            debug!("request {} to {route:?} failed, trying again: {failure:?}", R::KEY);
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            self.look_around(route).await;
        }
    }

    /// Sends a request once.
    pub(super) async fn attempt<R: Request>(
        &self,
        route: Route<'_>,
        repeat: Repeat,
        build: &impl Fn(i16) -> R,
    ) -> Result<R::Response, Failure>
    where
        R::Response: Answer,
    {
        let node = self.node(route).await.map_err(Failure::before_sending)?;
        self.attempt_at(node, repeat, build).await
    }

    /// Sends a request once to this node.
    pub(super) async fn attempt_at<R: Request>(
        &self,
        node: Node,
        repeat: Repeat,
        build: &impl Fn(i16) -> R,
    ) -> Result<R::Response, Failure>
    where
        R::Response: Answer,
    {
        let connection = self.brokers.connection(node, self.deadline).await?;
        self.attempt_on(&connection, repeat, build).await
    }

    /// Returns a new connection that nobody else uses: what a request that waits long at the broker needs, as others
    /// would wait behind it.
    pub(super) async fn own_connection(&self, route: Route<'_>) -> Result<Connection, Failure> {
        let node = self.node(route).await.map_err(Failure::before_sending)?;
        self.brokers.own_connection(node, self.deadline).await
    }

    /// Sends a request once on this connection.
    pub(super) async fn attempt_on<R: Request>(
        &self,
        connection: &Connection,
        repeat: Repeat,
        build: &impl Fn(i16) -> R,
    ) -> Result<R::Response, Failure>
    where
        R::Response: Answer,
    {
        let deadline = self.attempt_deadline(repeat);
        let version = connection.version::<R>()?;
        let frame = connection.exchange(&build(version), version, deadline).await?;
        let answer = decoded::<R>(frame, version).await.map_err(Failure::Final)?;
        connection.throttle(answer.throttle_ms());
        match answer.code() {
            Code::NONE => Ok(answer),
            code => Err(Failure::Refused { code, message: answer.message().map(str::to_owned) }),
        }
    }

    /// Returns until when an attempt waits: half of what is left where another broker may then be asked.
    fn attempt_deadline(&self, repeat: Repeat) -> Instant {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match repeat {
            Repeat::Harmless if left >= SHARED_TIME => self.deadline - left / 2,
            Repeat::Harmless | Repeat::Never => self.deadline,
        }
    }

    async fn node(&self, route: Route<'_>) -> Result<Node, Failure> {
        match route {
            Route::Any => Ok(Node::Any),
            Route::Controller => self.controller().await,
            Route::Broker(id) => self.broker(id).await,
            Route::Group(group) => {
                let coordinator = self.coordinator(CoordinatorKind::Group, group).await?;
                match self.broker(coordinator).await {
                    // It has left the cluster, and another one takes the group over.
                    Err(Failure::Final(error)) if error.kind() == Kind::BrokerNotAvailable => {
                        Err(Failure::Refused { code: Code::COORDINATOR_NOT_AVAILABLE, message: None })
                    }
                    node => node,
                }
            }
        }
    }

    async fn controller(&self) -> Result<Node, Failure> {
        let known = self.brokers.members().controller;
        let controller = match known {
            Some(id) => Some(id),
            None => self.refresh().await?.controller,
        };
        // Any broker passes the request on, or says that it is another's.
        Ok(controller.map_or(Node::Any, Node::Broker))
    }

    async fn broker(&self, id: i32) -> Result<Node, Failure> {
        if self.brokers.members().addresses.contains_key(&id) || self.refresh().await?.addresses.contains_key(&id) {
            return Ok(Node::Broker(id));
        }
        Err(Failure::Final(Kind::BrokerNotAvailable.because(format!("Broker {id} is not part of the cluster now."))))
    }

    /// Forgets where to go, as it was wrong, and asks who is there.
    pub(super) async fn look_around(&self, route: Route<'_>) {
        match route {
            Route::Group(group) => self.coordinators.forget(CoordinatorKind::Group, group),
            Route::Any | Route::Controller | Route::Broker(_) => {}
        }
        if route != Route::Any {
            self.look_again().await;
        }
    }

    /// Asks who the brokers are, as one of them may have moved; what is known stays where nobody tells.
    pub(super) async fn look_again(&self) {
        if let Err(failure) = self.refresh().await {
            debug!("nobody tells who the brokers are: {failure:?}");
        }
    }

    async fn refresh(&self) -> Result<Members, Failure> {
        let request = |_| no_topics();
        let members = members(&self.attempt_at(Node::Any, Repeat::Harmless, &request).await?);
        self.brokers.learn(members.clone());
        Ok(members)
    }
}

/// Decodes an answer; a large one on another thread, as it would hold up the worker.
async fn decoded<R: Request>(frame: Bytes, version: i16) -> Result<R::Response>
where
    R::Response: Send + 'static,
{
    if frame.len() <= DECODED_AT_ONCE {
        return wire::decode::<R>(frame, version);
    }
    let decoding = tokio::task::spawn_blocking(move || wire::decode::<R>(frame, version));
    decoding.await.map_err(|stopped| Kind::Internal.caused_by(stopped))?
}

/// Asks for the brokers alone: for an empty list of topics, as none would be all of them.
fn no_topics() -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(Vec::new())).with_allow_auto_topic_creation(false)
}

/// Returns who the brokers are.
fn members(answer: &MetadataResponse) -> Members {
    let address = |host: &str, port: i32| {
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    };
    let addresses: BTreeMap<i32, String> =
        answer.brokers.iter().map(|broker| (broker.node_id.0, address(broker.host.as_str(), broker.port))).collect();
    let controller = Some(answer.controller_id.0).filter(|id| addresses.contains_key(id));
    Members { addresses, controller }
}
