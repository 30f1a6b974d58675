//! A schema registry inside the test process, with what it has in memory only: it can go away and come back, refuse,
//! hang, and tells what it was asked.
//!
//! It runs on a runtime of its own, so a test may block. It does not read schemas: every text is one.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{AbortHandle, JoinSet};

use crate::harness::connect::fake::request::{Request, read_body, read_head};
use crate::harness::ports::free_port;

/// A registry; it is gone when dropped.
pub struct Registry {
    url: String,
    port: u16,
    shared: Arc<Shared>,
    listening: Mutex<Option<Listening>>,
    runtime: Option<Runtime>,
}

/// How it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Healthy,
    /// Answers this status to everything.
    Status(u16),
    /// Takes requests and answers nothing.
    Frozen,
    /// Looks up, but answers this to every registration: status, error code, message.
    Refuses(u16, i64, &'static str),
}

#[derive(Default)]
struct Shared {
    stored: Mutex<Stored>,
    mode: Mutex<Mode>,
    authorization: Mutex<Option<String>>,
    requests: Mutex<Vec<Request>>,
}

struct Listening {
    task: AbortHandle,
    /// Breaks when the port is free again.
    gone: mpsc::Receiver<()>,
}

/// The schemas by id, and the ids of each subject's versions.
#[derive(Default)]
struct Stored {
    schemas: BTreeMap<i32, Value>,
    subjects: BTreeMap<String, Vec<i32>>,
}

impl Registry {
    /// Starts an empty one on a port of its own; its first id is 1.
    pub fn start() -> Registry {
        let port = free_port();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
        let registry = Registry {
            url: format!("http://127.0.0.1:{port}"),
            port,
            shared: Arc::default(),
            listening: Mutex::new(None),
            runtime: Some(runtime),
        };
        registry.bring_up();
        registry
    }

    /// Returns where it listens, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Adds a schema to a subject, as a registration does, and returns its id; `kind` is AVRO, JSON or PROTOBUF.
    pub fn add(&self, subject: &str, kind: &str, text: &str) -> i32 {
        lock(&self.shared.stored).register(subject, &json!({ "schema": text, "schemaType": kind }))
    }

    /// Does the same for a schema that refers to others: their names, subjects and versions.
    pub fn add_referring(&self, subject: &str, kind: &str, text: &str, to: &[(&str, &str, i32)]) -> i32 {
        let reference = |(name, subject, version): &(&str, &str, i32)| json!({ "name": name, "subject": subject, "version": version });
        let references: Vec<_> = to.iter().map(reference).collect();
        let schema = json!({ "schema": text, "schemaType": kind, "references": references });
        lock(&self.shared.stored).register(subject, &schema)
    }

    /// Returns how many versions a subject has.
    pub fn versions(&self, subject: &str) -> usize {
        lock(&self.shared.stored).subjects.get(subject).map_or(0, Vec::len)
    }

    /// Returns how many requests it got that match; in a pattern `*` is any text, slashes too, and a method `*` is any.
    pub fn asked(&self, method: &str, pattern: &str) -> usize {
        lock(&self.shared.requests).iter().filter(|request| request.matches(method, pattern)).count()
    }

    /// Returns the requests it got.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    pub fn set_mode(&self, mode: Mode) {
        *lock(&self.shared.mode) = mode;
    }

    /// Answers 401 to every request without this `Authorization`.
    pub fn require_authorization(&self, value: &str) {
        *lock(&self.shared.authorization) = Some(value.to_owned());
    }

    /// Stops listening and breaks all connections, as a crash does; what it has stays.
    pub fn take_down(&self) {
        let Some(listening) = lock(&self.listening).take() else { return };
        listening.task.abort();
        // An error is what is waited for: nothing is ever sent.
        let _ = listening.gone.recv();
    }

    /// Listens again on the same port. Does nothing if it does already.
    pub fn bring_up(&self) {
        let mut listening = lock(&self.listening);
        let (None, Some(runtime)) = (&*listening, &self.runtime) else { return };
        let (holder, gone) = mpsc::channel();
        let shared = Arc::clone(&self.shared);
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).expect("the port is free");
        listener.set_nonblocking(true).expect("a socket can be made so");
        let task = runtime.spawn(async move {
            // Dropped after what follows it.
            let _holder: mpsc::Sender<()> = holder;
            accept(listener, shared).await;
        });
        *listening = Some(Listening { task: task.abort_handle(), gone });
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // A runtime must not be dropped where a task may run.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("within a runtime");
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, Arc::clone(&shared)));
    }
}

/// Serves one connection until it ends.
async fn serve(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(mut request) = read_head(&mut stream, 0).await? {
        read_body(&mut stream, &mut request).await?;
        lock(&shared.requests).push(request.clone());
        let Some((status, body)) = shared.answer(&request) else {
            let mut ignored = [0; 1024];
            while stream.read(&mut ignored).await? > 0 {}
            return Ok(());
        };
        let body = body.to_string();
        let media = "application/vnd.schemaregistry.v1+json";
        let head =
            format!("HTTP/1.1 {status} Status\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
    }
    Ok(())
}

impl Shared {
    /// Returns status and body; `None` answers nothing.
    fn answer(&self, request: &Request) -> Option<(u16, Value)> {
        let expected = lock(&self.authorization).clone();
        if expected.is_some() && expected.as_deref() != request.header("authorization") {
            return Some(error(401, 401, "Unauthorized"));
        }
        let is_registration = request.matches("POST", "/subjects/*/versions");
        match lock(&self.mode).clone() {
            Mode::Status(status) => Some(error(status, i64::from(status), "Not now")),
            Mode::Frozen => None,
            Mode::Refuses(status, code, message) if is_registration => Some(error(status, code, message)),
            Mode::Healthy | Mode::Refuses(..) => Some(lock(&self.stored).answer(request)),
        }
    }
}

impl Stored {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let segments = request.segments();
        let path: Vec<_> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["schemas", "ids", id]) => {
                let found = id.parse().ok().and_then(|id: i32| self.schemas.get(&id));
                found.map_or(error(404, 40403, "Schema not found"), |schema| (200, schema.clone()))
            }
            ("GET", ["subjects"]) => (200, self.subjects.keys().cloned().collect()),
            ("GET", ["subjects", subject, "versions", version]) => self.version(subject, version),
            ("POST", ["subjects", subject]) => self.look_up(subject, &request.json()),
            ("POST", ["subjects", subject, "versions"]) => {
                (200, json!({ "id": self.register(subject, &request.json()) }))
            }
            _ => error(404, 404, "HTTP 404 Not Found"),
        }
    }

    fn version(&self, subject: &str, version: &str) -> (u16, Value) {
        let Some(ids) = self.subjects.get(subject) else { return error(404, 40401, "Subject not found") };
        let at = if version == "latest" { Some(ids.len()) } else { version.parse().ok() };
        match at.filter(|at| (1..=ids.len()).contains(at)) {
            Some(at) => (200, self.of_subject(subject, ids[at - 1], at)),
            None => error(404, 40402, "Version not found"),
        }
    }

    fn look_up(&self, subject: &str, given: &Value) -> (u16, Value) {
        let Some(ids) = self.subjects.get(subject) else { return error(404, 40401, "Subject not found") };
        match ids.iter().position(|id| is_same(&self.schemas[id], given)) {
            Some(at) => (200, self.of_subject(subject, ids[at], at + 1)),
            None => error(404, 40403, "Schema not found"),
        }
    }

    fn of_subject(&self, subject: &str, id: i32, version: usize) -> Value {
        let mut schema = self.schemas[&id].clone();
        schema["subject"] = subject.into();
        schema["id"] = id.into();
        schema["version"] = version.into();
        schema
    }

    fn register(&mut self, subject: &str, given: &Value) -> i32 {
        let next = self.schemas.keys().last().map_or(1, |last| last + 1);
        let known = self.schemas.iter().find(|(_, schema)| is_same(schema, given)).map(|(id, _)| *id);
        let id = known.unwrap_or(next);
        let mut schema = json!({ "schema": given["schema"] });
        // A registry leaves out what is not there, and Avro.
        if kind(given) != "AVRO" {
            schema["schemaType"] = given["schemaType"].clone();
        }
        if given["references"].as_array().is_some_and(|references| !references.is_empty()) {
            schema["references"] = given["references"].clone();
        }
        self.schemas.entry(id).or_insert(schema);
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        if !versions.contains(&id) {
            versions.push(id);
        }
        id
    }
}

/// Returns whether two schemas differ in their layout at most.
fn is_same(one: &Value, other: &Value) -> bool {
    let text = |schema: &Value| {
        let text = schema["schema"].as_str().unwrap_or_default().to_owned();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    let references = |schema: &Value| schema["references"].as_array().cloned().unwrap_or_default();
    kind(one) == kind(other) && text(one) == text(other) && references(one) == references(other)
}

fn kind(schema: &Value) -> &str {
    schema["schemaType"].as_str().unwrap_or("AVRO")
}

fn error(status: u16, code: i64, message: &str) -> (u16, Value) {
    (status, json!({ "error_code": code, "message": message }))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
