//! The answers as they are written; every field is always there.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::connect::sight::{State, States};

#[derive(JsonSchema, Serialize)]
pub struct Clusters {
    pub clusters: Vec<Cluster>,
}

#[derive(JsonSchema, Serialize)]
pub struct Cluster {
    pub name: String,
    /// Whether a worker answered just now.
    pub reachable: bool,
    pub kafka_cluster_id: Option<String>,
    pub version: Option<String>,
    pub workers: Vec<Worker>,
    /// `null` where Kafka is not asked about the workers.
    pub group: Option<Group>,
}

/// The group of the workers in Kafka.
#[derive(JsonSchema, Serialize)]
pub struct Group {
    pub id: String,
    pub state: String,
    pub rebalancing: bool,
}

#[derive(JsonSchema, Serialize)]
pub struct Worker {
    /// As in `worker_id`.
    pub id: String,
    pub url: String,
    /// `healthy`, `busy` (it answers, what a rebalance blocks waits), `hung`, `starting`, `down` or `unknown`.
    pub health: &'static str,
    /// For how many seconds it is so.
    pub since_s: u64,
    pub leader: bool,
    /// How many connectors it runs; `null` where Kafka does not tell.
    pub connectors: Option<usize>,
    /// How many tasks it runs; `null` where Kafka does not tell.
    pub tasks: Option<usize>,
}

/// How many are in each state.
#[derive(JsonSchema, Serialize)]
pub struct Counts {
    pub total: u64,
    pub running: u64,
    pub paused: u64,
    pub stopped: u64,
    pub failed: u64,
    pub unassigned: u64,
    pub restarting: u64,
    pub other: u64,
}

impl From<&States> for Counts {
    fn from(states: &States) -> Counts {
        Counts {
            total: states.total(),
            running: states.count(State::Running),
            paused: states.count(State::Paused),
            stopped: states.count(State::Stopped),
            failed: states.count(State::Failed),
            unassigned: states.count(State::Unassigned),
            restarting: states.count(State::Restarting),
            other: states.count(State::Other),
        }
    }
}

#[derive(JsonSchema, Serialize)]
pub struct Overview {
    pub cluster: String,
    pub connectors: Counts,
    pub tasks: Counts,
    pub types: Types,
    /// The first hundred by name.
    pub failed: Vec<Failure>,
    /// How much more has failed.
    pub more_failed: u64,
    /// Changes that wait for their turn in this proxy.
    pub waiting_changes: usize,
    pub restarts: Restarts,
}

#[derive(JsonSchema, Serialize)]
pub struct Types {
    pub source: u64,
    pub sink: u64,
    pub unknown: u64,
}

#[derive(JsonSchema, Serialize)]
pub struct Failure {
    pub connector: String,
    /// Null is the connector itself.
    pub task: Option<i32>,
    pub worker_id: String,
    /// The first line of its trace, without secrets.
    pub error: String,
}

/// What is started again when it has failed.
#[derive(JsonSchema, Serialize)]
pub struct Restarts {
    /// Whether that is configured.
    pub enabled: bool,
    /// Whether this instance is the one that does it; the others know of no connectors.
    pub acting: bool,
    pub connectors: Vec<Restart>,
}

#[derive(JsonSchema, Serialize)]
pub struct Restart {
    pub connector: String,
    /// How often it was started again.
    pub attempts: u32,
    /// When it will be again; null where it runs, or is left to the operators.
    pub next_in_ms: Option<u64>,
    /// Whether it is left to the operators.
    pub given_up: bool,
}

#[derive(JsonSchema, Serialize)]
pub struct Connectors {
    pub connectors: Vec<Connector>,
    /// Null on the last page.
    pub next_cursor: Option<String>,
}

#[derive(JsonSchema, Serialize)]
pub struct Connector {
    pub name: String,
    /// source, sink or unknown.
    pub r#type: String,
    pub class: String,
    /// RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED, RESTARTING or OTHER.
    pub state: &'static str,
    pub worker_id: String,
    pub tasks: Counts,
}

#[derive(JsonSchema, Serialize)]
pub struct PlannedSet {
    /// Those of the set in its order, then those that are deleted.
    pub connectors: Vec<PlannedConnector>,
    pub summary: Summary,
}

#[derive(JsonSchema, Serialize)]
pub struct PlannedConnector {
    pub name: String,
    /// Of create, update, pause, resume, stop and delete, in order; empty where it is as it should be.
    pub actions: Vec<&'static str>,
    pub changes: Vec<Change>,
    pub errors: Vec<Problem>,
    /// applied, failed, unchanged or not_tried; null in a plan.
    pub result: Option<&'static str>,
    /// The HTTP status of what failed.
    pub status: Option<u16>,
    /// Why it failed.
    pub message: Option<String>,
}

/// A key of the configuration; values are without secrets.
#[derive(JsonSchema, Serialize)]
pub struct Change {
    pub key: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

#[derive(JsonSchema, Serialize)]
pub struct Problem {
    pub key: String,
    pub message: String,
}

/// How many connectors each is to be done with, or was; one may count more than once.
#[derive(Default, JsonSchema, Serialize)]
pub struct Summary {
    pub total: usize,
    pub create: usize,
    pub update: usize,
    pub pause: usize,
    pub resume: usize,
    pub stop: usize,
    pub delete: usize,
    pub unchanged: usize,
    pub invalid: usize,
    pub failed: usize,
    pub not_tried: usize,
}
