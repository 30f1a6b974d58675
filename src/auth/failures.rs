use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::auth::fingerprint::Fingerprint;

/// Addresses and names that are counted in one window; beyond, the counts of the window before are forgotten early.
const MOST: usize = 50_000;

/// Counts wrong credentials by address and by name over a window of time that moves along.
pub struct Failures {
    limit: u32,
    window: Duration,
    counts: Mutex<Counts>,
}

struct Counts {
    since: Instant,
    now: HashMap<Source, u32>,
    before: HashMap<Source, u32>,
}

/// Where wrong credentials come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// An address of IPv4, or the network that one customer has of IPv6.
    Address(IpAddr),
    /// The name that was tried.
    Name(Fingerprint),
}

impl Source {
    /// Returns the source that an address belongs to.
    pub fn of(address: IpAddr) -> Source {
        Source::Address(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        })
    }
}

impl Failures {
    /// Allows `limit` failures of a source in a window; 0 is no limit.
    pub fn new(limit: u32, window: Duration) -> Failures {
        let counts = Counts { since: Instant::now(), now: HashMap::new(), before: HashMap::new() };
        Failures { limit, window, counts: Mutex::new(counts) }
    }

    /// Returns how long to wait, if one of the sources has failed too often.
    pub fn wait(&self, sources: &[Source], now: Instant) -> Option<Duration> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.advance(now, self.window);
        let passed = now.duration_since(counts.since);
        let left = 1.0 - passed.as_secs_f64() / self.window.as_secs_f64();
        let is_over = |source: &Source| {
            let before = f64::from(counts.before.get(source).copied().unwrap_or(0));
            let now = f64::from(counts.now.get(source).copied().unwrap_or(0));
            self.limit > 0 && now + before * left >= f64::from(self.limit)
        };
        // The sum falls below the limit when the next window begins, or earlier.
        sources.iter().any(is_over).then(|| self.window.saturating_sub(passed).max(Duration::from_secs(1)))
    }

    /// Counts a failure of each source.
    pub fn note(&self, sources: &[Source], now: Instant) {
        if self.limit == 0 {
            return;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.advance(now, self.window);
        for source in sources {
            if counts.now.len() >= MOST && !counts.now.contains_key(source) {
                counts.before = std::mem::take(&mut counts.now);
            }
            let count = counts.now.entry(*source).or_insert(0);
            *count = count.saturating_add(1);
        }
    }
}

impl Counts {
    /// Begins another window where this one is over.
    fn advance(&mut self, now: Instant, window: Duration) {
        let passed = now.saturating_duration_since(self.since);
        if passed < window {
            return;
        }
        let ended = std::mem::take(&mut self.now);
        self.before = if passed < window * 2 { ended } else { HashMap::new() };
        self.since = if passed < window * 2 { self.since + window } else { now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn beyond_the_limit_a_source_waits_and_others_do_not() {
        let (failures, start) = (Failures::new(3, WINDOW), Instant::now());
        let (bad, good) = (source("10.0.0.1"), source("10.0.0.2"));
        for _ in 0..3 {
            assert_eq!(failures.wait(&[bad], start), None);
            failures.note(&[bad], start);
        }
        let wait = failures.wait(&[good, bad], start).expect("too many");
        assert!(wait <= WINDOW && wait > WINDOW - Duration::from_secs(2), "{wait:?}");
        assert_eq!(failures.wait(&[good], start), None);
    }

    #[test]
    fn who_waited_as_told_may_try_again_but_not_as_often_at_once() {
        let (failures, start) = (Failures::new(10, WINDOW), Instant::now());
        let bad = [source("10.0.0.1")];
        (0..10).for_each(|_| failures.note(&bad, start));
        let later = start + failures.wait(&bad, start).unwrap() + Duration::from_secs(1);
        let mut tries = 0;
        while failures.wait(&bad, later).is_none() {
            failures.note(&bad, later);
            tries += 1;
        }
        assert!((1..=2).contains(&tries), "{tries}");
        assert_eq!(failures.wait(&bad, start + WINDOW * 3), None);
    }

    #[test]
    fn no_limit_counts_nothing() {
        let (failures, now) = (Failures::new(0, WINDOW), Instant::now());
        failures.note(&[source("::1")], now);
        assert_eq!(failures.wait(&[source("::1")], now), None);
        assert!(failures.counts.lock().unwrap().now.is_empty());
    }

    #[test]
    fn a_customer_has_one_source_however_many_addresses() {
        assert!(source("2001:db8:1:2::1") == source("2001:db8:1:2:ffff::2"));
        assert!(source("2001:db8:1:2::1") != source("2001:db8:1:3::1"));
        assert!(source("::ffff:10.0.0.1") == source("10.0.0.1"));
        assert!(source("10.0.0.1") != source("10.0.0.2"));
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let (failures, now) = (Failures::new(1, WINDOW), Instant::now());
        for number in 0..3 * MOST as u32 {
            failures.note(&[Source::Address(IpAddr::V4(number.into()))], now);
        }
        let counts = failures.counts.lock().unwrap();
        assert!(counts.now.len() <= MOST && counts.before.len() <= MOST);
    }
}
