use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::protocol::{Message, Request, StrBytes, VersionRange};
use log::debug;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::admin::failure::Failure;
use crate::admin::wire;
use crate::error::Kind;

/// Requests of one connection that wait for their answers; more wait for their turn.
const UNDER_WAY: usize = 128;

/// A connection that was not used for longer is left: the broker's limit is ten minutes by default, and what lies
/// between may have one of its own; four minutes are usual there.
const IDLE: Duration = Duration::from_secs(180);

/// A broker that says nothing for so long while a request waits may be gone without a word.
const SILENCE: Duration = Duration::from_millis(900);

/// What a connection runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What a broker said of itself when the connection was made.
pub(super) struct Greeting {
    /// By API key, what it knows.
    pub(super) versions: HashMap<i16, VersionRange>,
    /// When it will want new credentials.
    pub(super) expires: Option<Instant>,
}

/// An open connection; requests go out at once, and the answers come in their order.
///
/// It closes when dropped, or when either side fails.
pub(super) struct Connection {
    outgoing: mpsc::Sender<Outgoing>,
    greeting: Greeting,
    client_id: StrBytes,
    correlation: AtomicI32,
    opened: Instant,
    /// Milliseconds since `opened`.
    used_ms: AtomicU64,
    heard_ms: Arc<AtomicU64>,
    throttled_until_ms: AtomicU64,
    /// Whether it is left to the requests that wait on it.
    retired: AtomicBool,
    task: AbortHandle,
}

struct Outgoing {
    frame: Bytes,
    correlation: i32,
    /// Set just before the first byte goes out.
    sent: Arc<AtomicBool>,
    reply: oneshot::Sender<Bytes>,
}

/// A request whose answer is awaited.
struct Awaited {
    correlation: i32,
    reply: oneshot::Sender<Bytes>,
}

impl Connection {
    /// Starts to serve a connection that has been greeted; needs a tokio runtime.
    pub(super) fn start(stream: Box<dyn Stream>, greeting: Greeting, client_id: StrBytes) -> Connection {
        let (outgoing, queue) = mpsc::channel(UNDER_WAY);
        let opened = Instant::now();
        let heard_ms = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(serve(stream, queue, opened, Arc::clone(&heard_ms))).abort_handle();
        Connection {
            outgoing,
            greeting,
            client_id,
            correlation: AtomicI32::new(0),
            opened,
            used_ms: AtomicU64::new(0),
            heard_ms,
            throttled_until_ms: AtomicU64::new(0),
            retired: AtomicBool::new(false),
            task,
        }
    }

    /// Tells whether another request may go this way.
    pub(super) fn is_usable(&self) -> bool {
        let idle = self.age_ms().saturating_sub(self.used_ms.load(Ordering::Relaxed));
        !self.outgoing.is_closed()
            && !self.retired.load(Ordering::Relaxed)
            && idle < IDLE.as_millis() as u64
            && self.greeting.expires.is_none_or(|expires| Instant::now() < expires)
    }

    /// Returns the highest version of a request that both sides know.
    pub(super) fn version<R: Request>(&self) -> Result<i16, Failure> {
        let known = <R as Message>::VERSIONS;
        let common = self.greeting.versions.get(&R::KEY).map(|offered| offered.intersect(&known));
        match common.filter(|common| !common.is_empty()) {
            Some(common) => Ok(common.max),
            None => Err(Failure::Final(Kind::Unsupported.into())),
        }
    }

    /// Sends a request and returns the frame of its answer.
    ///
    /// A connection on which nothing comes until then is left to those that wait already.
    pub(super) async fn exchange<R: Request>(
        &self,
        request: &R,
        version: i16,
        deadline: Instant,
    ) -> Result<Bytes, Failure> {
        self.wait_for_quota(deadline).await?;
        let correlation = self.correlation.fetch_add(1, Ordering::Relaxed);
        let frame = wire::encode(request, version, correlation, &self.client_id).map_err(Failure::Final)?;
        self.send(frame, correlation, deadline).await
    }

    async fn send(&self, frame: Bytes, correlation: i32, deadline: Instant) -> Result<Bytes, Failure> {
        let begun_ms = self.age_ms();
        self.used_ms.store(begun_ms, Ordering::Relaxed);
        let sent = Arc::new(AtomicBool::new(false));
        let (reply, answer) = oneshot::channel();
        let outgoing = Outgoing { frame, correlation, sent: Arc::clone(&sent), reply };
        let exchanged = timeout_at(deadline, async {
            self.outgoing.send(outgoing).await.ok()?;
            answer.await.ok()
        })
        .await;
        let why = match exchanged {
            Ok(Some(frame)) => return Ok(frame),
            Ok(None) => "the connection broke",
            Err(_) => {
                self.retire_if_silent(begun_ms);
                "no answer in time"
            }
        };
        let failure = if sent.load(Ordering::Relaxed) { Failure::Unanswered } else { Failure::Unreachable };
        Err(failure(why.to_owned()))
    }

    /// Takes no more requests where nothing came for as long as this one waited; short waits say nothing.
    fn retire_if_silent(&self, since_ms: u64) {
        let waited_ms = self.age_ms().saturating_sub(since_ms);
        if self.heard_ms.load(Ordering::Relaxed) <= since_ms && waited_ms >= SILENCE.as_millis() as u64 {
            self.retired.store(true, Ordering::Relaxed);
        }
    }

    /// Takes note that the broker wants no more requests for this long.
    pub(super) fn throttle(&self, time_ms: i32) {
        if let Ok(time_ms) = u64::try_from(time_ms) {
            self.throttled_until_ms.fetch_max(self.age_ms() + time_ms, Ordering::Relaxed);
        }
    }

    /// Waits as the broker asked; says at once where that would take too long.
    async fn wait_for_quota(&self, deadline: Instant) -> Result<(), Failure> {
        let until_ms = self.throttled_until_ms.load(Ordering::Relaxed);
        if until_ms <= self.age_ms() {
            return Ok(());
        }
        let until = self.opened + Duration::from_millis(until_ms);
        if until >= deadline {
            return Err(Failure::Final(Kind::KafkaThrottled.into()));
        }
        tokio::time::sleep_until(until).await;
        Ok(())
    }

    fn age_ms(&self) -> u64 {
        self.opened.elapsed().as_millis() as u64
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes requests and reads their answers until either fails or nobody can send any more.
async fn serve(stream: Box<dyn Stream>, requests: mpsc::Receiver<Outgoing>, opened: Instant, heard_ms: Arc<AtomicU64>) {
    let (read, write) = tokio::io::split(stream);
    let (awaited, answers) = mpsc::channel(UNDER_WAY);
    let heard = || heard_ms.store(opened.elapsed().as_millis() as u64, Ordering::Relaxed);
    let ended = tokio::select! {
        ended = write_requests(write, requests, awaited) => ended,
        ended = read_answers(read, answers, heard) => ended,
    };
    if let Err(why) = ended {
        debug!("connection to kafka closed: {why}");
    }
}

async fn write_requests(
    mut write: impl AsyncWrite + Unpin,
    mut requests: mpsc::Receiver<Outgoing>,
    awaited: mpsc::Sender<Awaited>,
) -> std::io::Result<()> {
    while let Some(request) = requests.recv().await {
        if request.reply.is_closed() {
            // Nobody waits for it any more, and nothing of it was sent.
            continue;
        }
        let wanted = Awaited { correlation: request.correlation, reply: request.reply };
        if awaited.send(wanted).await.is_err() {
            return Ok(());
        }
        request.sent.store(true, Ordering::Relaxed);
        write.write_all(&request.frame).await?;
        write.flush().await?;
    }
    Ok(())
}

async fn read_answers(
    mut read: impl AsyncRead + Unpin,
    mut awaited: mpsc::Receiver<Awaited>,
    heard: impl Fn(),
) -> std::io::Result<()> {
    loop {
        let frame = wire::read_frame(&mut read).await?;
        heard();
        let Ok(next) = awaited.try_recv() else {
            return Err(std::io::Error::other("an answer that nobody asked for"));
        };
        if wire::correlation_of(&frame) != Some(next.correlation) {
            return Err(std::io::Error::other("an answer to another request"));
        }
        // Who asked may be gone.
        let _ = next.reply.send(frame);
    }
}
