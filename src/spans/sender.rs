use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{info, warn};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::config::{Remote, Secret, Tracing};
use crate::metrics::Metrics;
use crate::spans::document::{Span, document};
use crate::upstream::{Client, Request};

/// Spans that are sent together, and how long the first of them waits for the others.
const MOST_TOGETHER: usize = 512;
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How long the collector has for an answer, and for a connection.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What it says is not used.
const ANSWER_BYTES: u64 = 64 << 10;

/// Takes spans, and sends them beside requests.
pub struct Spans {
    queue: Mutex<Option<Sender<Span>>>,
    sender: Arc<Collector>,
    waiting: Mutex<Option<Receiver<Span>>>,
    running: Mutex<Option<JoinHandle<()>>>,
}

/// Who gets the spans.
struct Collector {
    client: Client,
    url: String,
    metrics: Arc<Metrics>,
    /// Whether the last attempt failed: each change is one line in the log.
    is_failing: AtomicBool,
}

impl Spans {
    /// Takes the settings; connects to nobody. `None` is without a collector.
    pub fn new(settings: &Tracing, metrics: &Arc<Metrics>) -> Result<Option<Spans>, String> {
        if settings.otlp_url.is_empty() {
            return Ok(None);
        }
        let client = Client::new(&remote(settings), CONNECT_TIMEOUT, None).map_err(|why| format!("tracing: {why}"))?;
        let (queue, waiting) = channel(settings.queue_spans);
        let metrics = Arc::clone(metrics);
        let collector =
            Collector { client, url: settings.otlp_url.clone(), metrics, is_failing: AtomicBool::new(false) };
        Ok(Some(Spans {
            queue: Mutex::new(Some(queue)),
            sender: Arc::new(collector),
            waiting: Mutex::new(Some(waiting)),
            running: Mutex::default(),
        }))
    }

    /// Returns where a thread puts its spans; `None` once it was stopped.
    pub fn queue(self: &Arc<Self>) -> Option<SpanQueue> {
        let queue = lock(&self.queue).clone()?;
        Some(SpanQueue { queue: queue.downgrade(), metrics: Arc::clone(&self.sender.metrics) })
    }

    /// Starts to send; to be called once, within a runtime that lasts.
    pub fn start(&self) {
        let Some(waiting) = lock(&self.waiting).take() else { return };
        let collector = Arc::clone(&self.sender);
        *lock(&self.running) = Some(tokio::spawn(async move { collector.send_all(waiting).await }));
    }

    /// Sends what is left, and ends.
    pub async fn stop(&self) {
        drop(lock(&self.queue).take());
        let running = lock(&self.running).take();
        if let Some(running) = running {
            // It ends by itself, and a panic in it was told already.
            let _ = running.await;
        }
    }
}

/// Where spans are put.
#[derive(Clone)]
pub struct SpanQueue {
    queue: tokio::sync::mpsc::WeakSender<Span>,
    metrics: Arc<Metrics>,
}

impl SpanQueue {
    /// Takes a span if there is room for it; waits for nobody.
    pub fn put(&self, span: Span) {
        let put = self.queue.upgrade().is_some_and(|queue| queue.try_send(span).is_ok());
        if !put {
            self.metrics.spans_dropped.add(1);
        }
    }
}

impl Collector {
    /// Sends until nobody can put spans any more.
    async fn send_all(&self, mut waiting: Receiver<Span>) {
        while let Some(first) = waiting.recv().await {
            let mut spans = vec![first];
            let gather = async {
                while spans.len() < MOST_TOGETHER {
                    match waiting.recv().await {
                        Some(span) => spans.push(span),
                        None => break,
                    }
                }
            };
            // What is there when the time is over goes as it is.
            let _ = tokio::time::timeout(LONGEST_WAIT, gather).await;
            self.send(&spans).await;
        }
    }

    async fn send(&self, spans: &[Span]) {
        let request = Request {
            method: "POST",
            path: "/v1/traces".to_owned(),
            content_type: Some("application/json".to_owned()),
            body: document(spans).to_string().into(),
        };
        let why = match self.client.send(&self.url, &request, TIMEOUT).await {
            Ok(answer) if (200..300).contains(&answer.status()) => {
                // The connection can be used again once the answer is read.
                let _ = tokio::time::timeout(TIMEOUT, answer.whole(ANSWER_BYTES)).await;
                None
            }
            Ok(answer) => Some(format!("it answered {}", answer.status())),
            Err(why) => Some(why.to_string()),
        };
        let counter = if why.is_none() { &self.metrics.spans_sent } else { &self.metrics.spans_dropped };
        counter.add(spans.len() as u64);
        self.tell(why);
    }

    fn tell(&self, why: Option<String>) {
        let was_failing = self.is_failing.swap(why.is_some(), Ordering::Relaxed);
        match (was_failing, why) {
            (false, Some(why)) => warn!("spans cannot be sent to {}: {why}", self.url),
            (true, None) => info!("spans are sent to {} again", self.url),
            (true, Some(_)) | (false, None) => {}
        }
    }
}

fn remote(settings: &Tracing) -> Remote {
    Remote {
        urls: vec![settings.otlp_url.clone()],
        username: String::new(),
        password: Secret::default(),
        bearer_token: settings.otlp_bearer_token.clone(),
        ca_file: None,
        certificate_file: None,
        key_file: None,
        key_password: Secret::default(),
        verify: true,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Context;

    #[tokio::test]
    async fn spans_beyond_the_queue_are_dropped_and_counted() {
        let metrics = Arc::new(Metrics::new(true, std::iter::empty()));
        let mut settings = crate::config::Config::for_bootstrap("x:1").tracing;
        settings.otlp_url = "http://127.0.0.1:1".to_owned();
        settings.queue_spans = 2;
        let spans = Arc::new(Spans::new(&settings, &metrics).unwrap().unwrap());
        let queue = spans.queue().unwrap();
        let span = Span {
            context: Context::begin(true),
            method: "GET",
            route: "/",
            status: 200,
            error: None,
            began: std::time::SystemTime::now(),
            took: Duration::ZERO,
        };
        (0..3).for_each(|_| queue.put(span.clone()));
        assert_eq!(metrics.spans_dropped.value(), 1);
        spans.start();
        spans.stop().await;
        assert_eq!((metrics.spans_dropped.value(), metrics.spans_sent.value()), (3, 0));
        queue.put(span);
        assert_eq!(metrics.spans_dropped.value(), 4);
    }
}
