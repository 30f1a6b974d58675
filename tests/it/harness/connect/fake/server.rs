//! One fake worker: where it listens, and what it does with each connection.

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use crate::harness::connect::fake::action::{Action, Reply, Rules, Shows};
use crate::harness::connect::fake::request::{self, Request};
use crate::harness::connect::fake::{Cluster, DRIP, behavior, lock};
use crate::harness::ports::free_port;

/// One of [`super::FakeWorkers`].
pub struct FakeWorker {
    shared: Arc<Shared>,
    url: String,
    runtime: Handle,
    listening: Mutex<Option<Listening>>,
}

/// How a worker is as a whole, before any script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Healthy,
    /// Has not joined its group yet: `/health` answers 503, everything else a page with 404.
    Starting,
    /// Something in between answers a page with this status to everything.
    Page(u16),
    /// Takes connections and requests and answers nothing, as a stopped process.
    Frozen,
}

struct Shared {
    index: usize,
    port: u16,
    cluster: Arc<Cluster>,
    rules: Mutex<Rules>,
    mode: Mutex<Mode>,
    /// What `Authorization` has to be.
    authorization: Mutex<Option<String>>,
    refusals: AtomicUsize,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
}

struct Listening {
    task: AbortHandle,
    /// Breaks when the port is free again.
    gone: mpsc::Receiver<()>,
}

impl FakeWorker {
    pub(super) fn start(index: usize, cluster: &Arc<Cluster>, runtime: &Handle) -> FakeWorker {
        let shared = Arc::new(Shared {
            index,
            port: free_port(),
            cluster: Arc::clone(cluster),
            rules: Mutex::default(),
            mode: Mutex::default(),
            authorization: Mutex::default(),
            refusals: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
        let url = format!("http://127.0.0.1:{}", shared.port);
        lock(&cluster.state).ids[index] = format!("127.0.0.1:{}", shared.port);
        let worker = FakeWorker { shared, url, runtime: runtime.clone(), listening: Mutex::new(None) };
        worker.bring_up();
        worker
    }

    /// Returns where it listens, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what `worker_id` calls it.
    pub fn id(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Does the same as [`super::FakeWorkers::on`] for requests that this worker gets.
    pub fn on(&self, method: &str, pattern: &str, actions: impl IntoIterator<Item = Action>) {
        lock(&self.shared.rules).add(method, pattern, actions);
    }

    /// Does the same as [`super::FakeWorkers::always`] for requests that this worker gets.
    pub fn always(&self, method: &str, pattern: &str, action: Action) {
        lock(&self.shared.rules).add_lasting(method, pattern, action);
    }

    /// Forgets what this worker alone was told.
    pub fn behave(&self) {
        lock(&self.shared.rules).clear();
    }

    pub fn set_mode(&self, mode: Mode) {
        *lock(&self.shared.mode) = mode;
    }

    /// Answers 401 to every request without this `Authorization`.
    pub fn require_authorization(&self, value: &str) {
        *lock(&self.shared.authorization) = Some(value.to_owned());
    }

    /// Closes the next connections as soon as they are made.
    pub fn refuse(&self, connections: usize) {
        self.shared.refusals.store(connections, Ordering::SeqCst);
    }

    /// Returns the requests that this worker got, those to `/health` included.
    pub fn requests(&self) -> Vec<Request> {
        let requests = lock(&self.shared.cluster.requests);
        requests.iter().filter(|request| request.worker == self.shared.index).cloned().collect()
    }

    /// Returns those that match, patterns as for [`super::FakeWorkers::on`].
    pub fn requests_to(&self, method: &str, pattern: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.matches(method, pattern)).collect()
    }

    /// Returns how many requests are under way, those to `/health` left out.
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::SeqCst)
    }

    /// Returns how many there were at most at the same time.
    pub fn peak(&self) -> usize {
        self.shared.peak.load(Ordering::SeqCst)
    }

    /// Stops listening and breaks all connections, as a crash does.
    pub fn take_down(&self) {
        let Some(listening) = lock(&self.listening).take() else { return };
        lock(&self.shared.cluster.state).is_up[self.shared.index] = false;
        listening.task.abort();
        // An error is what is waited for: nothing is ever sent.
        let _ = listening.gone.recv();
    }

    /// Listens again on the same port. Does nothing if it does already.
    pub fn bring_up(&self) {
        let mut listening = lock(&self.listening);
        if listening.is_some() {
            return;
        }
        let (holder, gone) = mpsc::channel();
        let shared = Arc::clone(&self.shared);
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, shared.port)).expect("the port is free");
        listener.set_nonblocking(true).expect("a socket can be made so");
        let task = self.runtime.spawn(async move {
            // Dropped after what follows it.
            let _holder = holder;
            accept(listener, shared).await;
        });
        lock(&self.shared.cluster.state).is_up[self.shared.index] = true;
        *listening = Some(Listening { task: task.abort_handle(), gone });
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("within a runtime");
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let left = |left: usize| left.checked_sub(1);
        if shared.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            connections.spawn(serve(stream, Arc::clone(&shared)));
        }
    }
}

/// Serves one connection until it ends, from either side.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = request::read_head(&mut stream, shared.index).await {
        let counted = InFlight::new(&shared, &request);
        match answer(&mut stream, &shared, request).await {
            Ok(Next::KeepAlive) => drop(counted),
            Ok(Next::Close) | Err(_) => return,
        }
    }
}

enum Next {
    KeepAlive,
    Close,
}

async fn answer(stream: &mut BufReader<TcpStream>, shared: &Shared, mut request: Request) -> io::Result<Next> {
    let action = shared.action(&request);
    if !matches!(action.shows, Shows::EarlyEnd) {
        request::read_body(stream, &mut request).await?;
    }
    lock(&shared.cluster.requests).push(request.clone());
    let apply = || behavior::answer(&mut lock(&shared.cluster.state), &request);
    let applied = action.takes_effect.then(apply);
    let is_head = request.method == "HEAD";
    match action.shows {
        Shows::Answer => write(stream, &applied.unwrap_or_else(apply), is_head).await,
        Shows::Reply(reply) => write(stream, &reply, is_head).await,
        Shows::Chunks => write_chunks(stream, &applied.unwrap_or_else(apply)).await,
        Shows::Drip => write_slowly(stream, &applied.unwrap_or_else(apply)).await,
        Shows::Half => write_half(stream, &applied.unwrap_or_else(apply)).await,
        Shows::Stalled => {
            write_half(stream, &applied.unwrap_or_else(apply)).await?;
            wait_for_end(stream).await
        }
        Shows::Nothing => wait_for_end(stream).await,
        Shows::End | Shows::EarlyEnd => Ok(Next::Close),
        Shows::After(gate) => {
            gate.opened().await;
            write(stream, &applied.unwrap_or_else(apply), is_head).await
        }
    }
}

impl Shared {
    fn action(&self, request: &Request) -> Action {
        let is_health = request.path() == "/health";
        match *lock(&self.mode) {
            Mode::Starting if is_health => {
                let body = serde_json::json!({"status": "starting", "message": "The worker has not started yet."});
                return Action::json(503, &body);
            }
            Mode::Starting => return Action::html(404),
            Mode::Page(status) => return Action::html(status),
            Mode::Frozen => return Action::hang(),
            Mode::Healthy => {}
        }
        let expected = lock(&self.authorization).clone();
        if expected.is_some() && expected.as_deref() != request.header("authorization") {
            return Action::reply(Reply { body: b"User cannot access the resource.".to_vec(), ..Reply::empty(401) });
        }
        let own = lock(&self.rules).take(request);
        own.or_else(|| lock(&self.cluster.rules).take(request)).unwrap_or_else(Action::pass)
    }
}

/// Counts a request as under way while it exists.
struct InFlight<'a>(Option<&'a Shared>);

impl InFlight<'_> {
    fn new<'a>(shared: &'a Shared, request: &Request) -> InFlight<'a> {
        if request.path() == "/health" {
            return InFlight(None);
        }
        let now = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        shared.peak.fetch_max(now, Ordering::SeqCst);
        InFlight(Some(shared))
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

async fn write(stream: &mut BufReader<TcpStream>, reply: &Reply, is_head: bool) -> io::Result<Next> {
    let body = if is_head { &[] } else { reply.body.as_slice() };
    stream.write_all(&[head(reply, &length_of(reply)).as_bytes(), body].concat()).await?;
    Ok(Next::KeepAlive)
}

async fn write_chunks(stream: &mut BufReader<TcpStream>, reply: &Reply) -> io::Result<Next> {
    stream.write_all(head(reply, "Transfer-Encoding: chunked\r\n").as_bytes()).await?;
    for chunk in reply.body.chunks(100) {
        stream.write_all(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await?;
    }
    stream.write_all(b"0\r\n\r\n").await?;
    Ok(Next::KeepAlive)
}

async fn write_slowly(stream: &mut BufReader<TcpStream>, reply: &Reply) -> io::Result<Next> {
    stream.write_all(head(reply, &length_of(reply)).as_bytes()).await?;
    for piece in reply.body.chunks(reply.body.len().div_ceil(20).max(1)) {
        sleep(DRIP).await;
        stream.write_all(piece).await?;
    }
    Ok(Next::KeepAlive)
}

async fn write_half(stream: &mut BufReader<TcpStream>, reply: &Reply) -> io::Result<Next> {
    let half = &reply.body[..reply.body.len() / 2];
    stream.write_all(&[head(reply, &length_of(reply)).as_bytes(), half].concat()).await?;
    Ok(Next::Close)
}

/// Waits until the client gives up.
async fn wait_for_end(stream: &mut BufReader<TcpStream>) -> io::Result<Next> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(Next::Close)
}

fn length_of(reply: &Reply) -> String {
    format!("Content-Length: {}\r\n", reply.body.len())
}

fn head(reply: &Reply, framing: &str) -> String {
    let framing = if reply.status == 204 { "" } else { framing };
    let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let headers: String = headers.collect();
    format!("HTTP/1.1 {} Status\r\nServer: Jetty(fake)\r\n{headers}{framing}\r\n", reply.status)
}
