use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use crate::error::{Kind, Result};
use crate::metrics::exposition::Writer;
use crate::metrics::process::Process;
use crate::metrics::{Exposition, Metrics};

/// What is not counted but looked at, when metrics are asked for.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// Records that wait for Kafka.
    pub queued_records: u64,
    /// Their bytes, in steps of 1024.
    pub queued_bytes: u64,
    /// Consumer instances.
    pub instances: u64,
    /// Callers with Kafka clients of their own.
    pub callers: u64,
    /// Changes that wait for their turn, by Connect cluster.
    pub connect_queues: Vec<(String, u64)>,
}

/// All metrics as they are now.
#[derive(Debug)]
struct Page {
    metrics: Arc<Metrics>,
    readings: Readings,
    process: Process,
}

impl Metrics {
    /// Returns all metrics as text; asks the kernel, so it blocks for a moment.
    pub fn render(self: &Arc<Self>, readings: Readings, exposition: Exposition) -> Result<String> {
        let page = Page { metrics: Arc::clone(self), readings, process: Process::read() };
        exposition.render(page).map_err(|error| Kind::Internal.caused_by(error))
    }
}

impl Collector for Page {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = Writer(encoder);
        self.requests(&mut writer)?;
        self.records(&mut writer)?;
        self.clients(&mut writer)?;
        self.connect(&mut writer)?;
        self.registry(&mut writer)?;
        self.own(&mut writer)?;
        self.process(&mut writer)
    }
}

impl Page {
    fn requests(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let requests = &self.metrics.requests;
        let counts: Vec<(String, _, _, u64)> = requests
            .routes()
            .flat_map(|route| {
                let status = |status| if status == 0 { "other".to_owned() } else { format!("{status}") };
                route.counts().map(move |(method, code, count)| (status(code), &route.label, method, count))
            })
            .collect();
        let counts = counts.iter().map(|(status, route, method, count)| {
            (vec![("route", route.as_str()), ("method", *method), ("status", status.as_str())], *count)
        });
        writer.counters(
            "kafka_rest_requests",
            "Requests that were answered, or given up by their client (499).",
            counts,
        )?;
        let took = requests.routes().map(|route| (vec![("route", route.label.as_str())], &route.took));
        writer.histograms(
            "kafka_rest_request_duration_seconds",
            "From the head of a request to that of its answer.",
            took,
        )?;
        writer.gauge("kafka_rest_requests_in_flight", "Requests under way.", requests.in_flight() as f64)?;
        let bytes = self.metrics.body_bytes.load(Ordering::Relaxed);
        writer.gauge("kafka_rest_request_body_bytes_in_flight", "Bytes of request bodies under way.", bytes as f64)?;
        let connections = self.metrics.connections.load(Ordering::Relaxed);
        writer.gauge("kafka_rest_connections", "Open connections of clients.", connections as f64)?;
        let cut = requests.answers_cut.value();
        writer.counter("kafka_rest_answers_cut", "Requests whose client left amid their body or answer.", cut)?;
        let errors = self.metrics.errors.read().map(|(error, count)| (vec![("error", error)], count));
        writer.counters("kafka_rest_errors", "Requests that were answered with an error of the table.", errors)
    }

    fn records(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let rows: Vec<_> = self.metrics.produced.read().collect();
        let labels = |(format, outcome, ..): &(&'static str, &'static str, u64, u64)| {
            vec![("format", *format), ("outcome", *outcome)]
        };
        let records = rows.iter().map(|row| (labels(row), row.2));
        writer.counters("kafka_rest_produced_records", "Records by what became of them.", records)?;
        let bytes = rows.iter().map(|row| (labels(row), row.3));
        writer.counters("kafka_rest_produced_bytes", "Keys, values and headers of these records.", bytes)?;
        let rows: Vec<_> = self.metrics.consumed.read().collect();
        let records = rows.iter().map(|(format, records, _)| (vec![("format", *format)], *records));
        writer.counters("kafka_rest_consumed_records", "Records that were written into answers.", records)?;
        let bytes = rows.iter().map(|(format, _, bytes)| (vec![("format", *format)], *bytes));
        writer.counters("kafka_rest_consumed_bytes", "Keys and values of these records.", bytes)?;
        let instances = self.readings.instances as f64;
        writer.gauge("kafka_rest_consumer_instances", "Consumer instances of this process.", instances)?;
        let callers = self.readings.callers as f64;
        writer.gauge("kafka_rest_callers", "Sets of Kafka clients that log in as a caller.", callers)
    }

    fn clients(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let (records, bytes) = (self.readings.queued_records as f64, self.readings.queued_bytes as f64);
        writer.gauge("kafka_rest_producer_queue_records", "Records that Kafka has not acknowledged yet.", records)?;
        writer.gauge("kafka_rest_producer_queue_bytes", "Their bytes, a KiB at least for a request.", bytes)?;
        let (records, bytes) = self.metrics.clients.queued();
        writer.gauge("kafka_rest_librdkafka_queue_records", "Records in librdkafka's producers.", records as f64)?;
        writer.gauge("kafka_rest_librdkafka_queue_bytes", "Their bytes.", bytes as f64)?;
        let brokers = self.metrics.clients.brokers();
        let gauges = [
            ("kafka_rest_broker_rtt_avg_seconds", "Mean time that a broker's answers took lately.", 0),
            ("kafka_rest_broker_rtt_p99_seconds", "Time that 99 of 100 of a broker's answers took at the most.", 1),
            ("kafka_rest_broker_waiting_requests", "Requests of producers that wait to be sent to a broker.", 2),
        ];
        for (name, help, which) in gauges {
            let samples = brokers.iter().map(|(id, seen)| {
                let value = [seen.rtt_avg_s, seen.rtt_p99_s, seen.waiting_requests as f64][which];
                (vec![("broker", id.as_str())], value)
            });
            writer.gauges(name, help, samples)?;
        }
        let counters = [
            ("kafka_rest_broker_send_errors", "Requests of producers that could not be sent to a broker."),
            ("kafka_rest_broker_retries", "Requests of producers that were sent to a broker again."),
            ("kafka_rest_broker_timeouts", "Requests of producers that a broker did not answer in time."),
            ("kafka_rest_broker_connects", "Connections of producers to a broker that were tried."),
            ("kafka_rest_broker_disconnects", "Connections of producers to a broker that ended."),
        ];
        for (which, (name, help)) in counters.into_iter().enumerate() {
            let samples = brokers.iter().map(|(id, seen)| {
                let all = [seen.send_errors, seen.retries, seen.timeouts, seen.connects, seen.disconnects];
                (vec![("broker", id.as_str())], all[which])
            });
            writer.counters(name, help, samples)?;
        }
        Ok(())
    }

    fn connect(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let clusters: Vec<_> = self.metrics.connect.iter().map(|(name, calls)| (name.as_str(), calls.read())).collect();
        let counts = clusters.iter().flat_map(|(name, counts)| {
            counts.iter().map(|(outcome, class, count)| {
                (vec![("cluster", *name), ("outcome", *outcome), ("status", *class)], *count)
            })
        });
        writer.counters("kafka_rest_connect_calls", "Requests for Kafka Connect clusters.", counts)?;
        let took = self.metrics.connect.iter().map(|(name, calls)| (vec![("cluster", name.as_str())], &calls.took));
        writer.histograms(
            "kafka_rest_connect_call_duration_seconds",
            "What they took, with all that was tried again.",
            took,
        )?;
        let queues =
            self.readings.connect_queues.iter().map(|(name, count)| (vec![("cluster", name.as_str())], *count as f64));
        writer.gauges("kafka_rest_connect_queued_writes", "Changes that wait for their turn.", queues)
    }

    fn registry(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let registry = &self.metrics.registry;
        let calls = registry.read().map(|(outcome, count)| (vec![("outcome", outcome)], count));
        writer.counters("kafka_rest_registry_calls", "Requests for the schema registry.", calls)?;
        let took = [(Vec::new(), &registry.took)];
        writer.histograms("kafka_rest_registry_call_duration_seconds", "What they took.", took)?;
        let cache =
            [(vec![("result", "hit")], registry.hits.value()), (vec![("result", "miss")], registry.misses.value())];
        writer.counters("kafka_rest_schema_cache_lookups", "Schemas that were kept, or had to be asked for.", cache)
    }

    fn own(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let metrics = &self.metrics;
        let lines = metrics.access_lines_dropped.value();
        writer.counter("kafka_rest_access_log_dropped", "Lines of the access log that nobody took in time.", lines)?;
        writer.counter("kafka_rest_spans_sent", "Spans that the collector took.", metrics.spans_sent.value())?;
        writer.counter("kafka_rest_spans_dropped", "Spans that it did not.", metrics.spans_dropped.value())?;
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        writer.gauges("kafka_rest_build_info", "Which program this is.", [(version, 1.0)])
    }

    fn process(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let seen = &self.process;
        writer.seconds("process_cpu_seconds", "Time on processors.", seen.cpu_s)?;
        writer.gauge("process_resident_memory_bytes", "Memory that is in use.", seen.resident_bytes as f64)?;
        writer.gauge("process_virtual_memory_bytes", "Memory that is reserved.", seen.virtual_bytes as f64)?;
        writer.gauge("process_threads", "Threads.", seen.threads as f64)?;
        writer.gauge("process_open_fds", "Open files and connections.", seen.open_files as f64)?;
        writer.gauge("process_max_fds", "The most that there may be; 0 is no limit.", seen.most_files as f64)?;
        writer.gauge("process_start_time_seconds", "When it started, in seconds since 1970.", seen.started_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_have_every_metric_and_its_labels() {
        let metrics = Arc::new(Metrics::new(true, [&"lake".to_owned()].into_iter()));
        metrics.requests.know(&["unmatched".to_owned()]);
        metrics.requests.count(0, "GET", 404, std::time::Duration::from_millis(3));
        metrics.connect["lake"].begin().end("applied", 201);
        let text = metrics.render(Readings::default(), Exposition::Text).unwrap();
        for line in [
            "# TYPE kafka_rest_requests_total counter",
            r#"kafka_rest_requests_total{route="unmatched",method="GET",status="404"} 1"#,
            r#"kafka_rest_request_duration_seconds_bucket{le="0.0025",route="unmatched"} 0"#,
            r#"kafka_rest_request_duration_seconds_bucket{le="+Inf",route="unmatched"} 1"#,
            r#"kafka_rest_connect_calls_total{cluster="lake",outcome="applied",status="2xx"} 1"#,
            r#"kafka_rest_errors_total{error="internal"} 0"#,
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
        }
        assert!(!text.contains("# EOF"));
        let open = metrics.render(Readings::default(), Exposition::OpenMetrics).unwrap();
        assert!(open.contains("# TYPE kafka_rest_requests counter\n") && open.ends_with("# EOF\n"), "{open}");
    }
}
