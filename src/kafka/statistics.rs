use std::collections::HashMap;

use serde::Deserialize;

use crate::metrics::{BrokerStatistics, Statistics};

/// How often producers tell of themselves.
pub(super) const INTERVAL_MS: &str = "5000";

/// What is read of the statistics of librdkafka, which have much more:
/// <https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md>.
#[derive(Deserialize)]
struct Client {
    msg_cnt: u64,
    msg_size: u64,
    brokers: HashMap<String, Broker>,
}

#[derive(Deserialize)]
struct Broker {
    nodeid: i32,
    outbuf_cnt: i64,
    txerrs: u64,
    txretries: u64,
    req_timeouts: u64,
    connects: i64,
    disconnects: i64,
    rtt: Window,
}

/// Microseconds.
#[derive(Deserialize)]
struct Window {
    avg: i64,
    p99: i64,
}

/// Returns what a producer tells; brokers that it has not met yet have no id, and are left out.
pub(super) fn read(text: &[u8]) -> Option<Statistics> {
    let client: Client = serde_json::from_slice(text).ok()?;
    let brokers = client.brokers.into_values().filter(|broker| broker.nodeid >= 0);
    Some(Statistics {
        queued_records: client.msg_cnt,
        queued_bytes: client.msg_size,
        brokers: brokers.map(|broker| (broker.nodeid, statistics(&broker))).collect(),
    })
}

fn statistics(broker: &Broker) -> BrokerStatistics {
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    let seconds = |microseconds: i64| count(microseconds) as f64 / 1e6;
    BrokerStatistics {
        rtt_avg_s: seconds(broker.rtt.avg),
        rtt_p99_s: seconds(broker.rtt.p99),
        waiting_requests: count(broker.outbuf_cnt),
        send_errors: broker.txerrs,
        retries: broker.txretries,
        timeouts: broker.req_timeouts,
        connects: count(broker.connects),
        disconnects: count(broker.disconnects),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_librdkafka_writes_is_understood() {
        let broker = |id: i32| {
            format!(
                r#"{{"name":"x","nodeid":{id},"outbuf_cnt":-1,"txerrs":1,"txretries":2,"req_timeouts":3,"connects":4,
                "disconnects":5,"rtt":{{"min":1,"avg":1500,"p99":20000}},"toppars":{{}}}}"#
            )
        };
        let text = format!(
            r#"{{"name":"p","msg_cnt":7,"msg_size":70,"brokers":{{"a":{},"b":{}}},"topics":{{"t":{{}}}}}}"#,
            broker(1),
            broker(-1)
        );
        let expected = BrokerStatistics {
            rtt_avg_s: 0.0015,
            rtt_p99_s: 0.02,
            waiting_requests: 0,
            send_errors: 1,
            retries: 2,
            timeouts: 3,
            connects: 4,
            disconnects: 5,
        };
        let brokers = vec![(1, expected)];
        assert_eq!(read(text.as_bytes()), Some(Statistics { queued_records: 7, queued_bytes: 70, brokers }));
        assert_eq!(read(b"{}"), None);
    }
}
