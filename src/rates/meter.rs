use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::rates::book::Account;

/// Counts what a request takes.
#[derive(Clone)]
pub struct Meter {
    caller: Option<Arc<Account>>,
    /// Where it writes.
    topic: Option<(String, Arc<Account>)>,
}

/// What a caller has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Requests at once.
    pub limit: u64,
    /// What is left of them.
    pub remaining: u64,
    /// The seconds until all of them are there again, rounded up.
    pub reset_s: u64,
}

/// Why something is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// When it would not be.
    pub wait: Duration,
    what: &'static str,
    topic: Option<String>,
}

impl Refused {
    /// Returns the sentence for the client, which begins as the reference's.
    pub fn sentence(&self) -> String {
        let of = self.topic.as_ref().map(|topic| format!(" of topic {topic}")).unwrap_or_default();
        format!("Request rate limit exceeded: The rate limit of {} per second{of} has been exceeded.", self.what)
    }

    /// Returns the seconds to wait, rounded up.
    pub fn wait_s(&self) -> u64 {
        seconds(self.wait).max(1)
    }
}

impl Meter {
    pub(super) fn new(caller: Option<Arc<Account>>, topic: Option<(String, Arc<Account>)>) -> Option<Meter> {
        (caller.is_some() || topic.is_some()).then_some(Meter { caller, topic })
    }

    /// Takes a request, if there is one and bytes are left; returns what is left of the requests, if those are limited.
    pub fn admit(&self, now: Instant) -> Result<Option<Left>, Refused> {
        self.check(now)?;
        self.accounts().for_each(|account| account.buckets().requests.take(1.0));
        Ok(self.left(now))
    }

    /// Takes a record of a stream: it is a request of its own, with its bytes.
    pub fn admit_record(&self, bytes: usize, now: Instant) -> Result<(), Refused> {
        self.check(now)?;
        self.accounts().for_each(|account| account.buckets().requests.take(1.0));
        self.charge_in(bytes as u64);
        Ok(())
    }

    /// Tells whether a request would be let in, without taking it.
    pub fn check(&self, now: Instant) -> Result<(), Refused> {
        let of_caller = self.caller.iter().map(|account| (account, None));
        let of_topic = self.topic.iter().map(|(name, account)| (account, Some(name)));
        of_caller.chain(of_topic).try_for_each(|(account, topic)| {
            let refused = |(what, wait)| Refused { wait, what, topic: topic.cloned() };
            wait(account, now).map_or(Ok(()), |why| Err(refused(why)))
        })
    }

    /// Takes the bytes that a request brought.
    pub fn charge_in(&self, bytes: u64) {
        self.accounts().for_each(|account| account.buckets().bytes.take(bytes as f64));
    }

    /// Takes the bytes that an answer has.
    pub fn charge_out(&self, bytes: u64) {
        self.caller.iter().for_each(|account| account.buckets().bytes.take(bytes as f64));
    }

    /// Returns what is left of the caller's requests; `None` where those are not limited.
    pub fn left(&self, now: Instant) -> Option<Left> {
        let account = self.caller.as_ref()?;
        let refill = account.limits().requests?;
        let mut buckets = account.buckets();
        let reset = buckets.requests.wait(refill, refill.burst, now);
        let remaining = buckets.requests.level(refill, now).max(0.0);
        Some(Left { limit: refill.burst as u64, remaining: remaining as u64, reset_s: seconds(reset) })
    }

    fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.caller.iter().chain(self.topic.iter().map(|(_, account)| account))
    }
}

/// Returns what an account lacks for another request, and how long it lacks it.
fn wait(account: &Account, now: Instant) -> Option<(&'static str, Duration)> {
    let (limits, mut buckets) = (account.limits(), account.buckets());
    let requests = limits.requests.map_or(Duration::ZERO, |refill| buckets.requests.wait(refill, 1.0, now));
    // Any byte that is left lets a request in.
    let bytes = limits.bytes.map_or(Duration::ZERO, |refill| buckets.bytes.wait(refill, 1.0, now));
    match (requests.is_zero(), bytes.is_zero()) {
        (true, true) => None,
        (false, _) if requests >= bytes => Some(("requests", requests)),
        _ => Some(("bytes", bytes)),
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
