use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::domain::Stopping;
use crate::domain::{Flow, Handed};
use crate::error::Kind;
use crate::http::caller::Caller;
use crate::http::v3::produce::admission::{Admission, Admitted};
use crate::http::v3::produce::decoding::{Decoded, decode, refuse_all};
use crate::http::v3::produce::input::{Batch, Broken, Input};
use crate::http::v3::produce::receipt::{Failure, Outcome, Prepared, Slot, Writer, outcomes};

/// What a stream may have unanswered before it reads no more; one batch may go beyond.
const UNANSWERED_RECORDS: usize = 20_000;
const UNANSWERED_BYTES: usize = 4 * 1024 * 1024;

/// How long a stream may rest once the process is about to end.
const LAST_REST: Duration = Duration::from_millis(250);

/// The receipts of a stream of records, which also reads the stream: what the client does not take holds back what it
/// sends. Owns everything that is under way; dropping it leaves only records that Kafka's client already has.
pub struct Receipts {
    caller: Caller,
    admission: Rc<Admission>,
    input: Input,
    writer: Writer,
    /// Away while a batch is being handed over.
    flow: Option<Flow>,
    handing_over: Option<LocalBoxFuture<'static, (Flow, HandedOver)>>,
    unanswered: VecDeque<Unanswered>,
    /// The first receipts, where they were waited for.
    first: Option<Bytes>,
    age: Age,
    /// Until the process is about to end.
    stopping: Option<LocalBoxFuture<'static, ()>>,
    /// When something last came or went, how long nothing may, and the timer that looks at it.
    active: Instant,
    idle_timeout: Duration,
    timer: Pin<Box<Sleep>>,
}

/// A batch with its failures, ready for its answer.
struct HandedOver {
    handed: Handed,
    slots: Vec<Slot>,
    is_last: bool,
    batch: Batch,
}

/// A batch whose answer is awaited.
struct Unanswered {
    receipts: LocalBoxFuture<'static, Vec<u8>>,
    records: usize,
    bytes: usize,
}

/// How old the stream may become.
struct Age {
    limit: Instant,
    grace: Duration,
    /// When it is closed: the grace begins with the first record that comes too late.
    close: Option<Instant>,
}

impl Receipts {
    /// Returns the receipts of `input`, for names as they came in the path.
    pub fn new(
        caller: Caller,
        admission: Admission,
        input: Input,
        stopping: Stopping,
        cluster: &str,
        topic: &str,
    ) -> Receipts {
        let (now, server) = (Instant::now(), &caller.config.server);
        let age = Age { limit: now + server.stream_max_age, grace: server.stream_grace, close: None };
        Receipts {
            admission: Rc::new(admission),
            input,
            writer: Writer::new(cluster, topic),
            flow: Some(Flow::new(topic, caller.config.producer.delivery_timeout)),
            handing_over: None,
            unanswered: VecDeque::new(),
            first: None,
            age,
            stopping: Some(stopping.begun().boxed_local()),
            active: now,
            idle_timeout: server.stream_idle_timeout,
            timer: Box::pin(sleep_until(now + server.stream_idle_timeout)),
            caller,
        }
    }

    /// Waits until there is a receipt or the stream is over, but not longer than `patience`.
    pub async fn wait_for_first(&mut self, patience: Duration) {
        if let Ok(Some(Ok(receipts))) = timeout(patience, self.next()).await {
            self.first = Some(receipts);
        }
    }

    /// Appends the receipts that are ready; only in order.
    fn poll_answers(&mut self, context: &mut Context<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(first) = self.unanswered.front_mut() {
            let Poll::Ready(receipts) = first.receipts.poll_unpin(context) else { break };
            self.unanswered.pop_front();
            if out.is_empty() { out = receipts } else { out.extend_from_slice(&receipts) }
        }
        out
    }

    /// Goes on with handing over; returns whether that is done.
    fn poll_hand_over(&mut self, context: &mut Context<'_>) -> bool {
        let Some(handing_over) = &mut self.handing_over else { return false };
        let Poll::Ready((flow, handed_over)) = handing_over.poll_unpin(context) else { return false };
        (self.handing_over, self.flow) = (None, Some(flow));
        let HandedOver { handed, slots, is_last, batch } = handed_over;
        if is_last {
            self.input.end();
        }
        let (records, bytes) = (slots.len(), batch.bytes);
        let (caller, mut writer) = (self.caller.clone(), self.writer.clone());
        let receipts = async move {
            let deliveries = handed.finish(&caller.kafka).await;
            let mut out = Vec::with_capacity(slots.len() * writer.receipt_bytes());
            outcomes(slots, deliveries).for_each(|outcome| writer.receipt(&outcome, &mut out));
            drop(batch);
            out
        };
        self.unanswered.push_back(Unanswered { receipts: receipts.boxed_local(), records, bytes });
        true
    }

    /// Reads what has come and begins to hand it over; returns whether there was anything.
    fn poll_input(&mut self, context: &mut Context<'_>) -> bool {
        let under_way = self.unanswered.len();
        if self.handing_over.is_some() || self.flow.as_ref().is_none_or(|flow| flow.is_crowded(under_way)) {
            return false;
        }
        let (records, bytes) = self.unanswered.iter().fold((0, 0), |(r, b), one| (r + one.records, b + one.bytes));
        if records >= UNANSWERED_RECORDS || bytes >= UNANSWERED_BYTES {
            return false;
        }
        let mut came = false;
        let batch = self.input.poll_batch(context, &mut came);
        if came {
            self.active = Instant::now();
        }
        let Poll::Ready(Some(batch)) = batch else { return false };
        let is_late = self.age.is_over();
        let Some(flow) = self.flow.take() else { return false };
        self.handing_over = Some(
            hand_over(self.caller.clone(), Rc::clone(&self.admission), flow, batch, is_late, under_way).boxed_local(),
        );
        true
    }

    fn is_over(&self) -> bool {
        self.input.is_ended() && self.unanswered.is_empty() && self.handing_over.is_none()
    }

    /// Tells whether the stream is to be closed although the body goes on.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> bool {
        if self.input.is_ended() {
            return false;
        }
        if self.stopping.as_mut().is_some_and(|stopping| stopping.poll_unpin(context).is_ready()) {
            // What comes is still taken, for a while; a stream that rests is not waited for.
            self.stopping = None;
            self.idle_timeout = self.idle_timeout.min(LAST_REST);
            let close = Instant::now() + self.caller.config.server.shutdown_timeout / 2;
            self.age.close = Some(self.age.close.map_or(close, |earlier| earlier.min(close)));
        }
        loop {
            let is_idle = self.unanswered.is_empty() && self.handing_over.is_none();
            // What waits for Kafka has its own deadlines.
            let idle = if is_idle { self.active } else { Instant::now() } + self.idle_timeout;
            let next = self.age.close.map_or(idle, |close| close.min(idle));
            if next <= Instant::now() {
                return true;
            }
            if self.timer.deadline() > next || self.timer.is_elapsed() {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return false;
            }
        }
    }

    /// Ends the stream early; a document that has only begun gets a receipt too.
    fn close(&mut self) -> Vec<u8> {
        let is_amid_document = self.input.is_amid_document();
        self.input.end();
        let mut out = Vec::new();
        if is_amid_document && self.unanswered.is_empty() && self.handing_over.is_none() {
            let failure = Failure::new(Kind::BodyTimeout, "The end of the record did not arrive in time.");
            self.writer.receipt(&Outcome::Failed(failure), &mut out);
        }
        out
    }
}

impl Stream for Receipts {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        loop {
            let mut out = this.poll_answers(context);
            let handed_over = this.poll_hand_over(context);
            let moved = this.poll_input(context) || handed_over;
            if out.is_empty() && !moved && this.poll_timer(context) {
                out = this.close();
            }
            if !out.is_empty() {
                this.active = Instant::now();
                return Poll::Ready(Some(Ok(out.into())));
            }
            if this.is_over() {
                return Poll::Ready(None);
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }
}

impl Age {
    /// Tells whether a record that came now is too late; the first one begins the grace.
    fn is_over(&mut self) -> bool {
        let now = Instant::now();
        let is_over = now > self.limit;
        if is_over && self.close.is_none() {
            self.close = Some(now + self.grace);
        }
        is_over
    }
}

async fn hand_over(
    caller: Caller,
    admission: Rc<Admission>,
    mut flow: Flow,
    mut batch: Batch,
    is_late: bool,
    under_way: usize,
) -> (Flow, HandedOver) {
    let documents = std::mem::take(&mut batch.documents);
    let mut decoded = if is_late {
        refuse_all(documents.len(), &Kind::StreamTooOld.into())
    } else {
        let (documents, refused) = admission.admit_all(documents).split();
        let mut decoded = decode(&caller, &mut flow, documents, batch.bytes).await;
        if !refused.is_empty() {
            decoded.prepared.slots = Admitted::merge(refused, decoded.prepared.slots);
        }
        decoded
    };
    if let Some(broken) = batch.broken.filter(|_| !decoded.is_last) {
        decoded.prepared.refuse(failure(broken));
        decoded.is_last = true;
    }
    decoded.prepared.count_refused(&caller.metrics.produced);
    let Decoded { prepared: Prepared { records, slots }, is_last } = decoded;
    let handed = flow.hand_over(&caller.kafka, records, under_way).await;
    (flow, HandedOver { handed, slots, is_last, batch })
}

fn failure(broken: Broken) -> Failure {
    match broken {
        Broken::Garbage => Failure::unreadable("the text is not a JSON document, or ends amid one"),
        Broken::TooLarge => Failure::unreadable("Produce request size is larger than allowed threshold"),
        Broken::Unreadable => Failure::unreadable("the request body cannot be read to its end"),
        Broken::Overloaded => {
            Failure::new(Kind::Overloaded, "This proxy has too many bytes under way; send the record again later.")
        }
    }
}
