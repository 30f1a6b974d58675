//! Kafka's own processes, each run by a script of `tests/kafka`.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::harness::process::{Output, signal, wait};
use crate::harness::waiting::PATIENCE;

// A process of a test lives for seconds: optimizing its code costs more than it gives. Brokers that are measured are
// not started here and keep java's defaults.
pub const FAST_START: &str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

// The first start may have to fetch Kafka.
const START_DEADLINE: Duration = Duration::from_secs(600);

/// A script that was started and whose java may not serve yet.
pub struct Starting {
    script: Child,
    output: Output,
}

/// A script whose java serves. It ends when dropped and when the test run dies.
pub struct Running {
    script: Child,
    // Held, as the script has to be able to print.
    _output: Output,
    java: u32,
}

/// Starts a script of `tests/kafka` by its name and does not wait until it is ready.
pub fn start(name: &str, arguments: &[String], java_options: &str) -> Starting {
    let mut script = Command::new(format!("{}/tests/kafka/{name}", env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        .env("KAFKA_HEAP_OPTS", java_options)
        // Java lives as long as this pipe: it is closed by the kernel even when the test run is killed.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("bash does not run tests/kafka/{name}: {error}"));
    let output = Output::of(&mut script);
    Starting { script, output }
}

impl Starting {
    /// Waits until clients are served; the error is what was printed instead.
    pub fn wait(self) -> Result<Running, String> {
        let java = self.output.wait_for(START_DEADLINE, |line| {
            let (_, pid) = line.strip_prefix("ready ")?.split_once(" pid ")?;
            pid.parse().ok()
        });
        Ok(Running { java: java?, script: self.script, _output: self.output })
    }
}

impl Running {
    /// Ends java as a crash does.
    #[track_caller]
    pub fn kill(mut self) {
        signal(self.java, "KILL");
        wait(&mut self.script, PATIENCE);
    }

    /// Ends java as an operator does, and waits until it has ended.
    #[track_caller]
    pub fn stop(mut self) {
        signal(self.script.id(), "TERM");
        wait(&mut self.script, PATIENCE);
    }

    /// Freezes java: connections stay open and nothing answers.
    pub fn pause(&self) {
        signal(self.java, "STOP");
    }

    /// Ends [`Running::pause`].
    pub fn resume(&self) {
        signal(self.java, "CONT");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The script kills java when stdin closes, also a paused one.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}
