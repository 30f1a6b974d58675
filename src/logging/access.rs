use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::config::{self, LogFormat, Stream};
use crate::metrics::Metrics;

/// Lines that may wait for a reader that is slow; those beyond are dropped, and counted.
const QUEUED_LINES: usize = 8192;

/// How long the end waits for a reader.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// One request. Nothing here is a payload, a header's value beside the two ids, or a parameter.
#[derive(Clone, Debug)]
pub struct Access {
    /// When it began.
    pub began: SystemTime,
    /// How long it took, with its answer.
    pub took: Duration,
    /// `GET`, `POST` .. or `other`.
    pub method: &'static str,
    /// The pattern of the path.
    pub route: &'static str,
    /// The path as it came, without the query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of the body that came; `None` where nobody knows.
    pub bytes_in: Option<u64>,
    /// Bytes of the body that went.
    pub bytes_out: u64,
    /// Who asked, where they said so.
    pub principal: Option<String>,
    /// From where.
    pub remote: Option<SocketAddr>,
    /// The id of the request.
    pub request_id: String,
    /// The id of the trace.
    pub trace_id: Option<String>,
    /// The label of the error.
    pub error: Option<&'static str>,
    /// Whether the client got the whole answer, as far as this proxy knows.
    pub complete: bool,
}

/// Writes a line a request on a thread of its own: who reads them slowly holds up no request.
pub struct AccessLog {
    format: LogFormat,
    lines: SyncSender<Order>,
    metrics: Arc<Metrics>,
}

enum Order {
    Line(String),
    /// Write what came before, and say so.
    Flush(SyncSender<()>),
}

impl AccessLog {
    /// Starts the thread, if requests are to be logged.
    pub fn new(settings: &config::Log, metrics: &Arc<Metrics>) -> io::Result<Option<AccessLog>> {
        let Some(format) = settings.access else { return Ok(None) };
        let stream = settings.access_to;
        let write = move |lines| match stream {
            Stream::Stdout => write_all(&lines, io::stdout()),
            Stream::Stderr => write_all(&lines, io::stderr()),
        };
        AccessLog::writing(format, metrics, write).map(Some)
    }

    fn writing(
        format: LogFormat,
        metrics: &Arc<Metrics>,
        write: impl FnOnce(Receiver<Order>) + Send + 'static,
    ) -> io::Result<AccessLog> {
        let (lines, waiting) = sync_channel(QUEUED_LINES);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(move || write(waiting))?;
        Ok(AccessLog { format, lines, metrics: Arc::clone(metrics) })
    }

    /// Writes a line, if there is room for it; waits for nobody.
    pub fn put(&self, access: &Access) {
        let line = match self.format {
            LogFormat::Text => text(access),
            LogFormat::Json => document(access).to_string(),
        };
        if self.lines.try_send(Order::Line(line)).is_err() {
            self.metrics.access_lines_dropped.add(1);
        }
    }

    /// Waits until what came before is written, or it takes too long; blocks.
    pub fn flush(&self) {
        let (written, waiting) = sync_channel(1);
        if self.lines.try_send(Order::Flush(written)).is_ok() {
            // The thread may have nobody to write for any more.
            let _ = waiting.recv_timeout(LAST_WAIT);
        }
    }
}

fn write_all(lines: &Receiver<Order>, out: impl Write) {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    // Where writing fails, lines are lost, as they would be on a terminal that is gone.
    while let Some(order) = next(lines, &mut out) {
        match order {
            Order::Line(line) => {
                let _ = out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n"));
            }
            Order::Flush(written) => {
                let _ = out.flush();
                let _ = written.send(());
            }
        }
    }
    let _ = out.flush();
}

/// Returns the next order; before it waits for one, what was written goes out. A busy log so is written in large pieces.
fn next(lines: &Receiver<Order>, out: &mut impl Write) -> Option<Order> {
    match lines.try_recv() {
        Ok(order) => Some(order),
        Err(TryRecvError::Empty) => {
            let _ = out.flush();
            lines.recv().ok()
        }
        Err(TryRecvError::Disconnected) => None,
    }
}

/// Returns a request as `name=value` pairs; what a client chose is quoted.
fn text(access: &Access) -> String {
    let mut line = format!(
        "{} access {} {} {} {:.3}ms",
        humantime::format_rfc3339_millis(access.began),
        access.method,
        Value::from(access.path.as_str()),
        access.status,
        access.took.as_secs_f64() * 1000.0,
    );
    let quoted = |text: &str| Value::from(text).to_string();
    let pairs = [
        ("route", Some(access.route.to_owned())),
        ("in", access.bytes_in.map(|bytes| bytes.to_string())),
        ("out", Some(access.bytes_out.to_string())),
        ("principal", access.principal.as_deref().map(quoted)),
        ("remote", access.remote.map(|remote| remote.to_string())),
        ("id", Some(quoted(&access.request_id))),
        ("trace", access.trace_id.clone()),
        ("error", access.error.map(str::to_owned)),
        ("cut", (!access.complete).then(|| "true".to_owned())),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            // Writing into memory does not fail.
            let _ = write!(line, " {name}={value}");
        }
    }
    line
}

/// Returns a request as a document; what is not known is left out.
fn document(access: &Access) -> Value {
    let mut document = json!({
        "time": humantime::format_rfc3339_millis(access.began).to_string(),
        "target": "access",
        "method": access.method,
        "route": access.route,
        "path": access.path,
        "status": access.status,
        "bytes_in": access.bytes_in,
        "bytes_out": access.bytes_out,
        "duration_ms": (access.took.as_secs_f64() * 1e6).round() / 1e3,
        "principal": access.principal,
        "remote": access.remote.map(|remote| remote.to_string()),
        "request_id": access.request_id,
        "trace_id": access.trace_id,
        "error": access.error,
        "complete": access.complete,
    });
    if let Value::Object(fields) = &mut document {
        fields.retain(|_, value| !value.is_null());
    }
    document
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn access() -> Access {
        Access {
            began: UNIX_EPOCH,
            took: Duration::from_micros(1500),
            method: "GET",
            route: "/topics/{topic}",
            path: "/topics/a\"\n".to_owned(),
            status: 404,
            bytes_in: None,
            bytes_out: 5,
            principal: Some("x y".to_owned()),
            remote: None,
            request_id: "r1".to_owned(),
            trace_id: None,
            error: Some("topic_not_found"),
            complete: true,
        }
    }

    #[test]
    fn a_request_is_one_line_in_both_formats() {
        let expected = "1970-01-01T00:00:00.000Z access GET \"/topics/a\\\"\\n\" 404 1.500ms route=/topics/{topic} out=5 \
                        principal=\"x y\" id=\"r1\" error=topic_not_found";
        assert_eq!(text(&access()), expected);
        let document = document(&access());
        assert_eq!((&document["duration_ms"], &document["path"]), (&json!(1.5), &json!("/topics/a\"\n")));
        assert!(document.get("trace_id").is_none() && !document.to_string().contains('\n'));
    }

    #[test]
    fn lines_that_nobody_takes_are_dropped_and_counted() {
        let metrics = Arc::new(Metrics::new(true, std::iter::empty()));
        let (go, wait) = sync_channel::<()>(0);
        let write = move |lines: Receiver<Order>| {
            let _ = wait.recv();
            drop(lines);
        };
        let log = AccessLog::writing(LogFormat::Json, &metrics, write).unwrap();
        (0..QUEUED_LINES + 3).for_each(|_| log.put(&access()));
        assert_eq!(metrics.access_lines_dropped.value(), 3);
        go.send(()).unwrap();
    }

    #[test]
    fn what_is_flushed_is_written() {
        let metrics = Arc::new(Metrics::new(true, std::iter::empty()));
        let (out, seen) = sync_channel(10);
        struct Sink(SyncSender<Vec<u8>>);
        impl Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.send(bytes.to_vec()).unwrap();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = AccessLog::writing(LogFormat::Json, &metrics, move |lines| write_all(&lines, Sink(out))).unwrap();
        log.put(&access());
        log.put(&access());
        log.flush();
        let written: Vec<u8> = seen.try_iter().flatten().collect();
        assert_eq!(written.iter().filter(|c| **c == b'\n').count(), 2);
    }
}
