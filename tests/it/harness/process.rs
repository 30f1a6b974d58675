//! Child processes: what they print, how they are signaled, and that they never outlive the test run.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::harness::waiting::eventually_blocking;

/// The lines that a child prints to stdout and stderr, collected in the background.
pub struct Output {
    shared: Arc<Shared>,
    readers: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    lines: Vec<String>,
    open_streams: usize,
}

impl Output {
    /// Takes over both streams of `child`, which must be piped.
    pub fn of(child: &mut Child) -> Output {
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let state = Mutex::new(State { lines: Vec::new(), open_streams: 2 });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let readers = vec![read_lines(stdout, &shared), read_lines(stderr, &shared)];
        Output { shared, readers }
    }

    /// Takes over stderr of `child`, which must be piped.
    pub fn of_stderr(child: &mut Child) -> Output {
        let stderr = child.stderr.take().expect("stderr is piped");
        let state = Mutex::new(State { lines: Vec::new(), open_streams: 1 });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let readers = vec![read_lines(stderr, &shared)];
        Output { shared, readers }
    }

    /// Returns the first `Some` of `matches` over all lines, old and new. The error is what was printed instead until
    /// the child closed its streams or the deadline came.
    pub fn wait_for<T>(&self, deadline: Duration, matches: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let end = Instant::now() + deadline;
        let mut seen = 0;
        let mut state = self.shared.lock();
        loop {
            if let Some(found) = state.lines[seen..].iter().find_map(|line| matches(line)) {
                return Ok(found);
            }
            seen = state.lines.len();
            let left = end.saturating_duration_since(Instant::now());
            if state.open_streams == 0 || left.is_zero() {
                return Err(state.lines.join("\n"));
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn text(&self) -> String {
        self.shared.lock().lines.join("\n")
    }

    /// Waits until both streams are closed and every line is here.
    pub fn drain(&mut self) {
        for reader in self.readers.drain(..) {
            reader.join().expect("the reader does not panic");
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_lines(stream: impl Read + Send + 'static, shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        // Bytes, as a child may print what is not UTF-8.
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            shared.lock().lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            shared.changed.notify_all();
            line.clear();
        }
        shared.lock().open_streams -= 1;
        shared.changed.notify_all();
    })
}

/// Sends a signal, for example `TERM`. Does nothing if the process is gone.
pub fn signal(pid: u32, name: &str) {
    shell(&format!("kill -{name} {pid} 2>/dev/null || true")).status().expect("sh runs");
}

pub fn is_alive(pid: u32) -> bool {
    shell(&format!("kill -0 {pid} 2>/dev/null")).status().expect("sh runs").success()
}

/// Panics if the child has not ended at the deadline.
#[track_caller]
pub fn wait(child: &mut Child, deadline: Duration) -> ExitStatus {
    let what = format!("process {} ended", child.id());
    eventually_blocking(&what, deadline, || child.try_wait().expect("the child can be waited for"))
}

/// Kills a process when this one is gone, however that happened: the shell behind it waits on a pipe from here.
pub struct LastWill(Child);

impl LastWill {
    pub fn kill(pid: u32) -> LastWill {
        let waiting = shell(&format!("read -r _; kill -KILL {pid} 2>/dev/null")).stdin(Stdio::piped()).spawn();
        LastWill(waiting.expect("sh runs"))
    }
}

impl Drop for LastWill {
    /// Revokes it, so that no later process with the same id is killed.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command
}
