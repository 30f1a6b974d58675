use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{debug, info, warn};
use tokio::time::sleep;

use crate::admin::Admin;
use crate::admin::code::Code;
use crate::admin::failure::{Failure, Repeat};
use crate::admin::membership::{Generation, Membership};

/// A member that is silent for so long is dead to the coordinator. Brokers allow six seconds to half an hour, unless
/// they are told otherwise.
const SESSION: Duration = Duration::from_secs(10);

/// How much earlier than the coordinator could give the lease to another it is not held any more: time for what was
/// begun while it was.
const MARGIN: Duration = Duration::from_secs(3);

const BETWEEN_HEARTBEATS: Duration = Duration::from_secs(2);

/// The wait after a failure; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = BETWEEN_HEARTBEATS;

/// Lets one instance of a fleet act at a time: the leader of a group in Kafka whose members are the instances.
///
/// Nobody holds it for a while when its holder dies, or when the coordinator cannot be reached. Kafka fences nobody: what
/// was begun while the lease was held may go on for longer than the lease, so it should be short, or harmless when it is
/// done twice.
pub struct Lease {
    admin: Arc<Admin>,
    group: String,
    hold: Hold,
}

impl Lease {
    /// Takes the group, which no other clients may use; asks for nothing before [`Lease::run`].
    ///
    /// The proxy's Kafka user needs the right to READ the group.
    pub fn new(admin: Arc<Admin>, group_id: &str) -> Lease {
        Lease { admin, group: group_id.to_owned(), hold: Hold::default() }
    }

    /// Tells whether this instance may act now: the coordinator has confirmed it less than seven seconds ago, and will
    /// let nobody else for another three.
    pub fn is_held(&self) -> bool {
        self.hold.lasts_at(Instant::now())
    }

    /// Takes part until `stop`, then leaves, so that another instance takes over at once.
    ///
    /// To be run once at a time. Where this future is dropped instead, others wait for the end of the session.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut membership = Membership::new(&self.admin, &self.group, SESSION);
        tokio::select! {
            never = self.take_part(&mut membership) => match never {},
            () = stop => {}
        }
        self.release();
        if let Err(failure) = membership.leave().await {
            debug!("group {} was not left, others wait for the end of the session: {failure:?}", self.group);
        }
    }

    async fn take_part(&self, membership: &mut Membership<'_>) -> Infallible {
        let mut generation = None;
        let mut wait = FIRST_WAIT;
        let mut last = None;
        loop {
            let Err(failure) = self.step(membership, &mut generation).await else {
                (wait, last) = (FIRST_WAIT, None);
                sleep(BETWEEN_HEARTBEATS).await;
                continue;
            };
            let cure = Cure::of(&failure);
            if last.replace(cure) != Some(cure) {
                self.tell(failure, cure);
            }
            if cure != Cure::JoinAgain {
                sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            self.heal(cure, membership, &mut generation).await;
        }
    }

    /// Joins where that is needed, and sends a heartbeat.
    async fn step(&self, membership: &mut Membership<'_>, joined: &mut Option<Generation>) -> Result<(), Failure> {
        if joined.is_none() {
            let generation = membership.join().await?;
            if !generation.leads {
                self.release();
            }
            membership.sync(&generation).await?;
            *joined = Some(generation);
        }
        let Some(generation) = joined else { return Ok(()) };
        // Before it goes out, as the coordinator counts from when it comes in.
        let sent = Instant::now();
        membership.heartbeat(generation).await?;
        if generation.leads && self.hold.extend(sent) {
            info!("group {}: this instance acts for the fleet", self.group);
        }
        Ok(())
    }

    async fn heal(&self, cure: Cure, membership: &mut Membership<'_>, joined: &mut Option<Generation>) {
        match cure {
            Cure::JoinAgain => *joined = None,
            Cure::JoinAnew | Cure::Wait => {
                self.release();
                *joined = None;
            }
            Cure::BecomeAnother => {
                self.release();
                membership.forget();
                *joined = None;
            }
            Cure::LookAround => membership.look_around().await,
        }
    }

    fn release(&self) {
        if self.hold.release() {
            info!("group {}: this instance acts no more for the fleet", self.group);
        }
    }

    /// Tells the first of a row of failures; only those that do not pass by themselves are the operator's.
    fn tell(&self, failure: Failure, cure: Cure) {
        let group = &self.group;
        match cure {
            Cure::JoinAgain | Cure::JoinAnew | Cure::BecomeAnother | Cure::LookAround => {
                debug!("group {group}: {cure:?}: {failure:?}");
            }
            Cure::Wait => {
                let why = failure.into_error(Repeat::Never, SESSION);
                warn!("group {group}: this instance cannot act for the fleet: {}", why.message());
            }
        }
    }
}

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cure {
    /// The group rebalances. Who leads it goes on leading where it joins in time, so what is held stays so until then.
    JoinAgain,
    /// The group has gone on without this member.
    JoinAnew,
    /// The coordinator does not know the member any more.
    BecomeAnother,
    /// The coordinator is elsewhere, or not reached; the membership may be as it was.
    LookAround,
    /// Nothing but time, and the operator, may change it.
    Wait,
}

impl Cure {
    fn of(failure: &Failure) -> Cure {
        match failure {
            Failure::Refused { code: Code::REBALANCE_IN_PROGRESS, .. } => Cure::JoinAgain,
            Failure::Refused { code: Code::ILLEGAL_GENERATION, .. } => Cure::JoinAnew,
            Failure::Refused { code: Code::UNKNOWN_MEMBER_ID, .. } => Cure::BecomeAnother,
            Failure::Unreachable(_) | Failure::Unanswered(_) => Cure::LookAround,
            Failure::Refused { .. } if failure.may_pass(Repeat::Harmless) => Cure::LookAround,
            Failure::Refused { .. } | Failure::Final(_) => Cure::Wait,
        }
    }
}

/// Until when the lease is held.
#[derive(Default)]
struct Hold(Mutex<Option<Instant>>);

impl Hold {
    /// Takes note of a heartbeat that was sent at `sent` and confirmed; tells whether nothing was held just before.
    fn extend(&self, sent: Instant) -> bool {
        let is_new = !self.lasts_at(Instant::now());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent + (SESSION - MARGIN));
        is_new
    }

    /// Ends it; tells whether it was held.
    fn release(&self) -> bool {
        let was = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        was.is_some_and(|until| Instant::now() < until)
    }

    fn lasts_at(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_hold_ends_before_the_session_that_began_with_its_last_heartbeat() {
        let hold = Hold::default();
        let sent = Instant::now();
        assert!(!hold.lasts_at(sent));
        assert!(hold.extend(sent));
        assert!(!hold.extend(sent));
        assert!(hold.lasts_at(sent + Duration::from_millis(6_999)));
        assert!(!hold.lasts_at(sent + SESSION - MARGIN));
        assert!(hold.release());
        assert!(!hold.lasts_at(sent));
    }

    #[test]
    fn each_failure_has_its_cure() {
        let refused = |code| Cure::of(&Failure::Refused { code, message: None });
        assert_eq!(refused(Code::REBALANCE_IN_PROGRESS), Cure::JoinAgain);
        assert_eq!(refused(Code::UNKNOWN_MEMBER_ID), Cure::BecomeAnother);
        assert_eq!(refused(Code::ILLEGAL_GENERATION), Cure::JoinAnew);
        assert_eq!(refused(Code::NOT_COORDINATOR), Cure::LookAround);
        assert_eq!(refused(Code::COORDINATOR_LOAD_IN_PROGRESS), Cure::LookAround);
        assert_eq!(refused(Code::GROUP_AUTHORIZATION_FAILED), Cure::Wait);
        assert_eq!(Cure::of(&Failure::Unanswered(String::new())), Cure::LookAround);
        assert_eq!(Cure::of(&Failure::Unreachable(String::new())), Cure::LookAround);
        assert_eq!(Cure::of(&Failure::Final(Kind::Internal.into())), Cure::Wait);
    }
}
