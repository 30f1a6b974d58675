//! Brokers as child processes, through the script `tests/kafka/broker`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::kafka::Kafka;
use crate::harness::ports::free_port;
use crate::harness::script::{self, FAST_START, Running, Starting};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually_blocking};

/// A broker of a test's own, to be killed, stopped and restarted. It ends when dropped and when the test run dies.
pub struct Broker {
    arguments: Vec<String>,
    java_options: String,
    dir: PathBuf,
    running: Option<Running>,
    kafka: Kafka,
}

/// What differs from the plain broker that the script starts.
#[derive(Clone, Debug, Default)]
pub struct OwnOptions {
    /// Lines of `broker.properties`, added or overridden. In a value `{port}` and `{controller_port}` are those of the
    /// broker.
    pub properties: Vec<(String, String)>,
    /// SCRAM users, each as `SCRAM-SHA-512=[name=alice,password=alice-pw]`.
    pub scram_users: Vec<String>,
    /// Replaces the options that let java start fast.
    pub java_options: Option<String>,
}

// A broker that was killed is let in again when its old session has ended. Nine seconds, the default, is long for a
// test and stays with the shared broker, which is never killed but may be starved for a while.
const SHORT_SESSION: [(&str, &str); 2] =
    [("broker.session.timeout.ms", "3000"), ("broker.heartbeat.interval.ms", "500")];

impl Broker {
    /// Starts one broker that is a cluster of its own.
    #[track_caller]
    pub fn start(options: OwnOptions) -> Broker {
        Broker::launch(&options.with_short_session()).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts one cluster of `count` brokers, node ids from 1. Each one's `kafka()` knows the addresses of all.
    #[track_caller]
    pub fn start_cluster(count: usize, options: OwnOptions) -> Vec<Broker> {
        Broker::launch_cluster(count, &options.with_short_session()).unwrap_or_else(|why| panic!("{why}"))
    }

    pub(super) fn launch(options: &OwnOptions) -> Result<Broker, String> {
        Ok(Broker::launch_cluster(1, options)?.remove(0))
    }

    fn launch_cluster(count: usize, options: &OwnOptions) -> Result<Vec<Broker>, String> {
        let mut result = Broker::try_launch_cluster(count, options);
        for _ in 0..3 {
            match result {
                // Somebody was faster to use a port that was free when we looked.
                Err(why) if why.contains("Address already in use") => {
                    result = Broker::try_launch_cluster(count, options);
                }
                other => return other,
            }
        }
        result
    }

    fn try_launch_cluster(count: usize, options: &OwnOptions) -> Result<Vec<Broker>, String> {
        let nodes: Vec<Node> = (1..=count).map(Node::new).collect();
        let voters: Vec<String> = nodes.iter().map(Node::voter).collect();
        let bootstrap: Vec<String> = nodes.iter().map(Node::address).collect();
        let new_broker = |node| Broker::new(node, &voters, &bootstrap.join(","), options);
        let mut brokers: Vec<Broker> = nodes.iter().map(new_broker).collect();
        // None is ready before a majority runs.
        let starting: Vec<Starting> = brokers.iter().map(Broker::spawn).collect();
        for (broker, starting) in brokers.iter_mut().zip(starting) {
            broker.running = Some(starting.wait()?);
        }
        brokers[0].wait_for_brokers(count);
        Ok(brokers)
    }

    fn new(node: &Node, voters: &[String], bootstrap: &str, options: &OwnOptions) -> Broker {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique("kafka"));
        let mut arguments: Vec<String> = [
            ("--dir", dir.to_str().expect("the target folder is UTF-8").to_owned()),
            ("--port", node.port.to_string()),
            ("--controller-port", node.controller_port.to_string()),
            ("--node", node.id.to_string()),
            ("--nodes", voters.len().to_string()),
            ("--voters", voters.join(",")),
        ]
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value])
        .collect();
        for (key, value) in &options.properties {
            let value = value.replace("{port}", &node.port.to_string());
            let value = value.replace("{controller_port}", &node.controller_port.to_string());
            arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
        }
        for user in &options.scram_users {
            arguments.extend(["--scram".to_owned(), user.clone()]);
        }
        arguments.push("--remove-dir".to_owned());
        let java_options = options.java_options.clone().unwrap_or_else(|| format!("-Xms256m -Xmx1g {FAST_START}"));
        Broker { arguments, java_options, dir, running: None, kafka: Kafka::at(bootstrap.to_owned()) }
    }

    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// Ends the broker as a crash does.
    #[track_caller]
    pub fn kill(&mut self) {
        self.running.take().expect("the broker runs").kill();
    }

    /// Ends the broker as an operator does, and waits until it has ended.
    #[track_caller]
    pub fn stop(&mut self) {
        self.running.take().expect("the broker runs").stop();
    }

    /// Starts a killed or stopped broker again, with its port and data, and waits until it serves clients.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "the broker still runs");
        self.running = Some(self.spawn().wait().unwrap_or_else(|why| panic!("{why}")));
    }

    /// Freezes the broker: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.running.as_ref().expect("the broker runs").pause();
    }

    /// Ends [`Broker::pause`].
    pub fn resume(&self) {
        self.running.as_ref().expect("the broker runs").resume();
    }

    /// Returns what the broker logged, for the message of a failing test.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("broker.log")).unwrap_or_default()
    }

    fn spawn(&self) -> Starting {
        script::start("broker", &self.arguments, &self.java_options)
    }

    fn wait_for_brokers(&self, count: usize) {
        eventually_blocking(&format!("metadata names {count} brokers"), PATIENCE, || {
            let metadata = self.kafka.admin().inner().fetch_metadata(None, Duration::from_secs(5)).ok()?;
            (metadata.brokers().len() == count).then_some(())
        });
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.running.take());
        // The script does it too, except after `kill` and `stop`.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl OwnOptions {
    /// Returns options with one more line of `broker.properties`.
    pub fn set(mut self, key: &str, value: &str) -> OwnOptions {
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    fn with_short_session(mut self) -> OwnOptions {
        // First, as of two lines with one key Kafka takes the last.
        let short = SHORT_SESSION.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.properties.splice(0..0, short);
        self
    }
}

struct Node {
    id: usize,
    port: u16,
    controller_port: u16,
}

impl Node {
    fn new(id: usize) -> Node {
        Node { id, port: free_port(), controller_port: free_port() }
    }

    fn voter(&self) -> String {
        format!("{}@127.0.0.1:{}", self.id, self.controller_port)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
