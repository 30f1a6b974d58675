use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::metrics::{Counter, Histogram, Open};

/// The methods that are told apart; the last is every other one.
pub(super) const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// The statuses that are told apart; a Connect worker may answer others, which are the last.
pub(super) const STATUSES: [u16; 27] = [
    200, 201, 202, 204, 207, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 417, 422, 429, 431, GONE, 500, 501,
    502, 503, 504, 0,
];

/// What a request is counted under whose client went away before there was an answer; nginx writes it so too.
pub const GONE: u16 = 499;

/// Requests by route, method and status.
#[derive(Debug, Default)]
pub struct Requests {
    routes: OnceLock<Box<[Route]>>,
    in_flight: Arc<AtomicU64>,
    /// Requests whose client left amid their body or the answer.
    pub answers_cut: Counter,
}

/// The requests of one route. What it was never asked for takes no memory.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) label: String,
    pub(super) took: Histogram,
    counts: OnceLock<Box<Counts>>,
}

type Counts = [[AtomicU64; STATUSES.len()]; METHODS.len()];

/// A request that is under way.
pub type InFlight = Open;

impl Requests {
    /// Says which routes there are, by number; the first time counts.
    pub fn know(&self, labels: &[String]) {
        let route =
            |label: &String| Route { label: label.clone(), took: Histogram::default(), counts: OnceLock::new() };
        self.routes.get_or_init(|| labels.iter().map(route).collect());
    }

    /// Counts a request as under way until what this returns is dropped.
    pub fn begin(&self) -> InFlight {
        Open::new(&self.in_flight)
    }

    /// Returns the label of a method.
    pub fn method(name: &str) -> &'static str {
        METHODS.into_iter().find(|method| *method == name).unwrap_or(METHODS[METHODS.len() - 1])
    }

    /// Counts a request that was answered, or given up by its client.
    pub fn count(&self, route: usize, method: &str, status: u16, took: Duration) {
        let Some(route) = self.routes.get().and_then(|routes| routes.get(route)) else { return };
        let method = METHODS.iter().position(|name| *name == method).unwrap_or(METHODS.len() - 1);
        let status = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        let counts = route.counts.get_or_init(Box::default);
        counts[method][status].fetch_add(1, Ordering::Relaxed);
        route.took.observe(took);
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Returns the routes that were asked for.
    pub(super) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.get().into_iter().flatten().filter(|route| route.counts.get().is_some())
    }
}

impl Route {
    /// Returns method, status and count of what there was.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        let all = self.counts.get().into_iter().flat_map(|counts| METHODS.into_iter().zip(counts.iter()));
        let all = all.flat_map(|(method, statuses)| {
            STATUSES
                .into_iter()
                .zip(statuses)
                .map(move |(status, count)| (method, status, count.load(Ordering::Relaxed)))
        });
        all.filter(|(_, _, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_counted_as_other() {
        let requests = Requests::default();
        requests.know(&["unmatched".to_owned(), "/a".to_owned()]);
        for (route, method, status) in [(1, "GET", 200), (1, "GET", 200), (1, "BREW", 418), (9, "GET", 200)] {
            requests.count(route, method, status, Duration::ZERO);
        }
        let seen: Vec<_> = requests.routes().flat_map(|route| route.counts().map(|row| (&route.label, row))).collect();
        let label = "/a".to_owned();
        assert_eq!(seen, [(&label, ("GET", 200, 2)), (&label, ("other", 0, 1))]);
    }

    #[test]
    fn a_request_is_under_way_until_it_is_dropped() {
        let requests = Requests::default();
        let one = requests.begin();
        assert_eq!(requests.in_flight(), 1);
        drop(one);
        assert_eq!(requests.in_flight(), 0);
    }
}
