use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Brokers that have a label of their own; what is said of others is added up as `other`.
const MOST_BROKERS: usize = 100;

/// What Kafka's clients said last of themselves.
#[derive(Debug, Default)]
pub struct Clients(Mutex<BTreeMap<&'static str, Statistics>>);

/// What one client says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Records that it has not delivered yet.
    pub queued_records: u64,
    /// Their bytes.
    pub queued_bytes: u64,
    /// Its brokers, by their ids.
    pub brokers: Vec<(i32, BrokerStatistics)>,
}

/// What a client says of a broker.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BrokerStatistics {
    /// The mean time that an answer took lately, in seconds.
    pub rtt_avg_s: f64,
    /// The time that 99 of 100 answers took at the most.
    pub rtt_p99_s: f64,
    /// Requests that wait to be sent.
    pub waiting_requests: u64,
    /// Requests that could not be sent.
    pub send_errors: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Requests without an answer.
    pub timeouts: u64,
    /// Connections that were tried.
    pub connects: u64,
    /// Connections that ended.
    pub disconnects: u64,
}

impl BrokerStatistics {
    /// Adds what another client says of the same broker; of times, the longer ones stay.
    fn add(&mut self, other: BrokerStatistics) {
        self.rtt_avg_s = self.rtt_avg_s.max(other.rtt_avg_s);
        self.rtt_p99_s = self.rtt_p99_s.max(other.rtt_p99_s);
        self.waiting_requests += other.waiting_requests;
        self.send_errors += other.send_errors;
        self.retries += other.retries;
        self.timeouts += other.timeouts;
        self.connects += other.connects;
        self.disconnects += other.disconnects;
    }
}

impl Clients {
    /// Takes note of what a client says; its name is one of a few.
    pub fn note(&self, client: &'static str, statistics: Statistics) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client, statistics);
    }

    /// Returns what waits in all clients, in records and bytes.
    pub(super) fn queued(&self) -> (u64, u64) {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.values().fold((0, 0), |(records, bytes), one| (records + one.queued_records, bytes + one.queued_bytes))
    }

    /// Returns what all clients say of each broker.
    pub(super) fn brokers(&self) -> Vec<(String, BrokerStatistics)> {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut by_id: BTreeMap<i32, BrokerStatistics> = BTreeMap::new();
        for (id, statistics) in clients.values().flat_map(|client| &client.brokers) {
            by_id.entry(*id).or_default().add(*statistics);
        }
        let mut named: Vec<_> = by_id.iter().take(MOST_BROKERS).map(|(id, all)| (id.to_string(), *all)).collect();
        let others = by_id.into_values().skip(MOST_BROKERS).reduce(|mut all, one| {
            all.add(one);
            all
        });
        named.extend(others.map(|others| ("other".to_owned(), others)));
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_added_up_over_clients_and_bounded() {
        let clients = Clients::default();
        let broker = |rtt_p99_s| BrokerStatistics { rtt_p99_s, retries: 1, ..BrokerStatistics::default() };
        let brokers = |rtt| (0..102).map(|id| (id, broker(rtt))).collect();
        clients.note("lone", Statistics { queued_records: 1, queued_bytes: 10, brokers: brokers(0.1) });
        clients.note("busy", Statistics { queued_records: 2, queued_bytes: 20, brokers: brokers(0.2) });
        clients.note("busy", Statistics { queued_records: 3, queued_bytes: 30, brokers: brokers(0.3) });
        let seen = clients.brokers();
        assert_eq!((clients.queued(), seen.len()), ((4, 40), 101));
        assert_eq!((seen[0].0.as_str(), seen[0].1.rtt_p99_s, seen[0].1.retries), ("0", 0.3, 2));
        assert_eq!((seen[100].0.as_str(), seen[100].1.retries), ("other", 4));
    }
}
