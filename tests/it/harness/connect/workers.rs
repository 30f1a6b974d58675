//! Connect workers as child processes, through the script `tests/kafka/worker`.

use std::fs;
use std::ops::{Index, IndexMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::http::{self, Call};
use crate::harness::kafka::Kafka;
use crate::harness::ports::free_port;
use crate::harness::script::{self, FAST_START, Running, Starting};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually_blocking};

/// The workers of one new Connect cluster, by their index. They end when dropped and when the test run dies.
pub struct Workers {
    group: String,
    workers: Vec<Worker>,
}

/// One of them, to be called directly, killed, stopped and restarted.
pub struct Worker {
    url: String,
    arguments: Vec<String>,
    dir: PathBuf,
    running: Option<Running>,
}

/// What differs from the plain worker that the script starts.
#[derive(Clone, Debug, Default)]
pub struct WorkerOptions {
    /// Lines of `worker.properties`, added or overridden.
    pub properties: Vec<(String, String)>,
}

// What a lost worker did is given to others when its session has ended and then this delay. The shortest session that
// brokers take is long enough: these workers are killed to see what follows.
const SHORT_ABSENCE: [(&str, &str); 3] =
    [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "1000"), ("scheduled.rebalance.max.delay.ms", "1000")];

impl Workers {
    /// Starts `count` workers of a new group that soon notices when one of them is gone.
    #[track_caller]
    pub fn start(kafka: &Kafka, count: usize, options: WorkerOptions) -> Workers {
        Workers::launch(kafka, count, &options.with_short_absence()).unwrap_or_else(|why| panic!("{why}"))
    }

    pub(super) fn launch(kafka: &Kafka, count: usize, options: &WorkerOptions) -> Result<Workers, String> {
        let mut result = Workers::try_launch(kafka, count, options);
        for _ in 0..3 {
            match result {
                // Somebody was faster to use a port that was free when we looked.
                Err(why) if why.contains("Address already in use") => {
                    result = Workers::try_launch(kafka, count, options);
                }
                other => return other,
            }
        }
        result
    }

    fn try_launch(kafka: &Kafka, count: usize, options: &WorkerOptions) -> Result<Workers, String> {
        let group = unique("connect");
        let mut workers: Vec<Worker> = (0..count).map(|_| Worker::new(kafka, &group, options)).collect();
        let starting: Vec<Starting> = workers.iter().map(Worker::spawn).collect();
        for (worker, starting) in workers.iter_mut().zip(starting) {
            worker.running = Some(starting.wait()?);
        }
        let workers = Workers { group, workers };
        workers.wait_until_stable(kafka, count);
        Ok(workers)
    }

    /// Returns the group that the workers are members of.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Returns the URLs of all workers with commas between them, as the proxy takes them.
    pub fn urls(&self) -> String {
        self.workers.iter().map(Worker::url).collect::<Vec<_>>().join(",")
    }

    pub fn len(&self) -> usize {
        self.workers.len()
    }

    /// Waits until `members` workers are in the group and no rebalance is going on.
    #[track_caller]
    pub fn wait_until_stable(&self, kafka: &Kafka, members: usize) {
        eventually_blocking(&format!("group {} is stable with {members}", self.group), PATIENCE, || {
            let client = kafka.admin().inner();
            let groups = client.fetch_group_list(Some(&self.group), Duration::from_secs(5)).ok()?;
            let group = groups.groups().iter().find(|group| group.name() == self.group)?;
            (group.state() == "Stable" && group.members().len() == members).then_some(())
        });
    }
}

impl Index<usize> for Workers {
    type Output = Worker;

    fn index(&self, index: usize) -> &Worker {
        &self.workers[index]
    }
}

impl IndexMut<usize> for Workers {
    fn index_mut(&mut self, index: usize) -> &mut Worker {
        &mut self.workers[index]
    }
}

impl Worker {
    fn new(kafka: &Kafka, group: &str, options: &WorkerOptions) -> Worker {
        let port = free_port();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique("connect"));
        let mut arguments: Vec<String> = [
            ("--dir", dir.to_str().expect("the target folder is UTF-8")),
            ("--port", &port.to_string()),
            ("--bootstrap", &kafka.bootstrap),
            ("--group", group),
        ]
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value.to_owned()])
        .collect();
        for (key, value) in &options.properties {
            arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
        }
        arguments.push("--remove-dir".to_owned());
        Worker { url: format!("http://127.0.0.1:{port}"), arguments, dir, running: None }
    }

    /// Returns where it listens, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what Connect calls it, in the group's metadata and in `worker_id`.
    pub fn id(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Makes a call to the worker itself, past the proxy.
    pub fn call(&self, method: &str, path: &str) -> Call {
        http::call(method, &format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// Ends the worker as a crash does.
    #[track_caller]
    pub fn kill(&mut self) {
        self.running.take().expect("the worker runs").kill();
    }

    /// Ends the worker as an operator does, and waits until it has ended.
    #[track_caller]
    pub fn stop(&mut self) {
        self.running.take().expect("the worker runs").stop();
    }

    /// Starts a killed or stopped worker again, on its port, and waits until it serves clients.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "the worker still runs");
        self.running = Some(self.spawn().wait().unwrap_or_else(|why| panic!("{why}")));
    }

    /// Freezes the worker: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.running.as_ref().expect("the worker runs").pause();
    }

    /// Ends [`Worker::pause`].
    pub fn resume(&self) {
        self.running.as_ref().expect("the worker runs").resume();
    }

    /// Returns what the worker logged, for the message of a failing test.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("worker.log")).unwrap_or_default()
    }

    fn spawn(&self) -> Starting {
        script::start("worker", &self.arguments, &format!("-Xms64m -Xmx512m {FAST_START}"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.running.take());
        // The script does it too, except after `kill` and `stop`.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl WorkerOptions {
    /// Returns options with one more line of `worker.properties`.
    pub fn set(mut self, key: &str, value: &str) -> WorkerOptions {
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    fn with_short_absence(mut self) -> WorkerOptions {
        // First, as of two lines with one key the last is taken.
        let short = SHORT_ABSENCE.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.properties.splice(0..0, short);
        self
    }
}
