//! The built binary as a child process, for what only a process has: arguments, signals, exit codes and logs.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::harness::process::{self, LastWill, Output};
use crate::harness::waiting::PATIENCE;

/// A running `kafka-rest-proxy`; killed when dropped and when the test run dies.
pub struct Proxy {
    child: Child,
    output: Output,
    address: Option<SocketAddr>,
    _last_will: LastWill,
}

impl Proxy {
    /// Starts the proxy on a free port of the loopback address and waits until it says where it listens.
    #[track_caller]
    pub fn start(args: &[&str], envs: &[(&str, &str)]) -> Proxy {
        let mut proxy = Proxy::spawn(["--listen", "127.0.0.1:0"].iter().chain(args), envs);
        match proxy.output.wait_for(PATIENCE, listening_address) {
            Ok(address) => proxy.address = Some(address),
            Err(log) => panic!("the proxy does not listen:\n{log}"),
        }
        proxy
    }

    /// Does the same with a standard output that nobody reads.
    #[track_caller]
    pub fn start_unread(args: &[&str]) -> Proxy {
        let (unread, stdout) = std::io::pipe().expect("a pipe");
        let mut child = Command::new(env!("CARGO_BIN_EXE_kafka-rest-proxy"))
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo built the binary");
        // The end that is read from lives as long as the test run.
        std::mem::forget(unread);
        let output = Output::of_stderr(&mut child);
        let address =
            output.wait_for(PATIENCE, listening_address).unwrap_or_else(|log| panic!("it does not listen:\n{log}"));
        Proxy { output, address: Some(address), _last_will: LastWill::kill(child.id()), child }
    }

    /// Starts the binary with exactly these arguments and waits for nothing: for runs that are to fail or end.
    pub fn spawn(args: impl IntoIterator<Item = impl AsRef<OsStr>>, envs: &[(&str, &str)]) -> Proxy {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kafka-rest-proxy"))
            .args(args)
            .envs(envs.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo built the binary");
        Proxy { output: Output::of(&mut child), address: None, _last_will: LastWill::kill(child.id()), child }
    }

    /// Panics if this was not made by [`Proxy::start`].
    pub fn address(&self) -> SocketAddr {
        self.address.expect("started, not just spawned")
    }

    /// Returns the URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Returns how much memory it has, as the kernel counts.
    pub fn memory_bytes(&self) -> u64 {
        self.kernel_says("VmRSS:") * 1024
    }

    /// Returns how many threads it has.
    pub fn threads(&self) -> u64 {
        self.kernel_says("Threads:")
    }

    /// Returns how many sockets it has open.
    pub fn sockets(&self) -> usize {
        let open = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs, on Linux");
        let target = open.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
        target.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }

    fn kernel_says(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs, on Linux");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Returns how many files and sockets it has open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs, on Linux").count()
    }

    /// Sends a signal, for example `TERM`.
    pub fn signal(&self, name: &str) {
        process::signal(self.child.id(), name);
    }

    /// Waits for the end of the process; the log is complete after it.
    #[track_caller]
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let status = process::wait(&mut self.child, deadline);
        self.output.drain();
        status
    }

    /// Waits for a line that contains `text` and returns it; panics with the whole log otherwise.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str, deadline: Duration) -> String {
        match self.output.wait_for(deadline, |line| line.contains(text).then(|| line.to_owned())) {
            Ok(line) => line,
            Err(log) => panic!("no line with `{text}`:\n{log}"),
        }
    }

    /// Returns all that was printed until now, stdout and stderr.
    pub fn log(&self) -> String {
        self.output.text()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listening_address(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once("listening on http://")?;
    let end = after.find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c))).unwrap_or(after.len());
    after[..end].parse().ok()
}
