use std::time::{Duration, Instant};

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Refill {
    per_second: f64,
    pub(super) burst: f64,
}

/// A token bucket. What it costs may be known only afterwards, so that it may owe something; it has to be above nothing
/// for more to be taken.
#[derive(Debug)]
pub(super) struct Bucket {
    level: f64,
    /// When the level was that.
    at: Instant,
}

impl Refill {
    /// Returns how a bucket of `per_second` fills; `None` for 0, which is no limit. A `burst` of 0 is that of a second.
    pub(super) fn new(per_second: f64, burst: f64) -> Option<Refill> {
        let burst = if burst > 0.0 { burst } else { per_second };
        (per_second > 0.0).then_some(Refill { per_second, burst })
    }
}

impl Bucket {
    pub(super) fn full(refill: Option<Refill>, now: Instant) -> Bucket {
        Bucket { level: refill.map_or(0.0, |refill| refill.burst), at: now }
    }

    /// Returns how much there is now.
    pub(super) fn level(&mut self, refill: Refill, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * refill.per_second).min(refill.burst);
        self.at = self.at.max(now);
        self.level
    }

    /// Returns how long it takes until there is `amount`; zero where there is.
    pub(super) fn wait(&mut self, refill: Refill, amount: f64, now: Instant) -> Duration {
        let missing = amount.min(refill.burst) - self.level(refill, now);
        // Far in the future is as good as never.
        Duration::from_secs_f64((missing.max(0.0) / refill.per_second).min(1e9))
    }

    /// Takes `amount`, whether or not there is as much.
    pub(super) fn take(&mut self, amount: f64) {
        self.level -= amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_up_to_its_burst() {
        let (start, refill) = (Instant::now(), Refill::new(10.0, 20.0).unwrap());
        let mut bucket = Bucket::full(Some(refill), start);
        bucket.take(20.0);
        let after = |ms| start + Duration::from_millis(ms);
        assert_eq!(bucket.level(refill, after(0)), 0.0);
        assert_eq!(bucket.level(refill, after(500)), 5.0);
        assert_eq!(bucket.level(refill, after(60_000)), 20.0);
    }

    #[test]
    fn what_is_owed_has_to_be_waited_for() {
        let (start, refill) = (Instant::now(), Refill::new(100.0, 0.0).unwrap());
        let mut bucket = Bucket::full(Some(refill), start);
        bucket.take(350.0);
        assert_eq!(bucket.wait(refill, 1.0, start), Duration::from_millis(2510));
        assert_eq!(bucket.wait(refill, 1.0, start + Duration::from_secs(3)), Duration::ZERO);
    }

    #[test]
    fn time_never_runs_backwards() {
        let (start, refill) = (Instant::now(), Refill::new(1.0, 5.0).unwrap());
        let mut bucket = Bucket::full(Some(refill), start + Duration::from_secs(10));
        bucket.take(5.0);
        assert_eq!(bucket.level(refill, start), 0.0);
        assert_eq!(bucket.level(refill, start + Duration::from_secs(11)), 1.0);
    }

    #[test]
    fn none_is_no_limit() {
        assert_eq!(Refill::new(0.0, 5.0), None);
    }
}
