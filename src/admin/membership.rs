use std::time::Duration;

use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::{Request, StrBytes};

use crate::admin::Admin;
use crate::admin::answer::Answer;
use crate::admin::code::Code;
use crate::admin::connection::Connection;
use crate::admin::convert::wire;
use crate::admin::failure::{Failure, Repeat};
use crate::admin::operation::{Operation, Route};

/// Groups of members that share out nothing; keeps consumers away from them.
const PROTOCOL_TYPE: StrBytes = StrBytes::from_static_str("kafka-rest-proxy");
const PROTOCOL: StrBytes = StrBytes::from_static_str("lease");

/// What an answer that waits for other members may take on top of the time that they have.
const ON_TOP: Duration = Duration::from_secs(5);

/// The time for requests that wait for nobody; a member has to be able to miss one.
const PATIENCE: Duration = Duration::from_secs(3);

/// A member of a group of the classic protocol.
///
/// It has a connection of its own, as the broker lets it wait for other members, and all behind it with it.
pub(super) struct Membership<'a> {
    admin: &'a Admin,
    group: &'a str,
    /// The coordinator takes a member that is silent for longer for dead, and one that does not join again in the same
    /// time.
    session: Duration,
    /// Empty until the coordinator has given one.
    id: StrBytes,
    connection: Option<Connection>,
}

/// The members from one rebalance to the next, as one of them sees it.
#[derive(Debug)]
pub(super) struct Generation {
    number: i32,
    /// Whether this member is the leader; there is exactly one.
    pub(super) leads: bool,
    /// Who there is, as far as this member leads.
    members: Vec<StrBytes>,
}

impl<'a> Membership<'a> {
    pub(super) fn new(admin: &'a Admin, group: &'a str, session: Duration) -> Membership<'a> {
        Membership { admin, group, session, id: StrBytes::default(), connection: None }
    }

    /// Joins the group, or joins it again; waits for the other members. [`Membership::sync`] has to follow.
    pub(super) async fn join(&mut self) -> Result<Generation, Failure> {
        let is_new = self.id.is_empty();
        let mut answer = self.ask_to_join().await?;
        if is_new && Code(answer.error_code) == Code::MEMBER_ID_REQUIRED {
            self.id = answer.member_id;
            answer = self.ask_to_join().await?;
        }
        Code(answer.error_code).ok(None).map_err(Failure::Final)?;
        self.id = answer.member_id;
        Ok(Generation {
            number: answer.generation_id,
            leads: answer.leader == self.id,
            members: answer.members.into_iter().map(|member| member.member_id).collect(),
        })
    }

    async fn ask_to_join(&mut self) -> Result<JoinGroupResponse, Failure> {
        let (group, session_ms, id) = (group_id(self.group), milliseconds(self.session), self.id.clone());
        let request = move |version| {
            let request = JoinGroupRequest::default()
                .with_group_id(group.clone())
                .with_session_timeout_ms(session_ms)
                .with_member_id(id.clone())
                .with_protocol_type(PROTOCOL_TYPE)
                .with_protocols(vec![JoinGroupRequestProtocol::default().with_name(PROTOCOL)]);
            // The oldest version takes the session's time for both.
            if version >= 1 { request.with_rebalance_timeout_ms(session_ms) } else { request }
        };
        self.ask(self.session + ON_TOP, request).await
    }

    /// Gives each member nothing, as the leader, or waits for that; the coordinator wants it before it goes on.
    pub(super) async fn sync(&mut self, generation: &Generation) -> Result<(), Failure> {
        let nothing = |member: &StrBytes| SyncGroupRequestAssignment::default().with_member_id(member.clone());
        let assignments: Vec<_> = generation.members.iter().map(nothing).collect();
        let (group, id, number) = (group_id(self.group), self.id.clone(), generation.number);
        let request = move |version| {
            let named = version >= 5;
            SyncGroupRequest::default()
                .with_group_id(group.clone())
                .with_generation_id(number)
                .with_member_id(id.clone())
                .with_protocol_type(named.then_some(PROTOCOL_TYPE))
                .with_protocol_name(named.then_some(PROTOCOL))
                .with_assignments(assignments.clone())
        };
        self.ask(self.session + ON_TOP, request).await.map(drop)
    }

    /// Tells the coordinator that this member lives; the error may be that it is not of this generation any more.
    pub(super) async fn heartbeat(&mut self, generation: &Generation) -> Result<(), Failure> {
        let (group, id, number) = (group_id(self.group), self.id.clone(), generation.number);
        let request = move |_| {
            HeartbeatRequest::default()
                .with_group_id(group.clone())
                .with_generation_id(number)
                .with_member_id(id.clone())
        };
        self.ask(PATIENCE, request).await.map(drop)
    }

    /// Leaves the group, so that the others need not wait for the end of the session.
    pub(super) async fn leave(mut self) -> Result<(), Failure> {
        if self.id.is_empty() {
            return Ok(());
        }
        let (group, id) = (group_id(self.group), self.id.clone());
        let request = move |version| {
            let request = LeaveGroupRequest::default().with_group_id(group.clone());
            match version {
                ..3 => request.with_member_id(id.clone()),
                3.. => request.with_members(vec![MemberIdentity::default().with_member_id(id.clone())]),
            }
        };
        self.ask(PATIENCE, request).await.map(drop)
    }

    /// Forgets the id, as the coordinator has: the next to join is a new member.
    pub(super) fn forget(&mut self) {
        self.id = StrBytes::default();
    }

    /// Forgets who coordinates the group, as it was wrong or does not answer, and asks who the brokers are.
    pub(super) async fn look_around(&mut self) {
        self.connection = None;
        if let Ok(operation) = Operation::begin(self.admin, PATIENCE) {
            operation.look_around(Route::Group(self.group)).await;
        }
    }

    /// Sends a request once to the coordinator.
    async fn ask<R: Request>(&mut self, patience: Duration, request: impl Fn(i16) -> R) -> Result<R::Response, Failure>
    where
        R::Response: Answer,
    {
        let operation = Operation::begin(self.admin, patience).map_err(Failure::Final)?;
        // Is given back with the answer: what is given up half way must not be in front of the next request.
        let connection = match self.connection.take().filter(Connection::is_usable) {
            Some(connection) => connection,
            None => operation.own_connection(Route::Group(self.group)).await?,
        };
        let answer = operation.attempt_on(&connection, Repeat::Never, &request).await;
        if matches!(answer, Ok(_) | Err(Failure::Refused { .. })) {
            self.connection = Some(connection);
        }
        answer
    }
}

fn group_id(group: &str) -> GroupId {
    GroupId(wire(group))
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
